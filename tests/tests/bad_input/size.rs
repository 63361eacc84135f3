//! Objects of no bytes and of far too many.

use iamseal::{Error, Limit, contract};
use iamseal_core::{Policy, SealedForm};
use iamseal_tests::backend::{Backend as _, backends};
use iamseal_tests::component::{Component, builder};
use iamseal_tests::errors::outcome;
use iamseal_tests::keys::Keys;
use iamseal_tests::runtime::wait;

use crate::samples::{KEY, NAME, PATH, STORE, options};

#[test]
fn an_empty_object_is_an_error_and_an_empty_plaintext_is_none() {
    for backend in backends(&Keys::one(NAME, &KEY), STORE) {
        let opened = backend.unseal(PATH, b"", Policy::Compatible);
        assert_eq!(outcome(&opened), "empty");
        assert_eq!(backend.inspect(b"").unwrap_err(), opened.unwrap_err());
        for form in [SealedForm::Minio, SealedForm::Compact] {
            let stored = backend.seal(PATH, b"", &options(form)).unwrap();
            let opened = backend.unseal(PATH, &stored, Policy::Sealed).unwrap();
            assert!(opened.plaintext.is_empty());
        }
    }
}

/// What the host says of an object of 64 MiB, and its bound.
fn too_large<T>(result: Result<T, Error>) -> u64 {
    match result {
        Err(Error::Limit {
            limit: Limit::Object,
            asked: Some(asked),
            allowed,
            ..
        }) => {
            assert_eq!(asked, 64 << 20);
            allowed
        }
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it was taken"),
    }
}

#[test]
fn an_object_of_64_mebibytes_is_over_a_limit_and_the_next_call_works() {
    let plugin = wait(builder(&Keys::one(NAME, &KEY), STORE).load()).unwrap();
    let huge = vec![b'x'; 64 << 20];
    let options = contract::SealOptions::default();
    let policy = contract::Policy::Compatible;
    let bounds = [
        too_large(wait(plugin.seal(PATH, &huge, &options))),
        too_large(wait(plugin.unseal(PATH, &huge, policy))),
        too_large(wait(plugin.inspect(&huge))),
    ];
    assert_eq!(bounds, [16 << 20; 3]);
    let stored = wait(plugin.seal(PATH, b"{}", &options)).unwrap();
    let opened = wait(plugin.unseal(PATH, &stored, policy)).unwrap();
    assert_eq!(*opened.plaintext, b"{}");
}

#[test]
fn an_object_just_under_the_limit_is_sealed_and_opened() {
    let component = Component::new(&Keys::one(NAME, &KEY), STORE);
    let large: Vec<u8> = (0..=255).cycle().take(15 << 20).collect();
    for form in [SealedForm::Minio, SealedForm::Compact] {
        let stored = component.seal(PATH, &large, &options(form)).unwrap();
        let opened = component.unseal(PATH, &stored, Policy::Sealed).unwrap();
        assert!(opened.plaintext == large);
    }
}
