//! Any bytes as the `xl.meta` of an object: on one drive of four the others make up for them, and on all of
//! them nothing worse comes of it than an error.
//!
//! `[1: put the checksum right; 2: on all drives; 4, 8: on which; 16: an object of a bucket; 32: with another
//! set] …` and the file.
// Targets may stop at the first surprise, as tests may.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]
#![no_main]

use iamseal_fuzz::drives::{change, rules, set};
use libfuzzer_sys::fuzz_target;

const OBJECT: &[u8] = b"config/iam/format.json";
const OF_SYSTEM: &[u8] = b".minio.sys/config/iam/format.json/xl.meta";
const OF_BUCKET: [&[u8]; 2] = [b"versioned/obj/xl.meta", b"repl/k.txt/xl.meta"];

fuzz_target!(|input: &[u8]| {
    let [how, meta @ ..] = input else { return };
    let number = usize::from(how / 32 % 2);
    let drives = set(number);
    let mut meta = meta.to_vec();
    if how & 1 != 0 {
        change::right(&mut meta);
    }
    let path = match how & 16 {
        0 => OF_SYSTEM,
        _ => OF_BUCKET[number],
    };
    let is_on_all = how & 2 != 0;
    let one = usize::from(how / 4 % 4);
    for drive in 0..drives.count() {
        if is_on_all || drive == one {
            drives.put(drive, path, &meta);
        }
    }
    let objects = rules::read(&drives).expect("drives are told by another file");
    if !is_on_all {
        let whole = rules::whole(number);
        assert_eq!(objects[OBJECT], whole[OBJECT]);
    }
    rules::write(&drives, &objects, how / 64);
});
