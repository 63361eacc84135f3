//! What is to be known of objects besides their bytes.

use cap_std::fs::MetadataExt as _;

use super::disk::Folder;
use super::neighbour;
use super::path::Place;
use super::root::Root;
use crate::contract::StorageError;
use crate::storage::Standing;

/// The mode bits that let group or others read. With an access control list those of the group are its
/// mask: the most that it gives to anybody but the owner.
const READ_BY_OTHERS: u32 = 0o044;

/// How those of these paths stand that are plain files, which come in the order of a listing.
pub(super) fn of(root: &Root, paths: Vec<Vec<u8>>) -> Vec<(Vec<u8>, Standing)> {
    let mut found = Vec::with_capacity(paths.len());
    // That of the last path, and usually of the next.
    let mut folder: Option<(Vec<u8>, Folder)> = None;
    for path in paths {
        let Ok(place) = Place::of(&path) else {
            continue;
        };
        if folder.as_ref().is_none_or(|(of, _)| of != place.folder) {
            let opened = root.folder(place.folder).ok();
            folder = opened.map(|opened| (place.folder.to_vec(), opened));
        }
        let looked = folder
            .as_ref()
            .and_then(|(_, open)| open.look(place.name).ok());
        if let Some(metadata) = looked.filter(|metadata| metadata.is_file()) {
            let standing = Standing {
                has_other_names: metadata.nlink() > 1,
                is_open: metadata.mode() & READ_BY_OTHERS != 0,
            };
            found.push((path, standing));
        }
    }
    found
}

/// Whether others could read a file that is made at this path.
///
/// # Errors
/// As [`neighbour::of_file`].
pub(super) fn of_new(root: &Root, path: &[u8]) -> Result<bool, StorageError> {
    Place::of(path)?;
    let rights = neighbour::of_file(root, path)?;
    Ok(rights.mode() & READ_BY_OTHERS != 0)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;

    use super::super::testing::{Fixture, run};
    use super::*;
    use crate::storage::Store as _;

    #[test]
    fn other_names_and_open_modes_are_told_of_plain_files() {
        let fixture = Fixture::new();
        let modes = [0o600, 0o640, 0o604, 0o622, 0o711];
        for mode in modes {
            let path = format!("a/{mode:o}");
            fixture.put(&path, "x");
            let file = fixture.root().join(path);
            fs::set_permissions(file, Permissions::from_mode(mode)).unwrap();
        }
        fixture.put("b/outside", "x");
        fs::hard_link(fixture.root().join("a/600"), fixture.root().join("b/name")).unwrap();
        fixture.link("600", "a/link");

        let mut seen = BTreeMap::new();
        let mut see = |path: &[u8], standing: Standing| {
            seen.insert(String::from_utf8(path.into()).unwrap(), standing);
        };
        run(fixture.store.survey(b"a/", &mut see)).unwrap();
        let expected = modes.map(|mode| {
            let standing = Standing {
                has_other_names: mode == 0o600,
                is_open: [0o640, 0o604].contains(&mode),
            };
            (format!("a/{mode:o}"), standing)
        });
        assert_eq!(seen, expected.into());
    }
}
