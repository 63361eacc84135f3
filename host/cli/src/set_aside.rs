//! `iamseal set-aside`: objects out of the server's way, into a journal.

mod plan;

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::process::ExitCode;

use iamseal::contract::{ObjectError, StorageError};
use iamseal::journal::{UNKEPT, UNWRITTEN};
use iamseal::storage::{Change, Removal, StorageWriter};
use serde_json::{Value, json};

use self::plan::Planned;
use crate::arguments::{Common, SetAside};
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::progress::Progress;
use crate::report::{notes, why::Why, words};
use crate::run::{self, On, Run};
use crate::store::Access;
use crate::tally::Tally;
use crate::{keys, load, output, standing, store, workers};

/// What an object is called that is gone, that would be, and that stays.
const SET_ASIDE: &str = "set-aside";
const WOULD: &str = "would-set-aside";
/// What is said of an object before anything is done.
const PLANNED: &str = "to set aside";
const FAILED: &str = "failed";

pub async fn run(common: &Common, command: &SetAside) -> Result<ExitCode, Failure> {
    let paths = plan::named(&command.paths)?;
    let access = Access::of(command.writes, command.dry_run);
    let store = store::open_whole(common, &command.store, access).await?;
    let keyring = keys::keyring(common)?;
    let auditor = load::auditor(common, keyring.clone(), Some(store.clone())).await?;
    let mut interrupt = Interrupt::listen()?;
    let planning = plan::of(common, command, paths, &*store, &auditor);
    let planned = interrupt.unless(planning).await??;
    let on = On {
        store: store.clone(),
        given: &command.store,
    };
    let paths: BTreeSet<_> = planned.iter().map(|object| &*object.path).collect();
    let goes = |path: &[u8]| paths.contains(path).then_some(false);
    standing::tell(common, &*store, notes::CONFIG, goes).await;
    let kind = store::kind(&*store, &command.store);
    if command.dry_run && !keys::has_any(&keyring) {
        output::note(common.json, notes::RUN_NEEDS_KEY);
    }
    let mut tally = Tally::default();
    let mut stopped = None;
    // Whoever does not want to lose that reads of it before anything goes.
    for object in &planned {
        if let Some(error) = &object.failed {
            let why = why(error, &object.path, kind);
            tally.failed(FAILED, why.cause);
        } else if command.dry_run {
            tally.plain(WOULD);
        }
        if stopped.is_none() {
            stopped = output::line(&told(common, command.dry_run, object, kind)).err();
        }
    }
    if planned.is_empty() {
        output::note(common.json, NOTHING);
    }
    let objects = planned.into_iter().filter_map(Planned::removal);
    let mut objects: Vec<_> = objects.collect();
    if command.dry_run || objects.is_empty() || stopped.is_some() {
        return run::finish(common, &on, None, tally, stopped, &mut interrupt).await;
    }
    let work = format!("set {} aside", notes::count(objects.len(), "object"));
    let begun = interrupt.unless(async {
        store::sweep(common, &*store, notes::CONFIG).await;
        Run::begin(common, &keyring, &command.journal, &on, &work).await
    });
    let run = match begun.await.flatten() {
        Ok(run) => run,
        Err(failure) => return Err(run::not_begun(common, &on, failure).await),
    };
    let progress = Progress::new(common, Some(objects.len() as u64));
    let batch = workers::batch(NonZeroU32::MIN).min(store::batch(&command.store)) as usize;
    while stopped.is_none() && !objects.is_empty() {
        // A batch is never dropped midway: Ctrl-C is answered between two.
        stopped = interrupt.pressed();
        if stopped.is_some() {
            break;
        }
        let rest = objects.split_off(batch.min(objects.len()));
        let steps = remove(&*run.store(), std::mem::replace(&mut objects, rest)).await;
        let said = steps.iter().map(|(path, failed)| {
            let outcome = if failed.is_some() { FAILED } else { SET_ASIDE };
            (path.as_slice(), outcome, failed.is_none())
        });
        run.report(said).await;
        for (path, failed) in &steps {
            let why = failed.as_ref().map(|error| why(error, path, kind));
            match &why {
                Some(why) => tally.failed(FAILED, why.cause),
                None => tally.plain(SET_ASIDE),
            }
            // What is done is counted even where nobody reads of it.
            if let Some(line) = line(common, path, why.as_ref()).filter(|_| stopped.is_none()) {
                stopped = progress.object(why.map(|why| why.cause), &line).err();
            }
        }
        progress.advance(steps.len());
        if stopped.is_none() {
            stopped = run.gives_up();
        }
    }
    if stopped.is_none() {
        stopped = progress.unnamed().err();
    }
    progress.finish();
    output::note(common.json, notes::SET_ASIDE);
    run::finish(common, &on, Some(run), tally, stopped, &mut interrupt).await
}

/// That no object fails for what was asked for.
const NOTHING: &str = "no object fails for that cause, with these keys";

/// What is told of an object before anything is done.
fn told(common: &Common, is_dry: bool, object: &Planned, kind: store::Kind) -> String {
    let path = &object.path;
    if let Some(error) = &object.failed {
        let why = why(error, path, kind);
        return match common.json {
            true => json_line(path, FAILED, Some(&why)),
            false => words::failure_lines(FAILED, &why, path),
        };
    }
    if !common.json {
        let name = if is_dry { WOULD } else { PLANNED };
        return words::lost_lines(name, &object.loss, path);
    }
    let mut fields = words::path_fields(path);
    fields.insert("loss".into(), object.loss.clone().into());
    let plan = words::json_line(&json!({ "plan": fields }));
    match is_dry {
        true => format!("{plan}\n{}", json_line(path, WOULD, None)),
        false => plan,
    }
}

/// Removes objects as they were planned. Returns why one was not, by its path.
async fn remove(
    writer: &dyn StorageWriter,
    removals: Vec<Removal>,
) -> Vec<(Vec<u8>, Option<StorageError>)> {
    let few = || StorageError::Other("the store answered for too few drafts".into());
    let paths: Vec<_> = removals.iter().map(|old| old.path.clone()).collect();
    let changes = removals.into_iter().map(Change::Remove);
    let mut staged = writer.stage(changes.collect()).await.into_iter();
    let (mut drafts, mut steps) = (Vec::new(), Vec::new());
    for path in paths {
        match staged.next().unwrap_or_else(|| Err(few())) {
            Ok(draft) => {
                drafts.push(draft);
                steps.push((path, None));
            }
            Err(error) => steps.push((path, Some(error))),
        }
    }
    let mut committed = writer.commit(drafts).await.into_iter();
    for (_, failed) in steps.iter_mut().filter(|(_, failed)| failed.is_none()) {
        *failed = committed.next().unwrap_or_else(|| Err(few())).err();
    }
    steps
}

/// Why an object stays where it is.
fn why(error: &StorageError, path: &[u8], kind: store::Kind) -> Why {
    let mut why = Why::from(&ObjectError::Storage(error.clone()));
    if why.message.contains(UNKEPT) {
        UNKEPT.clone_into(&mut why.message);
        why.cure = Some(notes::KEY_TO_KEEP.into());
    } else if why.message.contains(UNWRITTEN) {
        why.cure = Some("run it again with --journal FOLDER, on a disk that has room".into());
    } else if kind == store::Kind::Drives && matches!(error, StorageError::Other(_)) {
        why.cure = Some(notes::move_off_drives(path));
    }
    why
}

/// For people: what failed. What was done they have read of before.
fn line(common: &Common, path: &[u8], why: Option<&Why>) -> Option<String> {
    match (common.json, why) {
        (true, None) => Some(json_line(path, SET_ASIDE, None)),
        (true, why) => Some(json_line(path, FAILED, why)),
        (false, why) => why.map(|why| words::failure_lines(FAILED, why, path)),
    }
}

fn json_line(path: &[u8], outcome: &str, why: Option<&Why>) -> String {
    let mut fields = words::path_fields(path);
    fields.insert("outcome".into(), outcome.into());
    if let Some(why) = why {
        fields.insert("error".into(), words::error_json(why));
    }
    words::json_line(&Value::Object(fields))
}
