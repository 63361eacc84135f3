//! What stores there are in a folder that was unpacked.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::{fs, io};

use iamseal::storage::drives::may_be_drive;
use iamseal_words::drives::SYSTEM_FOLDERS;

use super::Wrong;
use super::place::said;
use crate::report::notes::MARKER;
use crate::store::drives::unformatted;

/// How deep a store may lie: below it are objects.
pub const DEEPEST: usize = 8;

/// What there is, by its names in the archive.
#[derive(Default)]
pub struct Found {
    pub drives: Vec<(String, PathBuf)>,
    /// What holds `config/` and is no drive.
    pub folders: Vec<(String, PathBuf)>,
    /// Drives of which nothing says whose they are.
    pub unformatted: Vec<String>,
    /// What belongs to none of them.
    pub unread: Unread,
}

/// What is not looked at.
#[derive(Default)]
pub struct Unread {
    pub count: u64,
    pub first: String,
}

impl Unread {
    /// Counts one of this name.
    pub fn add(&mut self, name: impl FnOnce() -> String) {
        if self.count == 0 {
            self.first = name();
        }
        self.count += 1;
    }
}

/// Looks for them everywhere, also within stores, where others may have been put. `left_out` was not unpacked.
///
/// # Errors
/// A folder cannot be listed; a store lies too deep.
pub fn stores(root: &Path, left_out: Unread) -> Result<Found, Wrong> {
    let unread = left_out;
    let found = Found {
        unread,
        ..Found::default()
    };
    let mut look = Look { root, found };
    look.at(root, 0)?;
    let mut found = look.found;
    // Servers are given their drives in the order of numbers, of which the tenth follows the ninth.
    found.drives.sort_by_cached_key(|(name, _)| order(name));
    found.folders.sort();
    Ok(found)
}

struct Look<'a> {
    root: &'a Path,
    found: Found,
}

impl Look<'_> {
    /// Looks at a folder that is in no drive.
    fn at(&mut self, folder: &Path, depth: usize) -> Result<(), Wrong> {
        let systems = systems(folder);
        if !systems.is_empty() {
            let name = self.store(folder, depth)?;
            match may_be_drive(folder) {
                true => self.found.drives.push((name, folder.to_path_buf())),
                false => self.found.unformatted.push(name),
            }
            return self.in_drive(folder, depth, &systems);
        }
        let is_store = folder.join("config").is_dir();
        if is_store {
            let name = self.store(folder, depth)?;
            self.found.folders.push((name, folder.to_path_buf()));
        }
        let (folders, others) = listed(folder)?;
        for other in others {
            if !(is_store && other.as_encoded_bytes() == MARKER) {
                let name = said(self.name(&folder.join(other)));
                self.found.unread.add(|| name);
            }
        }
        // All that is in config/ are objects.
        for below in folders.iter().filter(|name| !is_store || *name != "config") {
            self.at(&folder.join(below), depth + 1)?;
        }
        Ok(())
    }

    /// Looks for what does not belong to a drive, in the drive or in a folder of it.
    fn in_drive(&mut self, folder: &Path, depth: usize, systems: &[PathBuf]) -> Result<(), Wrong> {
        let is_system = systems.iter().any(|system| system == folder);
        if !is_system && is_store_in_drive(folder)? {
            let name = self.store(folder, depth)?;
            self.found.folders.push((name, folder.to_path_buf()));
        }
        let (folders, _) = listed(folder)?;
        for below in folders
            .iter()
            .filter(|name| !is_system || *name != "config")
        {
            self.in_drive(&folder.join(below), depth + 1, systems)?;
        }
        Ok(())
    }

    /// The name of a store, which may not lie too deep.
    fn store(&self, folder: &Path, depth: usize) -> Result<String, Wrong> {
        let name = match self.name(folder) {
            root if root == Path::new("") => ".".to_owned(),
            name => said(name),
        };
        match depth > DEEPEST {
            true => Err(Wrong::Deep(name)),
            false => Ok(name),
        }
    }

    fn name<'p>(&self, path: &'p Path) -> &'p Path {
        path.strip_prefix(self.root).unwrap_or(path)
    }
}

/// The folders in a folder, and what else is in it. All of them at once: how many folders may be open has a limit.
fn listed(folder: &Path) -> io::Result<(Vec<OsString>, Vec<OsString>)> {
    let (mut folders, mut others) = (Vec::new(), Vec::new());
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        match entry.file_type()?.is_dir() {
            true => folders.push(entry.file_name()),
            false => others.push(entry.file_name()),
        }
    }
    Ok((folders, others))
}

/// The system folders of a drive, also of one without `format.json`; none of what is no drive.
fn systems(folder: &Path) -> Vec<PathBuf> {
    match may_be_drive(folder) {
        true => {
            let below = SYSTEM_FOLDERS.map(|below| folder.join(below));
            let systems = below.into_iter();
            systems
                .filter(|system| system.join("format.json").is_file())
                .collect()
        }
        false => unformatted::system_folder(folder).into_iter().collect(),
    }
}

/// Whether a folder in a drive is a store of its own. That it has `config/` in it does not say so: users have objects of
/// that name.
fn is_store_in_drive(folder: &Path) -> io::Result<bool> {
    let config = folder.join("config");
    let is_system = SYSTEM_FOLDERS
        .into_iter()
        .any(|system| folder.file_name().is_some_and(|name| name == system));
    Ok(config.is_dir()
        && (is_system || folder.join("format.json").is_file() || has_plain_iam(&config)?))
}

/// Whether a `config/` has IAM in it as plain files, and not as objects of a drive.
fn has_plain_iam(config: &Path) -> io::Result<bool> {
    if config.join("config.json").is_file() {
        return Ok(true);
    }
    let mut below = vec![config.join("iam")];
    while let Some(folder) = below.pop().filter(|folder| folder.is_dir()) {
        let (folders, files) = listed(&folder)?;
        let of_object = |name: &OsString| {
            let name = name.as_encoded_bytes();
            [&b"xl."[..], b"part.", b"fs."]
                .iter()
                .any(|of| name.starts_with(of))
        };
        if !files.iter().all(of_object) {
            return Ok(true);
        }
        below.extend(folders.iter().map(|name| folder.join(name)));
    }
    Ok(false)
}

/// A name's texts and the numbers between them.
fn order(name: &str) -> Vec<(String, u64)> {
    let mut parts = Vec::new();
    let mut rest = name;
    while !rest.is_empty() {
        let start = rest
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(rest.len());
        let (text, after) = rest.split_at(start);
        let end = after
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(after.len());
        let (digits, after) = after.split_at(end);
        // What is no number of 64 bits is as good as any.
        parts.push((text.to_owned(), digits.parse().unwrap_or_default()));
        rest = after;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drives_are_in_the_order_of_their_numbers() {
        let mut names = ["b1/d2", "disk10", "disk9", "b1/d10", "a", "disk"];
        names.sort_by_cached_key(|name| order(name));
        assert_eq!(names, ["a", "b1/d2", "b1/d10", "disk", "disk9", "disk10"]);
    }
}
