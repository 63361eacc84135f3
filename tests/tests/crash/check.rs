//! What the next process finds after a run that went wrong, and what that run had said.

use std::fmt::Debug;
use std::sync::Arc;

use iamseal_core::{Cursor as _, Error, Outcome, Policy, Storage as _};
use iamseal_tests::backend::{Backend as _, Native};
use iamseal_tests::bridge::Bridge;

use crate::journaled::taken_back;
use crate::mode::{Cause, Point};
use crate::shadow::Content;
use crate::workload::{Object, PREFIX, Process, Report, STORE, Workload, keys};
use crate::world::{Opened, World};

/// Everything that is not as it was promised; empty if all is well.
pub type Lost = Vec<String>;

/// Does the work in a process of its own.
pub fn run<W: World>(workload: &Workload, world: &W, point: &Arc<Point>) -> Report {
    match world.open(point) {
        Ok(opened) => (workload.run)(process(opened)),
        Err(error) => Report {
            steps: Vec::new(),
            ended: Some(Error::Other(error)),
        },
    }
}

/// What a process has: the keys, the store and its journals.
pub fn process(opened: Opened) -> Process {
    let Opened {
        storage,
        writer,
        journals,
    } = opened;
    let keys = keys();
    let lent = Bridge {
        keys,
        storage,
        writer,
    };
    Process { lent, journals }
}

/// A process that nothing happens to.
fn fresh<W: World>(world: &W) -> Process {
    process(world.open(&Arc::new(Point::never())).unwrap())
}

/// What the store says of a folder that it could not list and can read now.
const PASSED: &str = "could not be read when it was listed";

/// Whether a run that went on said what became of every object, and why.
pub fn said_all(workload: &Workload, report: &Report, cause: Cause) -> Lost {
    let mut lost = Lost::new();
    let mut failed = false;
    for object in &(workload.before)().objects {
        match outcome(report, object) {
            Some(Outcome::Migrated(_) | Outcome::Unchanged(_)) => {}
            Some(_) => failed = true,
            // A folder that could not be listed stands for what is in it.
            None if report.steps.iter().any(|step| is_in(object, &step.path)) => failed = true,
            None if report.ended.is_some() => failed = true,
            None => lost.push(format!("not reported: {}", shown(object))),
        }
    }
    let texts = format!("{:?} {:?}", report.ended, report.steps);
    let is_told = texts.to_lowercase().contains(&cause.words()) || texts.contains(PASSED);
    if failed && !is_told {
        lost.push(format!("the cause was not told: {texts}"));
    }
    lost
}

/// Whether a fresh process finds every object whole and everything else untouched, and finishes
/// the work.
pub fn is_whole<W: World>(workload: &Workload, world: &W, report: &Report) -> Lost {
    let sample = (workload.before)();
    let mut lost = Lost::new();
    let fresh = fresh(world);
    let process = &fresh.lent;
    for object in &sample.objects {
        let said = matches!(outcome(report, object), Some(Outcome::Migrated(_)));
        match is_new(workload, process, object) {
            Ok(false) if said => lost.push(format!("{} was reported, is old", shown(object))),
            Ok(_) => {}
            Err(error) => lost.push(error),
        }
    }
    let listed = list(process);
    let wanted: Vec<_> = sample
        .tree
        .keys()
        .filter(|path| path.starts_with(PREFIX))
        .collect();
    if !listed.iter().eq(wanted) {
        lost.push(format!("the listing is another one: {listed:?}"));
    }

    world.sweep();
    if workload.is_taken_back && world.takes_back() {
        lost.extend(taken_back(sample, &fresh));
    }
    let again = (workload.run)(fresh.clone());
    if let Some(error) = &again.ended {
        lost.push(format!("running again ends early: {error:?}"));
    }
    for object in &sample.objects {
        match is_new(workload, process, object) {
            Ok(true) => {}
            Ok(false) => lost.push(format!("{} stays old", shown(object))),
            Err(error) => lost.push(error),
        }
    }
    others_are_untouched(workload, world, &mut lost);
    lost
}

/// Opens an object with all keys: whether it has its new form, not the old one.
fn is_new(workload: &Workload, process: &Bridge, object: &Object) -> Result<bool, String> {
    let wrong = |what: &dyn Debug| format!("{}: {what:?}", shown(object));
    let stored = process.read(&object.path).map_err(|error| wrong(&error))?;
    if stored.bytes == object.stored {
        return Ok((workload.is_done)(&object.found));
    }
    let native = Native::new(keys(), STORE);
    let opened = native
        .unseal(&object.path, &stored.bytes, Policy::Compatible)
        .map_err(|error| wrong(&error))?;
    if opened.plaintext != object.plaintext {
        return Err(wrong(&"it holds something else"));
    }
    if !(workload.is_done)(&opened.found) {
        return Err(wrong(&("neither old nor new", opened.found)));
    }
    Ok(true)
}

fn list(process: &Bridge) -> Vec<Vec<u8>> {
    let mut cursor = process.list(PREFIX, None).unwrap();
    let mut paths = Vec::new();
    loop {
        let page = cursor.next().unwrap();
        if page.is_empty() {
            return paths;
        }
        paths.extend(page);
    }
}

/// There are the files that were there before, with their modes and owners and nothing beside them,
/// and those that are no objects hold what they held.
fn others_are_untouched<W: World>(workload: &Workload, world: &W, lost: &mut Lost) {
    let sample = (workload.before)();
    let everything = world.everything();
    if !everything.keys().eq(sample.tree.keys()) {
        lost.push(format!("there are other files: {:?}", everything.keys()));
    }
    for (path, content) in everything {
        let Some(before) = sample.tree.get(&path) else {
            continue;
        };
        let is_object = sample.objects.iter().any(|object| object.path == path);
        let Content { bytes, mode, owner } = content;
        if (mode, owner) != (before.mode, before.owner) || (!is_object && bytes != before.bytes) {
            let path = String::from_utf8_lossy(&path);
            lost.push(format!("{path} was changed"));
        }
    }
}

fn outcome<'a>(report: &'a Report, object: &Object) -> Option<&'a Outcome> {
    let mut steps = report.steps.iter();
    let step = steps.find(|step| step.path == object.path);
    step.map(|step| &step.outcome)
}

fn is_in(object: &Object, folder: &[u8]) -> bool {
    folder.ends_with(b"/") && object.path.starts_with(folder)
}

fn shown(object: &Object) -> String {
    String::from_utf8_lossy(&object.path).into_owned()
}
