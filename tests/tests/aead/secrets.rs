//! What is done depends on sizes, and on no byte of a key or a message: neither an address, nor a
//! branch. Whether a tag was right is no secret.

use crate::module::{Algorithm, Compiled};
use crate::same::{Random, refused};

/// From nothing to more than a message that is sealed in every way there is.
const SIZES: [usize; 16] = [
    0, 1, 15, 16, 31, 48, 64, 112, 113, 192, 240, 449, 512, 700, 1040, 16384,
];

/// How a call of a fresh instance was counted, and its answer.
fn counted(
    module: &Compiled,
    name: &str,
    algorithm: Option<Algorithm>,
    lists: &[&[u8]],
) -> ((i64, i64), Vec<u8>) {
    let mut running = module.start();
    let answer = running.call(name, algorithm, lists);
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
    for (algorithm, size) in Algorithm::ALL
        .into_iter()
        .flat_map(|algorithm| SIZES.map(|size| (algorithm, size)))
    {
        let nonce = random.bytes(algorithm.nonce());
        let associated_data = random.bytes(17);
        let mut sealing = Vec::new();
        let mut opening = Vec::new();
        let keys = secrets(&mut random, 32);
        for (key, plaintext) in keys.iter().zip(secrets(&mut random, size)) {
            let lists = [&key[..], &nonce, &associated_data, &plaintext];
            let (count, sealed) = counted(&module, "seal", Some(algorithm), &lists);
            assert_eq!(sealed.len(), size + 16);
            assert!(count.0 > 300, "{count:?}");
            sealing.push(count);
            let lists = [&key[..], &nonce, &associated_data, &sealed];
            let (count, opened) = counted(&module, "open", Some(algorithm), &lists);
            assert_eq!(opened[1..], plaintext);
            opening.push(count);
        }
        for counts in [sealing, opening] {
            assert!(
                counts.iter().all(|count| *count == counts[0]),
                "{algorithm:?}, {size}: {counts:?}"
            );
        }
    }
}

#[test]
fn what_is_not_authentic_shows_nothing_of_how_wrong_it_is() {
    let module = Compiled::traced();
    let mut random = Random::new(2);
    for algorithm in Algorithm::ALL {
        let (key, nonce) = (random.bytes(32), random.bytes(algorithm.nonce()));
        let plaintext = random.bytes(300);
        let call = |name: &str, message: &[u8]| {
            counted(
                &module,
                name,
                Some(algorithm),
                &[&key, &nonce, &[], message],
            )
        };
        let (_, sealed) = call("seal", &plaintext);
        let mut counts = Vec::new();
        for at in [0, 150, 299, 300, 307, 308, 315] {
            let mut tampered = sealed.clone();
            tampered[at] ^= 0x10;
            let (count, opened) = call("open", &tampered);
            assert!(refused(&opened, &tampered));
            counts.push(count);
        }
        assert!(
            counts.iter().all(|count| *count == counts[0]),
            "{algorithm:?}: {counts:?}"
        );
    }
}

#[test]
fn an_address_and_a_branch_that_a_secret_decides_are_found() {
    let module = Compiled::traced();
    for planted in ["planted-address", "planted-branch"] {
        let counts =
            [[1, 2, 3], [1, 2, 4]].map(|secret| counted(&module, planted, None, &[&secret]).0);
        assert_ne!(counts[0].1, counts[1].1, "{planted}");
        let again = counted(&module, planted, None, &[&[1, 2, 3]]).0;
        assert_eq!(counts[0], again, "{planted}");
    }
}
