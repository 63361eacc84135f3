//! Reading files that hold secrets.

use std::fs::{File, metadata};
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

pub(super) use iamseal_words::limits::KEYS_FILE_BYTES as FILE_BYTES;
use zeroize::Zeroizing;

use super::error::{KeysError, Place};

/// Reads a whole file. It may be a pipe, so that a secret need not lie on a disk.
///
/// # Errors
/// `Unreadable`, `FileTooLarge`, `Encrypted`, `NotText` if it is not UTF-8, `ByteOrderMark`.
pub(super) fn read(path: &Path) -> Result<Zeroizing<String>, KeysError> {
    let unreadable = |cause: io::Error| KeysError::Unreadable {
        path: path.into(),
        cause,
    };
    let file = File::open(path).map_err(unreadable)?;
    // A buffer that grew would leave copies of the secrets behind. The byte too many shows a file
    // that is too long.
    let mut bytes = Zeroizing::new(Vec::with_capacity(FILE_BYTES + 1));
    file.take(FILE_BYTES as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    text(path, &bytes)
}

/// The text of a file with secrets that the caller has read, or decrypted. `path` is what errors name.
///
/// # Errors
/// [`KeysError`], if it is over 1 MiB, encrypted with age, not UTF-8, or begins with a byte-order mark.
pub fn text(path: &Path, bytes: &[u8]) -> Result<Zeroizing<String>, KeysError> {
    if bytes.len() > FILE_BYTES {
        return Err(KeysError::FileTooLarge { path: path.into() });
    }
    if iamseal_words::keys::is_encrypted(bytes) {
        return Err(KeysError::Encrypted { path: path.into() });
    }
    match str::from_utf8(bytes) {
        // It would become part of a name, unseen.
        Ok(text) if text.starts_with('\u{feff}') => Err(KeysError::ByteOrderMark {
            place: Place::Line(path.into(), 1),
        }),
        Ok(text) => Ok(Zeroizing::new(text.into())),
        Err(_) => Err(KeysError::NotText {
            place: Place::File(path.into()),
        }),
    }
}

/// The permissions of those who do not own a file to read it, and to put another secret in it.
const OF_OTHERS: u32 = 0o066;

/// The permissions of those who do not own a file or folder to write to it.
const OTHERS_WRITE: u32 = 0o022;

/// Whether others than its owner may read or write a file. A pipe is nobody's to read twice, and of what is not
/// there others read nothing.
pub fn is_open_to_others(path: &Path) -> bool {
    let about = metadata(path);
    about.is_ok_and(|about| about.is_file() && about.permissions().mode() & OF_OTHERS != 0)
}

/// Whether others than its owner may write to a file, or put files in a folder.
#[must_use]
pub fn is_writable_by_others(path: &Path) -> bool {
    let about = metadata(path);
    about.is_ok_and(|about| about.permissions().mode() & OTHERS_WRITE != 0)
}

/// The lines of a file's text, without the space around them; empty lines and comments (`#`) are left out.
pub(super) fn lines(path: &Path, text: &str) -> impl Iterator<Item = (Place, Zeroizing<String>)> {
    let lines = iamseal_words::keys::lines(text);
    lines.map(move |(number, line)| (Place::Line(path.into(), number), line))
}

/// The same of a file that was given for its lines.
///
/// # Errors
/// [`KeysError::NothingIn`].
pub(super) fn some_lines(
    path: &Path,
    text: &str,
) -> Result<impl Iterator<Item = (Place, Zeroizing<String>)>, KeysError> {
    let mut lines = lines(path, text).peekable();
    match lines.peek() {
        Some(_) => Ok(lines),
        None => Err(KeysError::NothingIn { path: path.into() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_at_most_one_mib() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        std::fs::write(&path, vec![b'#'; FILE_BYTES]).unwrap();
        assert_eq!(read(&path).unwrap().len(), FILE_BYTES);
        std::fs::write(&path, vec![b'#'; FILE_BYTES + 1]).unwrap();
        let error = read(&path).err().unwrap();
        assert!(matches!(error, KeysError::FileTooLarge { .. }), "{error}");
        let error = read("/dev/zero".as_ref()).err().unwrap();
        assert!(matches!(error, KeysError::FileTooLarge { .. }), "{error}");
    }

    #[test]
    fn a_file_that_others_can_read_or_write_is_known() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        std::fs::write(&path, b"").unwrap();
        for (mode, is_open) in [
            (0o600, false),
            (0o400, false),
            (0o700, false),
            (0o640, true),
            (0o604, true),
            (0o620, true),
            (0o602, true),
            (0o644, true),
        ] {
            let permissions = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(&path, permissions).unwrap();
            assert_eq!(is_open_to_others(&path), is_open, "{mode:o}");
        }
        assert!(!is_open_to_others(dir.path()));
        assert!(!is_open_to_others(&dir.path().join("missing")));
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_path() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("missing");
        assert_eq!(
            read(&path).err().unwrap().to_string(),
            format!(
                "{}: cannot be read: No such file or directory (os error 2)",
                path.display()
            )
        );
        assert!(matches!(
            read(dir.path()),
            Err(KeysError::Unreadable { .. })
        ));
    }

    #[test]
    fn a_file_is_text() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        std::fs::write(&path, b"a:\xff").unwrap();
        assert!(matches!(read(&path), Err(KeysError::NotText { .. })));
    }
}
