//! What AES-256-GCM does depends on sizes, and on no byte of a key or a message: neither an address, nor a
//! branch. Whether a tag was right is no secret.

use crate::module::Compiled;
use crate::same::Random;

/// From nothing to more than a message that is sealed in every way there is.
const SIZES: [usize; 14] = [
    0, 1, 15, 16, 31, 48, 64, 112, 113, 240, 512, 700, 1040, 16384,
];

/// How a call of a fresh instance was counted, and its answer.
fn counted(module: &Compiled, name: &str, lists: &[&[u8]]) -> ((i64, i64), Vec<u8>) {
    let mut running = module.start();
    let answer = running.call(name, lists);
    (running.counted(), answer)
}

/// Secrets of this size that differ much, and some that differ little.
fn secrets(random: &mut Random, size: usize) -> [Vec<u8>; 4] {
    let mut one = vec![0; size];
    if let Some(last) = one.last_mut() {
        *last = 1;
    }
    [vec![0; size], one, vec![0xff; size], random.bytes(size)]
}

#[test]
fn keys_and_messages_decide_no_address_and_no_branch() {
    let module = Compiled::traced();
    let mut random = Random::new(1);
    for size in SIZES {
        let (nonce, associated_data) = (random.bytes(12), random.bytes(17));
        let mut sealing = Vec::new();
        let mut opening = Vec::new();
        let keys = secrets(&mut random, 32);
        for (key, plaintext) in keys.iter().zip(secrets(&mut random, size)) {
            let lists = [&key[..], &nonce, &associated_data, &plaintext];
            let (count, sealed) = counted(&module, "seal", &lists);
            assert_eq!(sealed.len(), size + 16);
            assert!(count.0 > 500, "{count:?}");
            sealing.push(count);
            let lists = [&key[..], &nonce, &associated_data, &sealed];
            let (count, opened) = counted(&module, "open", &lists);
            assert_eq!(opened[1..], plaintext);
            opening.push(count);
        }
        for counts in [sealing, opening] {
            assert!(
                counts.iter().all(|count| *count == counts[0]),
                "{size}: {counts:?}"
            );
        }
    }
}

#[test]
fn what_is_not_authentic_shows_nothing_of_how_wrong_it_is() {
    let module = Compiled::traced();
    let mut random = Random::new(2);
    let (key, nonce, plaintext) = (random.bytes(32), random.bytes(12), random.bytes(300));
    let (_, sealed) = counted(&module, "seal", &[&key, &nonce, &[], &plaintext]);
    let mut counts = Vec::new();
    for at in [0, 150, 299, 300, 307, 308, 315] {
        let mut tampered = sealed.clone();
        tampered[at] ^= 0x10;
        let (count, opened) = counted(&module, "open", &[&key, &nonce, &[], &tampered]);
        assert!(opened.is_empty());
        counts.push(count);
    }
    assert!(counts.iter().all(|count| *count == counts[0]), "{counts:?}");
}

#[test]
fn an_address_and_a_branch_that_a_secret_decides_are_found() {
    let module = Compiled::traced();
    for planted in ["planted-address", "planted-branch"] {
        let counts = [[1, 2, 3], [1, 2, 4]].map(|secret| counted(&module, planted, &[&secret]).0);
        assert_ne!(counts[0].1, counts[1].1, "{planted}");
        let again = counted(&module, planted, &[&[1, 2, 3]]).0;
        assert_eq!(counts[0], again, "{planted}");
    }
}
