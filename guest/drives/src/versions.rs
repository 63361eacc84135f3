//! All versions that an `xl.meta` has, as far as it matters which key they need. What else they say is passed
//! over: an object of several parts and of any erasure code is counted, though it is not read here.

use crate::format::Uuid;
use crate::meta::{Block, DELETED, Fault, LEGACY, OBJECT};
use crate::msgpack::{Malformed, Reader};
use crate::sse::{Said, Sse};

/// A version of an object.
pub struct Version {
    /// Its name; zeros for the one of an unversioned bucket.
    pub id: Uuid,
    /// When it was written, in nanoseconds.
    pub mod_time: i64,
    /// The folder of its data; zeros if it has none.
    pub data_dir: Uuid,
    /// What it is.
    pub held: Held,
}

/// What a version is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Held {
    /// So many bytes, as users see them, encrypted or not.
    Object(u64, Option<Sse>),
    /// A note that the object was deleted.
    Deletion,
    /// An object of before 2020-06, of which nothing is known.
    Legacy,
}

/// Hands over each version of a block.
///
/// # Errors
/// [`Fault`]: what was handed over so far is not all.
pub fn each(block: &Block<'_>, mut see: impl FnMut(Version)) -> Result<(), Fault> {
    let mut reader = Reader::new(block.bytes);
    if block.minor < 3 {
        for _ in 0..reader.map()? {
            if reader.bytes()? != b"Versions" {
                reader.skip()?;
                continue;
            }
            for _ in 0..reader.array()? {
                see(version(reader.skip()?)?);
            }
        }
        return Ok(());
    }
    if !matches!(reader.int()?, 2 | 3) || !matches!(reader.int()?, 1..=3) {
        return Err(Fault::Unsupported("the version of its metadata"));
    }
    // Each takes two bytes at least, so the file's size bounds the rounds.
    for _ in 0..reader.int()? {
        reader.bytes()?;
        see(version(reader.bytes()?)?);
    }
    match reader.is_empty() {
        true => Ok(()),
        false => Err(Fault::Malformed),
    }
}

fn version(raw: &[u8]) -> Result<Version, Malformed> {
    let mut reader = Reader::new(raw);
    let (mut kind, mut of_object, mut of_deletion) = (0, None, None);
    for _ in 0..reader.map()? {
        match reader.bytes()? {
            b"Type" => kind = reader.int()?,
            b"V2Obj" => of_object = Some(reader.skip()?),
            b"DelObj" => of_deletion = Some(reader.skip()?),
            _ => {
                reader.skip()?;
            }
        }
    }
    let (raw, is_object) = match (kind, of_object, of_deletion) {
        (OBJECT, Some(object), _) => (object, true),
        (DELETED, _, Some(deletion)) => (deletion, false),
        (LEGACY, ..) => {
            return Ok(Version {
                id: Uuid::default(),
                mod_time: 0,
                data_dir: Uuid::default(),
                held: Held::Legacy,
            });
        }
        _ => return Err(Malformed),
    };
    let mut fields = Fields::default();
    let mut reader = Reader::new(raw);
    for _ in 0..reader.map()? {
        fields.take(reader.bytes()?, &mut reader)?;
    }
    Ok(Version {
        id: fields.id,
        mod_time: fields.mod_time,
        data_dir: fields.data_dir,
        held: match is_object {
            true => Held::Object(fields.bytes(), fields.said.sse()),
            false => Held::Deletion,
        },
    })
}

#[derive(Default)]
struct Fields<'a> {
    id: Uuid,
    data_dir: Uuid,
    mod_time: i64,
    size: i64,
    /// The sum of its parts' sizes before they were encrypted; none if one is not told.
    actual: Option<i64>,
    said: Said<'a>,
}

impl<'a> Fields<'a> {
    fn take(&mut self, key: &[u8], reader: &mut Reader<'a>) -> Result<(), Malformed> {
        match key {
            b"ID" => self.id = reader.bytes()?.try_into().map_err(|_| Malformed)?,
            b"DDir" => self.data_dir = reader.bytes()?.try_into().map_err(|_| Malformed)?,
            b"MTime" => self.mod_time = reader.int()?,
            b"Size" => self.size = reader.int()?,
            b"PartASizes" => self.actual = actual(reader.skip()?)?,
            b"MetaSys" => {
                let map = reader.skip()?;
                // Nil is a map without any.
                if map != [0xc0] {
                    let mut pairs = Reader::new(map);
                    for _ in 0..pairs.map()? {
                        let (name, value) = (pairs.bytes()?, pairs.bytes()?);
                        self.said.see(name, value);
                    }
                }
            }
            _ => {
                reader.skip()?;
            }
        }
        Ok(())
    }

    fn bytes(&self) -> u64 {
        u64::try_from(self.actual.unwrap_or(self.size)).unwrap_or(0)
    }
}

/// The sum of these sizes; none if there are none, or one is unknown.
fn actual(sizes: &[u8]) -> Result<Option<i64>, Malformed> {
    if sizes == [0xc0] {
        return Ok(None);
    }
    let mut reader = Reader::new(sizes);
    let count = reader.array()?;
    let mut sum = (count > 0).then_some(0_i64);
    for _ in 0..count {
        let size = reader.int()?;
        sum = sum.filter(|_| size >= 0);
        sum = sum.map(|sum| sum.saturating_add(size));
    }
    Ok(sum)
}
