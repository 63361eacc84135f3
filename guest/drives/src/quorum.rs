//! Which version of an object counts, where the drives of its set do not agree.
//!
//! The rule is MinIO's, as it was seen on servers: the version of most drives, by their headers without
//! the signature; of as many the newer one. MinIO's exception is told and not followed: where the last
//! drives of the set, fewer than half of them, alone have a newer version, it shows no object at all.

use alloc::vec::Vec;

use crate::meta::Agreed;
use crate::object::Shared;

/// What one drive of a set has of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// The drive was not lent, or is not to be counted.
    Unknown,
    /// Nothing.
    Nothing,
    /// Something that is of no use.
    Useless,
    /// This version of it.
    Version(Agreed, Shared),
    /// That it was deleted, and when.
    Deleted(i64),
}

/// What counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settled {
    /// No drive has it, or most know that it was deleted.
    Nothing,
    /// Too many drives have nothing of it for it to be there: what a drive has that was away when it
    /// was removed, or what is left of a lost object. These drives have it.
    Dangling(Vec<usize>),
    /// A version of which enough drives know.
    Chosen(Chosen),
    /// No version of which enough drives know.
    TooFew {
        /// How many drives of the one that comes nearest know; none has a version if it is 0.
        have: usize,
        /// How many it takes.
        need: usize,
        /// When that version was written; the oldest time there is if no drive tells.
        mod_time: i64,
    },
}

/// A version of which enough drives know. Drives are numbered by their places in the set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// The drives that have it.
    pub members: Vec<usize>,
    /// Those that have an older one.
    pub behind: Vec<usize>,
    /// Those that have a newer one, too few of them.
    pub ahead: Vec<usize>,
    /// Whether MinIO shows no such object.
    pub is_hidden: bool,
    /// Whether a newer version may count once the drives are there that were not looked at.
    pub is_unsure: bool,
    /// What its drives say of it.
    pub shared: Shared,
}

/// Settles which version counts, of what the drives of a set have, in their order.
pub fn settle(set: &[Seen]) -> Settled {
    let half = set.len() / 2;
    let groups = groups(set);
    let nothing = set.iter().filter(|seen| **seen == Seen::Nothing).count();
    let Some(most) = groups.iter().max_by_key(|group| group.rank()) else {
        let has_any = set.contains(&Seen::Useless);
        return match (has_any, nothing > half) {
            (false, _) => Settled::Nothing,
            (true, true) => Settled::Dangling(places(set, |seen| *seen == Seen::Useless)),
            (true, false) => Settled::TooFew {
                have: 0,
                need: set.len() - half,
                mod_time: i64::MIN,
            },
        };
    };
    let Some(shared) = most.shared else {
        // As many as it takes to write, since a deletion has no shards.
        return match most.members.len() >= set.len() - half || nothing > half {
            true => Settled::Nothing,
            false => Settled::TooFew {
                have: most.members.len(),
                need: set.len() - half,
                mod_time: most.mod_time,
            },
        };
    };
    if nothing > usize::from(shared.parity) {
        return Settled::Dangling(places(set, |seen| {
            !matches!(seen, Seen::Nothing | Seen::Unknown)
        }));
    }
    // Drives of one header may still have different versions, where something wrote against the rules.
    let members = places(
        set,
        |seen| matches!(seen, Seen::Version(agreed, of) if Some(*agreed) == most.agreed && *of == shared),
    );
    let need = usize::from(shared.data);
    if members.len() < need {
        return Settled::TooFew {
            have: members.len(),
            need,
            mod_time: most.mod_time,
        };
    }
    let others = |is_wanted: fn(i64, i64) -> bool| {
        places(set, |seen| match seen {
            Seen::Version(agreed, of) => {
                is_wanted(agreed.mod_time, most.mod_time)
                    && !(Some(*agreed) == most.agreed && *of == shared)
            }
            Seen::Deleted(mod_time) => is_wanted(*mod_time, most.mod_time),
            _ => false,
        })
    };
    let ahead = others(|theirs, ours| theirs > ours);
    Settled::Chosen(Chosen {
        is_hidden: is_hidden(set, most.mod_time),
        is_unsure: is_unsure(set, &members, &ahead),
        behind: others(|theirs, ours| theirs <= ours),
        ahead,
        members,
        shared,
    })
}

/// Whether MinIO shows no such object: of the drives that have a version none has an older one than the drive
/// before it, and the newest is not the one that counts and on fewer than half of all. Known only where every
/// drive was looked at.
fn is_hidden(set: &[Seen], counts: i64) -> bool {
    let times = set.iter().filter_map(|seen| match seen {
        Seen::Version(agreed, _) => Some(agreed.mod_time),
        Seen::Deleted(mod_time) => Some(*mod_time),
        _ => None,
    });
    let newest = times.clone().max();
    let holders = times.clone().filter(|time| Some(*time) == newest).count();
    newest != Some(counts)
        && holders < set.len().div_ceil(2)
        && times.is_sorted()
        && !set.contains(&Seen::Unknown)
}

/// Whether the drives that have a newer version would be as many, if all that were not looked at had it.
fn is_unsure(set: &[Seen], members: &[usize], ahead: &[usize]) -> bool {
    let unknown = set.iter().filter(|seen| **seen == Seen::Unknown).count();
    !ahead.is_empty() && ahead.len() + unknown >= members.len()
}

/// The drives that agree on a header.
struct Group {
    agreed: Option<Agreed>,
    mod_time: i64,
    members: Vec<usize>,
    /// What most of them say besides; none of a deletion.
    shared: Option<Shared>,
}

impl Group {
    fn rank(&self) -> (usize, i64) {
        (self.members.len(), self.mod_time)
    }
}

fn groups(set: &[Seen]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for (place, seen) in set.iter().enumerate() {
        let (agreed, mod_time) = match seen {
            Seen::Version(agreed, _) => (Some(*agreed), agreed.mod_time),
            Seen::Deleted(mod_time) => (None, *mod_time),
            _ => continue,
        };
        let is_it = |group: &&mut Group| group.agreed == agreed && group.mod_time == mod_time;
        match groups.iter_mut().find(is_it) {
            Some(group) => group.members.push(place),
            None => groups.push(Group {
                agreed,
                mod_time,
                members: [place].into(),
                shared: most_common(set, agreed),
            }),
        }
    }
    groups
}

/// What most drives with this header say; of as many, what the first of them says.
fn most_common(set: &[Seen], header: Option<Agreed>) -> Option<Shared> {
    let header = header?;
    let said = || {
        set.iter().filter_map(move |seen| match seen {
            Seen::Version(agreed, shared) if *agreed == header => Some(shared),
            _ => None,
        })
    };
    let count = |wanted: &Shared| said().filter(|shared| *shared == wanted).count();
    // The first of the largest: `max_by_key` would take the last.
    let mut best: Option<(usize, &Shared)> = None;
    for shared in said() {
        let count = count(shared);
        if best.is_none_or(|(most, _)| count > most) {
            best = Some((count, shared));
        }
    }
    best.map(|(_, shared)| *shared)
}

fn places(set: &[Seen], is_wanted: impl Fn(&Seen) -> bool) -> Vec<usize> {
    let all = set.iter().enumerate();
    all.filter_map(|(place, seen)| is_wanted(seen).then_some(place))
        .collect()
}

/// A version of this mod time on a set of this many drives.
#[cfg(test)]
pub(crate) fn version_for_tests(mod_time: i64, drives: u8) -> Seen {
    let parity = drives / 2;
    let data = drives - parity;
    let shared = Shared {
        id: [0; 16],
        data_dir: [mod_time as u8; 16],
        data,
        parity,
        block: 1 << 20,
        distribution: [0; crate::erasure::SHARDS],
        size: 1,
        mod_time,
    };
    let agreed = Agreed {
        mod_time,
        id: [0; 16],
        kind: 1,
        flags: 6,
        data,
        parity,
    };
    Seen::Version(agreed, shared)
}

#[cfg(test)]
mod tests {
    use super::version_for_tests as version;
    use super::*;
    use alloc::vec;

    /// Drives that have the old version, or the new one where `is_new`.
    fn torn(drives: u8, is_new: impl Fn(u8) -> bool) -> Vec<Seen> {
        let at = |place| version(if is_new(place) { 2 } else { 1 }, drives);
        (0..drives).map(at).collect()
    }

    fn reads(set: &[Seen]) -> &'static str {
        match settle(set) {
            Settled::Chosen(chosen) if chosen.is_hidden => "hidden",
            Settled::Chosen(chosen) if chosen.shared.mod_time == 2 => "new",
            Settled::Chosen(_) => "old",
            Settled::Nothing => "nothing",
            Settled::Dangling(_) => "dangling",
            Settled::TooFew { .. } => "too few",
        }
    }

    #[test]
    fn torn_writes_are_settled_as_on_a_server() {
        // All 14 of four drives, as a server read them.
        for new in 1..15_u8 {
            let set = torn(4, |place| new >> place & 1 == 1);
            let expected = match (new.count_ones(), new) {
                (1, 0b1000) => "hidden",
                (1, _) => "old",
                _ => "new",
            };
            assert_eq!(reads(&set), expected, "{new:04b}");
        }
        for count in 1..10 {
            let first = torn(10, |place| place < count);
            assert_eq!(reads(&first), if count < 5 { "old" } else { "new" });
            let last = torn(10, |place| place >= 10 - count);
            assert_eq!(reads(&last), if count < 5 { "hidden" } else { "new" });
        }
    }

    #[test]
    fn what_the_last_of_those_that_have_a_version_have_alone_hides_it() {
        let [one, two, three] = [1, 2, 3].map(|time| version(time, 4));
        let (none, bad) = (Seen::Nothing, Seen::Useless);
        let is_hidden = |set: [Seen; 4]| reads(&set) == "hidden";
        assert!(is_hidden([two, two, three, none]));
        assert!(is_hidden([one, one, two, bad]));
        assert!(is_hidden([one, one, two, three]));
        assert!(!is_hidden([two, two, three, one]));
        assert!(!is_hidden([two, one, two, three]));
        assert!(!is_hidden([none, one, one, one]));
    }

    #[test]
    fn a_newer_version_may_be_on_drives_that_are_missing() {
        let (old, new, unknown) = (version(1, 4), version(2, 4), Seen::Unknown);
        let is_unsure = |set: &[Seen]| match settle(set) {
            Settled::Chosen(chosen) => chosen.is_unsure,
            _ => panic!("it is read"),
        };
        assert!(is_unsure(&[unknown, old, old, new]));
        assert!(!is_unsure(&[new, old, old, old]));
        assert!(!is_unsure(&[unknown, new, new, old]));
    }

    #[test]
    fn what_most_drives_have_nothing_of_dangles() {
        let (one, none) = (version(1, 4), Seen::Nothing);
        assert_eq!(settle(&[none, none, none, one]), Settled::Dangling(vec![3]));
        assert_eq!(reads(&[none, none, one, one]), "old");
        assert_eq!(settle(&[none; 4]), Settled::Nothing);
        assert_eq!(reads(&[none, none, none, Seen::Useless]), "dangling");
        // A drive that was not lent may have it.
        assert_eq!(reads(&[none, none, Seen::Unknown, one]), "too few");
    }

    #[test]
    fn damage_beyond_parity_is_not_taken_for_absence() {
        let (one, bad) = (version(1, 4), Seen::Useless);
        assert_eq!(reads(&[bad, bad, bad, one]), "too few");
        assert_eq!(reads(&[bad, bad, one, one]), "old");
        assert_eq!(reads(&[bad; 4]), "too few");
        assert_eq!(
            reads(&[Seen::Unknown, Seen::Unknown, Seen::Unknown, one]),
            "too few"
        );
    }

    #[test]
    fn a_deletion_that_most_drives_know_of_counts() {
        let (old, gone) = (version(1, 4), Seen::Deleted(2));
        assert_eq!(reads(&[gone, gone, old, old]), "nothing");
        assert_eq!(reads(&[gone, old, old, old]), "old");
    }

    #[test]
    fn contents_of_one_header_are_not_mixed() {
        let (old, mut other) = (version(1, 4), version(1, 4));
        if let Seen::Version(_, shared) = &mut other {
            shared.data_dir = [9; 16];
        }
        let Settled::Chosen(chosen) = settle(&[other, other, other, old]) else {
            panic!("three of four");
        };
        assert_eq!((chosen.members, chosen.behind), (vec![0, 1, 2], vec![3]));
    }
}
