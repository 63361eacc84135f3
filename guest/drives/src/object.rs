//! What `xl.meta` says of one version of an object.

use crate::erasure::SHARDS;
use crate::format::Uuid;
use crate::msgpack::{Malformed, Reader};

/// One version of an object, as one drive has it.
#[derive(Clone, Copy)]
pub struct Object<'a> {
    /// Its bytes, for the signature.
    pub raw: &'a [u8],
    /// Which shard this drive has, counted from 1.
    pub index: u8,
    /// What is the same on all drives.
    pub shared: Shared,
    /// The metadata of the system, a map.
    pub system: &'a [u8],
    /// The metadata of the user, a map.
    pub user: &'a [u8],
}

/// What all drives that have a version say of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shared {
    /// The version's name; zeros for the one of an unversioned bucket.
    pub id: Uuid,
    /// The folder of its data, where it is not in `xl.meta`.
    pub data_dir: Uuid,
    /// Data shards.
    pub data: u8,
    /// Parity shards.
    pub parity: u8,
    /// The bytes of a block.
    pub block: u64,
    /// Which shard each drive of the set has, counted from 1; zeros after the last drive.
    pub distribution: [u8; SHARDS],
    /// The bytes of the object as it is stored.
    pub size: u64,
    /// When it was written, in nanoseconds.
    pub mod_time: i64,
}

/// Why a version is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unread {
    /// It is not as any server writes it.
    Malformed,
    /// It is of a kind that is not read here; the text names it.
    Unsupported(&'static str),
}

impl From<Malformed> for Unread {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

impl Shared {
    /// The drives of the set.
    pub fn drives(&self) -> usize {
        usize::from(self.data) + usize::from(self.parity)
    }
}

impl<'a> Object<'a> {
    /// Reads the map `V2Obj`.
    ///
    /// # Errors
    /// [`Unread`].
    pub fn parse(raw: &'a [u8]) -> Result<Self, Unread> {
        let mut fields = Fields::default();
        let mut reader = Reader::new(raw);
        for _ in 0..reader.map()? {
            let key = reader.bytes()?;
            fields.take(key, &mut reader)?;
        }
        fields.object(raw)
    }

    /// What the metadata of the system says under this name.
    pub fn system(&self, name: &str) -> Option<&'a [u8]> {
        entry(self.system, name)
    }
}

/// What a map of names and texts has under this name.
pub fn entry<'a>(map: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let mut pairs = Pairs::new(map).ok()?;
    pairs.find_map(|(key, value)| (key == name.as_bytes()).then_some(value))
}

/// The pairs of a map of names and texts, up to the first that is none. Nil is a map without any.
pub struct Pairs<'a> {
    reader: Reader<'a>,
    left: u32,
}

impl<'a> Pairs<'a> {
    /// Those of this map.
    ///
    /// # Errors
    /// It is no map.
    pub fn new(map: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(map);
        let left = match map {
            [] | [0xc0] => 0,
            _ => reader.map()?,
        };
        Ok(Self { reader, left })
    }
}

impl<'a> Iterator for Pairs<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        Some((self.reader.bytes().ok()?, self.reader.bytes().ok()?))
    }
}

/// The fields as they are read, in whatever order.
#[derive(Default)]
struct Fields<'a> {
    id: Uuid,
    data_dir: Uuid,
    algorithm: i64,
    data: i64,
    parity: i64,
    block: i64,
    index: i64,
    distribution: Distribution,
    checksum: i64,
    parts: u32,
    part_size: i64,
    size: i64,
    mod_time: i64,
    system: &'a [u8],
    user: &'a [u8],
}

struct Distribution {
    shards: [u8; SHARDS],
    count: usize,
}

impl Default for Distribution {
    fn default() -> Self {
        Self {
            shards: [0; SHARDS],
            count: 0,
        }
    }
}

impl<'a> Fields<'a> {
    fn take(&mut self, key: &[u8], reader: &mut Reader<'a>) -> Result<(), Unread> {
        match key {
            b"ID" => self.id = uuid(reader)?,
            b"DDir" => self.data_dir = uuid(reader)?,
            b"EcAlgo" => self.algorithm = reader.int()?,
            b"EcM" => self.data = reader.int()?,
            b"EcN" => self.parity = reader.int()?,
            b"EcBSize" => self.block = reader.int()?,
            b"EcIndex" => self.index = reader.int()?,
            b"EcDist" => self.distribution = Distribution::read(reader)?,
            b"CSumAlgo" => self.checksum = reader.int()?,
            b"PartNums" => {
                self.parts = reader.array()?;
                for _ in 0..self.parts {
                    reader.skip()?;
                }
            }
            b"PartSizes" => {
                let parts = reader.array()?;
                for part in 0..parts {
                    let size = reader.int()?;
                    if part == 0 {
                        self.part_size = size;
                    }
                }
            }
            b"Size" => self.size = reader.int()?,
            b"MTime" => self.mod_time = reader.int()?,
            b"MetaSys" => self.system = reader.skip()?,
            b"MetaUsr" => self.user = reader.skip()?,
            _ => {
                reader.skip()?;
            }
        }
        Ok(())
    }

    fn object(self, raw: &'a [u8]) -> Result<Object<'a>, Unread> {
        let small = |number: i64| u8::try_from(number).map_err(|_| Unread::Malformed);
        let shared = Shared {
            id: self.id,
            data_dir: self.data_dir,
            data: small(self.data)?,
            parity: small(self.parity)?,
            block: u64::try_from(self.block).map_err(|_| Unread::Malformed)?,
            distribution: self.distribution.shards,
            size: u64::try_from(self.size).map_err(|_| Unread::Malformed)?,
            mod_time: self.mod_time,
        };
        if self.algorithm != 1 {
            return Err(Unread::Unsupported("its erasure code"));
        }
        if self.checksum != 1 {
            return Err(Unread::Unsupported("its checksums"));
        }
        if self.parts != 1 || self.part_size != self.size {
            return Err(Unread::Unsupported("an object of several parts"));
        }
        let is_sound = shared.data > 0
            && shared.block > 0
            && self.distribution.count == shared.drives()
            && self.distribution.is_whole();
        let index = small(self.index)?;
        if !is_sound || index == 0 || usize::from(index) > shared.drives() {
            return Err(Unread::Malformed);
        }
        Ok(Object {
            raw,
            index,
            shared,
            system: self.system,
            user: self.user,
        })
    }
}

impl Distribution {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Unread> {
        let count = reader.array()? as usize;
        let mut read = Self {
            count,
            ..Self::default()
        };
        // As many places as there may be shards: more are refused, and cost nothing.
        let mut places = read.shards.iter_mut();
        for _ in 0..count {
            let place = places.next().ok_or(Unread::Malformed)?;
            *place = u8::try_from(reader.int()?).map_err(|_| Unread::Malformed)?;
        }
        Ok(read)
    }

    /// Whether each shard has one drive.
    fn is_whole(&self) -> bool {
        let named = |shard| self.shards.iter().any(|named| usize::from(*named) == shard);
        (1..=self.count).all(named)
    }
}

fn uuid(reader: &mut Reader<'_>) -> Result<Uuid, Unread> {
    reader.bytes()?.try_into().map_err(|_| Unread::Malformed)
}
