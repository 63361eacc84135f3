//! Four drives as a server left them, and what a server would read of them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use iamseal_drives::{Renewal, etag, set};
use xxhash_rust::xxh64::xxh64;

use crate::drives::DRIVES;
use crate::platters::{Lie, Platters};
use crate::shadow::{Content, Tree};

/// When all objects were written, and when they are written again.
pub const THEN: i64 = 1_700_000_000_000_000_000;
pub const NOW: i64 = 1_800_000_000_000_000_000;

/// How many drives have to have a version, on a set of four.
const QUORUM: usize = 2;

/// The files that a real server wrote of one object, drive by drive, and of each drive itself.
static WRITTEN: LazyLock<Vec<(Vec<u8>, Vec<u8>)>> = LazyLock::new(|| {
    let archive = Path::new(env!("CARGO_MANIFEST_DIR")).join("drives/four-sealed.tar.gz");
    let folder = tempfile::tempdir().unwrap();
    let mut unpack = Command::new("tar");
    unpack.arg("-xzf").arg(archive).arg("-C").arg(folder.path());
    assert!(unpack.status().unwrap().success());
    let drive = |number: usize| {
        let drive = folder.path().join(format!("drive{number}/.minio.sys"));
        let meta = drive.join("config/iam/users/alice/identity.json/xl.meta");
        (
            fs::read(meta).unwrap(),
            fs::read(drive.join("format.json")).unwrap(),
        )
    };
    (1..=DRIVES).map(drive).collect()
});

/// Drives that hold these objects. Of some the shards are beside `xl.meta`.
pub fn platters(objects: &Tree, lie: Option<Lie>) -> Platters {
    let mut platters = Platters::new(lie);
    for (drive, (_, format)) in (0..).zip(&*WRITTEN) {
        let content = Content {
            bytes: format.clone(),
            mode: 0o644,
            owner: 0,
        };
        platters.put(drive, b".minio.sys/format.json", content);
    }
    let objects = objects
        .iter()
        .filter(|(path, _)| path.starts_with(b"config/"));
    for (number, (path, content)) in objects.enumerate() {
        let data_dir = [number as u8 + 1; 16];
        let new = Renewal {
            mod_time: THEN,
            data_dir,
            size: content.bytes.len() as i64,
            etag: etag(&content.bytes),
        };
        let old: Vec<Vec<u8>> = WRITTEN.iter().map(|(meta, _)| placed(meta, path)).collect();
        let old: Vec<&[u8]> = old.iter().map(Vec::as_slice).collect();
        let written = set(&old, &content.bytes, &new, number % 3 != 1).unwrap();
        for (drive, written) in (0..).zip(written) {
            let at = |name: &str| [b".minio.sys/", path.as_slice(), name.as_bytes()].concat();
            let is = |bytes: Vec<u8>| Content {
                bytes,
                ..content.clone()
            };
            platters.put(drive, &at("/xl.meta"), is(written.meta));
            if let Some(part) = written.part {
                let name = format!("/{}/part.1", uuid(&data_dir));
                platters.put(drive, &at(&name), is(part));
            }
        }
    }
    platters
}

/// An `xl.meta` whose shards lie as those of the object at this path.
fn placed(meta: &[u8], path: &[u8]) -> Vec<u8> {
    let key = [b".minio.sys/", path].concat();
    let first = crc32fast::hash(&key) % DRIVES as u32;
    let mut meta = meta.to_vec();
    let at = place_of(&meta, b"\xa6EcDist\x94").unwrap();
    for (drive, shard) in (1..).zip(&mut meta[at..at + DRIVES]) {
        *shard = (1 + (first + drive) % DRIVES as u32) as u8;
    }
    with_checksum(meta)
}

/// The same with the checksum of what it holds.
fn with_checksum(mut meta: Vec<u8>) -> Vec<u8> {
    let end = block_end(&meta).unwrap();
    let sum = xxh64(&meta[BLOCK..end], 0) as u32;
    meta[end + 1..end + 5].copy_from_slice(&sum.to_be_bytes());
    meta
}

/// A new `xl.meta` that has the time of the old ones.
pub fn of_the_same_time(meta: &[u8]) -> Vec<u8> {
    let Some((time, _)) = version(meta) else {
        return meta.to_vec();
    };
    let (new, old) = (time.to_be_bytes(), THEN.to_be_bytes());
    let mut meta = meta.to_vec();
    while let Some(after) = place_of(&meta, &new) {
        meta[after - new.len()..after].copy_from_slice(&old);
    }
    with_checksum(meta)
}

/// Where the block begins whose length stands before it.
const BLOCK: usize = 13;

fn block_end(meta: &[u8]) -> Option<usize> {
    let length = u32::from_be_bytes(meta.get(9..BLOCK)?.try_into().ok()?);
    let end = BLOCK + length as usize;
    (meta.len() >= end + 5).then_some(end)
}

/// What follows the first of these bytes.
fn place_of(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    let at = bytes
        .windows(wanted.len())
        .position(|part| part == wanted)?;
    Some(at + wanted.len())
}

/// The time and the folder of the data of a version; none if the file is damaged.
pub fn version(meta: &[u8]) -> Option<(i64, [u8; 16])> {
    let end = block_end(meta)?;
    let sum = xxh64(meta.get(BLOCK..end)?, 0) as u32;
    let is_whole = meta.get(end + 1..end + 5)? == sum.to_be_bytes();
    let after = |key: &[u8], length: usize| {
        let at = place_of(meta, key)?;
        meta.get(at..at + length)
    };
    let time = i64::from_be_bytes(after(b"\xa5MTime\xd3", 8)?.try_into().ok()?);
    let data_dir = after(b"\xa4DDir\xc4\x10", 16)?.try_into().ok()?;
    is_whole.then_some((time, data_dir))
}

/// Sees that a server reads one whole version of what the drives have, in their order: that of most drives, of
/// as many the newer one. It shows nothing where no drive that has a version has an older one than
/// the one before it, and the newest is on fewer than half of all and does not count. It takes drives of one time for drives of one version.
///
/// # Errors
/// What it does instead.
pub fn reads(metas: &[Option<Vec<u8>>]) -> Result<(), String> {
    let versions: Vec<_> = metas.iter().map(|meta| version(meta.as_ref()?)).collect();
    let mut by_time = BTreeMap::<i64, Vec<usize>>::new();
    for (place, version) in versions.iter().enumerate() {
        if let Some((time, _)) = version {
            by_time.entry(*time).or_default().push(place);
        }
    }
    let (newest, holders) = by_time.last_key_value().ok_or("nothing is there")?;
    let (time, most) = by_time
        .iter()
        .max_by_key(|(time, places)| (places.len(), **time))
        .unwrap();
    let is_rising = versions
        .iter()
        .flatten()
        .is_sorted_by_key(|(time, _)| *time);
    if newest != time && is_rising && holders.len() < metas.len().div_ceil(2) {
        return Err(format!("MinIO shows no object: {versions:?}"));
    }
    if most.len() < QUORUM {
        return Err(format!("no version has a quorum: {versions:?}"));
    }
    let first = versions[most[0]];
    match most.iter().all(|place| versions[*place] == first) {
        true => Ok(()),
        false => Err(format!("MinIO mixes two versions: {versions:?}")),
    }
}

/// The name of a folder of data.
pub fn uuid(bytes: &[u8; 16]) -> String {
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let ends = [0, 8, 12, 16, 20, 32];
    let parts: Vec<&str> = ends
        .windows(2)
        .map(|part| &digits[part[0]..part[1]])
        .collect();
    parts.join("-")
}
