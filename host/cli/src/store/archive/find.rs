//! What stores there are in a folder that was unpacked.

use std::fs;
use std::path::{Path, PathBuf};

use iamseal::storage::drives::may_be_drive;

use super::Wrong;
use super::place::said;

/// How deep a store may lie: below it are objects.
const DEEPEST: usize = 8;

/// The drives and the folders that hold `config/`, by their names in the archive.
#[derive(Default)]
pub struct Found {
    pub drives: Vec<(String, PathBuf)>,
    pub folders: Vec<(String, PathBuf)>,
}

/// Looks for them. Nothing is looked for in a store.
///
/// # Errors
/// A folder cannot be listed.
pub fn stores(root: &Path) -> Result<Found, Wrong> {
    let mut found = Found::default();
    look(root, root, 0, &mut found)?;
    // Servers are given their drives in the order of numbers, of which the tenth follows the ninth.
    found.drives.sort_by_cached_key(|(name, _)| order(name));
    Ok(found)
}

fn look(root: &Path, folder: &Path, depth: usize, found: &mut Found) -> Result<(), Wrong> {
    let name = || match folder.strip_prefix(root) {
        Ok(below) if below != Path::new("") => said(below),
        _ => ".".to_owned(),
    };
    if may_be_drive(folder) {
        found.drives.push((name(), folder.to_path_buf()));
        return Ok(());
    }
    if folder.join("config").is_dir() {
        found.folders.push((name(), folder.to_path_buf()));
        return Ok(());
    }
    if depth == DEEPEST {
        return Ok(());
    }
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            look(root, &entry.path(), depth + 1, found)?;
        }
    }
    Ok(())
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
