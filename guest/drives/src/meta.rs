//! `xl.meta`: what a drive knows of an object, and its shard where that is small.
//!
//! ```text
//! 0  4  "XL2 "
//! 4  2  LE16 1, the major version
//! 6  2  LE16 0 to 3, the minor one; in the oldest files the four bytes are "1   "
//! 8  .. the block: MessagePack bytes (1.0: the bare map)
//!    .. from 1.2 on a MessagePack number: the low 32 bits of the XXH64 of the block
//!    .. the rest, where there is one: 01, and a map of shards by their versions' names
//! ```
//!
//! The block of 1.3 is: header version, metadata version, how many versions; then for each of them,
//! newest first, its header and the version itself, each as bytes. Before that it is a map with one list
//! of versions.

use alloc::string::String;

use xxhash_rust::xxh64::xxh64;

use crate::format::{self, Uuid};
use crate::msgpack::{Malformed, Reader};
use crate::object::{Object, Unread};

/// The largest `xl.meta` that is read: shards of 128 KiB are in it, and of a versioned object many.
pub const META_BYTES: u32 = 4 << 20;

/// An `xl.meta`, as far as the newest version in it.
pub struct Meta<'a> {
    /// The newest version.
    pub newest: Version<'a>,
    /// The map of shards; empty if there is none.
    shards: &'a [u8],
}

/// A version of an object.
#[allow(
    clippy::large_enum_variant,
    reason = "deletions are rare, and no more than a set's are held at once"
)]
pub enum Version<'a> {
    /// An object, and what its header says of it.
    Object(Object<'a>, Header),
    /// The object was deleted at this time.
    Deleted(i64),
}

/// What stands before a version. Files before 1.3 have none, and it is made of the version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// What drives agree on.
    pub agreed: Agreed,
    /// A digest of the version, which is the same on all drives; none in files before 1.3.
    pub signature: Option<[u8; 4]>,
}

/// What the headers of drives that have the same version have in common. MinIO counts by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Agreed {
    /// When the version was written, in nanoseconds.
    pub mod_time: i64,
    /// The version's name.
    pub id: Uuid,
    /// Its kind.
    pub kind: u8,
    /// Its flags.
    pub flags: u8,
    /// Data shards.
    pub data: u8,
    /// Parity shards.
    pub parity: u8,
}

/// Why an `xl.meta` is of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It has no bytes.
    Empty,
    /// It is no `xl.meta`, or cut short.
    Malformed,
    /// Its checksum is not that of its bytes.
    Checksum,
    /// It says this, which is not read here.
    Unsupported(&'static str),
}

impl From<Malformed> for Fault {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

impl From<Unread> for Fault {
    fn from(unread: Unread) -> Self {
        match unread {
            Unread::Malformed => Self::Malformed,
            Unread::Unsupported(what) => Self::Unsupported(what),
        }
    }
}

pub(crate) const OBJECT: i64 = 1;
pub(crate) const DELETED: i64 = 2;
pub(crate) const LEGACY: i64 = 3;

/// The part of an `xl.meta` that says what versions there are.
pub struct Block<'a> {
    /// The minor version of the file.
    pub minor: u8,
    /// The bytes.
    pub bytes: &'a [u8],
    /// What follows.
    rest: Reader<'a>,
}

impl<'a> Block<'a> {
    /// That of a file, of which at least this part is given.
    ///
    /// # Errors
    /// [`Fault`].
    pub fn of(file: &'a [u8]) -> Result<Self, Fault> {
        let (minor, mut rest) = head(file)?;
        let bytes = match minor {
            0 => rest.skip()?,
            _ => rest.bytes()?,
        };
        if minor >= 2 && rest.int()? != i64::from(xxh64(bytes, 0) as u32) {
            return Err(Fault::Checksum);
        }
        Ok(Self { minor, bytes, rest })
    }

    /// How many bytes of a file hold it, by the first few of them; none if they do not tell.
    ///
    /// # Errors
    /// [`Fault`].
    pub fn extent(start: &[u8]) -> Result<Option<u64>, Fault> {
        let (minor, mut rest) = head(start)?;
        if minor == 0 {
            return Ok(None);
        }
        let length = rest.length_of_bytes()?;
        let before = start.len() - rest.rest().len();
        Ok(Some(before as u64 + u64::from(length) + CHECKSUM_BYTES))
    }
}

/// The most that the checksum takes, a number and its marker.
const CHECKSUM_BYTES: u64 = 9;

/// The minor version of a file, and what follows the head.
fn head(file: &[u8]) -> Result<(u8, Reader<'_>), Fault> {
    if file.is_empty() {
        return Err(Fault::Empty);
    }
    let (head, rest) = file.split_at_checked(8).ok_or(Fault::Malformed)?;
    let version = head.strip_prefix(b"XL2 ").ok_or(Fault::Malformed)?;
    let minor = match version {
        b"1   " => 0,
        [1, 0, minor @ 0..=3, 0] => *minor,
        _ => return Err(Fault::Unsupported("its version")),
    };
    Ok((minor, Reader::new(rest)))
}

/// The header's kind of an object, for files that have no headers.
const OBJECT_KIND: u8 = 1;

impl<'a> Meta<'a> {
    /// Reads an `xl.meta`.
    ///
    /// # Errors
    /// [`Fault`].
    pub fn parse(file: &'a [u8]) -> Result<Self, Fault> {
        let Block {
            minor,
            bytes: block,
            rest: reader,
        } = Block::of(file)?;
        let shards = match reader.rest() {
            [] => &[][..],
            [1, shards @ ..] => shards,
            _ => return Err(Fault::Malformed),
        };
        let newest = match minor {
            3 => newest(block)?,
            _ => newest_of_list(block)?,
        };
        Ok(Self { newest, shards })
    }

    /// The shard of this version, if it is in the file.
    ///
    /// # Errors
    /// The map of shards is none.
    pub fn shard(&self, id: &Uuid) -> Result<Option<&'a [u8]>, Malformed> {
        if self.shards.is_empty() {
            return Ok(None);
        }
        let name = match id {
            [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0] => String::from("null"),
            id => format::text(id),
        };
        let mut reader = Reader::new(self.shards);
        let mut found = None;
        for _ in 0..reader.map()? {
            let (key, shard) = (reader.bytes()?, reader.bytes()?);
            if key == name.as_bytes() {
                found = Some(shard);
            }
        }
        match reader.is_empty() {
            true => Ok(found),
            false => Err(Malformed),
        }
    }
}

/// The first version of a block of 1.3.
fn newest(block: &[u8]) -> Result<Version<'_>, Fault> {
    let mut reader = Reader::new(block);
    let (of_header, of_version) = (reader.int()?, reader.int()?);
    if !matches!(of_header, 2 | 3) || !matches!(of_version, 1..=3) {
        return Err(Fault::Unsupported("the version of its metadata"));
    }
    if reader.int()? < 1 {
        return Err(Fault::Malformed);
    }
    let mut header = Reader::new(reader.bytes()?);
    let version = version(reader.bytes()?)?;
    let items = header.array()?;
    let id = header.bytes()?.try_into().map_err(|_| Fault::Malformed)?;
    let mod_time = header.int()?;
    let signature = header.bytes()?.try_into().map_err(|_| Fault::Malformed)?;
    let (kind, flags) = (header.int()?, header.int()?);
    let shards = match (of_header, items) {
        (2, 5) => None,
        (3, 7) => Some((header.int()?, header.int()?)),
        _ => return Err(Fault::Malformed),
    };
    let small = |number: i64| u8::try_from(number).map_err(|_| Fault::Malformed);
    match version {
        Version::Object(object, made) => {
            let made = made.agreed;
            let (parity, data) = match shards {
                Some((parity, data)) => (small(parity)?, small(data)?),
                None => (made.parity, made.data),
            };
            let agreed = Agreed {
                mod_time,
                id,
                kind: small(kind)?,
                flags: small(flags)?,
                data,
                parity,
            };
            // Header and version are written together.
            let is_of_it = agreed
                == Agreed {
                    kind: agreed.kind,
                    flags: agreed.flags,
                    ..made
                };
            if !is_of_it {
                return Err(Fault::Malformed);
            }
            let signature = Some(signature);
            Ok(Version::Object(object, Header { agreed, signature }))
        }
        Version::Deleted(_) => Ok(Version::Deleted(mod_time)),
    }
}

/// The newest version of a block before 1.3.
fn newest_of_list(block: &[u8]) -> Result<Version<'_>, Fault> {
    let mut reader = Reader::new(block);
    let mut newest: Option<Version<'_>> = None;
    for _ in 0..reader.map()? {
        if reader.bytes()? != b"Versions" {
            reader.skip()?;
            continue;
        }
        for _ in 0..reader.array()? {
            let version = version(reader.skip()?)?;
            let is_newer = |newest: &Version<'_>| version.mod_time() > newest.mod_time();
            if newest.as_ref().is_none_or(is_newer) {
                newest = Some(version);
            }
        }
    }
    newest.ok_or(Fault::Malformed)
}

/// One version, with the header that it would have.
fn version(raw: &[u8]) -> Result<Version<'_>, Fault> {
    let mut reader = Reader::new(raw);
    let (mut kind, mut object, mut deleted) = (0, None, None);
    for _ in 0..reader.map()? {
        match reader.bytes()? {
            b"Type" => kind = reader.int()?,
            b"V2Obj" => object = Some(reader.skip()?),
            b"DelObj" => deleted = Some(reader.skip()?),
            _ => {
                reader.skip()?;
            }
        }
    }
    match (kind, object, deleted) {
        (OBJECT, Some(object), _) => {
            let object = Object::parse(object)?;
            let agreed = Agreed {
                mod_time: object.shared.mod_time,
                id: object.shared.id,
                kind: OBJECT_KIND,
                flags: 0,
                data: object.shared.data,
                parity: object.shared.parity,
            };
            let signature = None;
            Ok(Version::Object(object, Header { agreed, signature }))
        }
        (DELETED, _, Some(deleted)) => Ok(Version::Deleted(time_of(deleted)?)),
        (LEGACY, ..) => Err(Fault::Unsupported("an object of before 2020-06")),
        _ => Err(Fault::Malformed),
    }
}

fn time_of(deleted: &[u8]) -> Result<i64, Fault> {
    let mut reader = Reader::new(deleted);
    for _ in 0..reader.map()? {
        match reader.bytes()? {
            b"MTime" => return Ok(reader.int()?),
            _ => {
                reader.skip()?;
            }
        }
    }
    Err(Fault::Malformed)
}

impl Version<'_> {
    /// When it was written.
    pub fn mod_time(&self) -> i64 {
        match self {
            Self::Object(object, _) => object.shared.mod_time,
            Self::Deleted(mod_time) => *mod_time,
        }
    }
}
