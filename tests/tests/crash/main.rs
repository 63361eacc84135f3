//! A store that fails, is killed, tears or loses its power at each of its operations in turn.
//!
//! At every crash point of every workload a fresh process then finds every object opening, in its
//! old form or in the new one, and nothing else touched; what was reported as done is done, what
//! went wrong was said; and running again finishes the work.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

mod calls;
mod check;
mod dir;
mod drives;
mod enumerate;
mod etcd;
mod journaled;
mod life;
mod memory;
mod minio;
mod mode;
mod platters;
mod prepared;
mod race;
mod s3;
mod shadow;
mod workload;
mod world;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};

use libtest_mimic::{Arguments, Failed, Trial};

use crate::dir::Dir;
use crate::drives::{Degraded, Drives};
use crate::enumerate::{Tally, enumerate, finds_a_loss};
use crate::etcd::Etcd;
use crate::memory::Memory;
use crate::mode::Mode;
use crate::platters::Lie as OfDrives;
use crate::s3::S3;
use crate::shadow::Lie;
use crate::workload::WORKLOADS;
use crate::world::World;

/// How much is told of what was lost: one mistake is found at many points.
const SHOWN: usize = 5;

/// What came of each kind of store in each mode.
type Sums = Arc<Mutex<BTreeMap<String, Tally>>>;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let sums = Sums::default();
    let mut trials = Vec::new();
    add::<Dir>(&mut trials, &sums);
    add::<Drives>(&mut trials, &sums);
    add::<Degraded<0>>(&mut trials, &sums);
    add::<Degraded<1>>(&mut trials, &sums);
    add::<Degraded<2>>(&mut trials, &sums);
    add::<Degraded<3>>(&mut trials, &sums);
    add::<Memory>(&mut trials, &sums);
    add::<Etcd>(&mut trials, &sums);
    add::<S3>(&mut trials, &sums);
    trials.push(Trial::test(
        "a_store_that_does_not_sync_loses_objects",
        without_syncs,
    ));
    trials.push(Trial::test(
        "drives_that_are_written_in_another_order_or_not_synced_lose_objects",
        in_another_order,
    ));
    for act in race::ACTS {
        for workload in &WORKLOADS[..2] {
            let name = format!(
                "directory, a writer in every gap, {act:?}: {}",
                workload.name
            );
            let test = move || race::migration(workload, act);
            trials.push(Trial::test(name, test));
        }
        let name = format!("directory, a writer in every gap, {act:?}, and killed");
        trials.push(Trial::test(name, move || race::killed(act)));
    }
    trials.push(Trial::test(
        "a_store_that_compares_and_then_renames_loses_what_is_written_between",
        race::a_rename_loses,
    ));
    for mode in Dir::modes() {
        let name = format!("life, {mode}: objects are created, replaced and removed");
        trials.push(Trial::test(name, move || life::changed(mode)));
        let name = format!("life, {mode}: the same with a journal, taken back");
        trials.push(Trial::test(name, move || life::taken_back(mode)));
    }
    for mode in Drives::modes() {
        let name = format!("life on drives, {mode}: objects are created, replaced and removed");
        trials.push(Trial::test(name, move || life::on_drives(mode)));
    }
    for did in life::DONE {
        let name = format!("life, a writer in every gap, and killed: {did:?}");
        trials.push(Trial::test(name, move || life::raced(did)));
    }
    trials.push(Trial::test(
        "life on drives, without syncs objects are lost",
        life::on_drives_without_syncs,
    ));
    trials.push(Trial::test(
        "life, without syncs of folders objects are lost",
        life::without_syncs,
    ));
    trials.push(Trial::test(
        "directory, a writer that never stops",
        race::stress,
    ));
    let conclusion = libtest_mimic::run(&arguments, trials);
    etcd::stop();
    s3::stop();
    print(&sums.lock().unwrap());
    conclusion.exit_code()
}

/// A kind of store: each of its modes with each of the workloads.
fn add<W: World>(trials: &mut Vec<Trial>, sums: &Sums) {
    for mode in W::modes() {
        for workload in &WORKLOADS {
            let sums = Arc::clone(sums);
            let kind = format!("{}, {mode}", W::NAME);
            let test = move || {
                let before = (workload.before)();
                let tally = enumerate(workload, mode, || W::of(&before.tree, &before.journals));
                let lost: Vec<_> = tally.lost.iter().take(SHOWN).cloned().collect();
                sums.lock().unwrap().entry(kind).or_default().add(tally);
                if lost.is_empty() {
                    Ok(())
                } else {
                    Err(lost.join("\n").into())
                }
            };
            let name = format!("{}, {mode}: {}", W::NAME, workload.name);
            trials.push(Trial::test(name, test));
        }
    }
}

fn print(sums: &BTreeMap<String, Tally>) {
    let mut all = Tally::default();
    for (kind, sum) in sums {
        println!("{kind}: {sum}");
        all.add(sum.clone());
    }
    if !sums.is_empty() {
        println!(
            "{} crash points, {} objects lost",
            all.points,
            all.lost.len()
        );
    }
}

/// The proof that the enumeration finds what it looks for.
fn without_syncs() -> Result<(), Failed> {
    let workload = &WORKLOADS[0];
    let objects = &(workload.before)().tree;
    for lie in [
        Lie::FilesAreNotSynced,
        Lie::FoldersAreNotSynced,
        Lie::RenamesComeFirst,
    ] {
        let tally = enumerate(workload, Mode::PowerLost, || Dir::lying(objects, Some(lie)));
        if tally.lost.is_empty() {
            return Err(format!("{lie:?}, and nothing was lost").into());
        }
    }
    Ok(())
}

/// The same for drives.
fn in_another_order() -> Result<(), Failed> {
    let workload = &WORKLOADS[0];
    let objects = &(workload.before)().tree;
    for (lie, mode) in [
        (OfDrives::Descending, Mode::Killed),
        (OfDrives::SameTime, Mode::Killed),
        (OfDrives::NoSyncs, Mode::PowerLost),
    ] {
        if !finds_a_loss(workload, mode, || Drives::lying(objects, Some(lie))) {
            return Err(format!("{lie:?}, and nothing was lost").into());
        }
    }
    Ok(())
}
