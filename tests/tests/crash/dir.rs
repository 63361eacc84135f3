//! The directory store: every system call that it makes can go wrong.

use std::fs::{self, File, Permissions};
use std::io::{self, Write as _};
use std::os::fd::BorrowedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex};
use std::{env, ffi::OsStr};

use iamseal::journal::Journals;
use iamseal::storage::dir::OpenError;
use iamseal::storage::dir::faults::{Call, Faults};
use iamseal::storage::{DirStore, Store as _};
use iamseal_tests::runtime::wait;
use tempfile::TempDir;

use crate::mode::{Cause, Fate, Mode, Point, dead};
use crate::shadow::{Lie, NEW, Shadow, Tree, read};
use crate::workload::PREFIX;
use crate::world::{Opened, World};

/// The folders of the store and of its journals, side by side.
const STORE: &str = "store";
const JOURNALS: &str = "journals";

/// A folder that holds both, and what of it is durable.
pub struct Dir {
    folder: TempDir,
    shadow: Arc<Mutex<Shadow>>,
}

impl Dir {
    /// The same on a disk that lies to its store.
    pub fn lying(objects: &Tree, lie: Option<Lie>) -> Self {
        Self::whole(&below(STORE, objects), lie)
    }

    /// Store and journals, as one tree.
    fn whole(tree: &Tree, lie: Option<Lie>) -> Self {
        let folder = folder_in_memory();
        for part in [STORE, JOURNALS] {
            fs::create_dir(folder.path().join(part)).unwrap();
        }
        put(folder.path(), tree);
        let shadow = Arc::new(Mutex::new(Shadow::of(folder.path(), lie)));
        Self { folder, shadow }
    }

    fn store(&self, point: &Arc<Point>) -> Result<DirStore, OpenError> {
        let folder = self.folder.path().join(STORE);
        DirStore::open_with_faults(&folder, self.watcher(point))
    }

    fn watcher(&self, point: &Arc<Point>) -> Arc<Watcher> {
        Arc::new(Watcher {
            point: Arc::clone(point),
            shadow: Arc::clone(&self.shadow),
        })
    }
}

/// A new folder that costs no real syncs.
pub fn folder_in_memory() -> TempDir {
    tempfile::tempdir_in(&*MEMORY).unwrap()
}

/// Puts files into a folder.
pub fn put(folder: &Path, files: &Tree) {
    for (path, content) in files {
        let file = folder.join(OsStr::from_bytes(path));
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, &content.bytes).unwrap();
        chown(&file, Some(content.owner), None).unwrap();
        fs::set_permissions(&file, Permissions::from_mode(content.mode)).unwrap();
    }
}

/// A tree, one folder further down.
fn below(folder: &str, tree: &Tree) -> Tree {
    let path = |path: &[u8]| [folder.as_bytes(), b"/", path].concat();
    let files = tree.iter();
    files.map(|(file, is)| (path(file), is.clone())).collect()
}

/// A folder in memory where there is one, since what counts as durable is the shadow's business:
/// thousands of runs on a disk would take an hour of real syncs.
static MEMORY: LazyLock<PathBuf> = LazyLock::new(|| {
    let shared = Path::new("/dev/shm");
    match tempfile::tempdir_in(shared) {
        Ok(_) => shared.to_owned(),
        Err(_) => env::temp_dir(),
    }
});

impl World for Dir {
    const NAME: &'static str = "directory";

    fn modes() -> Vec<Mode> {
        let mut modes = vec![
            Mode::Killed,
            Mode::Torn,
            Mode::PowerLost,
            Mode::DoneButFails,
        ];
        modes.extend(Cause::ALL.map(Mode::Fails));
        modes.extend(Cause::ALL.map(Mode::FailsFromThere));
        modes
    }

    fn of(objects: &Tree, journals: &Tree) -> Self {
        let mut tree = below(STORE, objects);
        tree.append(&mut below(JOURNALS, journals));
        Self::whole(&tree, None)
    }

    fn open(&self, point: &Arc<Point>) -> Result<Opened, String> {
        let store = self.store(point).map_err(|error| error.to_string())?;
        let journals = self.folder.path().join(JOURNALS);
        let watcher = self.watcher(point);
        Ok(Opened::new(
            store,
            Arc::new(move || Journals::open_with_faults(&journals, watcher.clone())),
        ))
    }

    fn after(self, mode: Mode) -> Vec<Self> {
        let shadow = self.shadow.lock().unwrap();
        // Nothing was done behind the shadow's back.
        assert!(
            read(self.folder.path()) == shadow.visible(),
            "the store did what it did not tell"
        );
        if mode != Mode::PowerLost {
            drop(shadow);
            return vec![self];
        }
        let left = shadow.after_power_loss();
        left.iter().map(|tree| Self::whole(tree, None)).collect()
    }

    fn sweep(&self) {
        let store = self.store(&Arc::new(Point::never())).unwrap();
        // What it leaves, because nobody can tell what it is, is found with all other files.
        let _ = wait(store.sweep(PREFIX));
    }

    fn everything(&self) -> Tree {
        read(&self.folder.path().join(STORE))
    }
}

struct Watcher {
    point: Arc<Point>,
    shadow: Arc<Mutex<Shadow>>,
}

impl Faults for Watcher {
    fn before(&self, call: Call<'_>) -> io::Result<()> {
        let mode = self.point.mode;
        let mut shadow = self.shadow.lock().unwrap();
        match self.point.meet(can_happen(mode, &call)) {
            Fate::Dead => return Err(dead()),
            Fate::Goes => {
                shadow.follow(&call);
                return Ok(());
            }
            Fate::Struck => {}
        }
        match mode {
            Mode::Killed | Mode::PowerLost => Err(dead()),
            Mode::Torn => {
                write_half(&mut shadow, &call);
                Err(dead())
            }
            Mode::Fails(cause) | Mode::FailsFromThere(cause) => {
                // A disk that gets full takes what still fits.
                write_half(&mut shadow, &call);
                Err(cause.error())
            }
            Mode::DoneButFails => {
                carry_out(&mut shadow, &call);
                shadow.follow(&call);
                Err(Cause::Broken.error())
            }
        }
    }
}

/// Whether a mode makes a difference to a call. Killing a process before a call that only reads
/// leaves what killing it before the next change leaves, and a disk that is broken for good is broken
/// for the next change.
fn can_happen(mode: Mode, call: &Call<'_>) -> bool {
    let opens = matches!(call, Call::OpenFolder | Call::List | Call::Open);
    let creates = matches!(call, Call::Create { .. } | Call::MakeFolder { .. });
    let writes = matches!(call, Call::Write { .. });
    let sets = matches!(
        call,
        Call::SetOwner { .. } | Call::SetMode { .. } | Call::SetAttribute { .. }
    );
    let syncs = matches!(call, Call::SyncFile { .. } | Call::SyncFolder { .. });
    let renames = matches!(
        call,
        Call::Rename { .. } | Call::RenameNew { .. } | Call::Link { .. } | Call::Exchange { .. }
    );
    let removes = matches!(call, Call::Remove { .. } | Call::RemoveFolder { .. });
    let names = creates || renames || removes;
    match mode {
        Mode::Killed | Mode::PowerLost | Mode::FailsFromThere(Cause::Broken) => {
            names || writes || sets || syncs
        }
        Mode::Torn => writes,
        Mode::DoneButFails => names || syncs,
        Mode::Fails(cause) | Mode::FailsFromThere(cause) => match cause {
            Cause::Broken => true,
            Cause::Full => creates || writes || syncs || renames,
            Cause::ReadOnly => names || sets,
            Cause::Denied => opens || names || sets,
            Cause::NoFiles => opens || creates,
        },
    }
}

fn write_half(shadow: &mut Shadow, call: &Call<'_>) {
    if let Call::Write { file, bytes } = *call {
        let bytes = &bytes[..bytes.len() / 2];
        owned(file).write_all(bytes).unwrap();
        shadow.follow(&Call::Write { file, bytes });
    }
}

/// Does what the store will be told has failed.
fn carry_out(shadow: &mut Shadow, call: &Call<'_>) {
    let mut within = |folder, name| shadow.path(folder).join(OsStr::from_bytes(name));
    match *call {
        Call::Create { folder, name } => {
            let mut options = File::options();
            options.write(true).create_new(true).mode(NEW);
            options.open(within(folder, name)).unwrap();
        }
        Call::Rename { folder, from, to } => {
            fs::rename(within(folder, from), within(folder, to)).unwrap();
        }
        Call::Exchange { folder, one, other } => {
            let (one, other) = (within(folder, one), within(folder, other));
            let aside = one.with_extension("aside");
            fs::rename(&one, &aside).unwrap();
            fs::rename(&other, &one).unwrap();
            fs::rename(&aside, &other).unwrap();
        }
        Call::RenameNew { folder, from, to } => {
            fs::rename(within(folder, from), within(folder, to)).unwrap();
        }
        Call::Link { folder, from, to } => {
            fs::hard_link(within(folder, from), within(folder, to)).unwrap();
        }
        Call::MakeFolder { folder, name } => {
            let mut builder = fs::DirBuilder::new();
            builder.mode(0o700).create(within(folder, name)).unwrap();
        }
        Call::RemoveFolder { folder, name } => {
            let _ = fs::remove_dir(within(folder, name));
        }
        Call::Remove { folder, name } => fs::remove_file(within(folder, name)).unwrap(),
        // Whether a sync was done shows in the shadow alone.
        _ => {}
    }
}

fn owned(file: BorrowedFd<'_>) -> File {
    File::from(file.try_clone_to_owned().unwrap())
}
