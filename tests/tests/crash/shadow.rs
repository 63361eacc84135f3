//! What a disk holds: what everybody sees now, and what would be left if the power went.
//!
//! A shadow follows the calls of a store over a real folder. Durable are a file's bytes and mode
//! as of the last sync of that file, and a folder's names as of the last sync of that folder; POSIX
//! promises no more. Of everything else any part may be lost.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs::{self, File, FileType};
use std::os::fd::BorrowedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use iamseal::storage::dir::faults::Call;

/// What a file is.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Content {
    pub bytes: Vec<u8>,
    pub mode: u32,
    /// The user.
    pub owner: u32,
}

/// The mode that a store makes files with.
pub const NEW: u32 = 0o600;

/// The user who runs this.
pub static SELF: LazyLock<u32> = LazyLock::new(|| {
    let own = tempfile::tempfile().unwrap();
    own.metadata().unwrap().uid()
});

/// Files by their paths.
pub type Tree = BTreeMap<Vec<u8>, Content>;

/// How a disk can lie to the store, to show what a store that does not sync would lose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lie {
    /// Syncing a file does nothing.
    FilesAreNotSynced,
    /// Syncing a folder does nothing.
    FoldersAreNotSynced,
    /// A file is synced only after it was renamed.
    RenamesComeFirst,
}

/// A disk.
pub struct Shadow {
    root: PathBuf,
    lie: Option<Lie>,
    /// By their inodes.
    folders: BTreeMap<u64, Folder>,
    /// Those that the store has made and whose inodes were not asked for yet.
    new_folders: Vec<Folder>,
    files: Vec<Data>,
    /// The files that the store has made, by their inodes.
    inodes: BTreeMap<u64, usize>,
    /// Those whose inodes were not asked for yet: when they are told they are not there.
    made: Vec<(PathBuf, usize)>,
    /// Syncs that are put off.
    late: Vec<usize>,
}

/// Places in a list of files, by names.
pub type Names = BTreeMap<Vec<u8>, usize>;

struct Folder {
    path: PathBuf,
    now: Names,
    durable: Names,
    /// What happened since: names, and what they stand for after it. A rename is two at once.
    changes: Vec<Vec<(Vec<u8>, Option<usize>)>>,
    /// Whether its own name is durable.
    is_durable: bool,
}

/// The bytes of a file, and what of them is durable.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Data {
    pub now: Content,
    pub durable: Content,
}

/// What becomes of bytes that are not durable.
#[derive(Clone, Copy)]
pub enum Bytes {
    /// They are gone, and the file is what it was at its last sync.
    Lost,
    /// The file has its size, but holds zeros.
    Zeroed,
    /// The first half has come through.
    Halved,
}

impl Shadow {
    /// The shadow of a folder whose content is durable.
    pub fn of(root: &Path, lie: Option<Lie>) -> Self {
        let mut shadow = Self {
            root: root.to_owned(),
            lie,
            folders: BTreeMap::new(),
            new_folders: Vec::new(),
            files: Vec::new(),
            inodes: BTreeMap::new(),
            made: Vec::new(),
            late: Vec::new(),
        };
        for path in folders(root) {
            let mut names = Names::new();
            for file in files(&path) {
                let is = content(&file);
                names.insert(name(&file), shadow.files.len());
                shadow.files.push(Data {
                    now: is.clone(),
                    durable: is,
                });
            }
            let inode = path.metadata().unwrap().ino();
            let folder = Folder {
                path,
                now: names.clone(),
                durable: names,
                changes: Vec::new(),
                is_durable: true,
            };
            shadow.folders.insert(inode, folder);
        }
        shadow
    }

    /// Follows a call that is made.
    pub fn follow(&mut self, call: &Call<'_>) {
        match *call {
            Call::Create { folder, name } => {
                let file = self.files.len();
                let is = Content {
                    bytes: Vec::new(),
                    mode: NEW,
                    owner: *SELF,
                };
                self.files.push(Data {
                    now: is.clone(),
                    durable: is,
                });
                let folder = self.folder(folder);
                folder.change(vec![(name.to_vec(), Some(file))]);
                let path = folder.path.join(OsStr::from_bytes(name));
                self.made.push((path, file));
            }
            Call::Write { file, bytes } => {
                self.file(file).now.bytes.extend_from_slice(bytes);
            }
            // Those of folders are not looked at.
            Call::SetMode { file, .. } | Call::SetOwner { file, .. } if self.is_folder(file) => {}
            Call::SetMode { file, mode } => self.file(file).now.mode = mode,
            Call::SetOwner { file, user } => self.file(file).now.owner = user,
            Call::MakeFolder { folder, name } => {
                let path = self.folder(folder).path.join(OsStr::from_bytes(name));
                self.new_folders.push(Folder {
                    path,
                    now: Names::new(),
                    durable: Names::new(),
                    changes: Vec::new(),
                    is_durable: false,
                });
            }
            Call::RemoveFolder { folder, name } => {
                let path = self.folder(folder).path.join(OsStr::from_bytes(name));
                self.meet_folders();
                // One that is not empty stays.
                self.folders
                    .retain(|_, folder| folder.path != path || !folder.now.is_empty());
            }
            Call::Link { folder, from, to } => {
                let folder = self.folder(folder);
                let file = folder.now.get(from).copied();
                folder.change(vec![(to.to_vec(), file)]);
            }
            Call::RenameNew { folder, from, to } => {
                let folder = self.folder(folder);
                let file = folder.now.get(from).copied();
                if !folder.now.contains_key(to) {
                    folder.change(vec![(from.to_vec(), None), (to.to_vec(), file)]);
                }
            }
            Call::Rename { folder, from, to } => {
                let folder = self.folder(folder);
                let file = folder.now.get(from).copied();
                folder.change(vec![(from.to_vec(), None), (to.to_vec(), file)]);
            }
            Call::Exchange { folder, one, other } => {
                let folder = self.folder(folder);
                let (first, second) =
                    (folder.now.get(one).copied(), folder.now.get(other).copied());
                folder.change(vec![(one.to_vec(), second), (other.to_vec(), first)]);
            }
            Call::Remove { folder, name } => {
                self.folder(folder).change(vec![(name.to_vec(), None)])
            }
            Call::SyncFile { file } => match self.lie {
                Some(Lie::FilesAreNotSynced) => {}
                Some(Lie::RenamesComeFirst) => {
                    let file = self.number(file);
                    self.late.push(file);
                }
                _ => self.file(file).sync(),
            },
            Call::SyncFolder { folder } => {
                if self.lie != Some(Lie::FoldersAreNotSynced) {
                    let folder = self.folder(folder);
                    folder.sync();
                    let path = folder.path.clone();
                    let below = self.folders.values_mut();
                    below
                        .filter(|below| below.path.parent() == Some(&path))
                        .for_each(|below| below.is_durable = true);
                }
                for file in std::mem::take(&mut self.late) {
                    self.files[file].sync();
                }
            }
            // The others change nothing.
            _ => {}
        }
    }

    /// Where a folder is.
    pub fn path(&mut self, folder: BorrowedFd<'_>) -> &Path {
        &self.folder(folder).path
    }

    /// What everybody sees.
    pub fn visible(&self) -> Tree {
        self.tree(|folder| folder.now.clone(), |file| file.now.clone())
    }

    /// What may be left if the power goes: all names, none that are not durable, or every other
    /// change of names, with their bytes lost in every way.
    pub fn after_power_loss(&self) -> BTreeSet<Tree> {
        let kept: [fn(usize) -> bool; 4] = [
            |_| true,
            |_| false,
            |number| number % 2 == 0,
            |number| number % 2 == 1,
        ];
        let mut outcomes = BTreeSet::new();
        for kept in kept {
            for bytes in [Bytes::Lost, Bytes::Zeroed, Bytes::Halved] {
                outcomes.insert(self.tree(|folder| folder.with(kept), |file| file.with(bytes)));
            }
        }
        outcomes
    }

    fn tree(&self, names: impl Fn(&Folder) -> Names, content: impl Fn(&Data) -> Content) -> Tree {
        let mut tree = Tree::new();
        for folder in self.folders.values() {
            for (name, file) in names(folder) {
                let path = folder.path.join(OsStr::from_bytes(&name));
                tree.insert(relative(&self.root, &path), content(&self.files[file]));
            }
        }
        tree
    }

    fn folder(&mut self, folder: BorrowedFd<'_>) -> &mut Folder {
        self.meet_folders();
        self.folders.get_mut(&inode(folder)).unwrap()
    }

    fn is_folder(&mut self, file: BorrowedFd<'_>) -> bool {
        self.meet_folders();
        self.folders.contains_key(&inode(file))
    }

    /// Takes in the folders that were made since.
    fn meet_folders(&mut self) {
        for folder in self.new_folders.drain(..) {
            // One that failed to be made is never asked for.
            if let Ok(metadata) = folder.path.symlink_metadata() {
                self.folders.insert(metadata.ino(), folder);
            }
        }
    }

    fn file(&mut self, file: BorrowedFd<'_>) -> &mut Data {
        let file = self.number(file);
        &mut self.files[file]
    }

    fn number(&mut self, file: BorrowedFd<'_>) -> usize {
        for (path, file) in self.made.drain(..) {
            // One that failed to be made is never asked for.
            if let Ok(metadata) = path.symlink_metadata() {
                self.inodes.insert(metadata.ino(), file);
            }
        }
        self.inodes[&inode(file)]
    }
}

impl Folder {
    fn change(&mut self, change: Vec<(Vec<u8>, Option<usize>)>) {
        apply(&mut self.now, &change);
        self.changes.push(change);
    }

    pub fn sync(&mut self) {
        self.durable = self.now.clone();
        self.changes.clear();
    }

    /// The durable names and those changes that came through.
    fn with(&self, kept: fn(usize) -> bool) -> Names {
        if !self.is_durable && !kept(0) {
            return Names::new();
        }
        let mut names = self.durable.clone();
        for (number, change) in self.changes.iter().enumerate() {
            if kept(number) {
                apply(&mut names, change);
            }
        }
        names
    }
}

/// Changes names, as one change does.
pub fn apply(names: &mut Names, change: &[(Vec<u8>, Option<usize>)]) {
    for (name, file) in change {
        match file {
            Some(file) => names.insert(name.clone(), *file),
            None => names.remove(name),
        };
    }
}

impl Data {
    pub fn sync(&mut self) {
        self.durable = self.now.clone();
    }

    /// What is there after a loss of power.
    pub fn with(&self, bytes: Bytes) -> Content {
        if self.now == self.durable {
            return self.durable.clone();
        }
        // Stores write at the end alone, so what is durable is the beginning.
        let (durable, new) = self.now.bytes.split_at(self.durable.bytes.len());
        let new = match bytes {
            Bytes::Lost => return self.durable.clone(),
            Bytes::Zeroed => vec![0; new.len()],
            Bytes::Halved => new[..new.len() / 2].to_vec(),
        };
        Content {
            bytes: [durable, &new].concat(),
            ..self.now.clone()
        }
    }
}

/// What a real folder holds.
pub fn read(root: &Path) -> Tree {
    let files = folders(root).into_iter().flat_map(|folder| files(&folder));
    let entry = |file: PathBuf| (relative(root, &file), content(&file));
    files.map(entry).collect()
}

/// A folder and all below it.
fn folders(root: &Path) -> Vec<PathBuf> {
    let mut all = vec![root.to_owned()];
    let mut next = 0;
    while next < all.len() {
        all.extend(entries(&all[next], FileType::is_dir));
        next += 1;
    }
    all
}

fn files(folder: &Path) -> Vec<PathBuf> {
    entries(folder, FileType::is_file)
}

fn entries(folder: &Path, wanted: fn(&FileType) -> bool) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries
        .filter(|entry| wanted(&entry.file_type().unwrap()))
        .map(|entry| entry.path())
        .collect()
}

fn content(file: &Path) -> Content {
    let metadata = file.metadata().unwrap();
    Content {
        bytes: fs::read(file).unwrap(),
        mode: metadata.mode() & 0o7777,
        owner: metadata.uid(),
    }
}

fn name(file: &Path) -> Vec<u8> {
    file.file_name().unwrap().as_bytes().to_vec()
}

fn relative(root: &Path, file: &Path) -> Vec<u8> {
    let path = file.strip_prefix(root).unwrap();
    path.as_os_str().as_bytes().to_vec()
}

fn inode(of: BorrowedFd<'_>) -> u64 {
    let own = File::from(of.try_clone_to_owned().unwrap());
    own.metadata().unwrap().ino()
}
