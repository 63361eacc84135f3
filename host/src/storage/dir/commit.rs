//! Making the changes of drafts.
//!
//! Every writer of a store holds the store's lock for a whole batch. A server that runs on the same folder
//! knows nothing of the lock; [`super::create`], [`super::replace`] and [`super::removal`] lose nothing that it
//! writes.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use super::Options;
use super::create::create;
use super::disk::File;
use super::draft::{DirDraft, Kind};
use super::errors::{refused, shown};
use super::parallel;
use super::path::Place;
use super::removal::remove;
use super::replace::replace;
use super::root::Root;
use crate::contract::StorageError;
use crate::storage::{Draft, Version};

/// A draft or a result, and where it stands in the batch.
type Numbered<T> = (usize, T);

/// Makes the changes of drafts, and then makes their folders durable, each once.
///
/// All of them are made before the first folder is synced, as drafts are all written before the
/// first is synced.
pub(super) fn commit(
    root: &Arc<Root>,
    options: Options,
    drafts: Vec<Box<dyn Draft>>,
) -> Vec<Result<Option<Version>, StorageError>> {
    let _lock = match root.lock() {
        Ok(lock) => lock,
        Err(error) => return drafts.iter().map(|_| Err(error.clone())).collect(),
    };
    let mut results = Vec::with_capacity(drafts.len());
    let mut folders: BTreeMap<Vec<u8>, Vec<Numbered<DirDraft>>> = BTreeMap::new();
    for (number, draft) in drafts.into_iter().enumerate() {
        match draft.into_any().downcast::<DirDraft>() {
            Ok(draft) if Arc::ptr_eq(&draft.root, root) => {
                let folder = Place::of_checked(&draft.path).folder.to_vec();
                folders.entry(folder).or_default().push((number, *draft));
            }
            _ => results.push((number, Err(refused("the draft is of another store")))),
        }
    }
    let folders = folders.into_values().collect();
    let changed = parallel::map(root.lanes, folders, |drafts| folder(root, options, drafts));
    let done = parallel::map(root.lanes, changed, |changed| {
        settle(changed, File::sync_folder)
    });
    results.extend(done.into_iter().flatten());
    results.sort_unstable_by_key(|(number, _)| *number);
    results.into_iter().map(|(_, result)| result).collect()
}

/// What the drafts of one folder became.
struct Changed {
    /// The folder, once something was to be changed in it.
    folder: Option<File>,
    objects: Vec<Numbered<Result<Object, StorageError>>>,
}

/// An object that was changed.
struct Object {
    path: Vec<u8>,
    /// What was done to it.
    done: &'static str,
    version: Option<Version>,
    /// What could not be done beside that.
    undone: Option<StorageError>,
    /// The note of a removal, until that is durable. Other drafts are closed: a batch holds fewer files while
    /// it goes on.
    note: Option<DirDraft>,
}

/// Makes the changes of the drafts of one folder.
fn folder(root: &Root, options: Options, drafts: Vec<Numbered<DirDraft>>) -> Changed {
    let mut folder = None;
    let noted = make_notes_durable(&drafts);
    let objects = drafts
        .into_iter()
        .map(|(number, draft)| {
            let noted = noted.as_ref().map(|_| ()).map_err(Clone::clone);
            (number, object(root, options, draft, &mut folder, noted))
        })
        .collect();
    Changed { folder, objects }
}

/// Whoever finds an object that was moved aside has to find its note.
fn make_notes_durable(drafts: &[Numbered<DirDraft>]) -> Result<(), StorageError> {
    let mut drafts = drafts.iter().map(|(_, draft)| draft);
    let Some(draft) = drafts.find(|draft| matches!(draft.kind, Kind::Remove(_))) else {
        return Ok(());
    };
    let synced = draft
        .folder
        .as_file()
        .and_then(|folder| folder.sync_folder());
    synced.map_err(|error| {
        let path = shown(&draft.path);
        StorageError::Other(format!(
            "cannot remove {path}: cannot sync its folder: {error}"
        ))
    })
}

fn object(
    root: &Root,
    options: Options,
    mut draft: DirDraft,
    to_sync: &mut Option<File>,
    noted: Result<(), StorageError>,
) -> Result<Object, StorageError> {
    let undone = match draft.kind {
        Kind::Create(_) => create(root, options, &mut draft, to_sync),
        Kind::Replace { .. } => replace(root, options, &mut draft, to_sync),
        Kind::Remove(_) => noted.and_then(|()| remove(root, options, &mut draft, to_sync)),
    };
    Ok(Object {
        undone: undone?,
        path: draft.path.clone(),
        done: draft.done(),
        version: draft.version(),
        note: matches!(draft.kind, Kind::Remove(_)).then_some(draft),
    })
}

/// Makes one folder durable, once for all that was changed in it.
fn settle(
    changed: Changed,
    sync: impl Fn(&File) -> io::Result<()>,
) -> Vec<Numbered<Result<Option<Version>, StorageError>>> {
    let Changed { folder, objects } = changed;
    let any = objects.iter().any(|(_, object)| object.is_ok());
    let synced = folder
        .filter(|_| any)
        .map_or(Ok(()), |folder| sync(&folder));
    objects
        .into_iter()
        .map(|(number, object)| (number, object.and_then(|object| outcome(object, &synced))))
        .collect()
}

/// What became of an object that was changed.
fn outcome(mut object: Object, synced: &io::Result<()>) -> Result<Option<Version>, StorageError> {
    let Err(error) = synced else {
        return object.undone.map_or(Ok(object.version), Err);
    };
    if let Some(note) = &mut object.note {
        // A loss of power may bring the object back aside.
        note.is_given = true;
        note.abandon();
    }
    Err(StorageError::Other(format!(
        "{} was {}, but whether that outlives a loss of power is unknown: \
         cannot sync its folder: {error}",
        shown(&object.path),
        object.done,
    )))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::fs;
    use std::sync::mpsc;
    use std::thread;
    use std::time::Duration;

    use super::super::draft::stage;
    use super::super::testing::{Fixture, refusal, run};
    use super::*;
    use crate::storage::{Storage as _, StorageWriter as _};

    fn is_conflict<T>(result: &Result<T, StorageError>) -> bool {
        matches!(result, Err(StorageError::Conflict))
    }

    #[test]
    fn a_commit_replaces_and_returns_the_version_that_a_read_returns() {
        let fixture = Fixture::new();
        fixture.put("a", "old");
        fixture.put("folder/b", "old");
        let drafts = vec![
            fixture.draft("a", "new a"),
            fixture.draft("folder/b", "new b"),
        ];
        let versions: Vec<_> = fixture
            .commit(drafts)
            .into_iter()
            .map(Result::unwrap)
            .collect();
        assert_eq!(
            versions,
            [fixture.version("a"), fixture.version("folder/b")]
        );
        assert_eq!(fixture.get("a"), "new a");
        assert_eq!(fixture.get("folder/b"), "new b");
        assert_eq!(fixture.names(""), ["a", "folder"]);
        assert_eq!(fixture.names("folder"), ["b"]);
    }

    #[test]
    fn an_object_that_changed_meanwhile_is_kept() {
        let fixture = Fixture::new();
        for path in ["a", "b", "c", "d"] {
            fixture.put(path, "old");
        }
        let drafts = ["a", "b", "c", "d"].map(|path| fixture.draft(path, "new"));
        fixture.put("a", "theirs");
        fs::remove_file(fixture.root().join("b")).unwrap();
        fs::remove_file(fixture.root().join("c")).unwrap();
        fixture.link("d", "c");
        let mut results = fixture.commit(drafts.into());
        assert!(results.pop().unwrap().is_ok());
        assert_eq!(refusal(results.pop().unwrap()), "c is a symbolic link");
        let gone = results.pop().unwrap();
        assert!(matches!(gone, Err(StorageError::NotFound)));
        assert!(is_conflict(&results.pop().unwrap()));
        assert_eq!(fixture.get("a"), "theirs");
        assert_eq!(fixture.names(""), ["a", "c", "d"]);
    }

    #[test]
    fn an_object_that_was_changed_and_changed_back_is_the_same() {
        let fixture = Fixture::new();
        fixture.put("a", "old");
        let draft = fixture.draft("a", "new");
        fixture.put("a", "theirs");
        fixture.put("a", "old");
        assert!(fixture.commit(vec![draft]).remove(0).is_ok());
    }

    #[test]
    fn of_two_writers_one_wins() {
        let fixture = Fixture::new();
        fixture.put("a", "old");
        let other = super::super::DirStore::open(fixture.root()).unwrap();
        let (one, two) = (
            fixture.replacement("a", "one"),
            fixture.replacement("a", "two"),
        );
        let one = fixture.stage(vec![one]).remove(0).unwrap();
        let two = run(other.stage(vec![two.into()])).remove(0).unwrap();
        let mine = fixture.store.clone();
        let (one, two) = thread::scope(|scope| {
            let one = scope.spawn(|| run(mine.commit(vec![one])).remove(0));
            let two = scope.spawn(|| run(other.commit(vec![two])).remove(0));
            (one.join().unwrap(), two.join().unwrap())
        });
        assert!(one.is_ok() != two.is_ok());
        assert!(is_conflict(&one) || is_conflict(&two));
        let expected = if one.is_ok() { "one" } else { "two" };
        assert_eq!(fixture.get("a"), expected);
        assert_eq!(fixture.names(""), ["a"]);
    }

    #[test]
    fn of_two_drafts_of_one_object_in_a_batch_the_first_wins() {
        let fixture = Fixture::new();
        fixture.put("a", "old");
        let drafts = vec![fixture.draft("a", "one"), fixture.draft("a", "two")];
        let results = fixture.commit(drafts);
        assert!(results.first().unwrap().is_ok());
        assert!(is_conflict(results.last().unwrap()));
        assert_eq!(fixture.get("a"), "one");
    }

    #[test]
    fn a_path_that_leads_elsewhere_by_now_is_a_conflict() {
        let fixture = Fixture::new();
        fixture.put("folder/a", "old");
        let draft = fixture.draft("folder/a", "new");
        fs::rename(fixture.root().join("folder"), fixture.root().join("moved")).unwrap();
        fixture.put("folder/a", "old");
        assert!(is_conflict(&fixture.commit(vec![draft]).remove(0)));
        assert_eq!(fixture.get("folder/a"), "old");
        assert_eq!(fixture.get("moved/a"), "old");
        assert_eq!(fixture.names("moved"), ["a"]);
    }

    #[test]
    fn a_draft_that_was_taken_away_is_an_error_and_the_object_is_kept() {
        let fixture = Fixture::new();
        fixture.put("folder/a", "old");
        let draft = fixture.draft("folder/a", "new");
        let name = fixture.names("folder").remove(0);
        fs::remove_file(fixture.root().join("folder").join(name)).unwrap();
        let error = fixture.commit(vec![draft]).remove(0).err().unwrap();
        assert!(
            matches!(&error, StorageError::Other(text) if text.starts_with("cannot replace folder/a:")),
            "{error:?}"
        );
        assert_eq!(fixture.get("folder/a"), "old");
    }

    #[test]
    fn a_draft_of_another_store_is_refused() {
        let (one, two) = (Fixture::new(), Fixture::new());
        one.put("a", "old");
        two.put("a", "old");
        let draft = one.draft("a", "new");
        assert_eq!(
            refusal(two.commit(vec![draft]).remove(0)),
            "the draft is of another store"
        );
        assert_eq!(two.get("a"), "old");
        assert_eq!(one.names(""), ["a"]);
    }

    #[test]
    fn a_commit_waits_for_the_lock_of_another_process() {
        let fixture = Fixture::new();
        fixture.put("a", "old");
        let draft = fixture.draft("a", "new");
        let theirs = fs::File::open(fixture.root()).unwrap();
        theirs.lock().unwrap();
        let store = fixture.store.clone();
        let (done, is_done) = mpsc::channel();
        thread::scope(|scope| {
            scope.spawn(move || {
                done.send(run(store.commit(vec![draft])).remove(0)).unwrap();
            });
            // However slow the machine is, nothing comes while the lock is held.
            let early = is_done.recv_timeout(Duration::from_millis(50));
            assert!(early.is_err());
            assert_eq!(fixture.get("a"), "old");
            theirs.unlock().unwrap();
            assert!(is_done.recv().unwrap().is_ok());
        });
        assert_eq!(fixture.get("a"), "new");
    }

    #[test]
    fn a_commit_does_not_wait_for_ever() {
        let mut fixture = Fixture::new();
        fixture.put("a", "old");
        let root = Arc::get_mut(&mut fixture.store.root).unwrap();
        root.patience = Duration::ZERO;
        let drafts = vec![fixture.draft("a", "one"), fixture.draft("a", "two")];
        let theirs = fs::File::open(fixture.root()).unwrap();
        theirs.lock().unwrap();
        for result in fixture.commit(drafts) {
            let error = result.err().unwrap();
            assert!(
                matches!(&error, StorageError::Other(text) if text.starts_with("another process")),
                "{error:?}"
            );
        }
        assert_eq!(fixture.get("a"), "old");
        assert_eq!(fixture.names(""), ["a"]);
    }

    #[test]
    fn a_lock_on_the_store_does_not_keep_readers_out() {
        let fixture = Fixture::new();
        fixture.put("a", "old");
        let theirs = fs::File::open(fixture.root()).unwrap();
        theirs.lock().unwrap();
        assert_eq!(run(fixture.store.read(b"a")).unwrap().bytes, b"old");
        assert_eq!(fixture.list(b"", None), ["a"]);
    }

    #[test]
    fn a_folder_is_synced_once_and_its_failure_is_that_of_each_object_in_it() {
        let fixture = Fixture::new();
        let paths = ["folder/a", "folder/b", "folder/c"];
        for path in paths {
            fixture.put(path, "old");
        }
        let replacements = paths.map(|path| fixture.replacement(path, "new"));
        let drafts: Vec<_> = stage(
            &fixture.store.root,
            100,
            replacements.map(Into::into).into(),
        )
        .into_iter()
        .map(|draft| draft.ok().unwrap())
        .enumerate()
        .collect();
        fixture.put("folder/b", "theirs");

        let syncs = Cell::new(0);
        let results = settle(
            folder(&fixture.store.root, fixture.store.options, drafts),
            |_| {
                syncs.set(syncs.get() + 1);
                Err(io::Error::from_raw_os_error(5)) // EIO
            },
        );
        assert_eq!(syncs.get(), 1);
        let texts: Vec<_> = results
            .into_iter()
            .map(|(_, result)| match result {
                Err(StorageError::Other(text)) => text,
                Err(StorageError::Conflict) => "conflict".into(),
                Err(other) => panic!("{other:?}"),
                Ok(_) => "ok".into(),
            })
            .collect();
        let unknown = |path| {
            format!(
                "{path} was replaced, but whether that outlives a loss of power is unknown: \
                 cannot sync its folder: Input/output error (os error 5)"
            )
        };
        assert_eq!(
            texts,
            [unknown("folder/a"), "conflict".into(), unknown("folder/c")]
        );
    }

    #[test]
    fn a_large_batch_over_many_folders_keeps_its_order() {
        let fixture = Fixture::new();
        let paths: Vec<_> = (0..100)
            .map(|number| format!("folder-{}/{number}", number % 30))
            .collect();
        for path in &paths {
            fixture.put(path, "old");
        }
        let replacements = paths
            .iter()
            .map(|path| fixture.replacement(path, &format!("new {path}")))
            .collect();
        let drafts: Vec<_> = fixture
            .stage(replacements)
            .into_iter()
            .map(Result::unwrap)
            .collect();
        let versions = fixture.commit(drafts);
        for (path, version) in paths.iter().zip(versions) {
            assert_eq!(fixture.get(path), format!("new {path}"));
            assert_eq!(version.unwrap(), fixture.version(path));
        }
    }
}
