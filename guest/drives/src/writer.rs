//! What is lent besides to write: the files of drives. The rules of each call stand in `wit/files-writer.wit`.

use crate::files::{Drive, FileError, Files};

/// Files of drives that may be written to. What is written is durable once the drive was [synced](Self::sync).
pub trait FilesWriter: Files {
    /// The time, in nanoseconds since 1970.
    fn now(&self) -> i64;

    /// Bytes that nobody can guess.
    fn random(&self) -> [u8; 16];

    /// Keeps every other writer of this folder out from now on.
    ///
    /// # Errors
    /// [`FileError`], also if there is another one.
    fn lock(&self, drive: Drive, folder: &[u8]) -> Result<(), FileError>;

    /// When a file or folder was written to last, in nanoseconds since 1970.
    ///
    /// # Errors
    /// [`FileError`].
    fn modified(&self, drive: Drive, path: &[u8]) -> Result<i64, FileError>;

    /// Makes a file that is not there, closed to all but the owner, who is that of the file `like`.
    ///
    /// # Errors
    /// [`FileError`].
    fn create(&self, drive: Drive, file: &[u8], bytes: &[u8], like: &[u8])
    -> Result<(), FileError>;

    /// Makes a folder, unless it is there, with the owner and the rights of the folder `like`.
    ///
    /// # Errors
    /// [`FileError`].
    fn make_folder(&self, drive: Drive, folder: &[u8], like: &[u8]) -> Result<(), FileError>;

    /// Gives a file the rights of the file `like`.
    ///
    /// # Errors
    /// [`FileError`].
    fn open_up(&self, drive: Drive, file: &[u8], like: &[u8]) -> Result<(), FileError>;

    /// Moves a file or folder, at once. A file that has the new name is replaced.
    ///
    /// # Errors
    /// [`FileError`].
    fn rename(&self, drive: Drive, from: &[u8], to: &[u8]) -> Result<(), FileError>;

    /// Removes a file.
    ///
    /// # Errors
    /// [`FileError`].
    fn remove(&self, drive: Drive, file: &[u8]) -> Result<(), FileError>;

    /// Removes a folder that is empty.
    ///
    /// # Errors
    /// [`FileError`].
    fn remove_folder(&self, drive: Drive, folder: &[u8]) -> Result<(), FileError>;

    /// Makes durable all that was done to a drive.
    ///
    /// # Errors
    /// [`FileError`]: what was done since the last time may be lost with the power.
    fn sync(&self, drive: Drive) -> Result<(), FileError>;
}
