//! Damage up to parity is made up for and named; beyond it the object is named and nothing is made up.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod lent;

use iamseal_drives::{ReadError, Store};
use lent::{Lent, listed, notes};

const ALICE: &str = "config/iam/users/alice/identity.json";

fn meta(path: &str) -> String {
    format!("{path}/xl.meta")
}

fn read(store: &Store<&Lent>, path: &str) -> Result<Vec<u8>, ReadError> {
    store.read(path.as_bytes())
}

/// What is done to drives, and what is said of them then.
type Case = (&'static str, fn(&mut Lent), &'static str);

/// Reads alice off drives that `damage` was done to, and says what was noted.
fn after(damage: impl Fn(&mut Lent)) -> (Result<Vec<u8>, ReadError>, Vec<String>) {
    let mut lent = Lent::of("four-sealed.tar.gz");
    damage(&mut lent);
    let store = lent.store();
    let alice = read(&store, ALICE);
    (alice, notes(&store))
}

fn whole() -> Vec<u8> {
    after(|_| {}).0.unwrap()
}

#[test]
fn every_flipped_bit_of_an_xl_meta_is_made_up_for_and_named() {
    let mut lent = Lent::of("four-sealed.tar.gz");
    let whole = whole();
    for drive in 1..=4 {
        let length = lent.file(drive, &meta(ALICE)).len();
        for bit in 0..length * 8 {
            let at = |lent: &mut Lent| lent.file(drive, &meta(ALICE))[bit / 8] ^= 1 << (bit % 8);
            at(&mut lent);
            {
                let store = lent.store();
                assert_eq!(
                    read(&store, ALICE).as_ref(),
                    Ok(&whole),
                    "drive {drive} bit {bit}"
                );
                let said = notes(&store);
                let named = format!("drive{drive} ");
                let is_named = said.iter().any(|note| note.starts_with(&named));
                assert!(is_named, "drive {drive} bit {bit}: {said:?}");
            }
            at(&mut lent);
        }
    }
}

#[test]
fn every_flipped_bit_of_any_kind_of_xl_meta_is_made_up_for_and_named() {
    // Beside its shard, of an older server, of a tier, and in one of two pools.
    for (archive, path) in [
        ("noninline.tar.gz", "config/iam/policies/wide/policy.json"),
        ("old-four-plain.tar.gz", "config/iam/format.json"),
        ("four-sealed-tier.tar.gz", "config/tier-config.bin"),
        ("two-pools.tar.gz", "config/iam/format.json"),
        ("user-objects.tar.gz", "pool.bin"),
    ] {
        let mut lent = Lent::of(archive);
        let whole = read(&lent.store(), path).unwrap();
        let file = format!(".minio.sys/{path}/xl.meta").into_bytes();
        let has_it = |(_, files): &(String, lent::Tree)| files.contains_key(&file);
        let drive = lent.drives.iter().rposition(has_it).unwrap();
        let named = format!("{} ", lent.drives[drive].0);
        for bit in 0..lent.drives[drive].1[&file].len() * 8 {
            let flip = |lent: &mut Lent| {
                let bytes = lent.drives[drive].1.get_mut(&file).unwrap();
                bytes[bit / 8] ^= 1 << (bit % 8);
            };
            flip(&mut lent);
            {
                let store = lent.store();
                assert_eq!(read(&store, path).as_ref(), Ok(&whole), "{archive} {bit}");
                let said = notes(&store);
                let is_named = said.iter().any(|note| note.starts_with(&named));
                assert!(is_named, "{archive} {bit}: {said:?}");
            }
            flip(&mut lent);
        }
    }
}

#[test]
fn every_flipped_bit_of_the_only_xl_meta_is_named() {
    let mut lent = Lent::of("single-sealed.tar.gz");
    let whole = read(&lent.store(), ALICE).unwrap();
    let length = lent.file(1, &meta(ALICE)).len();
    for bit in 0..length * 8 {
        lent.file(1, &meta(ALICE))[bit / 8] ^= 1 << (bit % 8);
        let found = read(&lent.store(), ALICE);
        assert!(found.is_err(), "bit {bit}: {}", found == Ok(whole.clone()));
        assert!(listed(&lent.store(), ALICE, None) == [ALICE], "bit {bit}");
        lent.file(1, &meta(ALICE))[bit / 8] ^= 1 << (bit % 8);
    }
}

#[test]
fn an_xl_meta_cut_short_anywhere_is_made_up_for() {
    let mut lent = Lent::of("four-sealed.tar.gz");
    let whole = whole();
    let file = lent.file(2, &meta(ALICE)).clone();
    for end in 0..file.len() {
        *lent.file(2, &meta(ALICE)) = file[..end].to_vec();
        let store = lent.store();
        assert_eq!(read(&store, ALICE).as_ref(), Ok(&whole), "{end}");
        assert_eq!(notes(&store).len(), 1, "{end}");
    }
}

#[test]
fn damage_up_to_parity_is_made_up_for() {
    let whole = whole();
    let cases: [Case; 6] = [
        (
            "removed on 2",
            |lent| (1..=2).for_each(|drive| lent.remove(drive, &meta(ALICE))),
            "drive1 lacks 1: ",
        ),
        (
            "empty on 1",
            |lent| lent.file(3, &meta(ALICE)).clear(),
            "drive3 has a damaged xl.meta of 1: ",
        ),
        (
            "100 bytes on 2",
            |lent| (3..=4).for_each(|drive| lent.file(drive, &meta(ALICE)).truncate(100)),
            "drive4 has a damaged xl.meta of 1: ",
        ),
        (
            "a bit of the shard on 2",
            |lent| {
                for drive in [1, 4] {
                    *lent.file(drive, &meta(ALICE)).last_mut().unwrap() ^= 8;
                }
            },
            "drive1 has a damaged shard of 1: ",
        ),
        (
            "a drive emptied",
            |lent| lent.drives[1].1.clear(),
            "drive2: it has no .minio.sys/format.json: not formatted, wiped, or not mounted",
        ),
        (
            "two drives gone",
            |lent| {
                lent.drives.truncate(2);
            },
            "of the 4 drives of the set numbers 3 and 4 are missing or not whole: give them all, as drives:/mnt/disk{1...4}",
        ),
    ];
    for (name, damage, note) in cases {
        let (alice, said) = after(damage);
        assert_eq!(alice.as_ref(), Ok(&whole), "{name}");
        assert!(
            said.iter().any(|said| said.starts_with(note)),
            "{name}: {said:?}"
        );
    }
}

#[test]
fn damage_beyond_parity_is_named() {
    let cases: [Case; 4] = [
        (
            "100 bytes on 3",
            |lent| (1..=3).for_each(|drive| lent.file(drive, &meta(ALICE)).truncate(100)),
            "1 of the 4 drives of its set have it whole, and 2 are needed; drive1 has a damaged \
             xl.meta; drive2 has a damaged xl.meta; drive3 has a damaged xl.meta",
        ),
        (
            "bits on 3",
            |lent| {
                (1..=3).for_each(|drive| *lent.file(drive, &meta(ALICE)).last_mut().unwrap() ^= 8);
            },
            "1 of its 4 shards are sound, and 2 are needed",
        ),
        (
            "one drive of four",
            |lent| lent.drives.truncate(1),
            "1 of the 4 drives of its set have it whole, and 2 are needed; drives of the set that are \
             missing or not whole: 3",
        ),
        (
            "cut short on 2, gone on 1",
            |lent| {
                (1..=2).for_each(|drive| lent.file(drive, &meta(ALICE)).truncate(50));
                lent.remove(3, &meta(ALICE));
            },
            "1 of the 4 drives of its set have it whole, and 2 are needed; drive1 has a damaged \
             xl.meta; drive2 has a damaged xl.meta; drive3 has nothing of it",
        ),
    ];
    for (name, damage, error) in cases {
        let (alice, _) = after(damage);
        assert_eq!(alice, Err(ReadError::Unreadable(error.into())), "{name}");
        let mut lent = Lent::of("four-sealed.tar.gz");
        damage(&mut lent);
        // What is lost is listed, or nobody would hear of it.
        assert_eq!(listed(&lent.store(), ALICE, None), [ALICE], "{name}");
    }
}

#[test]
fn what_was_removed_on_most_drives_is_named_and_not_listed() {
    let mut lent = Lent::of("four-sealed.tar.gz");
    (1..=3).for_each(|drive| lent.remove(drive, &meta(ALICE)));
    let store = lent.store();
    assert_eq!(listed(&store, ALICE, None), [""; 0]);
    let said = notes(&store);
    assert!(
        said[0].starts_with("only drive4 has these objects"),
        "{said:?}"
    );
    assert_eq!(read(&store, ALICE), Err(ReadError::NotFound));
}

#[test]
fn a_shard_beside_xl_meta_is_made_up_for_and_named() {
    let mut lent = Lent::of("four-plain-blocks.tar.gz");
    let path = "config/iam/policies/large/policy.json";
    let whole = read(&lent.store(), path).unwrap();
    assert!(whole.len() > 1 << 20);
    let part = |lent: &Lent, drive: usize| -> String {
        let files = lent.drives[drive - 1].1.keys();
        let mut parts = files.filter_map(|name| std::str::from_utf8(name).ok());
        let below = |name: &&str| name.contains(path) && name.ends_with("/part.1");
        let found = parts.find(below).unwrap();
        found.strip_prefix(".minio.sys/").unwrap().to_owned()
    };
    let (first, second) = (part(&lent, 1), part(&lent, 3));
    lent.remove(1, &first);
    let last = lent.file(3, &second).len() - 1;
    lent.file(3, &second)[last] ^= 1;
    let store = lent.store();
    assert_eq!(read(&store, path), Ok(whole.clone()));
    assert_eq!(
        notes(&store),
        [
            format!("3 has a damaged shard of 1: {path}"),
            format!("1 lacks the shard of 1: {path}"),
        ]
    );
    let third = part(&lent, 4);
    lent.file(4, &third).pop();
    let error = read(&lent.store(), path).unwrap_err();
    assert!(matches!(error, ReadError::Unreadable(why) if why.starts_with("1 of its 4 shards")));
}

#[test]
fn folders_that_cannot_be_listed_are_made_up_for_or_listed_themselves() {
    let mut lent = Lent::of("four-sealed.tar.gz");
    let all = listed(&lent.store(), "config/", None);
    let users = b".minio.sys/config/iam/users".to_vec();
    lent.closed.push((1, users.clone()));
    let store = lent.store();
    assert_eq!(listed(&store, "config/", None), all);
    assert_eq!(
        notes(&store),
        ["drive2 could not be read at 1: config/iam/users"]
    );
    for drive in [0, 2, 3] {
        lent.closed.push((drive, users.clone()));
    }
    let store = lent.store();
    let found = listed(&store, "config/", None);
    let folder = "config/iam/users/".to_owned();
    assert!(found.contains(&folder) && found.is_sorted(), "{found:?}");
    let error = read(&store, &folder).unwrap_err();
    assert_eq!(
        error,
        ReadError::Unreadable("drive1: permission denied".into())
    );
}

#[test]
fn paths_that_lead_out_are_refused() {
    let lent = Lent::of("four-sealed.tar.gz");
    let store = lent.store();
    for path in [
        "",
        "..",
        "config/../../x",
        "/config",
        "config//x",
        "a\0b",
        "./config",
    ] {
        assert!(
            matches!(read(&store, path), Err(ReadError::Refused(_))),
            "{path:?}"
        );
    }
}

/// Numbers that are the same in every run.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % below as u64) as usize
    }
}

#[test]
fn bytes_that_somebody_chose_are_met_by_limits() {
    let mut lent = Lent::of("single-sealed.tar.gz");
    let whole = lent.file(1, &meta(ALICE)).clone();
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    // What says how long something is, or what it is.
    let markers = [
        0x00, 0x7f, 0x80, 0x8f, 0x9f, 0xc4, 0xc6, 0xcf, 0xd3, 0xdd, 0xdf, 0xff,
    ];
    let length = u32::from_be_bytes(whole[9..13].try_into().unwrap()) as usize;
    for _ in 0..20_000 {
        let mut file = whole.clone();
        for _ in 0..=numbers.next(4) {
            file[13 + numbers.next(length)] = match numbers.next(2) {
                0 => markers[numbers.next(markers.len())],
                _ => numbers.next(256) as u8,
            };
        }
        // The checksum is right: whoever writes such a file can reckon.
        let checksum = xxhash_rust::xxh64::xxh64(&file[13..13 + length], 0) as u32;
        file[14 + length..18 + length].copy_from_slice(&checksum.to_be_bytes());
        *lent.file(1, &meta(ALICE)) = file;
        // Whatever comes of it, it comes.
        let _ = read(&lent.store(), ALICE);
    }
}
