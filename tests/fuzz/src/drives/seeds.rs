//! What the targets of drives begin with, out of the archives: the files that servers wrote, and one change of each
//! kind on each drive.

use super::archive;
use super::change::KINDS;

/// Archives of all that an `xl.meta` can be: of objects of all kinds, shards beside it, older servers.
const METAS: [&str; 4] = [
    "user-objects.tar.gz",
    "noninline.tar.gz",
    "four-sealed-tier.tar.gz",
    "old-four-plain.tar.gz",
];

/// Archives whose drives say different things of themselves.
const FORMATS: [&str; 5] = [
    "user-objects.tar.gz",
    "four-sealed.tar.gz",
    "eight-two-sets.tar.gz",
    "single-sealed.tar.gz",
    "old-fs-plain.tar.gz",
];

/// `pool.bin` of a deployment of two pools.
const POOLS: &[u8] = b"\x01\x00\x01\x00\x82\xa1v\x01\xa3pls\x92\x81\xa2id\x00\x81\xa2id\x01";

/// Each target's name with an input of it.
pub fn all() -> Vec<(&'static str, Vec<u8>)> {
    let mut all = Vec::new();
    for name in METAS {
        let drives = archive(name);
        let metas = drives[0]
            .iter()
            .filter(|(path, _)| path.ends_with(b"/xl.meta"));
        for (number, (_, meta)) in metas.enumerate() {
            // On one drive and on all, of the system and of a bucket, in either set.
            let how = [1, 3, 17, 19, 33, 51][number % 6];
            all.push(("drives_meta", [&[how], &meta[..]].concat()));
        }
    }
    for name in FORMATS {
        let drives = archive(name);
        let formats = drives
            .iter()
            .filter_map(|drive| drive.get(&b".minio.sys/format.json"[..]));
        for format in formats.take(2) {
            for how in [0, 2, 12] {
                all.push(("drives_format", [&[how], &format[..]].concat()));
            }
        }
    }
    for end in [4, 12, POOLS.len()] {
        all.push(("drives_format", [&[1], &POOLS[..end]].concat()));
    }
    for kind in 0..KINDS {
        for drive in 0..4 {
            let change = [kind * 4 + drive, 7 * kind + drive, 40, 0, 9, 1, 2, 3];
            all.push(("drives_set", [&[drive % 2, kind], &change[..]].concat()));
        }
    }
    all
}
