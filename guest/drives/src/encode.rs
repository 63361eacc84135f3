//! Making the `xl.meta` of a new version out of that of the one which it replaces: everything is kept that
//! the content does not decide, in the order and with the versions of header and metadata that it has.

use alloc::vec::Vec;

use md5::{Digest as _, Md5};
use xxhash_rust::xxh64::xxh64;

use crate::erasure::Code;
use crate::format::Uuid;
use crate::frames::{self, Spread};
use crate::meta::{Meta, Version};
use crate::msgpack::{Malformed, Reader};
use crate::object::{Object, Pairs, Unread};
use crate::pack;
use crate::signature;

/// How a file begins that is written to: version 1.3. Older ones are only read.
const HEAD: &[u8] = b"XL2 \x01\x00\x03\x00";
/// Says in the metadata of the system that the shard is in the file.
pub(crate) const INLINE: &[u8] = b"x-minio-internal-inline-data";
/// What may stand there besides and says nothing of the content: parity was raised for want of drives.
const RAISED: &[u8] = b"x-minio-internal-erasure-upgraded";
/// The header's flag for the same as [`INLINE`].
const INLINE_FLAG: i64 = 4;

/// What is new of a version, and the same on all drives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renewal {
    /// When it is written, in nanoseconds.
    pub mod_time: i64,
    /// The folder of its data, which has a name even where the data is in `xl.meta`.
    pub data_dir: Uuid,
    /// The bytes of the object.
    pub size: i64,
    /// The MD5 of the object, in hexadecimal digits.
    pub etag: [u8; 32],
}

/// Why a version is not replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unwritable {
    /// Its `xl.meta` is not as any server writes it.
    Malformed,
    /// This is not written to.
    Unsupported(&'static str),
}

impl From<Malformed> for Unwritable {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

impl From<Unread> for Unwritable {
    fn from(unread: Unread) -> Self {
        match unread {
            Unread::Malformed => Self::Malformed,
            Unread::Unsupported(what) => Self::Unsupported(what),
        }
    }
}

/// The MD5 of an object as its metadata has it.
pub fn etag(object: &[u8]) -> [u8; 32] {
    let mut etag = [0; 32];
    let digest = Md5::digest(object);
    for (digits, byte) in etag.chunks_exact_mut(2).zip(digest) {
        let digit =
            |value: u8| char::from_digit(u32::from(value), 16).map_or(0, |digit| digit as u8);
        digits.copy_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
    }
    etag
}

/// The files of one drive that has a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Its `xl.meta`.
    pub meta: Vec<u8>,
    /// Its `part.1`, unless its shard is in `xl.meta`.
    pub part: Option<Vec<u8>>,
}

/// The files of all drives of a set with the new version of an object. `old` has for each drive, in the
/// order of the set, an `xl.meta` of the version that is replaced: its own, or another drive's.
///
/// # Errors
/// [`Unwritable`].
pub fn set(
    old: &[&[u8]],
    object: &[u8],
    new: &Renewal,
    is_inline: bool,
) -> Result<Vec<Written>, Unwritable> {
    let first = old.first().ok_or(Unwritable::Malformed)?;
    let shared = match Meta::parse(first)
        .map_err(|_| Unwritable::Malformed)?
        .newest
    {
        Version::Object(object, _) => object.shared,
        Version::Deleted(_) => return Err(Unwritable::Malformed),
    };
    let spread = Spread {
        size: object.len(),
        block: usize::try_from(shared.block).map_err(|_| Unwritable::Malformed)?,
        data: usize::from(shared.data),
    };
    let code = Code::new(spread.data, usize::from(shared.parity)).ok_or(Unwritable::Malformed)?;
    let mut shards = frames::close(object, spread, &code);
    if old.len() != shared.drives() || shards.len() != old.len() {
        return Err(Unwritable::Malformed);
    }
    let mut written = Vec::new();
    for (old, index) in old.iter().zip(shared.distribution) {
        let shard = shards.get_mut(usize::from(index).wrapping_sub(1));
        let shard = core::mem::take(shard.ok_or(Unwritable::Malformed)?);
        let inline = is_inline.then_some(shard.as_slice());
        written.push(Written {
            meta: meta(old, index, new, inline)?,
            part: (!is_inline).then_some(shard),
        });
    }
    Ok(written)
}

/// The `xl.meta` of a drive that has shard `index` of the new version, made of one of the old version.
/// `inline` is that shard with its frames, if it is to be in the file.
///
/// # Errors
/// [`Unwritable`].
fn meta(
    old: &[u8],
    index: u8,
    new: &Renewal,
    inline: Option<&[u8]>,
) -> Result<Vec<u8>, Unwritable> {
    let rest = old
        .strip_prefix(HEAD)
        .ok_or(Unwritable::Unsupported("an xl.meta of before version 1.3"))?;
    let block = block(Reader::new(rest).bytes()?, index, new, inline.is_some())?;
    file(&block, inline)
}

/// The `xl.meta` with this block.
fn file(block: &[u8], inline: Option<&[u8]>) -> Result<Vec<u8>, Unwritable> {
    let mut file = HEAD.to_vec();
    // Servers give the block and its checksum their longest forms, whatever they are.
    file.push(0xc6);
    let length = u32::try_from(block.len()).map_err(|_| Unwritable::Malformed)?;
    file.extend(length.to_be_bytes());
    file.extend(block);
    file.push(0xce);
    file.extend((xxh64(block, 0) as u32).to_be_bytes());
    if let Some(shard) = inline {
        file.push(1);
        pack::map(1, &mut file);
        pack::text(b"null", &mut file);
        pack::bytes(shard, &mut file);
    }
    Ok(file)
}

/// The same `xl.meta`, without its shard, of an object whose shards lie like this on the drives of the set:
/// what an object of another path is made of.
///
/// # Errors
/// [`Unwritable`].
pub(crate) fn placed(old: &[u8], distribution: &[u8]) -> Result<Vec<u8>, Unwritable> {
    let rest = old
        .strip_prefix(HEAD)
        .ok_or(Unwritable::Unsupported("an xl.meta of before version 1.3"))?;
    let old = Reader::new(rest).bytes()?;
    let mut reader = Reader::new(old);
    for _ in 0..3 {
        reader.int()?;
    }
    let mut block = before(old, &reader)?.to_vec();
    let (header, version) = (reader.bytes()?, reader.bytes()?);
    let version = pairs(version, |key, value, version| {
        match key {
            b"V2Obj" => version.extend(pairs(value, |key, value, object| {
                match key {
                    b"EcDist" => {
                        pack::array(distribution.len() as u32, object);
                        for shard in distribution {
                            pack::int(i64::from(*shard), object);
                        }
                    }
                    _ => object.extend(value),
                }
                Ok(())
            })?),
            _ => version.extend(value),
        }
        Ok(())
    })?;
    pack::bytes(header, &mut block);
    pack::bytes(&version, &mut block);
    file(&block, None)
}

/// Sees that an object of these bytes alone brings back all that this `xl.meta` says.
///
/// # Errors
/// [`Unwritable`].
pub(crate) fn check_kept(meta: &[u8]) -> Result<(), Unwritable> {
    let rest = meta
        .strip_prefix(HEAD)
        .ok_or(Unwritable::Unsupported("an xl.meta of before version 1.3"))?;
    let mut reader = Reader::new(Reader::new(rest).bytes()?);
    reader.int()?;
    reader.int()?;
    if reader.int()? != 1 {
        return Err(Unwritable::Unsupported("an object of several versions"));
    }
    match Meta::parse(meta) {
        Ok(Meta {
            newest: Version::Object(object, _),
            ..
        }) => check(&object),
        _ => Err(Unwritable::Malformed),
    }
}

/// Whether nothing of the metadata is about this object alone, so that others can be made of it.
pub(crate) fn is_plain(meta: &[u8]) -> bool {
    let Ok(Meta {
        newest: Version::Object(object, _),
        ..
    }) = Meta::parse(meta)
    else {
        return false;
    };
    let is_inline = |(key, _): (&[u8], &[u8])| key == INLINE;
    let is_plain = Pairs::new(object.system).is_ok_and(|mut pairs| pairs.all(is_inline));
    object.shared.id == [0; 16] && is_plain
}

/// The block: header version, metadata version, how many versions, and the only version's two parts.
fn block(old: &[u8], index: u8, new: &Renewal, is_inline: bool) -> Result<Vec<u8>, Unwritable> {
    let mut reader = Reader::new(old);
    let versions = (reader.int()?, reader.int()?);
    if !matches!(versions, (2 | 3, 1..=3)) {
        return Err(Unwritable::Unsupported("the version of its metadata"));
    }
    if reader.int()? != 1 {
        return Err(Unwritable::Unsupported("an object of several versions"));
    }
    let mut block = before(old, &reader)?.to_vec();
    let (header, version) = (reader.bytes()?, reader.bytes()?);
    if !reader.is_empty() {
        return Err(Unwritable::Malformed);
    }
    let (version, signature) = of_version(version, index, new, is_inline)?;
    pack::bytes(&of_header(header, new, signature, is_inline)?, &mut block);
    pack::bytes(&version, &mut block);
    Ok(block)
}

/// The header: name, time, signature, kind, flags, and from header version 3 on parity and data shards.
fn of_header(
    old: &[u8],
    new: &Renewal,
    signature: [u8; 4],
    is_inline: bool,
) -> Result<Vec<u8>, Unwritable> {
    let mut reader = Reader::new(old);
    let items = reader.array()?;
    let mut header = before(old, &reader)?.to_vec();
    for item in 0..items {
        let value = reader.skip()?;
        match item {
            0 if Reader::new(value).bytes()?.iter().any(|byte| *byte != 0) => {
                return Err(Unwritable::Unsupported("an object of a versioned bucket"));
            }
            1 => pack::int(new.mod_time, &mut header),
            2 => pack::bytes(&signature, &mut header),
            4 => {
                let flags = Reader::new(value).int()? & !INLINE_FLAG;
                let flag = if is_inline { INLINE_FLAG } else { 0 };
                pack::int(flags | flag, &mut header);
            }
            _ => header.extend(value),
        }
    }
    match reader.is_empty() {
        true => Ok(header),
        false => Err(Unwritable::Malformed),
    }
}

/// The version, and the signature that its header gets.
fn of_version(
    old: &[u8],
    index: u8,
    new: &Renewal,
    is_inline: bool,
) -> Result<(Vec<u8>, [u8; 4]), Unwritable> {
    let mut signature = None;
    let version = pairs(old, |key, value, version| {
        match key {
            b"V2Obj" => {
                let object = of_object(value, index, new, is_inline)?;
                signature = Some(signature::of(&Object::parse(&object)?)?);
                version.extend(object);
            }
            _ => version.extend(value),
        }
        Ok(())
    })?;
    Ok((version, signature.ok_or(Unwritable::Malformed)?))
}

/// The map `V2Obj`.
fn of_object(old: &[u8], index: u8, new: &Renewal, is_inline: bool) -> Result<Vec<u8>, Unwritable> {
    let is = Object::parse(old)?;
    check(&is)?;
    pairs(old, |key, value, object| {
        match key {
            b"DDir" => pack::bytes(&new.data_dir, object),
            b"EcIndex" => pack::int(i64::from(index), object),
            b"PartSizes" => sizes(new.size, object),
            b"PartASizes" => match Reader::new(value).array() {
                Ok(1) => sizes(new.size, object),
                // There may be none.
                _ => object.extend(value),
            },
            b"Size" => pack::int(new.size, object),
            b"MTime" => pack::int(new.mod_time, object),
            b"MetaSys" if !is_inline => without_inline(value, object)?,
            b"MetaUsr" => with_etag(value, new, object)?,
            _ => object.extend(value),
        }
        Ok(())
    })
}

/// Sees that the bytes of the object are its content, and that nothing else says what they are.
fn check(object: &Object<'_>) -> Result<(), Unwritable> {
    if object.shared.id != [0; 16] {
        return Err(Unwritable::Unsupported("an object of a versioned bucket"));
    }
    let is_known = |(key, _): (&[u8], &[u8])| key == INLINE || key == RAISED;
    match Pairs::new(object.system)?.all(is_known) {
        true => Ok(()),
        false => Err(Unwritable::Unsupported(
            "an object whose metadata says that it is encrypted, compressed or elsewhere",
        )),
    }
}

/// A list of one size.
fn sizes(size: i64, to: &mut Vec<u8>) {
    to.push(0x91);
    pack::int(size, to);
}

/// The metadata of the system of an object whose shards are in files of their own.
fn without_inline(old: &[u8], to: &mut Vec<u8>) -> Result<(), Unwritable> {
    let left =
        || -> Result<_, Malformed> { Ok(Pairs::new(old)?.filter(|(key, _)| *key != INLINE)) };
    if left()?.count() == Pairs::new(old)?.count() {
        to.extend(old);
        return Ok(());
    }
    let mut reader = Reader::new(old);
    let count = reader.map()?;
    pack::map(count.saturating_sub(1), to);
    for _ in 0..count {
        let start = reader;
        let key = reader.bytes()?;
        reader.skip()?;
        if key != INLINE {
            to.extend(before(start.rest(), &reader)?);
        }
    }
    Ok(())
}

/// The metadata of the user, with the new etag where there was one.
fn with_etag(old: &[u8], new: &Renewal, to: &mut Vec<u8>) -> Result<(), Unwritable> {
    if old == [0xc0] {
        to.extend(old);
        return Ok(());
    }
    let map = pairs(old, |key, value, map| {
        match key {
            b"etag" => pack::text(&new.etag, map),
            _ => map.extend(value),
        }
        Ok(())
    })?;
    to.extend(map);
    Ok(())
}

/// A map with the same keys, and the values that `value` appends for each of the old ones.
fn pairs(
    old: &[u8],
    mut value: impl FnMut(&[u8], &[u8], &mut Vec<u8>) -> Result<(), Unwritable>,
) -> Result<Vec<u8>, Unwritable> {
    let mut reader = Reader::new(old);
    let count = reader.map()?;
    let mut map = before(old, &reader)?.to_vec();
    for _ in 0..count {
        let start = reader;
        let key = reader.bytes()?;
        map.extend(before(start.rest(), &reader)?);
        value(key, reader.skip()?, &mut map)?;
    }
    match reader.is_empty() {
        true => Ok(map),
        false => Err(Unwritable::Malformed),
    }
}

/// What a reader of these bytes has passed over.
fn before<'a>(bytes: &'a [u8], reader: &Reader<'_>) -> Result<&'a [u8], Malformed> {
    let passed = bytes.len().saturating_sub(reader.rest().len());
    bytes.get(..passed).ok_or(Malformed)
}
