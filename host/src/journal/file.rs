//! The files of journals: beginning, finding and writing them.

use std::collections::HashMap;
use std::fs::{self, DirBuilder, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use rustix::fs::OFlags;

use super::JournalError;
use super::chain::{Chain, Of};
use super::key::RunKey;
use super::lines::Lines;
use super::past::Past;
use super::record::{Head, Line, write};
use crate::contract::StorageError;
use crate::private;
use crate::storage::dir::disk::{File, Folder};
use crate::storage::dir::faults::{Faults, Watch};

/// The end of a journal's name.
const JOURNAL: &str = ".journal";
/// How the failure of an object begins that was not changed because its journal cannot be written.
pub const UNWRITTEN: &str = "the journal cannot be written";
/// Why an object is not removed by a run that was lent no key.
pub const UNKEPT: &str =
    "it may be plaintext, and without a key there is nothing to seal it into the journal under";
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
    pub(super) key: Option<Arc<RunKey>>,
    pub(super) file: Arc<File>,
    end: Arc<Mutex<End>>,
    /// What is known of the objects that are being handled: the digests of what was read and of what is
    /// to take its place.
    seen: Mutex<HashMap<Vec<u8>, Seen>>,
    /// The objects that may have been reported before and are again, with what was said of each last.
    again: Mutex<HashMap<Vec<u8>, Option<Said>>>,
}

/// Where further lines go.
struct End {
    /// None without a key.
    chain: Option<Chain>,
    /// Why nothing can be written any more. The last line may be half a line, and another after it would
    /// be lost with it.
    broken: Option<String>,
}

/// An outcome, and the digest of what was left.
type Said = (String, Option<String>);

/// The digests of one object.
#[derive(Clone, Default)]
pub(super) struct Seen {
    pub before: Option<String>,
    pub after: Option<String>,
    /// What was to take its place, if anything was; never written down.
    pub staged: Option<Staged>,
}

/// The SHA-256 of an object's new bytes; none where it was to be removed.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Staged(pub Option<String>);

impl Journals {
    /// Opens the folder, and makes it and those above it if they are not there, for their owner alone.
    ///
    /// # Errors
    /// [`JournalError::Io`]; [`JournalError::NotPrivate`] if somebody else than the user and root could
    /// put something in its place: what is there is written to a store.
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

    /// Opens the folder to read what is there. Nothing is made or written.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_existing(path: &Path) -> Result<Self, JournalError> {
        Self::opened(path, Watch::default())
    }

    fn with(path: &Path, watch: Watch) -> Result<Self, JournalError> {
        let failed = |source| JournalError::io("make", path, source);
        let absolute = std::path::absolute(path).map_err(failed)?;
        // Looked at first, so that nothing is made in a folder of somebody else's.
        let there = absolute.ancestors().find(|above| above.exists());
        if there.is_some_and(|there| !there.is_dir()) {
            return Err(failed(ErrorKind::NotADirectory.into()));
        }
        own(there.unwrap_or(&absolute), "make")?;
        // It would lead elsewhere once the folder before it is made.
        let mut parts = absolute.components();
        if there != Some(&absolute) && parts.any(|part| part == Component::ParentDir) {
            let error = io::Error::other("it has the part `..` and is not there");
            return Err(failed(error));
        }
        make(path).map_err(failed)?;
        Self::opened(path, watch)
    }

    fn opened(path: &Path, watch: Watch) -> Result<Self, JournalError> {
        // From here on by this path alone: a link of somebody else's could lead elsewhere by then.
        let path = own(path, "open")?;
        let folder =
            Folder::root(&path, watch).map_err(|source| JournalError::io("open", &path, source))?;
        Ok(Self {
            path,
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
    /// what is done; the first and the last are for people. Without a `key` the journal holds no digest
    /// of anything that may be plaintext, and nothing tells who wrote it.
    ///
    /// # Errors
    /// [`JournalError::Io`].
    pub fn begin(
        &self,
        store: &str,
        store_name: &str,
        work: &str,
        key: Option<RunKey>,
    ) -> Result<Journal, JournalError> {
        self.begin_run((store, store_name, work), None, key)
    }

    /// Begins a run that [prepares](super::Preparing): `how` says, so that another one can be told from it, how it
    /// seals.
    ///
    /// # Errors
    /// [`JournalError::Io`].
    pub fn begin_preparing(
        &self,
        store: &str,
        store_name: &str,
        work: &str,
        how: &str,
        key: RunKey,
    ) -> Result<Journal, JournalError> {
        self.begin_run((store, store_name, work), Some(how.to_owned()), Some(key))
    }

    fn begin_run(
        &self,
        (store, store_name, work): (&str, &str, &str),
        prepares: Option<String>,
        key: Option<RunKey>,
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
            prepares,
            key: key.as_ref().map(|key| key.wrapped().clone()),
        };
        let key = key.map(Arc::new);
        let mut chain = Chain::begin(key.as_ref(), Of::Journal);
        let mut text = String::new();
        write(&Line::Run(head.clone()), &mut text);
        if let Some(chain) = &mut chain {
            text = chain.seal(&text);
        }
        locked(&file, &head.name, &path)?;
        let written = file
            .write(text.as_bytes())
            .and_then(|()| file.sync())
            .and_then(|()| self.folder.as_file()?.sync_folder());
        if let Err(source) = written {
            // It is no journal, and the error that is told is the one that matters.
            let _ = self
                .folder
                .remove(format!("{}{JOURNAL}", head.name).as_bytes());
            return Err(JournalError::io("write", &path, source));
        }
        Ok(Journal {
            head,
            path,
            folder: Arc::clone(&self.folder),
            key,
            file: Arc::new(file),
            end: Arc::new(Mutex::new(End {
                chain,
                broken: None,
            })),
            seen: Mutex::default(),
            again: Mutex::default(),
        })
    }

    /// A run that is over.
    ///
    /// # Errors
    /// [`JournalError::NotFound`], [`JournalError::UnderWay`], [`JournalError::NotAJournal`],
    /// [`JournalError::NotPrivate`] and [`JournalError::Io`].
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
        // Never waits for the other end of a pipe.
        let nonblock = OFlags::NONBLOCK.bits().cast_signed();
        let mut options = fs::OpenOptions::new();
        let file = match options.read(true).custom_flags(nonblock).open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Err(not_found()),
            Err(source) => return Err(JournalError::io("open", &path, source)),
        };
        let meta = file.metadata();
        let meta = meta.map_err(|source| JournalError::io("open", &path, source))?;
        if !meta.is_file() {
            return Err(JournalError::NotAJournal(path));
        }
        private::check(&path, &meta, private::user()).map_err(JournalError::NotPrivate)?;
        match file.try_lock_shared() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(JournalError::UnderWay(name.to_owned())),
            Err(TryLockError::Error(source)) => {
                return Err(JournalError::io("lock", &path, source));
            }
        }
        let mut lines = Lines::new(path.clone(), file, None);
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
        let (file, end) = (Arc::clone(&self.file), Arc::clone(&self.end));
        let write = move || {
            locked_end(&end).write(&file, lines)?;
            if !durably {
                return Ok(());
            }
            // Not under the lock, so that one sync serves all who wait for it.
            file.sync().map_err(|error| locked_end(&end).fail(&error))
        };
        let written = tokio::task::spawn_blocking(write).await;
        let written = written.unwrap_or_else(|error| Err(error.to_string()));
        written.map_err(|why| StorageError::Other(format!("{UNWRITTEN}: {why}")))
    }

    /// Writes lines, not durably, on a thread that may block.
    ///
    /// # Errors
    /// As for [`Self::append`].
    pub(super) fn append_here(&self, lines: String) -> Result<(), StorageError> {
        let written = locked_end(&self.end).write(&self.file, lines);
        written.map_err(|why| StorageError::Other(format!("{UNWRITTEN}: {why}")))
    }

    /// The digest of an object under the run's key; none without one.
    pub(super) fn digest(&self, path: &[u8], bytes: &[u8]) -> Option<String> {
        self.key.as_ref().map(|key| key.digest(path, bytes))
    }

    /// The bytes of an object that may be plaintext, and that nothing else keeps, sealed under the run's key.
    ///
    /// # Errors
    /// `Refused` without one; `Other` if the system gives no randomness.
    pub(super) fn keep(&self, path: &[u8], bytes: &[u8]) -> Result<Vec<u8>, StorageError> {
        let Some(key) = &self.key else {
            return Err(StorageError::Refused(UNKEPT.into()));
        };
        let kept = key.keep(path, bytes);
        kept.map_err(|error| StorageError::Other(error.to_string()))
    }

    /// Notes what was read, or what is to take its place.
    pub(super) fn note(&self, path: &[u8], note: impl FnOnce(&mut Seen)) {
        note(self.seen().entry(path.to_vec()).or_default());
    }

    /// What is known of an object that was handled, for the last time.
    pub(super) fn take(&self, path: &[u8]) -> Seen {
        self.seen().remove(path).unwrap_or_default()
    }

    /// Notes that an object may have been reported before.
    pub(super) fn note_again(&self, path: &[u8]) {
        self.again().entry(path.to_vec()).or_default();
    }

    /// Whether an object that is reported again is as it was the last time.
    pub(super) fn was_said(&self, path: &[u8], said: Said) -> bool {
        match self.again().get_mut(path) {
            None => false,
            Some(last) => last.replace(said.clone()) == Some(said),
        }
    }

    /// Where in the journal the last report of each object is that was reported again.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub(super) fn last_reports(&self) -> Result<HashMap<Vec<u8>, u64>, JournalError> {
        let again = self.again();
        let mut last = HashMap::new();
        if again.is_empty() {
            return Ok(last);
        }
        for line in self.lines()? {
            if let (place, Line::Step(step)) = line?
                && let Some(path) = step.path.bytes().filter(|path| again.contains_key(path))
            {
                last.insert(path, place);
            }
        }
        Ok(last)
    }

    fn again(&self) -> MutexGuard<'_, HashMap<Vec<u8>, Option<Said>>> {
        // Whoever panicked left no half-done change.
        self.again.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its lines.
    pub(super) fn lines(&self) -> Result<Lines<Line>, JournalError> {
        Lines::open(&self.path, Chain::begin(self.key.as_ref(), Of::Journal))
    }

    fn seen(&self) -> MutexGuard<'_, HashMap<Vec<u8>, Seen>> {
        // Whoever panicked left no half-done change.
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl End {
    /// Writes lines after those that are there, or says why that is over.
    fn write(&mut self, file: &File, lines: String) -> Result<(), String> {
        if let Some(why) = &self.broken {
            return Err(why.clone());
        }
        let lines = match &mut self.chain {
            Some(chain) => chain.seal(&lines),
            None => lines,
        };
        file.write(lines.as_bytes())
            .map_err(|error| self.fail(&error))
    }

    fn fail(&mut self, error: &io::Error) -> String {
        let why = error.to_string();
        self.broken.get_or_insert_with(|| why.clone());
        why
    }
}

fn locked_end(end: &Mutex<End>) -> MutexGuard<'_, End> {
    // Whoever panicked wrote nothing after it.
    end.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The path without links of a folder, in whose place nobody else than the user and root could put
/// something.
fn own(path: &Path, action: &'static str) -> Result<PathBuf, JournalError> {
    let real = path.canonicalize();
    let real = real.map_err(|source| JournalError::io(action, path, source))?;
    private::check_way(&real, private::user()).map_err(JournalError::NotPrivate)?;
    Ok(real)
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
    use super::super::testing::run_key;
    use super::*;

    fn begun() -> (tempfile::TempDir, Journals, Journal) {
        let folder = tempfile::tempdir().unwrap();
        let journals = Journals::open(&folder.path().join("a/b")).unwrap();
        let journal = journals.begin("/store", "", "work", Some(run_key()));
        let journal = journal.unwrap();
        (folder, journals, journal)
    }

    #[test]
    fn a_link_is_resolved_once_and_a_way_back_out_of_nowhere_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().canonicalize().unwrap();
        let real = folder.join("real");
        Journals::open(&real).unwrap();
        std::os::unix::fs::symlink(&real, folder.join("link")).unwrap();
        assert_eq!(Journals::open(&folder.join("link")).unwrap().path(), real);
        let out = folder.join("missing/../elsewhere");
        let error = Journals::open(&out).err().unwrap().to_string();
        assert!(error.contains("`..`"), "{error}");
        assert!(!folder.join("missing").exists());
        for no_folder in ["/dev/null/journals", "/dev/null"] {
            let error = Journals::open(Path::new(no_folder)).err().unwrap();
            assert!(matches!(error, JournalError::Io { .. }), "{error}");
        }
    }

    /// A disk that takes nothing into files of such a name.
    struct Full(&'static str, std::sync::Mutex<Vec<u8>>);

    impl Faults for Full {
        fn before(&self, call: crate::storage::dir::faults::Call<'_>) -> io::Result<()> {
            use crate::storage::dir::faults::Call;
            let mut last = self.1.lock().unwrap();
            match call {
                Call::Create { name, .. } => last.clone_from(&name.to_vec()),
                Call::Write { .. } if last.ends_with(self.0.as_bytes()) => {
                    return Err(ErrorKind::StorageFull.into());
                }
                _ => {}
            }
            Ok(())
        }
    }

    fn full(end: &'static str) -> (tempfile::TempDir, Journals) {
        let folder = tempfile::tempdir().unwrap();
        let full = Arc::new(Full(end, std::sync::Mutex::default()));
        let journals = Journals::open_with_faults(folder.path(), full).unwrap();
        (folder, journals)
    }

    #[test]
    fn a_journal_that_cannot_be_begun_leaves_nothing() {
        let (folder, journals) = full(JOURNAL);
        let error = journals.begin("/store", "", "work", Some(run_key()));
        assert!(matches!(error.err().unwrap(), JournalError::Io { .. }));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_proof_that_cannot_be_written_leaves_the_journal() {
        let (folder, journals) = full(".proof.tmp");
        let journal = journals
            .begin("/store", "", "work", Some(run_key()))
            .unwrap();
        let store = crate::storage::DirStore::open(folder.path()).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let error = runtime.unwrap().block_on(journal.prove(&store, |_| {}));
        assert!(matches!(error.err().unwrap(), JournalError::Proof { .. }));
        let files: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
        assert_eq!(files.len(), 1);
        assert!(journal.path().exists());
    }

    #[test]
    fn a_pipe_is_no_journal_and_is_not_waited_for() {
        use rustix::fs::{CWD, Mode, mkfifoat};
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        mkfifoat(CWD, &pipe, Mode::RUSR | Mode::WUSR).unwrap();
        let error = Lines::<Line>::open(&pipe, None).err().unwrap().to_string();
        assert!(error.contains("no plain file"), "{error}");
    }

    fn step(path: &[u8]) -> String {
        let mut text = String::new();
        let step = Step {
            path: super::super::record::Path::of(path),
            outcome: "unchanged".into(),
            changed: false,
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
        let second = journals.begin("/store", "", "work", None).unwrap();
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

    /// A journal with these further lines, and a half one.
    fn written(key: Option<RunKey>) -> (tempfile::TempDir, Journal) {
        let folder = tempfile::tempdir().unwrap();
        let journals = Journals::open(folder.path()).unwrap();
        let journal = journals.begin("/store", "", "work", key).unwrap();
        append(&journal, &step(b"a"));
        append(&journal, "{\"step\":}\n");
        append(&journal, &step(b"b"));
        journal.file.write(&step(b"c").as_bytes()[..20]).unwrap();
        (folder, journal)
    }

    #[test]
    fn half_a_line_at_the_end_is_passed_over_and_a_damaged_line_is_not() {
        for key in [None, Some(run_key())] {
            let (_folder, journal) = written(key);
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

    #[test]
    fn nothing_is_read_after_a_line_that_the_run_did_not_write() {
        let (_folder, journal) = written(Some(run_key()));
        let text = fs::read_to_string(journal.path()).unwrap();
        fs::write(journal.path(), text.replace("unchanged", "restored!")).unwrap();
        let lines: Vec<_> = journal.lines().unwrap().collect();
        assert_eq!(lines.len(), 2);
        let error = lines[1].as_ref().err().unwrap();
        assert!(
            matches!(error, JournalError::NotAuthentic { line: 2, .. }),
            "{error}"
        );
    }

    #[test]
    fn a_journal_that_others_can_write_to_is_not_taken() {
        use std::os::unix::fs::PermissionsExt as _;
        let (_folder, journals, journal) = begun();
        let (name, path) = (journal.head.name.clone(), journal.path.clone());
        drop(journal);
        let set = |path: &Path, mode| {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        };
        let is_private = |result: Result<(), JournalError>| match result {
            Ok(()) => true,
            Err(JournalError::NotPrivate(_)) => false,
            Err(other) => panic!("{other}"),
        };
        for (mode, wanted) in [(0o644, true), (0o620, false), (0o606, false)] {
            set(&path, mode);
            let past = journals.past(&name).map(drop);
            assert_eq!(is_private(past), wanted, "{mode:o}");
        }
        for (mode, wanted) in [(0o755, true), (0o770, false), (0o777, false)] {
            set(&journals.path, mode);
            for opened in [
                Journals::open(&journals.path),
                Journals::open_existing(&journals.path),
                Journals::open(&journals.path.join("new")),
            ] {
                assert_eq!(is_private(opened.map(drop)), wanted, "{mode:o}");
            }
            assert_eq!(journals.path.join("new").exists(), mode == 0o755);
            let _ = fs::remove_dir(journals.path.join("new"));
        }
    }
}
