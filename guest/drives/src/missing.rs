//! What drives may come back with that are missing while their set is written to.

use alloc::vec;
use alloc::vec::Vec;

use crate::quorum::Seen;

/// What a missing drive may have of an object, where the others have `set` and are to get `new`: it may stay away, or
/// come back empty, with what any other has, or with a version that none of them has; of no use. All of that is older
/// than the new version. If no drive is missing there is nothing to be thought of.
pub fn may_be(set: &[Seen], new: Seen) -> Vec<Seen> {
    let mut all = vec![Seen::Unknown];
    if !set.contains(&Seen::Unknown) {
        return all;
    }
    all.extend([Seen::Nothing, Seen::Useless]);
    if let Seen::Version(mut agreed, mut shared) = new {
        // What drives say is anybody's.
        agreed.mod_time = agreed.mod_time.saturating_sub(1);
        shared.mod_time = shared.mod_time.saturating_sub(1);
        all.push(Seen::Version(agreed, shared));
    }
    for seen in set {
        if !all.contains(seen) {
            all.push(*seen);
        }
    }
    all
}

/// The set with its missing drives back, each of which has this.
pub fn with(set: &[Seen], back: Seen) -> Vec<Seen> {
    let drive = |seen: &Seen| match seen {
        Seen::Unknown => back,
        seen => *seen,
    };
    set.iter().map(drive).collect()
}

/// The places of the drives that are not missing.
pub fn others(set: &[Seen]) -> Vec<usize> {
    let places = set.iter().enumerate();
    let here = places.filter(|(_, seen)| **seen != Seen::Unknown);
    here.map(|(place, _)| place).collect()
}

/// Whether a server shows nothing of an object where too few drives of this set have a version: where one is missing.
/// Real ones were seen to do so, also with that drive back and an older version on it. Where all are there, too few
/// have it whole, and there is more on them than is known.
pub fn shows_nothing(set: &[Seen]) -> bool {
    set.contains(&Seen::Unknown)
}
