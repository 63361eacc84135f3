//! The names of drives in MinIO's pattern: `/mnt/disk{1...4}` is four drives.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;

pub use iamseal_words::drives::pattern::PatternError;

/// The drives that these names stand for, in order.
///
/// # Errors
/// [`PatternError`].
pub fn drives(names: &[u8]) -> Result<Vec<PathBuf>, PatternError> {
    let drives = iamseal_words::drives::pattern::drives(names)?.into_iter();
    let path = |drive| PathBuf::from(OsString::from_vec(drive));
    Ok(drives.map(path).collect())
}
