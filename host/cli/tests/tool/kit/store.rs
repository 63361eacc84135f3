//! A store in a folder of its own, and what can be seen of it from outside.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// A folder of objects, removed with the value.
pub struct Store {
    folder: TempDir,
}

/// What a file is: whatever a write would change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub bytes: Vec<u8>,
    pub inode: u64,
    pub mode: u32,
    /// Seconds and nanoseconds.
    pub modified: (i64, i64),
}

impl Store {
    /// An empty store with its `config/`.
    pub fn new() -> Self {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        fs::create_dir(folder.path().join("config")).unwrap();
        Self { folder }
    }

    /// A store of these objects.
    pub fn of<P: AsRef<[u8]>, B: AsRef<[u8]>>(objects: impl IntoIterator<Item = (P, B)>) -> Self {
        let store = Self::new();
        for (path, bytes) in objects {
            store.put(path, bytes);
        }
        store
    }

    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    /// Where an object stands.
    pub fn file(&self, path: impl AsRef<[u8]>) -> PathBuf {
        self.root().join(OsStr::from_bytes(path.as_ref()))
    }

    /// Writes an object, with its folders. A new one is closed to others, of which the tool has nothing
    /// to say.
    pub fn put(&self, path: impl AsRef<[u8]>, bytes: impl AsRef<[u8]>) {
        let file = self.file(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        let mut options = File::options();
        options.write(true).create(true).truncate(true).mode(0o600);
        let mut file = options.open(file).unwrap();
        file.write_all(bytes.as_ref()).unwrap();
    }

    #[track_caller]
    pub fn get(&self, path: impl AsRef<[u8]>) -> Vec<u8> {
        fs::read(self.file(path)).unwrap()
    }

    /// Every plain file and its bytes, drafts included.
    pub fn bytes(&self) -> BTreeMap<Vec<u8>, Vec<u8>> {
        let seen = self.seen().into_iter();
        seen.map(|(path, seen)| (path, seen.bytes)).collect()
    }

    /// Every plain file, drafts included. Links are not followed.
    pub fn seen(&self) -> BTreeMap<Vec<u8>, Seen> {
        let mut seen = BTreeMap::new();
        let mut folders = vec![self.root().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let file = entry.unwrap().path();
                let metadata = file.symlink_metadata().unwrap();
                if metadata.is_dir() {
                    folders.push(file);
                } else if metadata.is_file() {
                    let path = file.strip_prefix(self.root()).unwrap().to_owned();
                    let is = Seen {
                        bytes: fs::read(&file).unwrap(),
                        inode: metadata.ino(),
                        mode: metadata.mode(),
                        modified: (metadata.mtime(), metadata.mtime_nsec()),
                    };
                    seen.insert(path.into_os_string().into_vec(), is);
                }
            }
        }
        seen
    }

    /// How many drafts lie about. A run may make and remove them meanwhile; two,
    /// for an instant, may be those that it tries an exchange with.
    pub fn drafts(&self) -> usize {
        self.count_drafts(|_| true)
    }

    /// How many of them have bytes, which those have not that it tries an exchange with.
    pub fn written_drafts(&self) -> usize {
        self.count_drafts(|file| file.metadata().is_ok_and(|file| file.len() > 0))
    }

    fn count_drafts(&self, is_wanted: impl Fn(&Path) -> bool) -> usize {
        let mut drafts = 0;
        let mut folders = vec![self.root().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap().flatten() {
                if entry.path().is_dir() {
                    folders.push(entry.path());
                } else if entry.file_name().as_bytes().starts_with(b".iamseal-") {
                    drafts += usize::from(is_wanted(&entry.path()));
                }
            }
        }
        drafts
    }

    /// Keeps every writer waiting before it replaces its first object, until the value is dropped.
    pub fn hold(&self) -> File {
        let root = File::open(self.root()).unwrap();
        root.lock().unwrap();
        root
    }
}
