//! `iamseal manifest`: writes down, sealed, what a store holds.

use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use iamseal::contract::StorageError;
use iamseal::manifest::{self, Digest, ManifestError, ManifestFile, Seen};
use iamseal::storage::Storage;
use serde_json::{Value, json};

use crate::arguments::{Common, Manifest};
use crate::cause::Cause;
use crate::compare::Remark;
use crate::failure::Failure;
use crate::inside::is_inside;
use crate::interrupt::Interrupt;
use crate::progress::Progress;
use crate::report::{notes, words};
use crate::store::Access;
use crate::tally::{self, Tally};
use crate::{keys, load, output, store};

pub async fn run(common: &Common, command: &Manifest) -> Result<ExitCode, Failure> {
    let store = store::open(common, &command.place, Access::Read).await?;
    let file = file(&command.manifest, &command.place.store)?;
    let shown = file.path().display();
    let plugin = load::builder(common, Arc::new(keys::keyring(common)?))
        .load()
        .await?;
    let at_least = command.at_least_epoch.unwrap_or(0);
    let mut manifest = match file.load(plugin.reader(), at_least).await {
        Err(ManifestError::NotFound) if at_least == 0 => {
            manifest::Manifest::new(plugin.store_name())
        }
        loaded => loaded.map_err(|error| unopened(error).about(&shown))?,
    };
    let prefix = command.place.prefix.as_bytes();
    let work = Work {
        progress: store::progress(common, &*store, prefix).await,
        json: common.json,
        is_first: manifest.epoch() == 0,
    };
    let mut interrupt = Interrupt::listen()?;
    let mut tally = Tally::default();
    let looking = work.look(&*store, prefix, &manifest, &mut tally);
    let looked = interrupt.unless(looking).await.flatten();
    // What is not there may be on a drive that was not seen.
    let is_whole = store::tell(common, &*store).await;
    let saved = match looked {
        Ok(_) if !is_whole => Err(Failure::new(
            Cause::Storage,
            "not all of the store was seen, so no manifest was saved",
        )
        .with_cure("give the drives that the notes name, or repair what they name")),
        Ok(found) => {
            found.record_in(&mut manifest);
            let saved = file.save(&plugin, &mut manifest, command.key.as_deref());
            saved.await.map_err(|error| unsaved(error).about(&shown))
        }
        Err(failure) => {
            output::note(common.json, notes::NOT_SAVED);
            Err(failure)
        }
    };
    work.progress.finish();
    if let Err(failure) = saved {
        let printed = output::summary(&match common.json {
            true => tally.json("outcome", true, None),
            false => tally.table(tally::IS),
        });
        return printed.and(Err(failure));
    }
    if tally.is_empty() {
        store::nothing_there(common, &command.place);
    }
    let epoch = manifest.epoch();
    if common.json {
        let about = Some(("manifest", about(&manifest)));
        output::summary(&tally.summary("outcome", false, about))?;
    } else {
        output::summary(&format!(
            "{}\n{}\nKeep that number elsewhere: only --at-least-epoch {epoch} tells an older manifest \
             from this one.",
            tally.table(tally::IS),
            words(&manifest),
        ))?;
    }
    Ok(tally.exit_code().into())
}

/// The file that was given.
///
/// # Errors
/// It is in `config/`, where MinIO would take it for configuration.
pub fn file(given: &Path, store: &Path) -> Result<ManifestFile, Failure> {
    let folder = match given.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    // A folder that is not there is told when the file is read or written.
    if let Some(store) = store::folder(store)
        && is_inside(folder, &store.join("config")).unwrap_or(false)
    {
        let shown = given.display();
        let beside = store.join("iamseal-manifest");
        return Err(Failure::usage(format!(
            "{shown}: the manifest would be in config/, which the server reads"
        ))
        .with_cure(format!("put it beside config/, as {}", beside.display())));
    }
    Ok(ManifestFile::new(given))
}

/// The JSON field `manifest` of a summary: its `epoch`, how many `objects` it records, and the name of
/// the `key` that it is sealed under.
pub fn about(manifest: &manifest::Manifest) -> Value {
    let (epoch, objects, key) = (manifest.epoch(), manifest.len(), manifest.key());
    json!({"epoch": epoch, "objects": objects, "key": key})
}

/// The same for people.
pub fn words(manifest: &manifest::Manifest) -> String {
    let (epoch, objects) = (manifest.epoch(), manifest.len());
    let key = iamseal::shown(manifest.key().unwrap_or_default().as_bytes());
    let objects = notes::count(objects, "object");
    format!("The manifest: epoch {epoch}, {objects}, sealed under the key {key}.")
}

/// Why a manifest does not open.
pub fn unopened(error: ManifestError) -> Failure {
    let cure = match &error {
        ManifestError::NotFound => {
            "if there was one, restore it; the first is made with iamseal manifest"
        }
        ManifestError::TooOld { .. } => {
            "an older manifest was put in its place: restore the newest one, and compare again"
        }
        ManifestError::OtherStore { .. } => "give the store's name with --store-name",
        _ => {
            "restore the manifest from a backup, or begin a new one in another file after an audit"
        }
    };
    match error {
        // What the plugin says has a cure of its own.
        ManifestError::Part { part, parts, error } => {
            let failure = Failure::from(error).with_cause(Cause::Manifest);
            failure.about(format!("part {part} of {parts} does not open"))
        }
        error => Failure::new(Cause::Manifest, error).with_cure(cure),
    }
}

/// Why a manifest was not saved.
pub fn unsaved(error: ManifestError) -> Failure {
    match error {
        ManifestError::Seal(error) => Failure::from(error),
        ManifestError::Conflict { .. } => Failure::new(Cause::Conflict, error)
            .with_cure("nothing was written: run again to take the newer manifest"),
        error => Failure::new(Cause::Storage, error),
    }
}

/// What is there, and what is not any more.
struct Found {
    objects: Vec<(Vec<u8>, Digest)>,
    removed: Vec<Vec<u8>>,
}

impl Found {
    fn record_in(self, manifest: &mut manifest::Manifest) {
        for (path, digest) in self.objects {
            manifest.record(&path, digest);
        }
        for path in self.removed {
            manifest.remove(&path);
        }
    }
}

struct Work {
    progress: Progress,
    json: bool,
    is_first: bool,
}

impl Work {
    /// Looks at every object, exempt ones too: nothing else tells whether those were changed.
    async fn look(
        &self,
        store: &dyn Storage,
        prefix: &[u8],
        manifest: &manifest::Manifest,
        tally: &mut Tally,
    ) -> Result<Found, Failure> {
        let mut comparison = manifest.compare(prefix);
        let mut objects = Vec::new();
        let mut cursor = store.list(prefix, None).await?;
        loop {
            let page = cursor.next().await?;
            if page.is_empty() {
                break;
            }
            let count = page.len();
            for path in page {
                match store.read(&path).await {
                    Ok(stored) => {
                        let digest = manifest::digest(&stored.bytes);
                        let seen = comparison.see(&path, &digest);
                        let outcome = match seen {
                            Seen::AsRecorded => "unchanged",
                            _ if manifest.get(&path).is_some() => "changed",
                            _ => "added",
                        };
                        self.say(outcome, seen.into(), &path, tally)?;
                        objects.push((path, digest));
                    }
                    // It went away since it was listed.
                    Err(StorageError::NotFound) => {}
                    Err(error) => {
                        comparison.cannot_read(&path);
                        self.say("failed", Remark::NotRead(error), &path, tally)?;
                    }
                }
            }
            self.progress.advance(count);
        }
        let removed: Vec<_> = comparison.missing().map(<[u8]>::to_vec).collect();
        for path in &removed {
            self.say("removed", Remark::Missing, path, tally)?;
        }
        Ok(Found { objects, removed })
    }

    /// A line for what a person wants to see: what is not as the manifest before has it.
    fn say(
        &self,
        outcome: &'static str,
        remark: Remark,
        path: &[u8],
        tally: &mut Tally,
    ) -> Result<(), Failure> {
        let error = match &remark {
            Remark::NotRead(_) => remark.why(),
            _ => None,
        };
        match &error {
            Some(why) => tally.failed(outcome, why.cause),
            None => tally.plain(outcome),
        }
        if self.json {
            let mut fields = words::path_fields(path);
            fields.insert("outcome".into(), outcome.into());
            fields.insert("manifest".into(), remark.json());
            if let Some(why) = &error {
                fields.insert("error".into(), words::error_json(why));
            }
            return self
                .progress
                .line(&words::json_line(&Value::Object(fields)));
        }
        match error {
            Some(why) => self
                .progress
                .line(&words::failure_lines(outcome, &why, path)),
            None if self.is_first || outcome == "unchanged" => Ok(()),
            None => {
                let line = words::object_line(outcome, remark.name(), "", path);
                self.progress.line(&line)
            }
        }
    }
}
