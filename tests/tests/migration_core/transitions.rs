//! From every form and key to every target.

use std::sync::Arc;

use iamseal_core::{
    Cipher, Context, DataKeyEncoding, Form, Outcome, Policy, Run, SealOptions, SealedForm, Target,
};
use iamseal_tests::backend::{Backend, Native};
use iamseal_tests::errors::case;
use iamseal_tests::keys::Keys;
use iamseal_tests::lent::Lent;
use iamseal_tests::store::MemoryStore;
use iamseal_tests::vectors;

use crate::mixed::{BAD, EXEMPT, KEYS, Mixed, Object, REMOTE, options, secret_keys};
use crate::plans::{STORE, outcomes, plan, run};

/// Every target: none is plaintext.
pub fn targets() -> Vec<Option<SealOptions>> {
    let mut targets = vec![None];
    for (key, _) in KEYS.into_iter().chain([(REMOTE, [0; 32])]) {
        for form in [SealedForm::Minio, SealedForm::Compact] {
            targets.push(Some(SealOptions {
                key: Some(key.to_string()),
                ..options(form)
            }));
        }
    }
    let minio = options(SealedForm::Minio); // under the default key, `a`
    targets.push(Some(SealOptions {
        cipher: Some(Cipher::Aes256Gcm),
        ..minio.clone()
    }));
    targets.push(Some(SealOptions {
        data_key_encoding: Some(DataKeyEncoding::Json),
        ..minio.clone()
    }));
    targets.push(Some(minio));
    targets
}

/// A target as the core takes it.
pub fn target(options: Option<&SealOptions>) -> Target {
    options.cloned().map_or(Target::Plaintext, Target::Sealed)
}

/// Whether an object of [`Mixed`] already is what is asked for.
fn is_met(object: &Object, options: Option<&SealOptions>) -> bool {
    let Some(options) = options else {
        return object.found.form == Form::Plaintext;
    };
    let older = object.path.ends_with("older.json"); // AES and a data key in JSON
    let key = options.key.as_deref().unwrap_or("a");
    let form = options.form.form();
    let special = options.cipher.is_some() || options.data_key_encoding.is_some();
    object.found.form == form && object.found.key.as_deref() == Some(key) && (older || !special)
}

#[test]
fn everything_that_opens_becomes_the_target_and_the_rest_stays() {
    for options in targets() {
        let mixed = Mixed::new();
        let before = mixed.store.all();
        let steps = run(&mixed.keys, &mixed.store, plan(target(options.as_ref())));
        assert_eq!(steps.len(), before.len());
        let short = outcomes(&steps);
        let after = mixed.store.all();

        let mut written = 0;
        for object in &mixed.objects {
            let path = object.path.as_bytes();
            let step = steps.iter().find(|step| step.path == path).unwrap();
            let found = object.found.clone();
            if is_met(object, options.as_ref()) {
                assert_eq!(step.outcome, Outcome::Unchanged(found), "{}", object.path);
                assert_eq!(after[path], object.stored);
            } else {
                assert_eq!(step.outcome, Outcome::Migrated(found), "{}", object.path);
                written += 1;
            }
            opens_as_target(&mixed, object, &after[path], options.as_ref());
        }
        for path in EXEMPT {
            assert_eq!(short[path], "exempt");
            assert_eq!(after[path.as_bytes()], before[path.as_bytes()]);
        }
        for (path, error) in BAD {
            assert_eq!(short[path], error, "{path}");
            assert_eq!(after[path.as_bytes()], before[path.as_bytes()]);
        }
        let counts = mixed.store.counts();
        assert_eq!((counts.staged, counts.replaced), (written, written));

        // Once more changes nothing.
        run(&mixed.keys, &mixed.store, plan(target(options.as_ref())));
        assert_eq!(mixed.store.all(), after);
        assert_eq!(mixed.store.counts().replaced, written);
    }
}

/// Opens what is stored with the target's key alone.
fn opens_as_target(mixed: &Mixed, object: &Object, stored: &[u8], options: Option<&SealOptions>) {
    let Some(options) = options else {
        assert_eq!(stored, object.plaintext);
        return;
    };
    let key = options.key.as_deref().unwrap_or("a");
    let keys = match KEYS.iter().find(|(name, _)| *name == key) {
        Some((name, bytes)) => Keys::one(name, bytes),
        None => Keys::none().remote(REMOTE, &mixed.service),
    };
    let reader = Native::new(keys, STORE);
    let path = object.path.as_bytes();
    let opened = reader.unseal(path, stored, Policy::Sealed).unwrap();
    assert_eq!(opened.plaintext, object.plaintext);
    let seen = reader.inspect(stored).unwrap();
    if let Some(cipher) = options.cipher {
        assert_eq!(seen.cipher, Some(cipher));
    }
    if let Some(encoding) = options.data_key_encoding {
        assert_eq!(seen.data_key_encoding, Some(encoding));
    }
}

#[test]
fn a_dry_run_says_the_same_and_writes_nothing() {
    for options in targets() {
        let mixed = Mixed::new();
        let before = mixed.store.all();
        let mut dry = plan(target(options.as_ref()));
        dry.dry_run = true;
        let foretold = outcomes(&run(&mixed.keys, &mixed.store, dry));
        assert_eq!(mixed.store.all(), before);
        assert_eq!(mixed.store.counts().staged, 0);

        let done = outcomes(&run(
            &mixed.keys,
            &mixed.store,
            plan(target(options.as_ref())),
        ));
        for (path, outcome) in foretold {
            let wanted = if outcome == "would-migrate" {
                "migrated"
            } else {
                outcome
            };
            assert_eq!(done[&path], wanted, "{path}");
        }
    }
}

#[test]
fn a_key_that_was_replaced_under_its_name_is_left_behind() {
    let [(_, old), (_, new)] = KEYS;
    let path = b"config/config.json";
    for form in [SealedForm::Minio, SealedForm::Compact] {
        let sealed = Native::new(Keys::one("a", &old), STORE).seal(path, b"{}", &options(form));
        let store = MemoryStore::with([(path, sealed.unwrap())]);
        let both = Keys::one("a", &new).secret("a", &old);
        let again = || outcomes(&run(&both, &store, plan(Target::Sealed(options(form)))));
        assert_eq!(again()["config/config.json"], "migrated");
        assert_eq!(again()["config/config.json"], "unchanged");
        let reader = Native::new(Keys::one("a", &new), STORE);
        let stored = store.get(path).unwrap();
        assert_eq!(
            reader
                .unseal(path, &stored, Policy::Sealed)
                .unwrap()
                .plaintext,
            b"{}"
        );
    }
}

#[test]
fn an_object_of_the_bare_context_is_sealed_anew() {
    let bare = vectors::case("dev-080");
    let store = MemoryStore::with([(bare.path(), bare.stored())]);
    let to_minio = || plan(Target::Sealed(options(SealedForm::Minio)));
    let steps = run(&bare.keys(), &store, to_minio());
    let Outcome::Migrated(found) = &steps[0].outcome else {
        panic!("{:?}", steps[0]);
    };
    assert_eq!(found.context, Some(Context::Bare));
    let steps = run(&bare.keys(), &store, to_minio());
    let Outcome::Unchanged(found) = &steps[0].outcome else {
        panic!("{:?}", steps[0]);
    };
    assert_eq!(found.context, Some(Context::Joined));
}

#[test]
fn what_is_not_text_is_not_written_as_plaintext() {
    let native = Native::new(secret_keys(), STORE);
    for content in [
        &b"\xff\xfe"[..],
        b"",
        b"\x01looks sealed",
        &native
            .seal(b"x", b"{}", &options(SealedForm::Minio))
            .unwrap(),
    ] {
        let stored = native
            .seal(b"a", content, &options(SealedForm::Compact))
            .unwrap();
        let store = MemoryStore::with([(b"a", &stored)]);
        let steps = run(&secret_keys(), &store, plan(Target::Plaintext));
        assert_eq!(outcomes(&steps)["a"], "refused");
        assert_eq!(store.get(b"a").unwrap(), stored);
        // To another sealed form it goes as it is.
        let steps = run(
            &secret_keys(),
            &store,
            plan(Target::Sealed(options(SealedForm::Minio))),
        );
        assert_eq!(outcomes(&steps)["a"], "migrated");
    }
}

#[test]
fn a_plan_that_cannot_be_is_refused_before_anything_is_read() {
    let mixed = Mixed::new();
    let begin = |keys: &Keys, options: SealOptions| {
        let lent = Lent::new(keys.clone(), &mixed.store);
        let begun = Run::new(lent, plan(Target::Sealed(options)));
        case(&begun.err().unwrap())
    };
    let minio = options(SealedForm::Minio);
    assert_eq!(begin(&Keys::none(), minio.clone()), "no-key");
    let other = SealOptions {
        key: Some("other".to_string()),
        ..minio.clone()
    };
    assert_eq!(begin(&mixed.keys, other), "key: not-found");
    let never_written = SealOptions {
        cipher: Some(Cipher::Aes128Gcm),
        ..minio
    };
    assert_eq!(begin(&mixed.keys, never_written), "unsupported");
    assert_eq!(mixed.store.counts().reads, 0);
    // Without any key everything that opens can still become plaintext.
    let store: Arc<MemoryStore> = MemoryStore::with([("a", "{}")]);
    let steps = run(&Keys::none(), &store, plan(Target::Plaintext));
    assert_eq!(outcomes(&steps)["a"], "unchanged");
}
