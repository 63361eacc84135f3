//! `iamseal set-aside`: objects out of the server's way, into a journal.

mod plan;

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::process::ExitCode;

use iamseal::contract::{ObjectError, StorageError};
use iamseal::journal::{UNKEPT, UNWRITTEN};
use iamseal::storage::{Change, Removal, StorageWriter};
use serde_json::json;

use self::plan::Planned;
use crate::arguments::{Common, SetAside};
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::opening::Opening;
use crate::report::{notes, why::Why, words};
use crate::run::{self, On};
use crate::steps::{FAILED, Step, Telling};
use crate::store::Access;
use crate::tally::Tally;
use crate::{keys, load, output, standing, store, workers};

/// What an object is called that is gone, that would be, and that stays.
const SET_ASIDE: &str = "set-aside";
const WOULD: &str = "would-set-aside";
/// What is said of an object before anything is done.
const PLANNED: &str = "to set aside";

pub async fn run(common: &Common, command: &SetAside) -> Result<ExitCode, Failure> {
    let paths = plan::named(&command.paths)?;
    let access = Access::of(command.writes, command.dry_run);
    let store = store::open_whole(common, &command.store, access).await?;
    let keyring = keys::keyring(common)?;
    let auditor = load::auditor(common, keyring.clone(), Some(store.clone())).await?;
    let mut interrupt = Interrupt::listen()?;
    let mut opening = Opening::with(common, keyring.clone(), command.credentials.try_all).await?;
    let planning = plan::of(common, command, paths, &*store, &auditor, &mut opening);
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
    let (work, place) = ((notes::CONFIG, &*work), &command.journal);
    let run = run::start(common, &keyring, place, &on, work, &mut interrupt).await?;
    let batch = workers::batch(NonZeroU32::MIN).min(store::batch(&command.store)) as usize;
    let mut telling = Telling::new(common, Some(&run), objects.len(), tally);
    // A batch is never dropped midway: Ctrl-C is answered between two.
    while !objects.is_empty() && telling.goes_on(interrupt.pressed()) {
        let rest = objects.split_off(batch.min(objects.len()));
        let steps = remove(&*run.store(), std::mem::replace(&mut objects, rest)).await;
        let steps = steps.into_iter().map(|(path, failed)| match failed {
            None => Step::new(path, SET_ASIDE).written(),
            Some(error) => {
                let why = why(&error, &path, kind);
                Step::new(path, FAILED).failed(why)
            }
        });
        telling.batch(&steps.collect::<Vec<_>>()).await;
    }
    let (tally, stopped) = telling.end();
    output::note(common.json, notes::SET_ASIDE);
    run::finish(common, &on, Some(run), tally, stopped, &mut interrupt).await
}

/// That no object fails for what was asked for.
const NOTHING: &str = "no object fails for that cause, with these keys";

/// What is told of an object before anything is done.
fn told(common: &Common, is_dry: bool, object: &Planned, kind: store::Kind) -> String {
    let path = &object.path;
    if let Some(error) = &object.failed {
        let step = Step::new(path.clone(), FAILED).failed(why(error, path, kind));
        return step.line(common).unwrap_or_default();
    }
    if !common.json {
        let name = if is_dry { WOULD } else { PLANNED };
        return words::lost_lines(name, &object.loss, path);
    }
    let mut fields = words::path_fields(path);
    fields.insert("loss".into(), object.loss.clone().into());
    let plan = words::json_line(&json!({ "plan": fields }));
    match is_dry {
        true => format!("{plan}\n{}", Step::new(path.clone(), WOULD).json()),
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
