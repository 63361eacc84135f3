//! Objects with one bit flipped.

use iamseal_core::Policy;
use iamseal_tests::backend::{Backend, backends};
use iamseal_tests::errors::outcome;
use iamseal_tests::objects::meaning;

use crate::samples::{PATH, STORE, Sample, all};

#[test]
fn an_object_with_any_flipped_bit_is_refused_by_the_right_name() {
    for sample in all() {
        for backend in backends(&sample.keys, STORE) {
            // All bits natively; through the component one of each byte, to save time.
            let step = if backend.name() == "native" { 1 } else { 9 };
            for bit in (0..sample.stored.len() * 8).step_by(step) {
                flip(&*backend, &sample, bit);
            }
        }
    }
}

fn flip(backend: &dyn Backend, sample: &Sample, bit: usize) {
    let mut flipped = sample.stored.clone();
    flipped[bit / 8] ^= 1 << (bit % 8);
    let opened = backend.unseal(PATH, &flipped, Policy::Compatible);
    let what = format!("{}: {}, bit {bit}", backend.name(), sample.name);

    // MinIO's reader gives no meaning to the letter case of JSON names and to base64's spare bits.
    let original = meaning(&sample.stored);
    if original.is_some() && meaning(&flipped) == original {
        assert_eq!(opened.unwrap().plaintext, sample.plaintext, "{what}");
        return;
    }
    let (_, wanted) = sample
        .flips
        .iter()
        .find(|(range, _)| range.contains(&(bit / 8)))
        .unwrap();
    let got = outcome(&opened);
    assert!(wanted.contains(&got), "{what}: {got}, wanted {wanted:?}");
    if let Err(error) = backend.inspect(&flipped) {
        assert_eq!(opened.unwrap_err(), error, "{what}");
    }
}

#[test]
fn some_flipped_bits_mean_nothing_and_most_do() {
    for sample in all()
        .iter()
        .filter(|sample| sample.name.starts_with("minio"))
    {
        let original = meaning(&sample.stored);
        let bits = 0..sample.stored.len() * 8;
        let harmless = bits.filter(|bit| {
            let mut flipped = sample.stored.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            meaning(&flipped) == original
        });
        // The 25 letters of keyid, kmskey, algorithm and nonce, and some bits of last digits.
        let count = harmless.count();
        assert!((25..60).contains(&count), "{}: {count}", sample.name);
    }
}
