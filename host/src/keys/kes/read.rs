//! Reading files that TLS needs.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use zeroize::Zeroizing;

use super::super::files::FILE_BYTES;
use super::KesError;

/// The bytes of a whole file.
///
/// # Errors
/// [`KesError::Unreadable`], [`KesError::FileTooLarge`].
pub fn file(path: &Path) -> Result<Zeroizing<Vec<u8>>, KesError> {
    let unreadable = |cause: io::Error| KesError::Unreadable {
        path: path.into(),
        cause,
    };
    let file = File::open(path).map_err(unreadable)?;
    // A buffer that grew would leave copies of a private key behind. The byte too many shows a file
    // that is too long.
    let mut bytes = Zeroizing::new(Vec::with_capacity(FILE_BYTES + 1));
    let mut file = file.take(FILE_BYTES as u64 + 1);
    file.read_to_end(&mut bytes).map_err(unreadable)?;
    match bytes.len() > FILE_BYTES {
        true => Err(KesError::FileTooLarge { path: path.into() }),
        false => Ok(bytes),
    }
}
