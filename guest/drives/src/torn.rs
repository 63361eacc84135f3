//! In which order the drives of a set are written, so that a server reads the object at each moment.

use alloc::vec::Vec;

use crate::missing;
use crate::quorum::{Chosen, Seen, Settled, settle};

/// The order in which the drives of a set get a new version: the first one first, where all have the old
/// version. Where a write was broken off before, and drives have three versions, each next one is the first
/// that leaves either the old or the new version to be read. None if there is no such order: too few drives
/// have the old version whole. `sound` says of which drives the old shards are of use.
///
/// Drives that are missing get nothing. Whatever they come back with, the object is read then too.
pub fn order(set: &[Seen], old: &Chosen, sound: &[bool], new: Seen) -> Option<Vec<usize>> {
    let (mut torn, mut left) = (set.to_vec(), sound.to_vec());
    let here = set.iter().filter(|seen| **seen != Seen::Unknown).count();
    let may_be = missing::may_be(set, new);
    let mut order = Vec::new();
    while order.len() < here {
        let is_left =
            |place: &usize| !order.contains(place) && set.get(*place) != Some(&Seen::Unknown);
        let mut places = (0..set.len()).filter(is_left);
        let next = places.find(|place| {
            let mut after = (torn.clone(), left.clone());
            write(&mut after, *place, new);
            let mut whatever = may_be.iter().map(|back| missing::with(&after.0, *back));
            whatever.all(|set| is_read(&set, old, &after.1, new))
        })?;
        let mut after = (torn, left);
        write(&mut after, next, new);
        (torn, left) = after;
        order.push(next);
    }
    Some(order)
}

/// In which order these drives of a set get what `step` is, so that `is_read` holds after each: the first one
/// first where that does it, else each next one is the first for which it holds. None if there is no such order.
pub fn steps(
    set: &[Seen],
    mut places: Vec<usize>,
    step: Seen,
    is_read: impl Fn(&[Seen]) -> bool,
) -> Option<Vec<usize>> {
    let (mut torn, mut order) = (set.to_vec(), Vec::new());
    while !places.is_empty() {
        let after = |place: usize| {
            let mut after = torn.clone();
            *after.get_mut(place)? = step;
            is_read(&after).then_some(after)
        };
        let mut tried = places.iter().enumerate();
        let (at, next) = tried.find_map(|(at, place)| Some((at, after(*place)?)))?;
        torn = next;
        order.push(places.remove(at));
    }
    Some(order)
}

fn write((torn, left): &mut (Vec<Seen>, Vec<bool>), place: usize, new: Seen) {
    if let (Some(seen), Some(is_left)) = (torn.get_mut(place), left.get_mut(place)) {
        *seen = new;
        *is_left = false;
    }
}

/// Whether a server reads the old version or the new one.
fn is_read(torn: &[Seen], old: &Chosen, left: &[bool], new: Seen) -> bool {
    let Seen::Version(_, new) = new else {
        return false;
    };
    match settle(torn) {
        Settled::Chosen(chosen) if chosen.is_hidden => false,
        Settled::Chosen(chosen) if chosen.shared == new => true,
        Settled::Chosen(chosen) if chosen.shared == old.shared => {
            let left = left.iter().filter(|is_left| **is_left);
            left.count() >= usize::from(old.shared.data)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quorum::version_for_tests as version;
    use alloc::vec;

    fn order_of(set: &[Seen], sound: &[bool]) -> Option<Vec<usize>> {
        let Settled::Chosen(old) = settle(set) else {
            panic!("it is not read");
        };
        order(set, &old, sound, version(9, set.len() as u8))
    }

    #[test]
    fn a_whole_set_of_any_size_is_written_from_the_first_drive_on() {
        for drives in 1..=16 {
            let set = vec![version(1, drives); usize::from(drives)];
            let ascending = (0..set.len()).collect();
            assert_eq!(order_of(&set, &vec![true; set.len()]), Some(ascending));
        }
    }

    #[test]
    fn what_is_behind_or_lost_is_made_up_for_only_as_long_as_enough_is_left() {
        let (old, older, none) = (version(2, 4), version(1, 4), Seen::Nothing);
        let ascending = Some(vec![0, 1, 2, 3]);
        let (first, last) = ([false, true, true, true], [true, true, true, false]);
        assert_eq!(order_of(&[none, old, old, old], &first), ascending);
        assert_eq!(order_of(&[older, old, old, old], &first), ascending);
        assert_eq!(order_of(&[old, old, old, older], &last), ascending);
        // The drives whose shards are rotten go first, so that the two others are left until then.
        let order = order_of(&[old; 4], &[true, true, false, false]);
        assert_eq!(order, Some(vec![2, 0, 1, 3]));
    }

    #[test]
    fn a_drive_without_a_version_does_not_hide_what_is_before_it() {
        let (new, old, none) = (version(2, 4), version(1, 4), Seen::Nothing);
        let sound = [true, true, false, false];
        assert_eq!(
            order_of(&[new, new, old, none], &sound),
            Some(vec![3, 0, 1, 2])
        );
        assert_eq!(order_of(&[old, old, none, none], &sound), None);
    }

    #[test]
    fn what_was_broken_off_anywhere_can_be_finished() {
        for drives in [2, 4, 6, 10, 16] {
            for written in 0..=drives {
                let at = |place| version(if place < written { 2 } else { 1 }, drives);
                let set: Vec<Seen> = (0..drives).map(at).collect();
                let Settled::Chosen(old) = settle(&set) else {
                    panic!("it is not read");
                };
                let is_sound = |place: usize| old.members.contains(&place);
                let sound: Vec<bool> = (0..set.len()).map(is_sound).collect();
                assert!(order_of(&set, &sound).is_some(), "{written} of {drives}");
            }
        }
    }

    #[test]
    fn a_set_of_an_odd_size_that_was_broken_off_at_its_middle_has_to_be_healed_first() {
        let (new, old) = (version(2, 3), version(1, 3));
        assert_eq!(order_of(&[new, new, old], &[true, true, false]), None);
        assert!(order_of(&[new, old, old], &[false, true, true]).is_some());
    }

    /// Whether a server reads this version, or none.
    fn reads_or_none(torn: &[Seen], version: Seen) -> bool {
        match settle(torn) {
            Settled::Nothing | Settled::Dangling(_) => true,
            Settled::Chosen(chosen) => {
                !chosen.is_hidden && matches!(version, Seen::Version(_, of) if of == chosen.shared)
            }
            Settled::TooFew { .. } => false,
        }
    }

    #[test]
    fn what_comes_and_goes_does_so_from_the_first_drive_on() {
        for drives in 1..=16_u8 {
            let all: Vec<usize> = (0..usize::from(drives)).collect();
            let is = version(1, drives);
            let (none, there) = (vec![Seen::Nothing; all.len()], vec![is; all.len()]);
            let comes = steps(&none, all.clone(), is, |torn| reads_or_none(torn, is));
            let goes = steps(&there, all.clone(), Seen::Nothing, |torn| {
                reads_or_none(torn, is)
            });
            assert_eq!((comes, goes), (Some(all.clone()), Some(all)));
        }
    }

    #[test]
    fn what_goes_while_drives_are_behind_goes_there_first() {
        let (new, old) = (version(2, 4), version(1, 4));
        let set = [new, new, old, old];
        let goes = steps(&set, vec![0, 1, 2, 3], Seen::Nothing, |torn| {
            reads_or_none(torn, new)
        });
        let goes = goes.unwrap();
        assert!(goes[..2] == [2, 3], "{goes:?}");
    }

    #[test]
    fn what_was_broken_off_while_it_was_made_is_made_over() {
        let (new, old, none) = (version(2, 4), version(1, 4), Seen::Nothing);
        let comes =
            |set: &[Seen]| steps(set, vec![0, 1, 2, 3], new, |torn| reads_or_none(torn, new));
        assert!(comes(&[old, none, none, none]).is_some());
        // Two of four would be an object.
        assert_eq!(comes(&[none, none, old, old]), None);
    }

    /// Sets of every size of which one drive is missing, and of which it may be.
    fn degraded() -> impl Iterator<Item = (u8, usize)> {
        let sizes = (4..=16_u8).step_by(2);
        sizes.flat_map(|drives| (0..usize::from(drives)).map(move |missing| (drives, missing)))
    }

    /// All that a drive that was missing may come back with, where the others had version 2 and get version 9.
    fn back(drives: u8) -> [Seen; 6] {
        let [oldest, old, between] = [1, 2, 5].map(|time| version(time, drives));
        let others = [Seen::Unknown, Seen::Nothing, Seen::Useless];
        [others[0], others[1], others[2], oldest, old, between]
    }

    #[test]
    fn with_a_drive_missing_a_server_reads_old_or_new_wherever_a_write_ends_and_whatever_comes_back()
     {
        for (drives, missing) in degraded() {
            let (old, new) = (version(2, drives), version(9, drives));
            let mut set = vec![old; usize::from(drives)];
            set[missing] = Seen::Unknown;
            let here: Vec<usize> = (0..set.len()).filter(|place| *place != missing).collect();
            let order = order_of(&set, &vec![true; set.len()]);
            assert_eq!(order, Some(here.clone()));
            for done in 0..=here.len() {
                for back in back(drives) {
                    let mut torn = set.clone();
                    torn[missing] = back;
                    here[..done].iter().for_each(|place| torn[*place] = new);
                    let Settled::Chosen(read) = settle(&torn) else {
                        panic!("{missing} of {drives}, {done} written: {back:?}");
                    };
                    // What hides it before anything is written is not the write's doing.
                    assert!(done == 0 || !read.is_hidden, "{torn:?}");
                    // In the end it is the new one, whatever comes back.
                    let is_new = read.shared.mod_time == 9;
                    assert!(is_new || read.shared.mod_time == 2 && done < here.len());
                    let shards = read.members.iter().filter(|place| **place != missing);
                    let with_back = usize::from(back == old && !is_new);
                    assert!(shards.count() + with_back >= usize::from(read.shared.data));
                }
            }
        }
    }

    #[test]
    fn with_a_drive_missing_what_was_broken_off_is_finished_the_same_way() {
        for (drives, missing) in degraded() {
            for written in 0..usize::from(drives) {
                let at = |place| match place == missing {
                    true => Seen::Unknown,
                    false => version(if place < written { 5 } else { 2 }, drives),
                };
                let set: Vec<Seen> = (0..usize::from(drives)).map(at).collect();
                let Settled::Chosen(old) = settle(&set) else {
                    panic!("it is not read");
                };
                let sound: Vec<bool> = (0..set.len())
                    .map(|place| old.members.contains(&place))
                    .collect();
                let broken = (0..written).filter(|place| *place != missing).count();
                let order = order_of(&set, &sound);
                // Just as many have it as it takes to read it: it waits for the missing drive.
                assert_eq!(
                    order.is_none(),
                    broken == usize::from(drives) / 2,
                    "{set:?}"
                );
                let Some(order) = order else {
                    continue;
                };
                let new = version(9, drives);
                for done in 0..=order.len() {
                    for back in back(drives) {
                        let mut torn = set.clone();
                        torn[missing] = back;
                        order[..done].iter().for_each(|place| torn[*place] = new);
                        let Settled::Chosen(read) = settle(&torn) else {
                            panic!("{written} {done}: {torn:?}");
                        };
                        assert!(done == 0 || !read.is_hidden, "{torn:?}");
                        assert!(done < order.len() || read.shared.mod_time == 9);
                    }
                }
            }
        }
    }

    #[test]
    fn where_a_kill_could_leave_neither_version_nothing_is_written() {
        let unknown = Seen::Unknown;
        for (drives, missing) in [(3, 1), (5, 1), (6, 2), (8, 2), (16, 2)] {
            let mut set = vec![version(2, drives); usize::from(drives)];
            set[..missing].fill(unknown);
            let is_read = matches!(settle(&set), Settled::Chosen(_));
            let sound = vec![true; set.len()];
            assert!(is_read && order_of(&set, &sound).is_none(), "{drives}");
        }
        // Of four drives one is missing, and the shard of another is rotten: that one goes first.
        let old = version(2, 4);
        let set = [old, old, unknown, old];
        let order = order_of(&set, &[true, false, false, true]);
        assert_eq!(order, Some(vec![1, 0, 3]));
        // The last one cannot: it would hide the object.
        assert_eq!(order_of(&set, &[true, true, false, false]), None);
    }

    #[test]
    fn what_no_order_keeps_readable_is_not_begun() {
        let old = version(2, 4);
        let one = [true, false, false, false];
        assert_eq!(order_of(&[old; 4], &one), None);
    }
}
