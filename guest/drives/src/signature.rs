//! The signature of a version: four bytes in its header, the same on all drives.
//!
//! It is no secret's, so it proves nothing against a forger. It shows that a version was changed by
//! something that did not know of it.

use xxhash_rust::xxh3::xxh3_64;
use xxhash_rust::xxh64::Xxh64;

use crate::msgpack::{Malformed, Reader};
use crate::object::{Object, Pairs};

const OF_USER: u64 = 0xc2b4_0bba_c11a_7295;
const OF_SYSTEM: u64 = 0x1bbc_7e1d_de65_4743;
const OF_KEY: u64 = 0x4ee3_bbaf_7ab2_506b;
const OF_VALUE: u64 = 0x8da4_c8da_6619_4257;

const NIL: &[u8] = &[0xc0];

/// The signature that a version should have.
///
/// # Errors
/// It is not as it was when it was parsed.
pub fn of(object: &Object<'_>) -> Result<[u8; 4], Malformed> {
    let sum = pairs(object.user, OF_USER)? ^ pairs(object.system, OF_SYSTEM)? ^ rest(object.raw)?;
    Ok(((sum ^ sum >> 32) as u32).to_le_bytes())
}

/// Pairs in any order have one digest: the order differs from drive to drive.
fn pairs(map: &[u8], seed: u64) -> Result<u64, Malformed> {
    Ok(Pairs::new(map)?.fold(seed, |sum, (key, value)| {
        let (key, value) = (xxh3_64(key) ^ OF_KEY, xxh3_64(value) ^ OF_VALUE);
        sum ^ key.wrapping_add(value)
    }))
}

/// The digest of all that does not differ: the map as it is, without what is a drive's own.
fn rest(raw: &[u8]) -> Result<u64, Malformed> {
    let mut hash = Xxh64::new(0);
    let mut reader = Reader::new(raw);
    let fields = reader.map()?;
    let head = raw.len() - reader.rest().len();
    hash.update(raw.get(..head).ok_or(Malformed)?);
    for _ in 0..fields {
        let before = reader.rest();
        let key = reader.bytes()?;
        let written = before.len() - reader.rest().len();
        hash.update(before.get(..written).ok_or(Malformed)?);
        let value = reader.skip()?;
        hash.update(match key {
            b"EcIndex" => &[0],
            b"MetaSys" | b"MetaUsr" => NIL,
            b"PartETags" if is_blank(value)? => NIL,
            b"PartASizes" if matches!(value, [0x90]) => NIL,
            _ => value,
        });
    }
    Ok(hash.digest())
}

/// Whether a list has nothing but empty texts.
fn is_blank(list: &[u8]) -> Result<bool, Malformed> {
    if list == NIL {
        return Ok(true);
    }
    let mut reader = Reader::new(list);
    for _ in 0..reader.array()? {
        if !reader.bytes()?.is_empty() {
            return Ok(false);
        }
    }
    Ok(true)
}
