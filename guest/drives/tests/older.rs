//! `xl.meta` of versions before 1.3. No server at hand writes them, so they are made of files of 1.3
//! by what is known of their layout.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod lent;

use iamseal_drives::ReadError;
use lent::{Lent, notes};
use xxhash_rust::xxh64::xxh64;

const ALICE: &str = "config/iam/users/alice/identity.json";

/// A length of MessagePack in so many bytes.
fn length(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .fold(0, |length, byte| length << 8 | usize::from(*byte))
}

/// The bytes that begin here, and what follows.
fn bin(bytes: &[u8]) -> (&[u8], &[u8]) {
    let head = match bytes[0] {
        0xc4 => 2,
        0xc5 => 3,
        0xc6 => 5,
        marker => panic!("{marker:x}"),
    };
    bytes[head..].split_at(length(&bytes[1..head]))
}

/// The same file as a server would have written it that knew this minor version.
fn older(file: &[u8], minor: u8) -> Vec<u8> {
    let (block, rest) = bin(&file[8..]);
    let shards = &rest[5..];
    let (_header, rest) = bin(&block[3..]);
    let (version, _) = bin(rest);
    let mut block = vec![0x81, 0xa8];
    block.extend(b"Versions");
    block.push(0x91);
    block.extend(version);
    let mut made = b"XL2 ".to_vec();
    match minor {
        0 => made.extend(b"1   "),
        minor => {
            made.extend([1, 0, minor, 0, 0xc6]);
            made.extend((block.len() as u32).to_be_bytes());
        }
    }
    made.extend(&block);
    if minor >= 2 {
        made.push(0xce);
        made.extend((xxh64(&block, 0) as u32).to_be_bytes());
    }
    made.extend(shards);
    made
}

#[test]
fn older_versions_are_read() {
    for minor in 0..=2 {
        let mut lent = Lent::of("four-sealed.tar.gz");
        let whole = lent.store().read(ALICE.as_bytes()).unwrap();
        for drive in 1..=4 {
            let file = lent.file(drive, &format!("{ALICE}/xl.meta"));
            *file = older(file, minor);
        }
        let store = lent.store();
        assert_eq!(store.read(ALICE.as_bytes()), Ok(whole), "1.{minor}");
        assert_eq!(notes(&store), [""; 0], "1.{minor}");
    }
}

#[test]
fn versions_that_are_not_known_are_named() {
    let mut lent = Lent::of("single-sealed.tar.gz");
    lent.file(1, &format!("{ALICE}/xl.meta"))[6] = 4;
    let error = lent.store().read(ALICE.as_bytes()).unwrap_err();
    let ReadError::Unreadable(why) = error else {
        panic!("{error:?}");
    };
    assert!(
        why.ends_with("drive1 has an xl.meta with its version, which is not read here"),
        "{why}"
    );
}

#[test]
fn the_files_of_the_oldest_servers_are_named() {
    let mut lent = Lent::of("single-sealed.tar.gz");
    let path = format!(".minio.sys/{ALICE}/xl");
    let files = &mut lent.drives[0].1;
    let bytes = files.remove(format!("{path}.meta").as_bytes()).unwrap();
    files.insert(format!("{path}.json").into_bytes(), bytes);
    let store = lent.store();
    assert_eq!(lent::listed(&store, ALICE, None), [ALICE]);
    let error = store.read(ALICE.as_bytes()).unwrap_err();
    assert!(matches!(error, ReadError::Refused(why) if why.contains("xl.json")));
}
