//! Whether a server runs on the drives.
//!
//! One that is idle holds no file open and no lock. But it rewrites a file of its own in the `tmp` of each
//! drive, every 14 to 32 seconds, to see that the drive is sound; so what changes there is a sign of life. One that
//! is busy reading a drive leaves that out, so that nothing changes is no proof.

use alloc::vec::Vec;

use sha2::{Digest as _, Sha256};

use crate::draft::TMP;
use crate::files::{FileError, below};
use crate::stage::WriteError;
use crate::store::Store;
use crate::writer::FilesWriter;

impl<F: FilesWriter> Store<F> {
    /// A tag of when each thing in the `tmp` of each drive was written to last. Where two differ, something
    /// has written there in between.
    ///
    /// # Errors
    /// [`WriteError::Failed`].
    pub fn signs_of_life(&self) -> Result<Vec<u8>, WriteError> {
        let mut digest = Sha256::new();
        for drive in self.layout.drives() {
            let folder = self.layout.path(drive, TMP);
            let mut after: Option<Vec<u8>> = None;
            let mut see = |path: &[u8]| match self.files.modified(drive, path) {
                Ok(time) => {
                    digest.update((path.len() as u64).to_le_bytes());
                    digest.update(path);
                    digest.update(time.to_le_bytes());
                    Ok(())
                }
                // It went meanwhile, which the folder's time tells the next time.
                Err(FileError::NotFound) => Ok(()),
                Err(error) => Err(self.failed(drive, &error)),
            };
            see(&folder)?;
            loop {
                let page = match self.files.list(drive, &folder, after.as_deref()) {
                    Ok(page) => page,
                    Err(FileError::NotFound) => break,
                    Err(error) => return Err(self.failed(drive, &error)),
                };
                for entry in &page.entries {
                    see(&below(&folder, &entry.name))?;
                }
                let last = page.entries.into_iter().next_back().map(|entry| entry.name);
                if !page.has_more || last <= after {
                    break;
                }
                after = last;
            }
        }
        Ok(digest.finalize().to_vec())
    }
}
