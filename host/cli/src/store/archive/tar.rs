//! The files in a tar: POSIX' ustar and pax, and GNU's long names.
//!
//! Read here and not by a library, since what a library holds in memory of long names an archive decides.

mod header;

use std::ffi::OsString;
use std::io::{self, Read};
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;

pub use self::header::{BLOCK, is_header};
use self::header::{SIZE, TARGET, field, is_sound, kind, number, own_name, text};
use super::place::{BYTES, Place, is_of_store, said};
use super::{Wrong, unpacked};

/// The largest list of further attributes, or long name, that is read.
const EXTENSION: u64 = 1 << 20;
/// What is read at a time of what is behind the end.
const PIECE: usize = 64 << 10;

/// What stands before an entry and is about it.
#[derive(Default)]
struct Further {
    name: Option<Vec<u8>>,
    target: Option<Vec<u8>>,
    size: Option<u64>,
    is_sparse: bool,
}

/// Unpacks all of a tar.
///
/// # Errors
/// [`Wrong`].
pub fn unpack(tar: impl Read, place: &mut Place) -> Result<(), Wrong> {
    // What is passed over counts too.
    let mut tar = tar.take(4 * BYTES);
    match all(&mut tar, place) {
        Ok(()) | Err(Wrong::Malformed(_)) if tar.limit() == 0 => Err(Wrong::Large),
        unpacked => unpacked,
    }
}

fn all(tar: &mut impl Read, place: &mut Place) -> Result<(), Wrong> {
    let mut further = Further::default();
    let mut block = [0; BLOCK];
    loop {
        tar.read_exact(&mut block)?;
        if block.iter().all(|byte| *byte == 0) {
            return nothing_more(tar);
        }
        if !is_sound(&block) {
            return Err(Wrong::Malformed("a header's checksum is wrong".into()));
        }
        let size = further.size.take().or_else(|| number(&block, SIZE));
        let size = size.ok_or_else(|| Wrong::Malformed("a size is no number".into()))?;
        let mut data = Read::by_ref(tar).take(size);
        match kind(&block) {
            b'x' => pax(&extension(&mut data, size)?, &mut further)?,
            b'L' => further.name = Some(text(&extension(&mut data, size)?).to_vec()),
            b'K' => further.target = Some(text(&extension(&mut data, size)?).to_vec()),
            // What all entries have in common is no name.
            b'g' => {}
            kind => {
                let further = std::mem::take(&mut further);
                entry(&block, kind, further, &mut data, place)?;
            }
        }
        rest(data)?;
        let padding = (BLOCK as u64 - size % BLOCK as u64) % BLOCK as u64;
        rest(Read::by_ref(tar).take(padding))?;
    }
}

fn entry(
    block: &[u8],
    kind: u8,
    further: Further,
    data: &mut io::Take<impl Read>,
    place: &mut Place,
) -> Result<(), Wrong> {
    let path = |bytes: Vec<u8>| PathBuf::from(OsString::from_vec(bytes));
    let name = path(further.name.unwrap_or_else(|| own_name(block)));
    match kind {
        b'0' | b'\0' | b'7' if !further.is_sparse => place.put(&name, data),
        b'5' => place.make_folder(&name),
        b'1' => {
            let target = further
                .target
                .unwrap_or_else(|| field(block, TARGET).to_vec());
            place.put_again(&name, &path(target))?;
            // Where it has bytes of its own as well, they are the same.
            match data.limit() {
                0 => Ok(()),
                _ => place.put(&name, data),
            }
        }
        _ if is_of_store(&name) => Err(Wrong::NoFile(said(&name))),
        _ => {
            place.left_out.add(|| said(&name));
            Ok(())
        }
    }
}

/// Reads to the very end: behind a tar are zeros alone, and what packs it has a checksum there.
fn nothing_more(tar: &mut impl Read) -> Result<(), Wrong> {
    let mut piece = vec![0; PIECE];
    loop {
        unpacked::go_on()?;
        let count = tar.read(&mut piece)?;
        match piece.get(..count).unwrap_or_default() {
            [] => return Ok(()),
            bytes if bytes.iter().all(|byte| *byte == 0) => {}
            _ => return Err(Wrong::AfterEnd),
        }
    }
}

/// Passes over what nobody has read, all of which has to be there.
fn rest(mut data: io::Take<impl Read>) -> Result<(), Wrong> {
    io::copy(&mut data, &mut io::sink())?;
    match data.limit() {
        0 => Ok(()),
        _ => Err(Wrong::Malformed("it is cut short".into())),
    }
}

fn extension(data: &mut impl Read, size: u64) -> Result<Vec<u8>, Wrong> {
    if size > EXTENSION {
        return Err(Wrong::Malformed("a name in it is none".into()));
    }
    let mut bytes = Vec::new();
    data.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Reads pax' attributes: `LENGTH NAME=VALUE\n`, the length being that of all of it.
fn pax(mut list: &[u8], further: &mut Further) -> Result<(), Wrong> {
    let malformed = || Wrong::Malformed("its attributes are none".into());
    while !list.is_empty() {
        let space = list.iter().position(|byte| *byte == b' ');
        let (length, _) = list
            .split_at_checked(space.ok_or_else(malformed)?)
            .ok_or_else(malformed)?;
        let length = std::str::from_utf8(length)
            .ok()
            .and_then(|text| text.parse().ok());
        let (record, after) = list
            .split_at_checked(length.ok_or_else(malformed)?)
            .ok_or_else(malformed)?;
        let record = record.get(space.unwrap_or(0) + 1..).ok_or_else(malformed)?;
        let record = record.strip_suffix(b"\n").ok_or_else(malformed)?;
        let equals = record.iter().position(|byte| *byte == b'=');
        let (key, value) = record
            .split_at_checked(equals.ok_or_else(malformed)?)
            .ok_or_else(malformed)?;
        let value = value.get(1..).unwrap_or_default();
        match key {
            b"path" => further.name = Some(value.to_vec()),
            b"linkpath" => further.target = Some(value.to_vec()),
            b"size" => {
                let size = std::str::from_utf8(value)
                    .ok()
                    .and_then(|text| text.parse().ok());
                further.size = Some(size.ok_or_else(malformed)?);
            }
            key if key.starts_with(b"GNU.sparse.") => further.is_sparse = true,
            _ => {}
        }
        list = after;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::header::{CHECKSUM, KIND, MAGIC};
    use super::*;

    /// An entry with its header, and blocks of its bytes.
    fn entry(kind: u8, name: &str, size: &[u8], bytes: &[u8]) -> Vec<u8> {
        let mut block = vec![0; BLOCK];
        block[..name.len()].copy_from_slice(name.as_bytes());
        block[SIZE.0..SIZE.0 + size.len()].copy_from_slice(size);
        block[KIND] = kind;
        block[MAGIC.0..MAGIC.1].copy_from_slice(b"ustar");
        right(&mut block);
        block.extend(bytes);
        block.resize(block.len().next_multiple_of(BLOCK), 0);
        block
    }

    fn right(block: &mut [u8]) {
        block[CHECKSUM.0..CHECKSUM.1].fill(b' ');
        let sum: u64 = block[..BLOCK].iter().map(|byte| u64::from(*byte)).sum();
        block[CHECKSUM.0..CHECKSUM.0 + 7].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    }

    fn small() -> Vec<u8> {
        let parts = [
            entry(b'x', "attributes", b"00000000021", b"17 path=config/a\n"),
            entry(b'0', "b", b"00000000003", b"abc"),
            entry(b'5', "config/c/", b"0", b""),
            vec![0; 2 * BLOCK],
        ];
        parts.concat()
    }

    fn unpacked(tar: &[u8]) -> (tempfile::TempDir, Result<(), Wrong>) {
        let folder = tempfile::tempdir().unwrap();
        let mut place = Place::of(folder.path(), 1 << 16, 16);
        let done = unpack(tar, &mut place);
        (folder, done)
    }

    #[test]
    fn files_and_folders_are_unpacked_by_their_long_names() {
        let (folder, done) = unpacked(&small());
        done.unwrap();
        assert_eq!(fs::read(folder.path().join("config/a")).unwrap(), b"abc");
        assert!(folder.path().join("config/c").is_dir());
        let long = [
            entry(b'L', "", b"00000000006", b"g/h/i\0"),
            entry(b'0', "b", b"1", b"z"),
        ];
        let (folder, done) = unpacked(&[long.concat(), vec![0; BLOCK]].concat());
        done.unwrap();
        assert_eq!(fs::read(folder.path().join("g/h/i")).unwrap(), b"z");
    }

    #[test]
    fn whatever_a_tar_says_ends_and_stays_inside() {
        let whole = small();
        for at in (0..whole.len()).filter(|at| at % BLOCK < 360).step_by(3) {
            let mut changed = whole.clone();
            changed[at] ^= 1 << (at % 8);
            // Whoever writes such a file can reckon.
            let start = at - at % BLOCK;
            if [0, 2 * BLOCK, 4 * BLOCK].contains(&start) {
                right(&mut changed[start..]);
            }
            let (folder, _) = unpacked(&changed);
            assert!(folder.path().is_dir());
        }
        for end in (0..whole.len() - 2 * BLOCK).step_by(16) {
            let (_folder, done) = unpacked(&whole[..end]);
            assert!(matches!(done, Err(Wrong::Malformed(_))), "{end}: {done:?}");
        }
    }

    #[test]
    fn sizes_are_believed_up_to_the_limits() {
        let huge = b"\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff";
        let name = entry(b'x', "attributes", huge, b"");
        let (_folder, done) = unpacked(&[name, vec![0; 4 * BLOCK]].concat());
        assert!(matches!(done, Err(Wrong::Malformed(_))), "{done:?}");
        let file = entry(b'0', "config/a", huge, b"");
        let folder = tempfile::tempdir().unwrap();
        let mut place = Place::of(folder.path(), 1 << 16, 16);
        let done = unpack(file.as_slice().chain(io::repeat(1)), &mut place);
        assert!(matches!(done, Err(Wrong::Large)), "{done:?}");
    }
}
