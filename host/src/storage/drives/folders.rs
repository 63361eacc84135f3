//! The folders that drives are, lent to the component.

use std::path::PathBuf;
use std::sync::Arc;

use crate::contract::StorageError;
use crate::contract::drive_store::iamseal::plugin::files::{Entry, Kind, Page, Part};
use crate::plugin::drives::Lent;
use crate::shown::shown;
use crate::storage::dir::disk;
use crate::storage::dir::tree::Tree;

/// How many entries of a folder are handed over at once.
const ENTRIES: usize = 4096;

/// The folders of drives, in order.
#[derive(Clone)]
pub(super) struct Folders(Arc<[Drive]>);

struct Drive {
    /// What people call it: as it was given.
    name: String,
    /// Or why there is none.
    tree: Result<Tree, String>,
}

impl Folders {
    /// Opens them. One that cannot be opened says so whenever it is asked for something.
    pub fn open(drives: &[PathBuf]) -> Self {
        let open = |path: &PathBuf| Drive {
            name: shown(path.as_os_str().as_encoded_bytes()),
            tree: Tree::open(path).map_err(|error| error.to_string()),
        };
        Self(drives.iter().map(open).collect())
    }

    fn tree(&self, drive: u16) -> Result<&Tree, StorageError> {
        match self.0.get(usize::from(drive)) {
            Some(Drive { tree: Ok(tree), .. }) => Ok(tree),
            Some(Drive { tree: Err(why), .. }) => Err(StorageError::Other(why.clone())),
            None => Err(StorageError::Refused("no such drive is lent".into())),
        }
    }
}

impl Lent for Folders {
    fn drives(&self) -> Vec<String> {
        self.0.iter().map(|drive| drive.name.clone()).collect()
    }

    fn list(&self, drive: u16, folder: &[u8], after: Option<&[u8]>) -> Result<Page, StorageError> {
        let page = self.tree(drive)?.list(folder, after, ENTRIES)?;
        let entry = |(name, kind)| Entry {
            name,
            kind: match kind {
                disk::Kind::File => Kind::File,
                disk::Kind::Folder => Kind::Folder,
                disk::Kind::Other(_) => Kind::Other,
            },
        };
        Ok(Page {
            entries: page.entries.into_iter().map(entry).collect(),
            has_more: page.has_more,
        })
    }

    fn read(
        &self,
        drive: u16,
        file: &[u8],
        offset: u64,
        length: u32,
    ) -> Result<Part, StorageError> {
        let part = self.tree(drive)?.read(file, offset, length)?;
        Ok(Part {
            bytes: part.bytes,
            size: part.size,
        })
    }
}
