//! What is lent: the files of drives, to be read. The rules of each call stand in `wit/files.wit`.

use alloc::string::String;
use alloc::vec::Vec;

/// A drive, by its place among those that were lent.
pub type Drive = u16;

/// The longest path that is asked for, as systems have it.
pub const PATH_BYTES: usize = 4096;

/// Files of drives. Paths are raw bytes below a drive's root, parts separated by `/`; the root itself
/// is the empty path.
pub trait Files {
    /// What people call the drives, in order.
    fn drives(&self) -> Vec<String>;

    /// The next entries of a folder, in ascending order of their names' bytes, after this name.
    ///
    /// # Errors
    /// [`FileError`].
    fn list(&self, drive: Drive, folder: &[u8], after: Option<&[u8]>) -> Result<Page, FileError>;

    /// So many bytes of a file from an offset on, fewer at its end, and how large it is.
    ///
    /// # Errors
    /// [`FileError`].
    fn read(&self, drive: Drive, file: &[u8], offset: u64, length: u32) -> Result<Part, FileError>;
}

/// Some entries of a folder.
pub struct Page {
    /// The entries.
    pub entries: Vec<Entry>,
    /// Whether there are more.
    pub has_more: bool,
}

/// An entry of a folder.
pub struct Entry {
    /// Its name, as it is.
    pub name: Vec<u8>,
    /// What it is.
    pub kind: Kind,
}

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A plain file.
    File,
    /// A folder.
    Folder,
    /// Anything else: it is not read.
    Other,
}

/// Some bytes of a file.
pub struct Part {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// The size of the whole file.
    pub size: u64,
}

/// Why there is no entry or no byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileError {
    /// There is no such file or folder.
    NotFound,
    /// It is not touched, or reading it failed. The text is for people.
    Failed(String),
}

/// Reads a whole file that is at most `limit` bytes.
///
/// # Errors
/// [`FileError`], also if it is larger.
pub fn whole(
    files: &impl Files,
    drive: Drive,
    file: &[u8],
    limit: u32,
) -> Result<Vec<u8>, FileError> {
    let part = files.read(drive, file, 0, limit)?;
    match part.size == part.bytes.len() as u64 {
        true => Ok(part.bytes),
        false => Err(FileError::Failed(String::from("it is too large"))),
    }
}

/// A path below a folder; either may be the empty one.
pub fn below(folder: &[u8], name: &[u8]) -> Vec<u8> {
    match (folder, name) {
        ([], name) => name.to_vec(),
        (folder, []) => folder.to_vec(),
        (folder, name) => [folder, b"/", name].concat(),
    }
}
