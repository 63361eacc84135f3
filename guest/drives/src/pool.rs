//! The pools of a deployment, as its drives describe them.

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use crate::files::Drive;
use crate::format::{Format, Uuid};
use crate::placement::Algorithm;

/// A pool of sets.
pub struct Pool {
    /// What people call it; empty if it is the only one.
    pub name: String,
    deployment: Uuid,
    algorithm: Algorithm,
    /// The drives that it has, set by set.
    ids: Vec<Vec<Uuid>>,
    /// Its sets, each a list of drives in order: those that are there and may be counted.
    pub sets: Vec<Vec<Option<Drive>>>,
}

impl Pool {
    /// The set of an object.
    pub fn set(&self, path: &[u8]) -> &[Option<Drive>] {
        let set = self.algorithm.set(&self.deployment, path, self.sets.len());
        self.sets.get(set).map_or(&[], Vec::as_slice)
    }

    /// A pool as a drive of it describes it, none of whose drives were placed.
    pub fn of(format: &Format) -> Self {
        let sets = format.sets.iter();
        Self {
            name: String::new(),
            deployment: format.deployment,
            algorithm: format.algorithm,
            ids: format.sets.clone(),
            sets: sets.map(|set| vec![None; set.len()]).collect(),
        }
    }

    /// Whether a drive describes it so.
    pub fn is_of(&self, format: &Format) -> bool {
        self.ids == format.sets && self.algorithm == format.algorithm
    }

    /// Whether the two say different things of some drive.
    pub fn contradicts(&self, other: &Self) -> bool {
        let ids: BTreeSet<&Uuid> = self.ids.iter().flatten().collect();
        other.ids.iter().flatten().any(|id| ids.contains(id))
    }

    /// Of how many drives it is.
    fn size(&self) -> usize {
        self.ids.iter().map(Vec::len).sum()
    }
}

/// The pools of a deployment, whatever the order of the drives. Most drives decide: what fewer or as many
/// say against others is no pool. Nor is, beside a larger pool, one of a single drive, which no server
/// has, or one of which at most half the drives are there where the larger one lacks some: whoever can write to one drive
/// could make it up.
pub fn pools(formats: &[Option<Format>], deployment: &Uuid) -> Vec<Pool> {
    let mut said: Vec<(Pool, Vec<Uuid>)> = Vec::new();
    for format in formats.iter().flatten() {
        if format.deployment != *deployment || position(format).is_none() {
            continue;
        }
        match said.iter_mut().find(|(pool, _)| pool.is_of(format)) {
            Some((_, drives)) if drives.contains(&format.this) => {}
            Some((_, drives)) => drives.push(format.this),
            None => said.push((Pool::of(format), vec![format.this])),
        }
    }
    let is_pool = |number: usize, pool: &Pool, drives: &[Uuid]| {
        let is_half = pool.ids.iter().any(|set| {
            let here = set.iter().filter(|id| drives.contains(id)).count();
            here <= set.len() / 2
        });
        let others = said.iter().enumerate();
        let mut others = others.filter(|(other, _)| *other != number);
        !others.any(|(_, (other, others))| {
            let is_outvoted = others.len() >= drives.len() && pool.contradicts(other);
            let is_beside = pool.size() == 1;
            let is_made_up = is_half && others.len() > drives.len() && others.len() < other.size();
            is_outvoted || is_beside || is_made_up
        })
    };
    let kept: Vec<bool> = (0..)
        .zip(&said)
        .map(|(number, (pool, drives))| is_pool(number, pool, drives))
        .collect();
    let pools = said.into_iter().zip(kept);
    pools
        .filter_map(|((pool, _), is_pool)| is_pool.then_some(pool))
        .collect()
}

/// The set of a drive and its place in it, as the drive has it; none if it does not name itself.
pub fn position(format: &Format) -> Option<(usize, usize)> {
    let mut sets = format.sets.iter().enumerate();
    sets.find_map(|(number, set)| {
        let place = set.iter().position(|id| *id == format.this)?;
        Some((number, place))
    })
}
