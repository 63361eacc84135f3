//! The files in a zip.

use std::ffi::OsString;
use std::io::{Read, Seek};
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
    for number in 0..zip.len() {
        let mut entry = zip.by_index(number)?;
        let name = PathBuf::from(OsString::from_vec(entry.name_raw().to_vec()));
        match (entry.is_dir(), is_plain(entry.unix_mode())) {
            (true, _) => place.make_folder(&name)?,
            (false, true) => place.put(&name, &mut entry)?,
            (false, false) if is_of_store(&name) => return Err(Wrong::NoFile(said(&name))),
            (false, false) => {}
        }
    }
    Ok(())
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
