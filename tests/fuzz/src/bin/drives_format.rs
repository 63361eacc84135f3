//! Any bytes as what a drive says of itself (`format.json`), on one drive of four or on all; and as what a
//! deployment says of its pools (`pool.bin`).
//!
//! `[1: pool.bin; 2: on all drives; 4, 8: on which] …` and the file.
// Targets may stop at the first surprise, as tests may.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]
#![no_main]

use iamseal_drives::{Renewal, etag, set as encoded};
use iamseal_fuzz::drives::{Drives, rules, set};
use libfuzzer_sys::fuzz_target;

const FORMAT: &[u8] = b".minio.sys/format.json";
const POOLS: &[u8] = b".minio.sys/pool.bin/xl.meta";

fuzz_target!(|input: &[u8]| {
    let [how, file @ ..] = input else { return };
    let drives = set(0);
    if how & 1 != 0 {
        pools(&drives, file);
        rules::read(&drives).expect("drives are told by another file");
        return;
    }
    let one = usize::from(how / 4 % 4);
    let is_on_all = how & 2 != 0;
    for drive in 0..drives.count() {
        if is_on_all || drive == one {
            drives.put(drive, FORMAT, file);
        }
    }
    let Some(objects) = rules::read(&drives) else {
        return;
    };
    if !is_on_all {
        // Three of four say what they are, so they are read as what they are.
        let whole = rules::whole(0);
        for (path, bytes) in whole {
            assert_eq!(objects.get(path), Some(bytes));
        }
    }
});

/// Writes `pool.bin` to all drives, as a server would.
fn pools(drives: &Drives, file: &[u8]) {
    let all = 0..drives.count();
    let old: Vec<Vec<u8>> = all
        .map(|drive| drives.file(drive, POOLS).unwrap())
        .collect();
    let old: Vec<&[u8]> = old.iter().map(Vec::as_slice).collect();
    // One set of drives, whose order is told by their numbers' order in the archive.
    let new = Renewal {
        mod_time: 3_000_000_000_000_000_000,
        data_dir: [7; 16],
        size: file.len() as i64,
        etag: etag(file),
    };
    let written = encoded(&old, file, &new, true).unwrap();
    for (drive, written) in written.iter().enumerate() {
        drives.put(drive, POOLS, &written.meta);
    }
}
