//! Which drive is which: the pools and sets that the drives' `format.json` make, and what is wrong
//! with the drives that were lent.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use crate::files::{self, Drive, FileError, Files, Kind};
use crate::format::{self, FORMAT_BYTES, Format, Unusable, Uuid};
use crate::healing;
use crate::notes::{Notes, named};
use crate::pool::{Pool, pools, position};

/// Where a drive has its system folder: itself (it is one), MinIO's, RustFS's.
const FOLDERS: [&[u8]; 3] = [b"", b".minio.sys", b".rustfs.sys"];
const FORMAT: &[u8] = b"format.json";

/// The pools of a deployment.
pub struct Layout {
    /// In the order in which their drives were given; nothing on a drive tells which is the first.
    pub pools: Vec<Pool>,
    /// The system folder of each drive.
    pub folders: Vec<Vec<u8>>,
    /// What people call each drive.
    pub names: Vec<String>,
    /// The drives that were given and are none now, or not yet: not there, not formatted, damaged, being healed. Each
    /// may be one of those that are missing.
    away: Vec<Drive>,
}

/// Why drives are no store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OpenError {
    /// None of them is a drive of MinIO's with an erasure code. The text says what the first is.
    NotErasure(String),
    /// None of them can be told to be one. The text says what is wrong with the first.
    Unusable(String),
    /// They are of several deployments, and it is not clear which one is meant.
    Deployments(String),
}

/// What a drive turned out to be.
enum Found {
    Formatted(Vec<u8>, Format),
    /// For this reason it is none. Whether nothing speaks for it either: it may be, and be damaged.
    Not(String, bool),
}

impl Layout {
    /// Looks at all drives.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn of(files: &impl Files, notes: &mut Notes) -> Result<Self, OpenError> {
        let names = files.drives();
        let mut formats: Vec<Option<Format>> = Vec::new();
        let mut folders = Vec::new();
        let mut not = Vec::new();
        let mut away = Vec::new();
        let mut is_unclear = false;
        for (drive, name) in (0..).zip(&names) {
            match find(files, drive, name, notes) {
                Found::Formatted(folder, format) => {
                    formats.push(Some(format));
                    folders.push(folder);
                }
                Found::Not(why, is_other) => {
                    is_unclear |= !is_other;
                    not.push(format!("{name}: {why}"));
                    away.push(drive);
                    formats.push(None);
                    folders.push(Vec::new());
                }
            }
        }
        let deployment = deployment(&formats, &names)?.ok_or_else(|| {
            let first = not.first().cloned().unwrap_or_default();
            match is_unclear {
                true => OpenError::Unusable(first),
                false => OpenError::NotErasure(first),
            }
        })?;
        let mut layout = Self {
            pools: pools(&formats, &deployment),
            folders,
            names,
            away,
        };
        layout.name_pools();
        let mut placing = Notes::default();
        for (drive, format) in (0..).zip(&formats) {
            if let Some(format) = format {
                layout.place(files, drive, format, &deployment, &mut placing);
            }
        }
        // Of more drives than are missing, some may be of a pool of which nothing is known.
        let missing = layout.missing_drives();
        for text in &not {
            match not.len() > missing {
                true => notes.hide(text.clone()),
                false => notes.say(text.clone()),
            }
        }
        notes.append(placing);
        if layout.pools.is_empty() {
            notes.hide("no drive could be read".into());
        }
        layout.tell_missing(notes);
        Ok(layout)
    }

    /// The names of these drives.
    pub fn named(&self, drives: &[Drive]) -> String {
        named(drives, &self.names)
    }

    /// The name of a drive.
    pub fn name(&self, drive: Drive) -> &str {
        let name = self.names.get(usize::from(drive));
        name.map_or("?", String::as_str)
    }

    /// The path on a drive of what is at this path below its system folder.
    pub fn path(&self, drive: Drive, path: &[u8]) -> Vec<u8> {
        let folder = self.folders.get(usize::from(drive));
        files::below(folder.map_or(&[], Vec::as_slice), path)
    }

    /// All drives that are counted.
    pub fn drives(&self) -> Vec<Drive> {
        let sets = self.pools.iter().flat_map(|pool| &pool.sets);
        sets.flatten().filter_map(|drive| *drive).collect()
    }

    /// How many drives are missing.
    fn missing_drives(&self) -> usize {
        let sets = self.pools.iter().flat_map(|pool| &pool.sets);
        sets.flatten().filter(|drive| drive.is_none()).count()
    }

    /// Which drives are missing, or not whole; none if all are there.
    pub fn lacking(&self) -> Option<String> {
        let sets = self.pools.iter().flat_map(|pool| {
            let sets = (1..).zip(&pool.sets);
            let which = sets.filter_map(|(number, set)| which(&place_of(pool, number), set));
            which.map(|which| format!("{which}{NOT_WHOLE}"))
        });
        let all: Vec<String> = sets.collect();
        (!all.is_empty()).then(|| all.join("; "))
    }

    /// Why it is not even written to those drives that are there, if it is not: too few of a set are, or some are
    /// others.
    pub fn unfit_degraded(&self) -> Option<String> {
        for pool in &self.pools {
            for (number, set) in (1..).zip(&pool.sets) {
                let (all, here) = (set.len(), set.iter().flatten().count());
                let need = needed_to_write(all);
                if here < need {
                    let of = place_of(pool, number);
                    return Some(format!(
                        "of the {all} drives of {of} {here} are there and sound, and {need} are needed, so that \
                         a write that breaks off leaves each object readable"
                    ));
                }
            }
        }
        if self.away.len() > self.missing_drives() {
            return Some(
                "more drives are not read than are missing, so some may be of a pool of which nothing is known"
                    .into(),
            );
        }
        let known = [self.drives(), self.away.clone()].concat();
        let mut given = (0..).zip(&self.names);
        let other = given.find(|(drive, _)| !known.contains(drive));
        other.map(|(_, name)| not_read(name))
    }

    /// Why these are not all drives of a deployment and no others, if they are not. Unless it is asked for, only all
    /// of them are written to: of fewer nobody knows what the others have.
    pub fn unfit(&self) -> Option<String> {
        for pool in &self.pools {
            for (number, set) in (1..).zip(&pool.sets) {
                if let Some((text, _)) = missing(&place_of(pool, number), set) {
                    return Some(text);
                }
            }
        }
        let placed = self.drives();
        let mut given = (0..).zip(&self.names);
        let other = given.find(|(drive, _)| !placed.contains(drive));
        other.map(|(_, name)| not_read(name))
    }

    fn place(
        &mut self,
        files: &impl Files,
        drive: Drive,
        format: &Format,
        deployment: &Uuid,
        notes: &mut Notes,
    ) {
        let name = self.name(drive).to_string();
        if format.deployment != *deployment {
            let theirs = format::text(&format.deployment);
            notes.say(format!(
                "{name} is of another deployment ({theirs}) and is not read"
            ));
            return;
        }
        let Some((set, place)) = position(format) else {
            notes.hide(format!(
                "{name} is not among the drives that its own format.json names, and is not read"
            ));
            return;
        };
        if healing::is_under_way(files, drive, &self.path(drive, healing::FILE)) {
            notes.say(format!(
                "{name} is being healed, so it is incomplete and is not read"
            ));
            self.away.push(drive);
            return;
        }
        let is_of = |pool: &&mut Pool| pool.is_of(format);
        let Some(pool) = self.pools.iter_mut().find(is_of) else {
            let text = format!(
                "{name} does not agree with the other drives on which drives there are, and is not \
                 read"
            );
            // Else its pool is none that is read.
            let described = Pool::of(format);
            match self.pools.iter().any(|pool| pool.contradicts(&described)) {
                true => notes.say(text),
                false => notes.hide(text),
            }
            return;
        };
        let slot = pool.sets.get_mut(set).and_then(|set| set.get_mut(place));
        match slot {
            Some(Some(other)) => {
                let other = *other;
                let other = self.name(other);
                notes.say(format!(
                    "{name} is the same drive as {other} by its format.json, and is not read"
                ));
            }
            Some(slot) => *slot = Some(drive),
            None => {}
        }
    }

    fn name_pools(&mut self) {
        if self.pools.len() > 1 {
            for (number, pool) in (1..).zip(&mut self.pools) {
                pool.name = format!("pool {number}");
            }
        }
    }

    /// Asks for the drives that are not there, by their places, and tells of those that lie in another
    /// order than they were given in.
    fn tell_missing(&self, notes: &mut Notes) {
        for pool in &self.pools {
            for (number, set) in (1..).zip(&pool.sets) {
                let of = place_of(pool, number);
                match missing(&of, set) {
                    Some((text, true)) => notes.hide(text),
                    Some((text, false)) => notes.say(text),
                    None => {}
                }
                let given: Vec<Drive> = set.iter().filter_map(|drive| *drive).collect();
                if !given.is_sorted() {
                    let order = self.named(&given);
                    notes.say(format!(
                        "the drives of {of} were given in another order than theirs, which is {order}"
                    ));
                }
            }
        }
    }
}

fn not_read(name: &str) -> String {
    format!("{name} is not read, and a note says why")
}

/// How many drives of a set of so many have to be there for a write: as many as MinIO wants, and so many that
/// wherever the write breaks off, as many have the old version or the new one as it takes to read it. That is all
/// of them but one if their number is even and more than two, else all.
fn needed_to_write(all: usize) -> usize {
    let (data, parity) = (all - all / 2, all / 2);
    let quorum = match data == parity {
        true => data + 1,
        false => data,
    };
    // Else there is a moment in which fewer than it takes have the old version still, and fewer the new one yet.
    let readable = (2 * data).saturating_sub(1);
    quorum.max(readable)
}

/// What is said of drives that were given, and are damaged or being healed.
const NOT_WHOLE: &str = " or not whole";

/// Says which drives of a set are not there, by their places.
fn which(of: &str, set: &[Option<Drive>]) -> Option<String> {
    let missing: Vec<String> = (1..)
        .zip(set)
        .filter(|(_, drive)| drive.is_none())
        .map(|(place, _)| format!("{place}"))
        .collect();
    let which = match missing.split_last()? {
        (last, []) => format!("number {last} is"),
        (last, first) => format!("numbers {} and {last} are", first.join(", ")),
    };
    Some(format!(
        "of the {} drives of {of} {which} missing",
        set.len()
    ))
}

/// Asks for the drives of a set that are not there, and tells whether too few are.
fn missing(of: &str, set: &[Option<Drive>]) -> Option<(String, bool)> {
    let which = which(of, set)?;
    let (all, here) = (set.len(), set.iter().flatten().count());
    let need = all - all / 2;
    let why = match here < need {
        false => NOT_WHOLE.into(),
        true => format!(", and {need} are needed to read an object"),
    };
    let text = format!("{which}{why}: give them all, as drives:/mnt/disk{{1...{all}}}");
    Some((text, here < need))
}

/// What people call a set.
fn place_of(pool: &Pool, set: usize) -> String {
    match (pool.name.as_str(), pool.sets.len()) {
        ("", 1) => "the set".into(),
        ("", _) => format!("set {set}"),
        (pool, 1) => pool.into(),
        (pool, _) => format!("{pool} set {set}"),
    }
}

/// The deployment of most drives; none if no drive has one.
fn deployment(formats: &[Option<Format>], names: &[String]) -> Result<Option<Uuid>, OpenError> {
    let mut by_deployment: BTreeMap<Uuid, Vec<Drive>> = BTreeMap::new();
    for (drive, format) in (0..).zip(formats) {
        if let Some(format) = format {
            by_deployment
                .entry(format.deployment)
                .or_default()
                .push(drive);
        }
    }
    let most = by_deployment.values().map(Vec::len).max().unwrap_or(0);
    let largest: Vec<_> = by_deployment
        .iter()
        .filter(|(_, drives)| drives.len() == most)
        .collect();
    match largest.as_slice() {
        [] => Ok(None),
        [(deployment, _)] => Ok(Some(**deployment)),
        several => {
            let each = several.iter().map(|(deployment, drives)| {
                format!("{} on {}", format::text(deployment), named(drives, names))
            });
            Err(OpenError::Deployments(each.collect::<Vec<_>>().join("; ")))
        }
    }
}

/// Looks for the system folder of a drive.
fn find(files: &impl Files, drive: Drive, name: &str, notes: &mut Notes) -> Found {
    let mut why: Option<(String, bool)> = None;
    let mut found = None;
    for folder in FOLDERS {
        let file = files::below(folder, FORMAT);
        let read = files::whole(files, drive, &file, FORMAT_BYTES);
        let reason = match read.map(|bytes| Format::parse(&bytes)) {
            Ok(Ok(format)) if found.is_none() => {
                found = Some(Found::Formatted(folder.to_vec(), format));
                continue;
            }
            Ok(Ok(_)) => {
                notes.say(format!(
                    "{name} has a .rustfs.sys too; give that folder of each drive to read it"
                ));
                continue;
            }
            Ok(Err(Unusable::Malformed)) => {
                let text = "its format.json is damaged";
                (text.into(), has_plain_files(files, drive, folder))
            }
            Ok(Err(Unusable::NotErasure)) => (
                "its format.json is not that of an erasure-coded drive".into(),
                true,
            ),
            Ok(Err(Unusable::Unsupported)) => {
                ("its format.json is of an unknown version".into(), false)
            }
            Err(FileError::NotFound) => continue,
            Err(FileError::Failed(error)) => (error, false),
        };
        why.get_or_insert(reason);
    }
    found.unwrap_or_else(|| {
        let (why, is_other) = why.unwrap_or_else(|| {
            let nothing = "it has no .minio.sys/format.json: not formatted, wiped, or not mounted";
            (nothing.into(), true)
        });
        Found::Not(why, is_other)
    })
}

/// Whether files lie in `config/` where a drive with an erasure code has folders alone.
fn has_plain_files(files: &impl Files, drive: Drive, folder: &[u8]) -> bool {
    let has_one = |name: &[u8]| {
        let page = files.list(drive, &files::below(folder, name), None);
        page.is_ok_and(|page| page.entries.iter().any(|entry| entry.kind == Kind::File))
    };
    has_one(b"config") || has_one(b"config/iam")
}

#[cfg(test)]
mod tests {
    use super::needed_to_write;

    #[test]
    fn one_drive_of_an_even_set_of_four_or_more_may_be_missing() {
        for all in 1..=16 {
            let may_be_missing = usize::from(all % 2 == 0 && all > 2);
            assert_eq!(needed_to_write(all), all - may_be_missing, "{all}");
        }
    }
}
