//! What an operator is told of objects besides their bytes, before anything is written.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use iamseal::storage::{Standing, Store};

use crate::arguments::Common;
use crate::output;
use crate::report::notes;

/// Objects of which the same is to be told.
#[derive(Default)]
struct Told {
    objects: u64,
    /// The first of them.
    first: Vec<String>,
}

/// Tells which objects under `prefix` have another name, and which will be plaintext for others to
/// read. `becomes_plaintext` says of a path whether its object becomes plaintext; none if it is not
/// looked at.
pub async fn tell(
    common: &Common,
    store: &dyn Store,
    prefix: &[u8],
    becomes_plaintext: impl Fn(&[u8]) -> Option<bool> + Send + Sync,
) {
    tell_of_new(common, store, prefix, becomes_plaintext, &BTreeSet::new()).await;
}

/// The same, and of these paths, wherever there is no object, that one will be plaintext there for others to
/// read: it is made with the mode of the object next to it.
pub async fn tell_of_new(
    common: &Common,
    store: &dyn Store,
    prefix: &[u8],
    becomes_plaintext: impl Fn(&[u8]) -> Option<bool> + Send + Sync,
    new: &BTreeSet<Vec<u8>>,
) {
    let (mut linked, mut open) = (Told::default(), Told::default());
    let mut there = BTreeMap::new();
    let mut see = |path: &[u8], standing: Standing| {
        if !new.is_empty() {
            there.insert(path.to_vec(), standing.is_open);
        }
        let Some(plaintext) = becomes_plaintext(path) else {
            return;
        };
        if standing.has_other_names {
            linked.see(path);
        }
        if plaintext && standing.is_open {
            open.see(path);
        }
    };
    // What keeps the store from being listed keeps the command itself from its work, and is told then.
    let _ = store.survey(prefix, &mut see).await;
    for path in new.iter().filter(|path| !there.contains_key(*path)) {
        let is_open = store.new_is_open(path).await;
        if is_open.unwrap_or_else(|| next_to(&there, path)) {
            open.see(path);
        }
    }
    linked.tell(common, notes::other_names);
    open.tell(common, notes::open_plaintext);
}

/// Whether others can read the object next to where one is made, for a store that does not tell: of those before and after it in the order of
/// paths the one whose path is alike for longer.
fn next_to(there: &BTreeMap<Vec<u8>, bool>, path: &[u8]) -> bool {
    let alike = |other: &[u8]| {
        let pairs = path.iter().zip(other);
        pairs.take_while(|(one, other)| one == other).count()
    };
    let before = there
        .range::<[u8], _>((Bound::Unbounded, Bound::Excluded(path)))
        .next_back();
    let after = there
        .range::<[u8], _>((Bound::Excluded(path), Bound::Unbounded))
        .next();
    let nearest = before.into_iter().chain(after);
    let nearest = nearest.max_by_key(|(other, _)| alike(other));
    nearest.is_some_and(|(_, is_open)| *is_open)
}

impl Told {
    fn see(&mut self, path: &[u8]) {
        self.objects += 1;
        if self.first.len() < notes::NAMED {
            self.first.push(iamseal::shown(path));
        }
    }

    fn tell(&self, common: &Common, note: fn(u64, &[String]) -> String) {
        if self.objects > 0 {
            output::note(common.json, &note(self.objects, &self.first));
        }
    }
}
