//! The store that the drives of a deployment are.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};

use crate::copy::Copy;
use crate::decode::{self, Lost, Member};
use crate::draft::Name;
use crate::files::{Drive, Files};
use crate::layout::{Layout, OpenError};
use crate::meta::{Fault, Meta, Version};
use crate::notes::{Matter, Note, Notes};
use crate::placement;
use crate::pool::Pool;
use crate::pool_list;
use crate::quorum::{self, Chosen, Seen, Settled};
use crate::residue;
use crate::signature;

/// The largest object that is read.
pub const OBJECT_BYTES: u64 = 16 << 20;

/// What the buckets are called that a system folder is.
const BUCKETS: [&[u8]; 2] = [b".minio.sys", b".rustfs.sys"];

/// A file that only servers before 2020-06 have where later ones have `xl.meta`.
pub(crate) const OLD_META: &[u8] = b"xl.json";
pub(crate) const META: &[u8] = b"xl.meta";

/// The drives of a deployment, to be read.
pub struct Store<F> {
    pub(crate) files: F,
    pub(crate) layout: Layout,
    /// Why not all of the deployment is there, if it is not.
    pub(crate) unfit: Option<String>,
    /// Why not even enough of it is there to write to the rest.
    pub(crate) unfit_degraded: Option<String>,
    /// Whether drives may be missing where it is written to.
    pub(crate) is_degraded: Cell<bool>,
    /// How many pools there are, if a server wrote that down.
    pub(crate) pools: Option<u32>,
    /// The drafts that somebody holds.
    pub(crate) live: RefCell<BTreeSet<Name>>,
    notes: RefCell<Notes>,
}

/// Why an object is not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReadError {
    /// There is no such object.
    NotFound,
    /// It has so many bytes, more than [`OBJECT_BYTES`].
    TooLarge(u64),
    /// It is no object, or its path is none.
    Refused(String),
    /// Too little is left of it, or it is of a kind that is not read here.
    Unreadable(String),
}

/// What a pool has of an object.
pub(crate) enum InPool<'a> {
    Nothing,
    Chosen(&'a Looked<'a>, Chosen),
    Lost(i64, ReadError),
}

/// An object, made of its shards.
pub(crate) struct Decoded {
    pub bytes: Vec<u8>,
    /// The drives whose shards were of no use.
    pub unsound: Vec<Drive>,
}

/// What the drives of a set have of an object.
pub(crate) struct Looked<'a> {
    pub pool: &'a Pool,
    pub copies: Vec<Copy>,
}

impl<F: Files> Store<F> {
    /// Finds out which drives these are.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(files: F) -> Result<Self, OpenError> {
        let mut notes = Notes::default();
        let layout = Layout::of(&files, &mut notes)?;
        residue::tell(&files, &layout, &mut notes);
        let mut store = Self {
            unfit: layout.unfit(),
            unfit_degraded: layout.unfit_degraded(),
            is_degraded: Cell::new(false),
            pools: None,
            files,
            layout,
            live: RefCell::default(),
            notes: RefCell::default(),
        };
        let list = match store.read(pool_list::PATH) {
            Ok(bytes) => pool_list::count(&bytes).ok_or("it is no such file"),
            Err(ReadError::NotFound) => Ok(0),
            Err(_) => Err("it cannot be read"),
        };
        store.pools = list.ok().filter(|pools| *pools > 0);
        if let Err(why) = list {
            let text = format!("how many pools there are is not known: pool.bin: {why}");
            store.unfit.get_or_insert_with(|| text.clone());
            store.unfit_degraded.get_or_insert(text);
        }
        if let Some(text) = store.missing_pools() {
            store.unfit.get_or_insert_with(|| text.clone());
            store.unfit_degraded.get_or_insert_with(|| text.clone());
            notes.hide(text);
        }
        // What was noted of `pool.bin` itself says nothing of what is asked for.
        store.notes.replace(notes);
        Ok(store)
    }

    /// Asks for pools of which no drive was given, where a server wrote down how many there are.
    fn missing_pools(&self) -> Option<String> {
        let all = self.pools?;
        let given = self.layout.pools.len();
        let is_missing = usize::try_from(all).is_ok_and(|all| all > given);
        is_missing.then(|| {
            format!(
                "the deployment has {all} pools, and drives of {given} were given: give those of all, as \
                 drives:/mnt/a{{1...4}},/mnt/b{{1...4}}"
            )
        })
    }

    /// The folder of a drive that objects lie in, with its path on the drive; none of one that is not read.
    pub fn folder_of(&self, drive: Drive) -> Option<&[u8]> {
        let is_read = self.layout.drives().contains(&drive);
        let folder = self.layout.folders.get(usize::from(drive));
        folder.filter(|_| is_read).map(Vec::as_slice)
    }

    /// What there is to say of the drives, and of the objects that were listed and read so far.
    pub fn notes(&self) -> Vec<Note> {
        self.notes.borrow().all()
    }

    /// Reads the object at a path below the system folder: the newest version in any pool, which is
    /// the one of most drives of its set.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn read(&self, path: &[u8]) -> Result<Vec<u8>, ReadError> {
        if let Some(folder) = path.strip_suffix(b"/") {
            check(folder)?;
            let unlisted = || self.folder(folder, &self.layout.drives()).unlisted;
            let why = self.no_folder(folder).or_else(unlisted);
            return Err(why.map_or(ReadError::NotFound, ReadError::Unreadable));
        }
        check(path)?;
        let looked = self.looked(path);
        let mut best = InPool::Nothing;
        for looked in &looked {
            let found = self.in_pool(path, looked);
            best = self.newer(path, best, found);
        }
        match best {
            InPool::Nothing => Err(self.not_there(path)),
            InPool::Lost(_, error) => Err(error),
            InPool::Chosen(looked, chosen) => {
                let decoded = self.decode(path, looked, &chosen)?;
                Ok(decoded.bytes)
            }
        }
    }

    /// What the set of each pool has of an object.
    pub(crate) fn looked(&self, path: &[u8]) -> Vec<Looked<'_>> {
        let look = |pool| Looked {
            pool,
            copies: Copy::of(&self.files, &self.layout, Pool::set(pool, path), path),
        };
        self.layout.pools.iter().map(look).collect()
    }

    /// Settles what a pool has of an object, and notes which of its drives do not have that.
    pub(crate) fn in_pool<'a>(&self, path: &[u8], looked: &'a Looked<'a>) -> InPool<'a> {
        let copies = &looked.copies;
        let parsed: Vec<_> = copies.iter().map(Copy::parse).collect();
        let seen: Vec<Seen> = copies
            .iter()
            .zip(&parsed)
            .map(|(copy, parsed)| copy.seen(parsed.as_ref()))
            .collect();
        let settled = quorum::settle(&seen);
        if !matches!(settled, Settled::Nothing | Settled::Dangling(_)) {
            for (copy, parsed) in copies.iter().zip(&parsed) {
                let (Some(drive), Some(matter)) = (copy.drive(), matter(copy, parsed.as_ref()))
                else {
                    continue;
                };
                self.note(matter, self.layout.name(drive), path);
            }
        }
        let on = |places: &[usize]| -> Vec<Drive> {
            let at = |place: &usize| copies.get(*place)?.drive();
            places.iter().filter_map(at).collect()
        };
        match settled {
            Settled::Nothing => InPool::Nothing,
            Settled::Dangling(places) => {
                let drives = self.layout.named(&on(&places));
                self.note(Matter::Dangling, &drives, path);
                InPool::Nothing
            }
            Settled::TooFew {
                have,
                need,
                mod_time,
            } => {
                let why = why(&self.layout, copies, &parsed);
                let text = format!(
                    "{have} of the {} drives of its set have it whole, and {need} are needed{why}",
                    seen.len()
                );
                InPool::Lost(mod_time, ReadError::Unreadable(text))
            }
            Settled::Chosen(chosen) => {
                for (places, matter) in [
                    (&chosen.behind, Matter::Behind),
                    (&chosen.ahead, Matter::Ahead),
                ] {
                    for drive in on(places) {
                        self.note(matter, self.layout.name(drive), path);
                    }
                }
                for (is_so, matter) in [
                    (chosen.is_hidden, Matter::Hidden),
                    (chosen.is_unsure, Matter::Unsure),
                ] {
                    if is_so {
                        self.note(matter, "", path);
                    }
                }
                InPool::Chosen(looked, chosen)
            }
        }
    }

    /// The newer of what two pools have; the other is an old copy.
    fn newer<'a>(&self, path: &[u8], one: InPool<'a>, other: InPool<'a>) -> InPool<'a> {
        let (Some(first), Some(second)) = (one.mod_time(), other.mod_time()) else {
            return match one {
                InPool::Nothing => other,
                one => one,
            };
        };
        if first == second {
            self.note(Matter::Tied, "", path);
            return one;
        }
        let (newer, older) = match second > first {
            true => (other, one),
            false => (one, other),
        };
        if let InPool::Chosen(looked, _) = &older {
            self.note(Matter::Stale, &looked.pool.name, path);
        }
        newer
    }

    pub(crate) fn decode(
        &self,
        path: &[u8],
        looked: &Looked<'_>,
        chosen: &Chosen,
    ) -> Result<Decoded, ReadError> {
        let shared = &chosen.shared;
        if shared.size > OBJECT_BYTES {
            return Err(ReadError::TooLarge(shared.size));
        }
        let parsed: Vec<_> = looked.copies.iter().map(Copy::parse).collect();
        let mut members = Vec::new();
        for place in &chosen.members {
            let copy = looked.copies.get(*place).and_then(Copy::drive);
            let meta = parsed.get(*place).and_then(Option::as_ref);
            let (Some(drive), Some(Ok(meta))) = (copy, meta) else {
                continue;
            };
            if let Version::Object(object, header) = &meta.newest {
                let signature = header.signature;
                if signature.is_some_and(|found| signature::of(object) != Ok(found)) {
                    self.note(Matter::Signature, "", path);
                }
                members.push(Member {
                    drive,
                    place: *place,
                    meta,
                    object,
                });
            }
        }
        let drives = looked.copies.len();
        let is_placed = |bucket: &[u8]| {
            let placed = placement::distribution(bucket, path, drives as u8);
            shared.distribution.starts_with(&placed)
        };
        if !BUCKETS.into_iter().any(is_placed) {
            self.note(Matter::Distribution, "", path);
        }
        let mut wrong = Vec::new();
        let made = decode::object(
            &self.files,
            &self.layout,
            path,
            shared,
            &members,
            &mut wrong,
        );
        for wrong in &wrong {
            self.note(wrong.matter, self.layout.name(wrong.drive), path);
        }
        let unsound = wrong.into_iter().map(|wrong| wrong.drive).collect();
        let made = made.map(|bytes| Decoded { bytes, unsound });
        made.map_err(|lost| {
            let why = why(&self.layout, &looked.copies, &parsed);
            ReadError::Unreadable(match lost {
                Lost::TooFew(sound) => format!(
                    "{sound} of its {drives} shards are sound, and {} are needed{why}",
                    shared.data
                ),
                Lost::Disagreement => "its shards are of different contents, and nothing tells \
                    which are right: it was written to some drives only"
                    .into(),
                Lost::Unsupported => "it has more shards or bytes than are read here".into(),
            })
        })
    }

    /// Why no pool has an object.
    pub(crate) fn not_there(&self, path: &[u8]) -> ReadError {
        let drives = self.layout.drives();
        let is_old = drives.iter().any(|drive| {
            let folder = self.layout.path(*drive, path);
            let old = crate::files::below(&folder, OLD_META);
            self.files.read(*drive, &old, 0, 0).is_ok()
        });
        match is_old {
            true => ReadError::Refused(
                "it has an xl.json, as servers before 2020-06 wrote it, which is not read: start a \
                 later server on the drives once, or give a copy of its files"
                    .into(),
            ),
            false => ReadError::NotFound,
        }
    }

    pub(crate) fn all_drives(&self) -> Vec<Drive> {
        self.layout.drives()
    }

    /// Notes something of the drives.
    pub(crate) fn say(&self, text: String) {
        self.notes.borrow_mut().say(text);
    }

    pub(crate) fn note(&self, matter: Matter, on: &str, path: &[u8]) {
        self.notes.borrow_mut().note(matter, on, path);
    }
}

impl Looked<'_> {
    /// Whether a drive of the set was not looked at.
    pub(crate) fn is_missing(&self) -> bool {
        let mut copies = self.copies.iter();
        copies.any(|copy| matches!(copy, Copy::NoDrive))
    }
}

impl InPool<'_> {
    pub(crate) fn mod_time(&self) -> Option<i64> {
        match self {
            Self::Nothing => None,
            Self::Chosen(_, chosen) => Some(chosen.shared.mod_time),
            Self::Lost(mod_time, _) => Some(*mod_time),
        }
    }
}

/// What is to be noted of a copy.
fn matter(copy: &Copy, parsed: Option<&Result<Meta<'_>, Fault>>) -> Option<Matter> {
    match (copy, parsed) {
        (Copy::NoDrive, _) | (_, Some(Ok(_))) => None,
        (Copy::Nothing(_), _) => Some(Matter::Absent),
        (Copy::Unreadable(..), _) => Some(Matter::Unreadable),
        (Copy::File(..), _) => Some(Matter::Metadata),
    }
}

/// What is wrong with the drives of a set, for the end of a sentence.
fn why(layout: &Layout, copies: &[Copy], parsed: &[Option<Result<Meta<'_>, Fault>>]) -> String {
    let mut why = String::new();
    let mut missing = 0;
    for (copy, parsed) in copies.iter().zip(parsed) {
        let text = match (copy, parsed) {
            (Copy::NoDrive, _) => {
                missing += 1;
                continue;
            }
            (_, Some(Ok(_))) => continue,
            (Copy::Nothing(_), _) => "has nothing of it".into(),
            (Copy::Unreadable(_, error), _) => format!("could not be read: {error}"),
            (_, Some(Err(Fault::Empty))) => "has an empty xl.meta".into(),
            (_, Some(Err(Fault::Unsupported(what)))) => {
                format!("has an xl.meta with {what}, which is not read here")
            }
            _ => "has a damaged xl.meta".into(),
        };
        if let Some(drive) = copy.drive() {
            why.push_str(&format!("; {} {text}", layout.name(drive)));
        }
    }
    if missing > 0 {
        why.push_str(&format!(
            "; drives of the set that are missing or not whole: {missing}"
        ));
    }
    why
}

/// # Errors
/// `Refused`: the path is empty, too long, or has a part that is no name.
pub(crate) fn check(path: &[u8]) -> Result<(), ReadError> {
    let is_name = |part: &[u8]| !matches!(part, b"" | b"." | b"..") && !part.contains(&0);
    let is_sound =
        path.len() <= crate::files::PATH_BYTES && path.split(|byte| *byte == b'/').all(is_name);
    match is_sound {
        true => Ok(()),
        false => Err(ReadError::Refused("it is no path of an object".into())),
    }
}
