//! The files in a zip.

use std::ffi::OsString;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;

use zip::ZipArchive;
use zip::result::ZipError;

use super::Wrong;
use super::place::{Place, is_of_store, said};

/// Unpacks all of a zip.
///
/// # Errors
/// [`Wrong`].
pub fn unpack(file: impl Read + Seek, place: &mut Place) -> Result<(), Wrong> {
    let mut zip = ZipArchive::new(file)?;
    // No two of one name, and none that the directory does not list, as where one zip was put behind another.
    zip.validate_header_consistency()?;
    for number in 0..zip.len() {
        let mut entry = zip.by_index(number)?;
        let name = PathBuf::from(OsString::from_vec(entry.name_raw().to_vec()));
        match (entry.is_dir(), is_plain(entry.unix_mode())) {
            (true, _) => place.make_folder(&name)?,
            (false, true) => place.put(&name, &mut entry)?,
            (false, false) if is_of_store(&name) => return Err(Wrong::NoFile(said(&name))),
            (false, false) => place.left_out.add(|| said(&name)),
        }
    }
    let comment = zip.comment().len();
    match ends_with_directory(zip.into_inner(), comment)? {
        true => Ok(()),
        false => Err(Wrong::AfterEnd),
    }
}

/// Whether a zip ends with the end of its directory, which ends with a comment of this length.
fn ends_with_directory(mut file: impl Read + Seek, comment: usize) -> io::Result<bool> {
    const SIGNATURE: [u8; 4] = *b"PK\x05\x06";
    /// All but the comment; the last two bytes are its length.
    const END: usize = 22;
    let whole = i64::try_from(END + comment).unwrap_or(i64::MAX);
    file.seek(SeekFrom::End(-whole))?;
    let mut end = [0; END];
    file.read_exact(&mut end)?;
    let length = end.last_chunk().map(|length| u16::from_le_bytes(*length));
    Ok(end.starts_with(&SIGNATURE) && length.map(usize::from) == Some(comment))
}

/// Whether an entry of this mode is a plain file. Some packers note no kind.
fn is_plain(mode: Option<u32>) -> bool {
    const KIND: u32 = 0o170_000;
    const FILE: u32 = 0o100_000;
    mode.is_none_or(|mode| matches!(mode & KIND, 0 | FILE))
}

impl From<ZipError> for Wrong {
    fn from(error: ZipError) -> Self {
        match error {
            ZipError::Io(error) => error.into(),
            ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) => {
                Self::Encrypted("a password")
            }
            ZipError::UnsupportedArchive(what) => Self::Malformed(format!("not read here: {what}")),
            error => Self::Malformed(error.to_string()),
        }
    }
}
