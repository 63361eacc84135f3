//! Whether what stands in the file system is the user's own: nobody else can have put it there, and
//! nobody else can change it. Root can do both anywhere, so what is root's is as good.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// Write permission of the group and of all others. Where there is an access list, the group's bits
/// are its mask, so that they also tell whether a list lets anybody write.
const WRITABLE: u32 = 0o022;
/// In a folder with this bit nobody moves or removes what belongs to others.
const STICKY: u32 = 0o1000;

/// Who runs this process, as far as files are concerned.
pub(crate) fn user() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Refuses a file or folder that is somebody else's or that others can write to. Says nothing about
/// the folders above, see [`check_way`].
///
/// # Errors
/// A text that names it.
pub(crate) fn check(path: &Path, meta: &Metadata, user: u32) -> io::Result<()> {
    match is_owned(meta, user) && meta.mode() & WRITABLE == 0 {
        true => Ok(()),
        false => Err(open_to_others(path)),
    }
}

/// Refuses a path without links in which it or a folder above is somebody else's, or can be changed by
/// others.
///
/// # Errors
/// A text that names the folder; what stands there cannot be looked at.
pub(crate) fn check_way(real: &Path, user: u32) -> io::Result<()> {
    check_above(real, user, None)
}

/// Whether nobody but root can move or change what this process makes in a folder, for itself alone: it and
/// the folders above are the user's or root's, and others cannot write to them, or only as to `/tmp`.
#[must_use]
pub fn is_safe_place(folder: &Path) -> bool {
    let user = user();
    let checked = folder.canonicalize();
    checked.is_ok_and(|real| check_above(&real, user, Some(user)).is_ok())
}

/// `below` is whose the thing is that stands in `real`, if there is one to be moved.
fn check_above(real: &Path, user: u32, mut below: Option<u32>) -> io::Result<()> {
    for place in real.ancestors() {
        let meta = fs::metadata(place)?;
        let mode = meta.mode();
        let is_fixed = below.is_some_and(|owner| [user, 0].contains(&owner));
        let open = mode & WRITABLE != 0 && !(mode & STICKY != 0 && is_fixed);
        if open || !is_owned(&meta, user) {
            return Err(open_to_others(place));
        }
        below = Some(meta.uid());
    }
    Ok(())
}

/// Refuses a folder if anything below it is neither a plain file nor a folder, is somebody else's or
/// can be changed by others, and if there are more than `most` things. The folder itself is not looked
/// at. What is found well stays so where [`check_way`] holds for the folder: nobody else can change it.
///
/// # Errors
/// A text that names what is wrong; something cannot be looked at.
pub(crate) fn check_below(folder: &Path, user: u32, most: usize) -> io::Result<()> {
    let mut left = most;
    let mut folders: Vec<PathBuf> = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let Some(entries) = if_there(fs::read_dir(folder))? else {
            continue;
        };
        for entry in entries {
            let entry = entry?;
            let path = entry.path();
            left = left.checked_sub(1).ok_or_else(|| {
                io::Error::other(format!("there are more than {most} things in it"))
            })?;
            // Of a link itself: what it leads to could be anybody's.
            let Some(meta) = if_there(entry.metadata())? else {
                continue;
            };
            if !meta.is_file() && !meta.is_dir() {
                let shown = path.display();
                return Err(io::Error::other(format!("{shown} is no plain file")));
            }
            check(&path, &meta, user)?;
            if meta.is_dir() {
                folders.push(path);
            }
        }
    }
    Ok(())
}

/// None for what another process has removed meanwhile.
fn if_there<T>(looked: io::Result<T>) -> io::Result<Option<T>> {
    match looked {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        other => other.map(Some),
    }
}

fn is_owned(meta: &Metadata, user: u32) -> bool {
    [user, 0].contains(&meta.uid())
}

fn open_to_others(path: &Path) -> io::Error {
    io::Error::other(format!("others can change {}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::{PermissionsExt as _, chown, symlink};

    use tempfile::TempDir;

    use super::*;

    /// A folder that holds `below/file`.
    fn tree() -> TempDir {
        let tree = tempfile::tempdir().unwrap();
        fs::create_dir(tree.path().join("below")).unwrap();
        fs::write(tree.path().join("below/file"), b"code").unwrap();
        chmod(&tree.path().join("below"), 0o700);
        chmod(&tree.path().join("below/file"), 0o600);
        tree
    }

    fn chmod(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    /// Whether all is well below, under a bound that is not reached.
    fn is_well(tree: &TempDir) -> bool {
        check_below(tree.path(), user(), 100).is_ok()
    }

    #[test]
    fn a_place_is_safe_where_nobody_can_move_what_is_made_there() {
        let tree = tree();
        let below = tree.path().join("below");
        for (mode, is_safe) in [(0o700, true), (0o755, true), (0o1777, true), (0o777, false)] {
            chmod(&below, mode);
            assert_eq!(is_safe_place(&below), is_safe, "{mode:o}");
        }
        chmod(&below, 0o700);
        let link = tree.path().join("link");
        symlink(&below, &link).unwrap();
        assert!(is_safe_place(&link));
        assert!(!is_safe_place(&tree.path().join("none")));
        if user() == 0 {
            chown(&below, Some(65534), None).unwrap();
            assert!(!is_safe_place(&below));
        }
    }

    #[test]
    fn what_others_can_write_to_is_found_however_deep() {
        for (place, modes) in [
            ("below/file", [0o620, 0o602, 0o666]),
            ("below", [0o720, 0o702, 0o777]),
        ] {
            for mode in modes {
                let tree = tree();
                assert!(is_well(&tree));
                chmod(&tree.path().join(place), mode);
                let error = check_below(tree.path(), user(), 100).unwrap_err();
                assert!(error.to_string().ends_with(place), "{error}");
            }
        }
        // To read is not to write.
        let tree = tree();
        chmod(&tree.path().join("below"), 0o755);
        chmod(&tree.path().join("below/file"), 0o644);
        assert!(is_well(&tree));
    }

    #[test]
    fn what_is_somebody_elses_or_no_plain_file_is_found() {
        let tree = tree();
        symlink("file", tree.path().join("below/link")).unwrap();
        assert!(!is_well(&tree));
        fs::remove_file(tree.path().join("below/link")).unwrap();
        assert!(is_well(&tree));
        // Root's are everybody's, so a test that root runs has to give one away.
        let other = match user() {
            0 => {
                chown(tree.path().join("below/file"), Some(1), None).unwrap();
                0
            }
            me => me + 1,
        };
        check_below(tree.path(), other, 100).unwrap_err();
    }

    /// Nobody but root moves what is root's out of a folder that all may write to.
    #[test]
    fn in_a_folder_of_all_what_is_ones_own_or_roots_stays() {
        let tree = tree();
        let (folder, mine) = (tree.path(), tree.path().join("below"));
        chmod(folder, 0o1777);
        let real = mine.canonicalize().unwrap();
        check_way(&real, user()).unwrap();
        if user() == 0 {
            check_way(&real, 1).unwrap();
            chown(&mine, Some(2), None).unwrap();
            check_way(&real, 1).unwrap_err();
            check_way(&real, 0).unwrap_err();
        }
        chmod(folder, 0o777);
        check_way(&real, user()).unwrap_err();
    }

    #[test]
    fn the_search_is_bounded() {
        let tree = tree();
        assert!(check_below(tree.path(), user(), 2).is_ok());
        assert!(check_below(tree.path(), user(), 1).is_err());
    }
}
