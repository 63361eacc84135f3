//! Exchanging the plugin while it serves.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use iamseal::contract::{Policy, SealOptions};
use iamseal::keys::{StaticKey, StaticKeyring};
use iamseal::{Error, Limits, Plugin, PluginBuilder, PluginSlot};
use iamseal_tests::hostile::Guest;

const PATH: &[u8] = b"config/iam/users/alice/identity.json";

fn keyring() -> Arc<StaticKeyring> {
    let keyring = StaticKeyring::new().key(StaticKey::generate("a-key").unwrap());
    Arc::new(keyring.default_key("a-key").unwrap())
}

fn builder(component: Vec<u8>, keyring: Arc<StaticKeyring>) -> PluginBuilder {
    Plugin::builder().component(component).keyring(keyring)
}

/// The built-in component with a custom section more: another digest, the same work.
fn edition(number: u8) -> Vec<u8> {
    let mut bytes = iamseal_component::PLUGIN.to_vec();
    bytes.extend([0, 3, 1, b'e', number]);
    bytes
}

async fn slot() -> PluginSlot {
    PluginSlot::new(builder(edition(0), keyring()).load().await.unwrap())
}

/// Neither the plugin that serves nor what it does has changed.
async fn serves(slot: &PluginSlot, digest: &str) {
    let plugin = slot.current();
    assert_eq!(plugin.identity().digest(), digest);
    let sealed = plugin.seal(PATH, b"{}", &SealOptions::default()).await;
    let opened = plugin.unseal(PATH, &sealed.unwrap(), Policy::Sealed).await;
    assert_eq!(*opened.unwrap().plaintext, b"{}");
}

#[tokio::test]
async fn the_component_that_is_built_in_passes_its_test() {
    let plugin = builder(edition(0), keyring()).load().await.unwrap();
    plugin.self_test().await.unwrap();
    let auditor = Plugin::builder().component(iamseal_component::AUDITOR);
    let auditor = auditor.load_auditor().await.unwrap();
    auditor.self_test().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn under_load_no_call_fails() {
    let slot = slot().await;
    let first = slot.current();
    let sealed = first.seal(PATH, b"{}", &SealOptions::default()).await;
    let sealed = Arc::new(sealed.unwrap());
    let (stop, calls) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicUsize::new(0)),
    );
    let callers: Vec<_> = (0..4_u8)
        .map(|caller| {
            let (slot, sealed) = (slot.clone(), Arc::clone(&sealed));
            let (stop, calls) = (Arc::clone(&stop), Arc::clone(&calls));
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    // What the first one sealed opens at all times, and so does what this call seals.
                    let opened = slot.current().unseal(PATH, &sealed, Policy::Sealed).await;
                    assert_eq!(*opened.unwrap().plaintext, b"{}");
                    let plaintext = [caller; 1000];
                    let options = SealOptions::default();
                    let mine = slot
                        .current()
                        .seal(PATH, &plaintext, &options)
                        .await
                        .unwrap();
                    let opened = slot.current().unseal(PATH, &mine, Policy::Sealed).await;
                    assert_eq!(*opened.unwrap().plaintext, plaintext);
                    calls.fetch_add(3, Ordering::Relaxed);
                }
            })
        })
        .collect();
    let mut seen = vec![first.identity().digest().to_owned()];
    for number in 1..=6 {
        let candidate = slot.current().successor().component(edition(number));
        let swapped = slot.swap(candidate).await.unwrap();
        assert_eq!(swapped.old.digest(), seen.last().unwrap());
        assert_eq!(slot.current().identity(), &swapped.new);
        assert!(!seen.contains(&swapped.new.digest().to_owned()));
        seen.push(swapped.new.digest().to_owned());
        let unfit = slot
            .current()
            .successor()
            .component(Guest::default().build());
        slot.swap(unfit).await.unwrap_err();
    }
    for _ in 0..5 {
        slot.roll_back().await.unwrap();
    }
    let before = calls.load(Ordering::Relaxed);
    while calls.load(Ordering::Relaxed) < before + 100 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    stop.store(true, Ordering::Relaxed);
    for caller in callers {
        caller.await.unwrap();
    }
}

#[tokio::test]
async fn rolling_back_goes_there_and_back_again() {
    let slot = slot().await;
    assert!(slot.roll_back().await.is_none());
    let candidate = slot.current().successor().component(edition(1));
    let swapped = slot.swap(candidate).await.unwrap();
    let back = slot.roll_back().await.unwrap();
    assert_eq!((&back.old, &back.new), (&swapped.new, &swapped.old));
    serves(&slot, swapped.old.digest()).await;
    let again = slot.roll_back().await.unwrap();
    assert_eq!(again, swapped);
    serves(&slot, swapped.new.digest()).await;
}

#[tokio::test]
async fn a_call_under_way_ends_on_the_plugin_it_began_with() {
    let slot = slot().await;
    let old = slot.current();
    let candidate = old.successor().component(edition(1));
    let swapped = slot.swap(candidate).await.unwrap();
    assert_eq!(old.identity(), &swapped.old);
    let sealed = old
        .seal(PATH, b"{}", &SealOptions::default())
        .await
        .unwrap();
    let opened = slot.current().unseal(PATH, &sealed, Policy::Sealed).await;
    assert_eq!(*opened.unwrap().plaintext, b"{}");
}

/// What the error of a refused exchange says. The old plugin serves on.
async fn refused(candidate: impl FnOnce(PluginBuilder) -> PluginBuilder) -> Error {
    let slot = slot().await;
    let digest = slot.current().identity().digest().to_owned();
    let error = slot.swap(candidate(slot.current().successor())).await;
    serves(&slot, &digest).await;
    assert!(slot.roll_back().await.is_none(), "there was no exchange");
    error.unwrap_err()
}

async fn unfit(guest: Guest) -> (String, String) {
    match refused(|candidate| candidate.component(guest.build())).await {
        Error::Unfit { check, message, .. } => (check, message),
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_component_for_another_world_is_refused() {
    let error = refused(|candidate| candidate.component(wat::parse_str("(component)").unwrap()));
    assert!(matches!(error.await, Error::Incompatible { .. }));
    let error = refused(|candidate| candidate.component(iamseal_component::AUDITOR)).await;
    let text = error.to_string();
    assert!(matches!(error, Error::Incompatible { .. }), "{text}");
    assert!(
        text.contains("does not export iamseal:plugin/sealing@0.1.0"),
        "{text}"
    );
}

#[tokio::test]
async fn a_component_that_traps_is_refused() {
    let (check, message) = unfit(Guest::default()).await;
    assert!(check.starts_with("opens a known object"), "{check}");
    assert!(message.contains("unreachable"), "{message}");
}

#[tokio::test]
async fn a_component_that_answers_with_another_plaintext_is_refused() {
    // An object opened in MinIO's form: `ok`, an empty plaintext, no key, no context, no user.
    let liar = Guest {
        unseal: "(i32.store8 (i32.const 16) (i32.const 0))
            (i32.store (i32.const 20) (i32.const 4096)) (i32.store (i32.const 24) (i32.const 0))
            (i32.store8 (i32.const 28) (i32.const 2)) (i32.const 16)",
        ..Guest::default()
    };
    let (check, message) = unfit(liar).await;
    assert!(check.starts_with("opens a known object"), "{check}");
    assert_eq!(message, "the plaintext is another");
}

#[tokio::test]
async fn a_component_that_never_ends_is_refused() {
    let endless = Guest {
        unseal: "(loop (br 0)) unreachable",
        ..Guest::default()
    };
    let mut limits = Limits::default();
    limits.guest_time = Duration::from_millis(50);
    let error = refused(|candidate| candidate.component(endless.build()).limits(limits)).await;
    let text = error.to_string();
    assert!(matches!(error, Error::Unfit { .. }), "{text}");
    assert!(text.contains("computing time of a call"), "{text}");
}

#[tokio::test]
async fn a_component_that_would_not_open_what_is_stored_is_refused() {
    // The component is fit; what it is lent is another key of the same name.
    let error = refused(|_| builder(edition(1), keyring())).await;
    let Error::Unfit { check, message, .. } = error else {
        panic!("{error}");
    };
    assert!(check.contains("opens what"), "{check}");
    assert!(message.contains("no key named \"a-key\""), "{message}");
}
