//! Every crash point of a kind of store, one after the other.

use std::fmt;
use std::sync::Arc;

use crate::check::{Lost, is_whole, run, said_all};
use crate::mode::{Mode, Point};
use crate::workload::Workload;
use crate::world::World;

/// Many times the operations of any run here; a run that goes on for longer never ends.
const OPERATIONS: usize = 10_000;

/// How it went.
#[derive(Clone, Default)]
pub struct Tally {
    /// Operations that something went wrong at.
    pub points: usize,
    /// Worlds that a process found afterwards. After a power loss there are several.
    pub worlds: usize,
    /// What was lost.
    pub lost: Lost,
}

impl Tally {
    pub fn add(&mut self, other: Self) {
        self.points += other.points;
        self.worlds += other.worlds;
        self.lost.extend(other.lost);
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            points,
            worlds,
            lost,
        } = self;
        write!(
            f,
            "{points} points, {worlds} stores after them, {} lost",
            lost.len()
        )
    }
}

/// Lets the first operation of a workload go wrong, then the next as far from it as this kind of store
/// strides, until a run comes to its end
/// before it is reached.
pub fn enumerate<W: World>(workload: &Workload, mode: Mode, make: impl Fn() -> W) -> Tally {
    points(workload, mode, make, |_| false)
}

/// Whether a loss is found at any of these points.
pub fn finds_a_loss<W: World>(workload: &Workload, mode: Mode, make: impl Fn() -> W) -> bool {
    let has_lost = |tally: &Tally| !tally.lost.is_empty();
    has_lost(&points(workload, mode, make, has_lost))
}

fn points<W: World>(
    workload: &Workload,
    mode: Mode,
    make: impl Fn() -> W,
    is_enough: impl Fn(&Tally) -> bool,
) -> Tally {
    let mut tally = Tally::default();
    for at in (1..OPERATIONS).step_by(W::stride(mode)) {
        let point = Arc::new(Point::new(mode, at));
        let world = make();
        let report = run(workload, &world, &point);
        let mut lost = Lost::new();
        if let (true, Some(cause)) = (point.was_met(), mode.reports()) {
            lost.extend(said_all(workload, &report, cause));
        }
        for world in world.after(mode) {
            lost.extend(is_whole(workload, &world, &report));
            tally.worlds += 1;
        }
        let name = workload.name;
        let tell = |what| format!("{name}, {mode}, operation {at}: {what}");
        tally.lost.extend(lost.into_iter().map(tell));
        if !point.was_met() || is_enough(&tally) {
            return tally;
        }
        tally.points += 1;
    }
    panic!("the run does not end");
}
