//! What is to be said of drives besides the objects that they hold.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;
use alloc::{format, vec};

use crate::files::Drive;

/// How many paths are remembered of each kind and drive: the others are not counted twice at least in
/// a single pass.
const REMEMBERED: usize = 100_000;

/// How many paths of a note are handed over.
const NAMED: usize = 20;

/// Something to be said, of the drives or of some objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// For people; it is complete if there are no objects, and else they follow.
    pub text: String,
    /// How many objects it is about.
    pub objects: u64,
    /// The first of them.
    pub paths: Vec<Vec<u8>>,
    /// Whether because of this objects may be missing from a listing, or not be those that a server
    /// reads.
    pub hides: bool,
}

/// What is said of objects. The order is the one in which it is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Matter {
    /// MinIO does not show the object.
    Hidden,
    /// With the drives that are missing a newer version may count.
    Unsure,
    /// Too few drives have it, and the others have nothing.
    Dangling,
    /// Another pool has an older version.
    Stale,
    /// Pools have versions of one time.
    Tied,
    /// No server looks for it in this set.
    Misplaced,
    /// The drive has an older version.
    Behind,
    /// The drive has a newer version that does not count.
    Ahead,
    /// The drive lacks it.
    Absent,
    /// The drive's `xl.meta` is damaged.
    Metadata,
    /// The drive's shard is damaged.
    Rotten,
    /// The drive's shard is not there.
    NoShard,
    /// The drive could not be read.
    Unreadable,
    /// It is no file and no folder.
    Odd,
    /// It is a file where folders are, or what is left of an object without its `xl.meta`.
    Stray,
    /// No version of the object that it lies beside names it, and it is known how it comes there.
    Left,
    /// So many drives cannot list it that objects may be overlooked.
    Unlisted,
    /// The signature is not that of the version.
    Signature,
    /// The shards lie as those of another object.
    Distribution,
}

impl Matter {
    /// Whether with it objects may be others than a server reads. What keeps a folder from being listed
    /// is told where so many drives fail that an object may be overlooked.
    fn hides(self) -> bool {
        matches!(self, Self::Unsure | Self::Unlisted)
    }

    fn text(self, drive: &str) -> String {
        match self {
            Self::Hidden => "MinIO shows no such objects, since the last of its drives alone \
                have a newer version; the version of most drives is read, which mc admin heal \
                brings back"
                .into(),
            Self::Unsure => "drives are missing, and with them a newer version may count of".into(),
            Self::Dangling => format!(
                "only {drive} has these objects, and they are not read: they were removed while it \
                 was away, or lost on the other drives; mc admin heal deletes them"
            ),
            Self::Stale => format!("{drive} has older copies, which MinIO does not read, of"),
            Self::Tied => "several pools have copies of the same time of".into(),
            Self::Misplaced => {
                format!("{drive} has these objects in a set where no server looks for them")
            }
            Self::Behind => format!("{drive} has an older version of"),
            Self::Ahead => {
                format!("{drive} has a newer version, which too few drives have to count, of")
            }
            Self::Absent => format!("{drive} lacks"),
            Self::Metadata => format!("{drive} has a damaged xl.meta of"),
            Self::Rotten => format!("{drive} has a damaged shard of"),
            Self::NoShard => format!("{drive} lacks the shard of"),
            Self::Unreadable => format!("{drive} could not be read at"),
            Self::Odd => format!("{drive} has what is no file and no folder, and is not read, at"),
            Self::Stray => format!(
                "{drive} has files that are no objects, or parts of objects without their xl.meta, which \
                 are not read and may hold plaintext, and which a sweep leaves, at"
            ),
            Self::Left => format!(
                "{drive} has what a write that was killed has left beside objects, plaintext where they were \
                 plaintext, which iamseal sweep removes while no server runs"
            ),
            Self::Unlisted => {
                "objects may be overlooked, since too few drives tell what is in".into()
            }
            Self::Signature => "the signature in xl.meta is not that of its metadata at".into(),
            Self::Distribution => "the shards lie as those of another object at".into(),
        }
    }
}

/// What was noted so far. Each object is noted once for each matter and drive.
#[derive(Default)]
pub struct Notes {
    /// Texts, and whether they hide objects.
    said: Vec<(String, bool)>,
    of_objects: BTreeMap<(Matter, String), Objects>,
}

#[derive(Default)]
struct Objects {
    paths: BTreeSet<Vec<u8>>,
    more: u64,
}

impl Notes {
    /// Notes something of the drives.
    pub fn say(&mut self, text: String) {
        self.said.push((text, false));
    }

    /// Notes something of the drives because of which objects may be missing, or others than a server
    /// reads.
    pub fn hide(&mut self, text: String) {
        self.said.push((text, true));
    }

    /// Adds what was noted of the drives elsewhere.
    pub fn append(&mut self, other: Self) {
        self.said.extend(other.said);
    }

    /// Notes a matter of an object on a drive (or in a pool) of this name; of all if it has none.
    pub fn note(&mut self, matter: Matter, on: &str, path: &[u8]) {
        let objects = self.of_objects.entry((matter, on.into())).or_default();
        match objects.paths.len() < REMEMBERED {
            true => {
                objects.paths.insert(path.to_vec());
            }
            false => objects.more += u64::from(!objects.paths.contains(path)),
        }
    }

    /// All that was noted.
    pub fn all(&self) -> Vec<Note> {
        let said = self.said.iter().map(|(text, hides)| Note {
            text: text.clone(),
            objects: 0,
            paths: vec![],
            hides: *hides,
        });
        let of_objects = self.of_objects.iter().map(|((matter, on), objects)| Note {
            text: matter.text(on),
            objects: objects.paths.len() as u64 + objects.more,
            paths: objects.paths.iter().take(NAMED).cloned().collect(),
            hides: matter.hides(),
        });
        said.chain(of_objects).collect()
    }
}

/// The names of drives in a text: `a, b and c`.
pub fn named(drives: &[Drive], names: &[String]) -> String {
    let name = |drive: &Drive| {
        let name = names.get(usize::from(*drive));
        name.map_or("?", String::as_str)
    };
    let all: Vec<&str> = drives.iter().map(name).collect();
    match all.split_last() {
        Some((last, [])) => (*last).into(),
        Some((last, first)) => format!("{} and {last}", first.join(", ")),
        None => String::new(),
    }
}
