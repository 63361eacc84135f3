//! The file that a manifest is kept in.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufReader, ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use rustix::fs::OFlags;

use crate::awake::Moment;
use crate::contract::{Form, Policy, SealOptions, SealedForm};
use crate::plugin::{Auditor, Plugin};

use super::framing::{self, Head, SaveId};
use super::lines::{self, Decoder, malformed};
use super::{Manifest, ManifestError};

/// Bytes of one part before it is sealed. Some 5000 objects: enough for the calls to weigh nothing, and
/// far below what a plugin may hand over.
const PART_BYTES: usize = 1 << 20;
/// How long a save waits for another process, which holds the lock for a write and two syncs.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often it looks. Short against the syncs.
const PAUSE: Duration = Duration::from_millis(5);

/// Where a manifest is kept: a plain file, for a server outside of what it reads as configuration.
///
/// Every call must be made within a tokio runtime; system calls run on its blocking threads.
pub struct ManifestFile {
    path: PathBuf,
}

impl ManifestFile {
    /// The file at this path, which need not be there yet; its folder must be. Nothing is read.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// The path as it was given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the manifest, all of it or none. It must be in the compact form, under any one key that
    /// the auditor is lent.
    ///
    /// `at_least` is the epoch that the caller remembers; with 0 an older manifest that was put in the
    /// place of this one is believed.
    ///
    /// # Errors
    /// All of [`ManifestError`] but `Conflict`, `Locked` and `Seal`. Hostile bytes take no more memory
    /// than one part may have ([`crate::Limits::object_bytes`]) beside what was authentic.
    pub async fn load(&self, auditor: &Auditor, at_least: u64) -> Result<Manifest, ManifestError> {
        let path = self.path.clone();
        let (mut reader, head) = blocking(move || {
            let mut reader = BufReader::new(open(&path)?.ok_or(ManifestError::NotFound)?);
            let head = Head::read(&mut reader)?;
            Ok((reader, head))
        })
        .await?;
        let parts = head.parts;
        let limit = auditor.limits().object_bytes;
        let (mut decoder, mut key) = (Decoder::default(), None);
        for part in 1..=parts {
            let sealed;
            (reader, sealed) = blocking(move || {
                let sealed = framing::read_part(&mut reader, (part, parts), limit)?;
                Ok((reader, sealed))
            })
            .await?;
            let opened = auditor
                .unseal(&head.path(part), &sealed, Policy::Sealed)
                .await
                .map_err(|error| ManifestError::Part { part, parts, error })?;
            // The form of MinIO is not bound to the store.
            if opened.found.form != Form::Compact {
                return Err(malformed("it is not compact"));
            }
            if part > 1 && key != opened.found.key {
                return Err(malformed("its parts are under several keys"));
            }
            key = opened.found.key;
            decoder.part(&opened.plaintext)?;
        }
        blocking(move || framing::read_end(&mut reader)).await?;
        let mut manifest = decoder.finish(head.epoch)?;
        check_store(&manifest, auditor.store_name())?;
        if head.epoch < at_least {
            let epoch = head.epoch;
            return Err(ManifestError::TooOld { epoch, at_least });
        }
        manifest.saved = Some(head.save);
        manifest.key = key;
        Ok(manifest)
    }

    /// Seals the manifest in its next epoch and puts it in the place of the one that it was read from:
    /// atomically, durably, readable by its owner alone. When it returns, the manifest is of that
    /// epoch. `key` is the name of the key to seal under; none: the keyring's default key.
    ///
    /// Only one of two that read the same manifest can save it; the other loads again and records its
    /// changes anew. Between two saves the folder is locked (`flock`), as the directory store locks
    /// its root; do not call this while holding that lock.
    ///
    /// # Errors
    /// `Conflict`; `Locked`; `Seal`; `OtherStore`; `NotAFile`; `Io`; and of a file at this path that is
    /// no manifest `NotAManifest`, `UnknownVersion` or `CutShort`: it is not replaced. After an error
    /// the manifest is of the epoch that it was, and the file is too, unless the folder could not be
    /// synced.
    pub async fn save(
        &self,
        plugin: &Plugin,
        manifest: &mut Manifest,
        key: Option<&str>,
    ) -> Result<(), ManifestError> {
        check_store(manifest, plugin.store_name())?;
        let epoch = manifest.next_epoch();
        let limit = PART_BYTES.min(plugin.limits().object_bytes / 2);
        let parts = lines::encode(manifest, epoch, limit);
        let mut save = SaveId::default();
        getrandom::fill(&mut save).map_err(|error| unable("make", io::Error::other(error)))?;
        let count =
            u32::try_from(parts.len()).map_err(|error| unable("make", io::Error::other(error)))?;
        let head = Head {
            epoch,
            save,
            parts: count,
        };
        let options = SealOptions {
            form: SealedForm::Compact,
            key: key.map(str::to_owned),
        };
        let (mut bytes, mut key) = (head.encode(), None);
        for (part, plaintext) in (1..).zip(parts) {
            let path = head.path(part);
            let sealed = plugin.seal(&path, &plaintext, &options).await;
            let sealed = sealed.map_err(ManifestError::Seal)?;
            // What would not open must not take the place of what does.
            let opened = plugin.unseal(&path, &sealed, Policy::Sealed).await;
            let opened = opened.map_err(ManifestError::Seal)?;
            if *opened.plaintext != plaintext {
                return Err(malformed("the plugin sealed something else"));
            }
            key = opened.found.key;
            bytes.extend(framing::length(&sealed).map_err(|error| unable("make", error))?);
            bytes.extend(sealed);
        }
        let (path, read) = (self.path.clone(), manifest.saved);
        let was = manifest.epoch;
        blocking(move || replace(&path, read.map(|save| (was, save)), &bytes)).await?;
        manifest.epoch = epoch;
        manifest.saved = Some(save);
        manifest.key = key;
        Ok(())
    }
}

fn check_store(manifest: &Manifest, name: &str) -> Result<(), ManifestError> {
    if manifest.store_name == name {
        return Ok(());
    }
    Err(ManifestError::OtherStore {
        expected: name.to_owned(),
        found: manifest.store_name.clone(),
    })
}

/// Puts these bytes in the place of the manifest that was read: its epoch and its save.
fn replace(path: &Path, read: Option<(u64, SaveId)>, bytes: &[u8]) -> Result<(), ManifestError> {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let lock = lock(folder)?;
    let found = match open(path)? {
        None => None,
        Some(file) => {
            let head = Head::read(&mut BufReader::new(file))?;
            Some((head.epoch, head.save))
        }
    };
    if found != read {
        return Err(ManifestError::Conflict {
            read: read.map_or(0, |(epoch, _)| epoch),
            found: found.map(|(epoch, _)| epoch),
        });
    }
    let name = path.file_name().unwrap_or_default();
    let mut prefix = OsString::from(".");
    prefix.push(name);
    // Always the same name, so that a process that was killed leaves at most one, which goes here: under
    // the lock it is nobody else's.
    let draft = folder.join(&prefix).with_added_extension("draft");
    match fs::remove_file(&draft) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(unable("write", error)),
        _ => {}
    }
    // Its mode is 0600.
    let mut file = tempfile::Builder::new()
        .prefix(&prefix)
        .suffix(".draft")
        .rand_bytes(0)
        .tempfile_in(folder)
        .map_err(|error| unable("write", error))?;
    file.write_all(bytes)
        .and_then(|()| file.as_file().sync_all())
        .map_err(|error| unable("write", error))?;
    file.persist(path)
        .map_err(|error| unable("replace", error.error))?;
    lock.sync_all()
        .map_err(|error| unable("sync the folder of", error))
}

/// The lock on the folder, given back when the file is dropped: no lock file is left, and the system
/// gives it back when a process dies.
fn lock(folder: &Path) -> Result<File, ManifestError> {
    let file = File::open(folder).map_err(|error| unable("open the folder of", error))?;
    let start = Moment::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if start.elapsed() < PATIENCE => sleep(PAUSE),
            Err(TryLockError::WouldBlock) => {
                return Err(ManifestError::Locked(PATIENCE.as_secs()));
            }
            Err(TryLockError::Error(error)) => return Err(unable("lock the folder of", error)),
        }
    }
}

/// Opens a plain file, if it is there.
fn open(path: &Path) -> Result<Option<File>, ManifestError> {
    let unopened = |error| unable("open", error);
    let metadata = match path.symlink_metadata() {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        other => other.map_err(unopened)?,
    };
    // Asked before, since opening a device can set it in motion.
    if !metadata.is_file() {
        return Err(ManifestError::NotAFile);
    }
    // If the name is given to a pipe meanwhile, nobody is waited for.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path)
        .map_err(unopened)?;
    if !file.metadata().map_err(unopened)?.is_file() {
        return Err(ManifestError::NotAFile);
    }
    Ok(Some(file))
}

fn unable(action: &'static str, source: io::Error) -> ManifestError {
    ManifestError::Io { action, source }
}

/// Runs system calls where they may block.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ManifestError> + Send + 'static,
) -> Result<T, ManifestError> {
    let stopped = |error| unable("work on", io::Error::other(error));
    tokio::task::spawn_blocking(work).await.map_err(stopped)?
}
