//! Every limit of a plugin bites: a component that goes for it is stopped, the error names the
//! limit, and the next call succeeds.

use std::sync::Arc;
use std::time::Duration;

use iamseal::contract::{Policy, SealOptions};
use iamseal::{AuditScope, Error, Limit, Limits, Plugin};

use iamseal_tests::hostile::{Guest, Hanging, ILL, WELL, store};

const FOR_EVER: &str = "(loop (br 0)) unreachable";

/// Long enough for a slow machine to get to work, short enough to wait for.
const SHORT: Duration = Duration::from_millis(100);

fn limits(change: impl FnOnce(&mut Limits)) -> Limits {
    let mut limits = Limits::default();
    change(&mut limits);
    limits
}

async fn seal(plugin: &Plugin, path: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, Error> {
    plugin.seal(path, plaintext, &SealOptions::default()).await
}

/// Which limit the error is about, what was asked and what is allowed.
#[track_caller]
fn reached<T>(result: Result<T, Error>) -> (Limit, Option<u64>, u64) {
    match result {
        Err(Error::Limit {
            component,
            limit,
            asked,
            allowed,
        }) => {
            assert!(component.starts_with("iamseal (sha256 "), "{component}");
            (limit, asked, allowed)
        }
        Err(error) => panic!("not a limit: {error}"),
        Ok(_) => panic!("no limit was reached"),
    }
}

/// Loads the guest, has it seal to its harm, and then well.
async fn seal_ill(guest: Guest, limits: Limits) -> (Limit, Option<u64>, u64) {
    let plugin = guest.plugin().limits(limits).load().await.unwrap();
    let reached = reached(seal(&plugin, ILL, b"plaintext").await);
    assert_eq!(seal(&plugin, WELL, b"next").await.unwrap(), b"next");
    reached
}

#[tokio::test]
async fn memory() {
    let guest = Guest {
        seal: "(loop (br_if 0 (i32.ne (memory.grow (i32.const 16)) (i32.const -1)))) unreachable",
        ..Guest::default()
    };
    let limits = limits(|limits| limits.memory_bytes = 8 << 20);
    let (limit, asked, allowed) = seal_ill(guest, limits).await;
    assert_eq!(
        (limit, asked, allowed),
        (Limit::Memory, Some(9 << 20), 8 << 20)
    );
}

#[tokio::test]
async fn memory_of_the_component_itself() {
    let guest = Guest {
        pages: 200,
        ..Guest::default()
    };
    let limits = limits(|limits| limits.memory_bytes = 8 << 20);
    let loaded = guest.plugin().limits(limits).load().await;
    assert_eq!(reached(loaded), (Limit::Memory, Some(200 * 65536), 8 << 20));
}

#[tokio::test]
async fn table() {
    let guest = Guest {
        seal: "(loop (br_if 0 (i32.ne (i32.const -1)
                   (table.grow $table (ref.null func) (i32.const 100)))))
               unreachable",
        ..Guest::default()
    };
    let (limit, asked, allowed) = seal_ill(guest, Limits::default()).await;
    assert_eq!((limit, allowed), (Limit::Table, 16384));
    assert!(asked.unwrap() > allowed);
}

#[tokio::test]
async fn instances() {
    // An import that uses memory takes two more instances, to tie the knot.
    let guest = Guest {
        imports: iamseal_tests::hostile::IMPORT_LIST,
        ..Guest::default()
    };
    let limits = limits(|limits| limits.instances = 1);
    let loaded = guest.plugin().limits(limits).load().await;
    assert_eq!(reached(loaded), (Limit::Instances, None, 1));
}

/// How many instances are in use is counted with audits, which hold one each.
fn few() -> Guest {
    Guest {
        audit_next: "(call $ok (i32.const 0) (i32.const 0))",
        ..Guest::default()
    }
}

#[tokio::test]
async fn instances_in_use() {
    let limits = limits(|limits| {
        limits.instances_in_use = 2;
        limits.deadline = SHORT;
    });
    let plugin = few().plugin().limits(limits).load().await.unwrap();
    let audit = async || plugin.audit(&AuditScope::default()).await;
    let mut first = audit().await.unwrap();
    let second = audit().await.unwrap();
    assert_eq!(reached(audit().await), (Limit::InstancesInUse, None, 2));
    let sealed = seal(&plugin, WELL, b"").await;
    assert_eq!(reached(sealed), (Limit::InstancesInUse, None, 2));
    assert!(first.next(1).await.unwrap().is_empty());
    assert_eq!(seal(&plugin, WELL, b"next").await.unwrap(), b"next");
    let third = audit().await.unwrap();
    drop(second);
    assert_eq!(seal(&plugin, WELL, b"next").await.unwrap(), b"next");
    drop(third);
}

#[tokio::test]
async fn a_call_waits_for_an_instance() {
    let limits = limits(|limits| limits.instances_in_use = 1);
    let plugin = few().plugin().limits(limits).load().await.unwrap();
    let mut audit = plugin.audit(&AuditScope::default()).await.unwrap();
    let (sealed, ended) = tokio::join!(biased; seal(&plugin, WELL, b"later"), audit.next(1));
    assert!(ended.unwrap().is_empty());
    assert_eq!(sealed.unwrap(), b"later");
}

#[tokio::test]
async fn recursion() {
    let guest = Guest {
        items: "(func $deeper (param i32) (result i32)
                    (i32.add (i32.const 1) (call $deeper (local.get 0))))",
        seal: "(call $deeper (i32.const 0))",
        ..Guest::default()
    };
    let reached = seal_ill(guest, Limits::default()).await;
    assert_eq!(reached, (Limit::Stack, None, 512 << 10));
}

#[tokio::test]
async fn an_endless_loop() {
    let guest = Guest {
        seal: FOR_EVER,
        ..Guest::default()
    };
    let limits = limits(|limits| limits.guest_time = SHORT);
    assert_eq!(
        seal_ill(guest, limits).await,
        (Limit::GuestTime, None, SHORT.as_millis() as u64)
    );
}

#[tokio::test]
async fn an_endless_start() {
    let guest = Guest {
        items: "(start $start) (func $start (loop (br 0)))",
        ..Guest::default()
    };
    let limits = limits(|limits| limits.guest_time = SHORT);
    let (limit, ..) = reached(guest.plugin().limits(limits).load().await);
    assert_eq!(limit, Limit::GuestTime);
}

#[tokio::test]
async fn the_deadline_covers_computing() {
    let guest = Guest {
        seal: FOR_EVER,
        ..Guest::default()
    };
    let limits = limits(|limits| limits.deadline = SHORT);
    assert_eq!(
        seal_ill(guest, limits).await,
        (Limit::Deadline, None, SHORT.as_millis() as u64)
    );
}

#[tokio::test]
async fn the_deadline_covers_a_key_service_that_hangs() {
    let imports = [
        iamseal_tests::hostile::IMPORT_CANDIDATES,
        iamseal_tests::hostile::IMPORT_OPEN,
    ]
    .concat();
    let guest = Guest {
        imports: imports.leak(),
        // The handle of the only key stands four bytes into the list.
        unseal: "(call $candidates (i32.const 0) (i32.const 0) (i32.const 16))
                 (call $open (i32.load offset=4 (i32.load (i32.const 20))) (i32.const 0)
                    (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 64))
                 unreachable",
        ..Guest::default()
    };
    let plugin = guest
        .plugin()
        .keyring(Arc::new(Hanging::default()))
        .limits(limits(|limits| limits.deadline = SHORT))
        .load()
        .await
        .unwrap();
    let unsealed = plugin.unseal(b"path", b"stored", Policy::Compatible).await;
    let (limit, ..) = reached(unsealed);
    assert_eq!(limit, Limit::Deadline);
    assert_eq!(seal(&plugin, WELL, b"next").await.unwrap(), b"next");
}

#[tokio::test]
async fn what_the_host_derives_is_the_components_own_time() {
    let imports = [
        iamseal_tests::hostile::IMPORT_CREDENTIALS,
        iamseal_tests::hostile::IMPORT_DERIVE,
    ]
    .concat();
    let guest = Guest {
        imports: imports.leak(),
        unseal: "(call $root_credentials (i32.const 16))
                 (loop $for_ever
                    (call $derive (i32.load offset=12 (i32.load (i32.const 16))) (i32.const 64)
                        (i32.const 32) (i32.const 0) (i32.const 128))
                    (br $for_ever))
                 unreachable",
        ..Guest::default()
    };
    let plugin = guest
        .plugin()
        .keyring(Arc::new(Hanging::default()))
        .limits(limits(|limits| limits.guest_time = SHORT))
        .load()
        .await
        .unwrap();
    let unsealed = plugin.unseal(b"path", b"stored", Policy::Compatible).await;
    assert_eq!(reached(unsealed).0, Limit::GuestTime);
}

#[tokio::test]
async fn an_endless_loop_leaves_the_thread_to_others() {
    let guest = Guest {
        seal: FOR_EVER,
        ..Guest::default()
    };
    let plugin = guest.plugin().load().await.unwrap();
    let endless = seal(&plugin, ILL, b"");
    // One thread, and the loop is asked first.
    tokio::select! {
        biased;
        _ = endless => panic!("an endless loop ended"),
        sealed = seal(&plugin, WELL, b"other") => assert_eq!(sealed.unwrap(), b"other"),
    }
}

#[tokio::test]
async fn bytes_copied_to_the_host() {
    let guest = Guest {
        seal: "(call $ok (i32.const 0) (i32.const 65537))",
        ..Guest::default()
    };
    let limits = limits(|limits| limits.copied_bytes = 65536);
    assert_eq!(
        seal_ill(guest, limits).await,
        (Limit::CopiedBytes, None, 65536)
    );
}

#[tokio::test]
async fn a_list_that_is_too_long() {
    let guest = Guest {
        // 28,000 findings of nothing: as a list they fill 3 MiB of the guest, and more of the host.
        audit_next: "(call $ok (i32.const 0) (i32.const 28000))",
        ..Guest::default()
    };
    let limits = limits(|limits| limits.copied_bytes = 1 << 20);
    let plugin = guest.plugin().limits(limits).load().await.unwrap();
    let mut audit = plugin.audit(&AuditScope::default()).await.unwrap();
    assert_eq!(
        reached(audit.next(1).await),
        (Limit::CopiedBytes, None, 1 << 20)
    );
    assert!(matches!(audit.next(1).await, Err(Error::Ended)));
    assert_eq!(seal(&plugin, WELL, b"next").await.unwrap(), b"next");
}

#[tokio::test]
async fn an_object_handed_over() {
    let limits = limits(|limits| limits.object_bytes = 10);
    let plugin = Guest::default()
        .plugin()
        .limits(limits)
        .load()
        .await
        .unwrap();
    assert_eq!(
        reached(seal(&plugin, ILL, &[0; 11]).await),
        (Limit::Object, Some(11), 10)
    );
    let unsealed = plugin.unseal(ILL, &[0; 12], Policy::Sealed).await;
    assert_eq!(reached(unsealed), (Limit::Object, Some(12), 10));
    let inspected = plugin.inspect(&[0; 13]).await;
    assert_eq!(reached(inspected), (Limit::Object, Some(13), 10));
    assert_eq!(seal(&plugin, WELL, &[7; 10]).await.unwrap(), [7; 10]);
}

#[tokio::test]
async fn an_object_returned() {
    let guest = Guest {
        seal: "(call $ok (i32.const 0) (i32.const 100))",
        ..Guest::default()
    };
    let limits = limits(|limits| limits.object_bytes = 99);
    assert_eq!(
        seal_ill(guest, limits).await,
        (Limit::Object, Some(100), 99)
    );
}

#[tokio::test]
async fn random_bytes() {
    let guest = Guest {
        imports: iamseal_tests::hostile::IMPORT_RANDOM,
        seal: "(call $random (i64.const 0x10000000000) (i32.const 16)) unreachable",
        ..Guest::default()
    };
    assert_eq!(
        seal_ill(guest, Limits::default()).await,
        (Limit::Random, Some(1 << 40), 65536)
    );
}

#[tokio::test]
async fn cursors() {
    let guest = Guest {
        imports: iamseal_tests::hostile::IMPORT_LIST,
        audit_next: "(loop
                (call $list (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
                    (i32.const 16))
                (br 0))
            unreachable",
        ..Guest::default()
    };
    let plugin = guest.plugin().storage(store()).load().await.unwrap();
    let mut audit = plugin.audit(&AuditScope::default()).await.unwrap();
    assert_eq!(reached(audit.next(1).await), (Limit::Handles, None, 4));
    assert_eq!(seal(&plugin, WELL, b"next").await.unwrap(), b"next");
}

#[tokio::test]
async fn handles_inside_the_component() {
    let guest = Guest {
        seal: "(loop (drop (call $new_audit (i32.const 1))) (br 0)) unreachable",
        ..Guest::default()
    };
    assert_eq!(
        seal_ill(guest, Limits::default()).await,
        (Limit::Handles, None, 5120)
    );
}
