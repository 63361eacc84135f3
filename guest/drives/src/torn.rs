//! What a server reads of a write that ends between two drives.

use crate::quorum::{Chosen, Seen, Settled, settle};

/// Whether a server reads the old version or the new one wherever a write ends that goes from the first
/// drive of the set to the last. `sound` says of which drives the old shards are of use.
pub fn is_always_read(set: &[Seen], old: &Chosen, sound: &[bool], new: Seen) -> bool {
    let Seen::Version(_, new_shared) = new else {
        return false;
    };
    (0..=set.len()).all(|written| {
        let mut torn = set.to_vec();
        torn.iter_mut().take(written).for_each(|seen| *seen = new);
        match settle(&torn) {
            Settled::Chosen(chosen) if chosen.is_hidden => false,
            Settled::Chosen(chosen) if chosen.shared == new_shared => true,
            Settled::Chosen(chosen) if chosen.shared == old.shared => {
                let left = sound.iter().skip(written).filter(|is_sound| **is_sound);
                left.count() >= usize::from(old.shared.data)
            }
            _ => false,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quorum::version_for_tests as version;
    use alloc::vec;
    use alloc::vec::Vec;

    fn is_safe(set: &[Seen], sound: &[bool]) -> bool {
        let Settled::Chosen(old) = settle(set) else {
            panic!("it is not read");
        };
        is_always_read(set, &old, sound, version(9, set.len() as u8))
    }

    #[test]
    fn a_whole_set_of_any_size_can_be_written() {
        for drives in 1..=16 {
            let set = vec![version(1, drives); usize::from(drives)];
            let sound = vec![true; set.len()];
            assert!(is_safe(&set, &sound), "{drives}");
        }
    }

    #[test]
    fn what_is_behind_or_lost_is_made_up_for_only_as_long_as_enough_is_left() {
        let (old, older, none) = (version(2, 4), version(1, 4), Seen::Nothing);
        let all = [true; 4];
        // The first drive is written first, so it may be of no use.
        assert!(is_safe(&[none, old, old, old], &[false, true, true, true]));
        assert!(is_safe(&[older, old, old, old], &[false, true, true, true]));
        // After one drive one old shard would be left, and one new one.
        assert!(!is_safe(
            &[old, old, none, none],
            &[true, true, false, false]
        ));
        assert!(!is_safe(&[old, old, old, old], &[true, true, false, false]));
        // The last is behind: after one drive two old shards are left.
        assert!(is_safe(&[old, old, old, older], &[true, true, true, false]));
        // What is hidden would stay so.
        assert!(!is_safe(&[old, old, old, version(3, 4)], &all));
    }

    #[test]
    fn no_other_order_is_safe() {
        // The same write from the last drive to the first, seen from the first.
        let (old, new) = (version(1, 4), version(9, 4));
        let torn: Vec<Seen> = vec![old, old, old, new];
        assert!(matches!(settle(&torn), Settled::Chosen(chosen) if chosen.is_hidden));
    }
}
