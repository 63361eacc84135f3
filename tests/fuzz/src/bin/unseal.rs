//! Opening an object with keys that may be wrong or fail.
// Targets may stop at the first surprise, as tests may.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]
#![no_main]

use iamseal_core::{Form as CoreForm, Keyring as _};
use iamseal_fuzz::contract::exports::iamseal::plugin::opening::{Opened, Policy};
use iamseal_fuzz::contract::iamseal::plugin::types::{Context, Error, Form};
use iamseal_fuzz::input::{Input, Object};
use iamseal_fuzz::mutate::mutate;
use iamseal_fuzz::samples::{self, Sample};
use iamseal_fuzz::twin::Twin;
use iamseal_fuzz::world::World;
use iamseal_fuzz::{budget, sandbox};
use iamseal_tests::objects::split;
use libfuzzer_sys::{Corpus, fuzz_mutator, fuzz_target};

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate(data, size, max_size, seed)
});

fuzz_target!(init: sandbox::start(), |bytes: &[u8]| -> Corpus {
    let mut input = Input::new(bytes);
    let flags = input.byte();
    let object = input.object();
    let path = input.path(&object);
    let store = input.store(&object);
    let mut world = World::new(input.rest());
    world.credentials = flags & 1 != 0;
    let policy = match flags & 6 {
        0 => Policy::Compatible,
        2 => Policy::Sealed,
        4 => Policy::Rustfs,
        _ => Policy::Current,
    };
    match budget::run(world.credentials, || unseal(&object, &path, &store, policy, world)) {
        true => Corpus::Keep,
        false => Corpus::Reject,
    }
});

fn unseal(object: &Object, path: &[u8], store: &str, policy: Policy, world: World) {
    let honest = world.is_honest();
    let mut twin = Twin::new(world);
    let opened = twin.unseal(store, path, &object.bytes, policy);
    let world = twin.end();
    match opened {
        Ok(opened) => {
            assert_genuine(object, path, store, policy, &opened);
            if policy == Policy::Current && honest {
                assert_eq!(opened.found.key, samples::keys().default_key());
                assert_ne!(opened.found.context, Some(Context::Bare));
            }
        }
        Err(error) => {
            let untouched = object.sample.is_some_and(|sample| {
                sample.stored == object.bytes && sample.path == path && sample.store == store
            });
            let allowed = match object.sample.map(|sample| sample.form) {
                Some(CoreForm::RootCredential) => match policy {
                    Policy::Compatible => world.credentials,
                    Policy::Rustfs => world.credentials && !matches!(error, Error::Outdated(_)),
                    Policy::Sealed | Policy::Current => false,
                },
                Some(CoreForm::Plaintext) => policy == Policy::Compatible,
                _ if policy == Policy::Rustfs => false,
                _ => !(policy == Policy::Current && matches!(error, Error::Outdated(_))),
            };
            assert!(
                !(untouched && honest && allowed),
                "a genuine object does not open: {error:?}"
            );
        }
    }
}

/// What was opened is what somebody with a key has sealed, in this place.
fn assert_genuine(object: &Object, path: &[u8], store: &str, policy: Policy, opened: &Opened) {
    let form = match opened.found.form {
        Form::Plaintext => {
            assert_eq!(opened.plaintext, object.bytes);
            assert_eq!(policy, Policy::Compatible);
            return;
        }
        Form::RootCredential => {
            assert!(matches!(policy, Policy::Compatible | Policy::Rustfs));
            CoreForm::RootCredential
        }
        Form::Minio => CoreForm::Minio,
        Form::Compact => CoreForm::Compact,
    };
    let source = samples::all()
        .iter()
        .find(|sample| sample.form == form && is_source(sample, &object.bytes, path, store));
    let Some(source) = source else {
        panic!("an object was opened that nobody has sealed here: {opened:?}");
    };
    assert_eq!(opened.plaintext, source.plaintext);
}

/// Whether an object is this sample in its own place. MinIO's form authenticates of its metadata only
/// what leads to the data key, and binds no store; the root-credential form binds no place.
fn is_source(sample: &Sample, bytes: &[u8], path: &[u8], store: &str) -> bool {
    let here = cleaned(&sample.path) == cleaned(path);
    match sample.form {
        CoreForm::Compact => here && sample.store == store && sample.stored == bytes,
        CoreForm::Minio => here && split(&sample.stored).1 == split(bytes).1,
        CoreForm::RootCredential | CoreForm::Plaintext => sample.stored == bytes,
    }
}

/// A path as MinIO cleans it.
fn cleaned(path: &[u8]) -> Vec<&[u8]> {
    let mut parts = Vec::new();
    for part in path.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts
}
