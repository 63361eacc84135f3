//! From the shards of an object to its bytes.

use alloc::borrow::Cow;
use alloc::vec;
use alloc::vec::Vec;

use crate::erasure::{Code, SHARDS};
use crate::files::{Drive, FileError, Files, below};
use crate::format::text;
use crate::frames::{self, Spread};
use crate::layout::Layout;
use crate::meta::Meta;
use crate::notes::Matter;
use crate::object::{Object, Shared};

/// A drive that has the version which counts.
pub struct Member<'a> {
    /// The drive, and its place in the set.
    pub drive: Drive,
    /// Its place in the set.
    pub place: usize,
    /// Its `xl.meta`.
    pub meta: &'a Meta<'a>,
    /// The version in it.
    pub object: &'a Object<'a>,
}

/// What is wrong with the shard of a drive.
pub struct Wrong {
    /// The drive.
    pub drive: Drive,
    /// What it is.
    pub matter: Matter,
}

/// Why there are no bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    /// So many shards are sound, which is too few.
    TooFew(usize),
    /// The shards are of different objects, and nothing tells which are right.
    Disagreement,
    /// It has more shards than are read here, or more bytes than memory can hold.
    Unsupported,
}

/// Makes an object of the shards of these drives, which have one version of it. Says of each shard that
/// is not used what is wrong with it.
///
/// # Errors
/// [`Lost`].
pub fn object(
    files: &impl Files,
    layout: &Layout,
    path: &[u8],
    shared: &Shared,
    members: &[Member<'_>],
    wrong: &mut Vec<Wrong>,
) -> Result<Vec<u8>, Lost> {
    let (spread, code) = code(shared)?;
    let mut framed: [Option<Cow<'_, [u8]>>; SHARDS] = [const { None }; SHARDS];
    let mut owner = [None; SHARDS];
    for member in members {
        match shard(files, layout, path, spread, member) {
            Ok(shard) => {
                let number = usize::from(member.object.index).wrapping_sub(1);
                if let (Some(place), Some(owner)) = (framed.get_mut(number), owner.get_mut(number))
                {
                    *place = Some(shard);
                    *owner = Some(member.drive);
                }
            }
            Err(matter) => wrong.push(Wrong {
                drive: member.drive,
                matter,
            }),
        }
    }
    let framed = framed.get(..shared.drives()).unwrap_or_default();
    join(spread, &code, framed, |number| {
        let owner = owner.get(number).copied().flatten();
        wrong.extend(owner.map(|drive| Wrong {
            drive,
            matter: Matter::Rotten,
        }));
    })
}

/// Makes an object of its shards with their frames, in the order of the code. Says which of them are not what was
/// written.
///
/// # Errors
/// [`Lost`].
pub fn join(
    spread: Spread,
    code: &Code,
    framed: &[Option<Cow<'_, [u8]>>],
    mut rotten: impl FnMut(usize),
) -> Result<Vec<u8>, Lost> {
    let mut shards: Vec<Option<Vec<&[u8]>>> = vec![None; framed.len()];
    for (number, (shards, framed)) in shards.iter_mut().zip(framed).enumerate() {
        match framed.as_ref().map(|framed| frames::open(framed, spread)) {
            Some(Ok(parts)) => *shards = Some(parts),
            Some(Err(_rotten)) => rotten(number),
            None => {}
        }
    }
    let sound = shards.iter().flatten().count();
    if sound < spread.data {
        return Err(Lost::TooFew(sound));
    }
    let mut bytes = Vec::with_capacity(spread.size);
    for (number, block) in spread.blocks().enumerate() {
        let parts: Vec<Option<&[u8]>> = shards
            .iter()
            .map(|parts| parts.as_ref()?.get(number).copied())
            .collect();
        let data = code.data(&parts).ok_or(Lost::Unsupported)?;
        let data = data.map_err(|_| Lost::Disagreement)?;
        bytes.extend_from_slice(data.get(..block).ok_or(Lost::Unsupported)?);
    }
    Ok(bytes)
}

/// How the shards of a version lie, and their code.
///
/// # Errors
/// [`Lost::Unsupported`].
pub fn code(shared: &Shared) -> Result<(Spread, Code), Lost> {
    let size = |number: u64| usize::try_from(number).map_err(|_| Lost::Unsupported);
    let spread = Spread {
        size: size(shared.size)?,
        block: size(shared.block)?,
        data: usize::from(shared.data),
    };
    let code = Code::new(spread.data, usize::from(shared.parity)).ok_or(Lost::Unsupported)?;
    Ok((spread, code))
}

/// The shard of a drive, with its frames.
fn shard<'a>(
    files: &impl Files,
    layout: &Layout,
    path: &[u8],
    spread: Spread,
    member: &Member<'a>,
) -> Result<Cow<'a, [u8]>, Matter> {
    let object = member.object;
    // A drive that was put in another's place has another's shards.
    if object.shared.distribution.get(member.place) != Some(&object.index) {
        return Err(Matter::Distribution);
    }
    let shared = &object.shared;
    if let Some(shard) = member
        .meta
        .shard(&shared.id)
        .map_err(|_| Matter::Metadata)?
    {
        return Ok(shard.into());
    }
    if object.system("x-minio-internal-inline-data").is_some() {
        return Err(Matter::NoShard);
    }
    let folder = below(
        &layout.path(member.drive, path),
        text(&shared.data_dir).as_bytes(),
    );
    let length = u32::try_from(spread.framed()).map_err(|_| Matter::Rotten)?;
    match files.read(member.drive, &below(&folder, b"part.1"), 0, length) {
        Ok(part) if part.size == u64::from(length) => Ok(part.bytes.into()),
        Ok(_) => Err(Matter::Rotten),
        Err(FileError::NotFound) => Err(Matter::NoShard),
        Err(FileError::Failed(_)) => Err(Matter::Unreadable),
    }
}
