//! A store in a folder of its own, for tests. The folder goes when the fixture does.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

use super::DirStore;
use crate::contract::StorageError;
use crate::storage::{
    Change, Creation, Draft, Removal, Replacement, Storage as _, StorageWriter as _, Version,
};

/// A folder and the store in it.
pub(super) struct Fixture {
    dir: TempDir,
    pub store: DirStore,
}

impl Fixture {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = DirStore::open(dir.path()).unwrap();
        Self { dir, store }
    }

    pub fn root(&self) -> &Path {
        self.dir.path()
    }

    /// Writes an object, its folders included.
    pub fn put(&self, path: impl AsRef<Path>, text: &str) {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub fn get(&self, path: &str) -> String {
        fs::read_to_string(self.root().join(path)).unwrap()
    }

    /// Makes the link `path` to `target`.
    pub fn link(&self, target: impl AsRef<Path>, path: &str) {
        symlink(target, self.root().join(path)).unwrap();
    }

    /// The names in a folder, drafts included, in order.
    pub fn names(&self, folder: &str) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(self.root().join(folder))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// Every path that a listing shows.
    pub fn list(&self, prefix: &[u8], after: Option<&[u8]>) -> Vec<String> {
        run(async {
            let mut cursor = self.store.list(prefix, after).await.unwrap();
            let mut paths = Vec::new();
            loop {
                let page = cursor.next().await.unwrap();
                if page.is_empty() {
                    return paths;
                }
                paths.extend(page.iter().map(|path| super::errors::shown(path)));
            }
        })
    }

    pub fn version(&self, path: &str) -> Version {
        run(self.store.read(path.as_bytes())).unwrap().version
    }

    /// A replacement of what is there now.
    pub fn replacement(&self, path: &str, text: &str) -> Replacement {
        Replacement {
            path: path.into(),
            expected: self.version(path),
            bytes: text.into(),
        }
    }

    /// A new object.
    pub fn creation(&self, path: &str, text: &str) -> Change {
        Change::Create(Creation {
            path: path.into(),
            bytes: text.into(),
            rights: None,
        })
    }

    /// A removal of what is there now.
    pub fn removal(&self, path: &str) -> Change {
        Change::Remove(Removal {
            path: path.into(),
            expected: self.version(path),
        })
    }

    pub fn stage<C: Into<Change>>(&self, changes: Vec<C>) -> Vec<Staged> {
        let changes = changes.into_iter().map(Into::into);
        run(self.store.stage(changes.collect()))
    }

    /// A draft of an object that is there.
    pub fn draft(&self, path: &str, text: &str) -> Box<dyn Draft> {
        self.stage(vec![self.replacement(path, text)])
            .remove(0)
            .unwrap()
    }

    /// The new version of each; an empty one of what was removed.
    pub fn commit(&self, drafts: Vec<Box<dyn Draft>>) -> Vec<Result<Version, StorageError>> {
        let committed = run(self.store.commit(drafts)).into_iter();
        committed
            .map(|version| version.map(Option::unwrap_or_default))
            .collect()
    }
}

pub(super) type Staged = Result<Box<dyn Draft>, StorageError>;

pub(super) fn runtime() -> Runtime {
    Builder::new_current_thread().build().unwrap()
}

pub(super) fn run<T>(future: impl Future<Output = T>) -> T {
    runtime().block_on(future)
}

/// The text of a refusal.
pub(super) fn refusal<T>(result: Result<T, StorageError>) -> String {
    match result {
        Err(StorageError::Refused(text)) => text,
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("it was not refused"),
    }
}
