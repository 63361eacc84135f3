//! Folders for this user alone, for what is there only as long as a command runs.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::{env, io};

use iamseal::is_safe_place;
use tempfile::TempDir;

/// One on a disk, where nobody else can put another in its place. A variable may name a folder of somebody else's:
/// that of the user who became root.
///
/// # Errors
/// There is no place for one.
pub fn on_disk() -> io::Result<TempDir> {
    let places = [env::temp_dir(), PathBuf::from("/tmp")];
    let safe = places.into_iter().find(|place| is_safe_place(place));
    let safe = safe.ok_or_else(|| {
        io::Error::other("there is no temporary folder that is safe from others: set TMPDIR")
    })?;
    of(&safe)
}

/// One in this place.
///
/// # Errors
/// The system refuses it.
pub fn of(place: &Path) -> io::Result<TempDir> {
    tempfile::Builder::new()
        .prefix("iamseal-")
        .permissions(Permissions::from_mode(0o700))
        .tempdir_in(place)
}
