//! The files of journals: beginning, finding and writing them.

use std::collections::HashMap;
use std::fs::{self, DirBuilder, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use super::JournalError;
use super::lines::Lines;
use super::record::{Head, Line, write};
use crate::contract::StorageError;
use crate::storage::dir::disk::{File, Folder};
use crate::storage::dir::faults::{Faults, Watch};

/// The end of a journal's name.
const JOURNAL: &str = ".journal";
/// Runs that may begin within one second.
const NAMES: usize = 100;

/// A folder of journals.
pub struct Journals {
    path: PathBuf,
    folder: Arc<Folder>,
}

/// The journal of a run that is under way. The run is over when it is dropped.
pub struct Journal {
    head: Head,
    path: PathBuf,
    pub(super) folder: Arc<Folder>,
    file: Arc<File>,
    state: Mutex<State>,
}

/// What is known of the objects that are being handled.
#[derive(Default)]
struct State {
    /// The digests of what was read and of what is to take its place.
    seen: HashMap<Vec<u8>, Seen>,
    /// Why nothing can be written any more. The last line may be half a line, and another after it would
    /// be lost with it.
    broken: Option<String>,
}

/// The digests of one object.
#[derive(Clone, Default)]
pub(super) struct Seen {
    pub before: Option<String>,
    pub after: Option<String>,
}

/// A run that is over.
pub struct Past {
    head: Head,
    path: PathBuf,
}

impl Journals {
    /// Opens the folder, and makes it and those above it if they are not there, for their owner alone.
    ///
    /// # Errors
    /// [`JournalError::Io`].
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        Self::with(path, Watch::default())
    }

    /// [`Self::open`] for tests; see [`crate::storage::DirStore::open_with_faults`].
    ///
    /// # Errors
    /// As there.
    #[doc(hidden)]
    pub fn open_with_faults(path: &Path, faults: Arc<dyn Faults>) -> Result<Self, JournalError> {
        Self::with(path, Watch::by(faults))
    }

    fn with(path: &Path, watch: Watch) -> Result<Self, JournalError> {
        make(path).map_err(|source| JournalError::io("make", path, source))?;
        let folder =
            Folder::root(path, watch).map_err(|source| JournalError::io("open", path, source))?;
        Ok(Self {
            path: path.to_owned(),
            folder: Arc::new(folder),
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Begins a run. When it returns, the journal is durable.
    ///
    /// `store` says where the store is, `store_name` what its compact objects are bound to and `work`
    /// what is done; the first and the last are for people.
    ///
    /// # Errors
    /// [`JournalError::Io`].
    pub fn begin(
        &self,
        store: &str,
        store_name: &str,
        work: &str,
    ) -> Result<Journal, JournalError> {
        let started = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
        let (name, file) = self.create(&started.replace(['-', ':'], ""))?;
        let path = self.path.join(format!("{name}{JOURNAL}"));
        let head = Head {
            name,
            started,
            store: store.to_owned(),
            store_name: store_name.to_owned(),
            work: work.to_owned(),
        };
        let mut text = String::new();
        write(&Line::Run(head.clone()), &mut text);
        locked(&file, &head.name, &path)?;
        file.write(text.as_bytes())
            .and_then(|()| file.sync())
            .and_then(|()| self.folder.as_file()?.sync_folder())
            .map_err(|source| JournalError::io("write", &path, source))?;
        Ok(Journal {
            head,
            path,
            folder: Arc::clone(&self.folder),
            file: Arc::new(file),
            state: Mutex::default(),
        })
    }

    /// A run that is over.
    ///
    /// # Errors
    /// [`JournalError::NotFound`], [`JournalError::UnderWay`], [`JournalError::NotAJournal`] and
    /// [`JournalError::Io`].
    pub fn past(&self, name: &str) -> Result<Past, JournalError> {
        let path = self.path.join(format!("{name}{JOURNAL}"));
        let not_found = || JournalError::NotFound {
            name: name.to_owned(),
            folder: self.path.clone(),
        };
        // A name, not a way to another folder.
        if name.is_empty() || name.contains('/') {
            return Err(not_found());
        }
        let file = match fs::File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Err(not_found()),
            Err(source) => return Err(JournalError::io("open", &path, source)),
        };
        match file.try_lock_shared() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(JournalError::UnderWay(name.to_owned())),
            Err(TryLockError::Error(source)) => {
                return Err(JournalError::io("lock", &path, source));
            }
        }
        let mut lines = Lines::new(path.clone(), file);
        match lines.next() {
            Some(Ok((_, Line::Run(head)))) if head.name == name => Ok(Past { head, path }),
            Some(Err(error @ JournalError::Io { .. })) => Err(error),
            _ => Err(JournalError::NotAJournal(path)),
        }
    }

    /// The names of all runs, the oldest first.
    ///
    /// # Errors
    /// [`JournalError::Io`].
    pub fn names(&self) -> Result<Vec<String>, JournalError> {
        let failed = |source| JournalError::io("list", &self.path, source);
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            let name = name.to_str().and_then(|name| name.strip_suffix(JOURNAL));
            names.extend(name.map(str::to_owned));
        }
        names.sort_unstable();
        Ok(names)
    }

    /// A new file under this name, or one of the next.
    fn create(&self, name: &str) -> Result<(String, File), JournalError> {
        let mut number = 1;
        loop {
            let name = match number {
                1 => name.to_owned(),
                number => format!("{name}-{number}"),
            };
            let file = format!("{name}{JOURNAL}");
            // Looked at before, so that only a race makes a call that was bound to fail.
            let made = match self.folder.kind(file.as_bytes()) {
                Ok(_) => Err(ErrorKind::AlreadyExists.into()),
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    self.folder.create(file.as_bytes())
                }
                Err(error) => Err(error),
            };
            match made {
                Ok(file) => return Ok((name, file)),
                Err(error) if error.kind() == ErrorKind::AlreadyExists && number < NAMES => {
                    number += 1;
                }
                Err(source) => {
                    return Err(JournalError::io("make a journal in", &self.path, source));
                }
            }
        }
    }
}

impl Journal {
    /// Which run this is.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes lines, durably if that is asked for.
    ///
    /// # Errors
    /// `Other`, from the first failure on: nothing may be changed that is not written down.
    pub(super) async fn append(&self, lines: String, durably: bool) -> Result<(), StorageError> {
        if lines.is_empty() {
            return Ok(());
        }
        let said = |why: &str| StorageError::Other(format!("the journal cannot be written: {why}"));
        if let Some(why) = &self.state().broken {
            return Err(said(why));
        }
        let file = Arc::clone(&self.file);
        let write = move || {
            file.write(lines.as_bytes())?;
            if durably { file.sync() } else { Ok(()) }
        };
        let written = tokio::task::spawn_blocking(write)
            .await
            .map_err(io::Error::other)
            .flatten();
        written.map_err(|error| {
            let why = error.to_string();
            let error = said(&why);
            self.state().broken = Some(why);
            error
        })
    }

    /// Notes what was read, or what is to take its place.
    pub(super) fn note(&self, path: &[u8], note: impl FnOnce(&mut Seen)) {
        note(self.state().seen.entry(path.to_vec()).or_default());
    }

    /// What is known of an object that was handled, for the last time.
    pub(super) fn take(&self, path: &[u8]) -> Seen {
        self.state().seen.remove(path).unwrap_or_default()
    }

    /// Its lines.
    pub(super) fn lines(&self) -> Result<Lines, JournalError> {
        Lines::open(&self.path)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Whoever panicked left no half-done change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Past {
    /// Which run it was.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// Its lines.
    pub(super) fn lines(&self) -> Result<Lines, JournalError> {
        Lines::open(&self.path)
    }
}

/// Takes the lock that says that the run is under way.
fn locked(file: &File, name: &str, path: &Path) -> Result<(), JournalError> {
    file.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => JournalError::UnderWay(name.to_owned()),
        TryLockError::Error(source) => JournalError::io("lock", path, source),
    })
}

/// Makes a folder and those above it, durably: a journal is of no use if its folder is lost.
fn make(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let above = path.parent().filter(|above| !above.as_os_str().is_empty());
    let above = above.unwrap_or(Path::new("."));
    make(above)?;
    // Closed to everybody but its owner.
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    fs::File::open(above)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::super::record::Step;
    use super::*;

    fn begun() -> (tempfile::TempDir, Journals, Journal) {
        let folder = tempfile::tempdir().unwrap();
        let journals = Journals::open(&folder.path().join("a/b")).unwrap();
        let journal = journals.begin("/store", "", "work").unwrap();
        (folder, journals, journal)
    }

    fn step(path: &[u8]) -> String {
        let mut text = String::new();
        let step = Step {
            path: super::super::record::Path::of(path),
            outcome: "unchanged".into(),
            before: None,
            after: None,
        };
        write(&Line::Step(step), &mut text);
        text
    }

    fn append(journal: &Journal, lines: &str) {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let append = journal.append(lines.into(), true);
        runtime.unwrap().block_on(append).unwrap();
    }

    #[test]
    fn runs_that_begin_at_once_have_names_of_their_own() {
        let (_folder, journals, first) = begun();
        let second = journals.begin("/store", "", "work").unwrap();
        assert_ne!(first.head.name, second.head.name);
        let mut names = [first.head.name.clone(), second.head.name.clone()];
        names.sort();
        assert_eq!(journals.names().unwrap(), names);
    }

    #[test]
    fn nobody_else_may_read_a_journal() {
        use std::os::unix::fs::PermissionsExt as _;
        let (_folder, journals, journal) = begun();
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(journals.path()), 0o700);
        assert_eq!(mode(journal.path()), 0o600);
    }

    #[test]
    fn a_run_that_is_under_way_is_not_past() {
        let (_folder, journals, journal) = begun();
        let name = journal.head.name.clone();
        let error = journals.past(&name).err().unwrap();
        assert!(matches!(error, JournalError::UnderWay(_)), "{error}");
        drop(journal);
        assert_eq!(journals.past(&name).unwrap().head.name, name);
    }

    #[test]
    fn only_a_name_is_taken_for_a_run() {
        let (_folder, journals, journal) = begun();
        let name = format!("../b/{}", journal.head.name);
        drop(journal);
        for name in [&*name, "", "nobody"] {
            let error = journals.past(name).err().unwrap();
            assert!(matches!(error, JournalError::NotFound { .. }), "{error}");
        }
    }

    #[test]
    fn half_a_line_at_the_end_is_passed_over_and_a_damaged_line_is_not() {
        let (_folder, _journals, journal) = begun();
        append(&journal, &step(b"a"));
        append(&journal, "{\"step\":\n");
        append(&journal, &step(b"b"));
        append(&journal, &step(b"c")[..20]);
        let lines: Vec<_> = journal.lines().unwrap().collect();
        let is_step = |line: &Result<(u64, Line), _>| matches!(line, Ok((_, Line::Step(_))));
        assert_eq!(lines.len(), 4);
        assert!(is_step(&lines[1]) && is_step(&lines[3]));
        let error = lines[2].as_ref().err().unwrap();
        assert!(
            matches!(error, JournalError::Damaged { line: 3, .. }),
            "{error}"
        );
    }
}
