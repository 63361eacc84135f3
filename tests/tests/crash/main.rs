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
mod enumerate;
mod memory;
mod mode;
mod shadow;
mod workload;
mod world;

use std::process::ExitCode;
use std::sync::{Arc, Mutex};

use libtest_mimic::{Arguments, Failed, Trial};

use crate::dir::Dir;
use crate::enumerate::{Tally, enumerate};
use crate::memory::Memory;
use crate::mode::Mode;
use crate::shadow::Lie;
use crate::workload::WORKLOADS;
use crate::world::World;

type Sum = Arc<Mutex<Tally>>;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let sum = Sum::default();
    let mut trials = Vec::new();
    add::<Dir>(&mut trials, &sum);
    add::<Memory>(&mut trials, &sum);
    trials.push(Trial::test(
        "a_store_that_does_not_sync_loses_objects",
        without_syncs,
    ));
    let conclusion = libtest_mimic::run(&arguments, trials);
    let sum = sum.lock().unwrap();
    println!(
        "{} crash points, {} objects lost",
        sum.points,
        sum.lost.len()
    );
    conclusion.exit_code()
}

/// A kind of store: each of its modes with each of the workloads.
fn add<W: World>(trials: &mut Vec<Trial>, sum: &Sum) {
    for mode in W::modes() {
        for workload in &WORKLOADS {
            let sum = Arc::clone(sum);
            let name = format!("{}: {mode}: {}", W::NAME, workload.name);
            trials.push(Trial::test(name.clone(), move || {
                let objects = &(workload.before)().tree;
                let tally = enumerate(workload, mode, || W::of(objects));
                let Tally {
                    points,
                    worlds,
                    lost,
                } = tally;
                println!("{name}: {points} points, {worlds} worlds after them");
                let first: Vec<_> = lost.iter().take(5).cloned().collect();
                let mut sum = sum.lock().unwrap();
                sum.points += points;
                sum.worlds += worlds;
                sum.lost.extend(lost);
                if first.is_empty() {
                    Ok(())
                } else {
                    Err(first.join("\n").into())
                }
            }));
        }
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
        println!("{lie:?}: {} losses found", tally.lost.len());
    }
    Ok(())
}
