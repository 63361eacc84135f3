//! Whether a folder lies inside another, whatever way leads there: over links, and over mounts that show
//! a folder in a second place.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// Whether `inner`, which may have to be made yet, is or would be inside `outer`, which may be a drive that is missing.
///
/// # Errors
/// `outer` may not be looked at.
pub fn is_inside(inner: &Path, outer: &Path) -> io::Result<bool> {
    let outer = match outer.canonicalize() {
        Ok(outer) => outer,
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Err(error),
        // Nothing is in it, and what would be made in it has its name.
        Err(_) => return Ok(would_be(inner)?.starts_with(would_be(outer)?)),
    };
    let absolute = std::path::absolute(inner)?;
    let mut there = absolute
        .ancestors()
        .filter_map(|above| above.canonicalize().ok());
    let Some(inner) = there.next() else {
        return Ok(false);
    };
    let root = fs::metadata(&outer)?;
    let is_root = |above: &Path| fs::metadata(above).is_ok_and(|meta| is_same(&meta, &root));
    if inner.ancestors().any(is_root) {
        return Ok(true);
    }
    // A folder inside of it can be mounted elsewhere too, also one of what is mounted in it: nothing above
    // that leads to the root.
    let mounts = mounts()?;
    let Some(of_inner) = Origin::of(&inner, &mounts) else {
        return Ok(false);
    };
    let of_outer = Origin::of(&outer, &mounts).into_iter();
    let outers = of_outer.chain(Origin::below(&outer, &mounts));
    Ok(outers.into_iter().any(|outer| of_inner.is_inside(&outer)))
}

/// The path of what may have to be made yet, over no link as far as it is there.
fn would_be(path: &Path) -> io::Result<PathBuf> {
    let absolute = std::path::absolute(path)?;
    let real = absolute.ancestors().find_map(|above| {
        let rest = absolute.strip_prefix(above).ok()?;
        Some(above.canonicalize().ok()?.join(rest))
    });
    Ok(real.unwrap_or(absolute))
}

/// Whether a file shows in `outer` too, wherever it is: a union of folders, such as an overlay, shows the files of
/// its layers under devices and inodes of its own, and does not say where its layers are in a way that can be
/// relied on. The file's name must be one that nothing else has.
pub fn shows_in(file: &Path, outer: &Path) -> bool {
    let Ok(file) = file.canonicalize() else {
        return false;
    };
    // A layer may be any of the folders above it.
    let below = file.ancestors().skip(1);
    let below = below.filter_map(|layer| file.strip_prefix(layer).ok());
    below
        .map(|rest| outer.join(rest))
        .any(|shown| shown.symlink_metadata().is_ok())
}

fn is_same(one: &Metadata, other: &Metadata) -> bool {
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

/// Where a folder is in its file system, wherever that is mounted.
#[derive(Debug, PartialEq, Eq)]
struct Origin {
    device: String,
    path: PathBuf,
}

impl Origin {
    fn is_inside(&self, other: &Self) -> bool {
        self.device == other.device && self.path.starts_with(&other.path)
    }

    /// By what the system says of its mounts, if it does: Linux does, where `/proc` is.
    #[cfg(target_os = "linux")]
    fn of(folder: &Path, mounts: &[u8]) -> Option<Self> {
        use rustix::fs::{AtFlags, CWD, StatxFlags, statx};
        let looked = statx(CWD, folder, AtFlags::empty(), StatxFlags::MNT_ID).ok()?;
        // Kernels before 5.8 do not say which mount it is.
        let has_mount = looked.stx_mask & StatxFlags::MNT_ID.bits() != 0;
        let mount = has_mount.then_some(looked.stx_mnt_id)?;
        Self::by(mounts, mount, folder)
    }

    /// What is mounted below a folder.
    #[cfg(target_os = "linux")]
    fn below(folder: &Path, mounts: &[u8]) -> Vec<Self> {
        let below = mounts_of(mounts).filter(|mount| mount.point.starts_with(folder));
        below.map(|mount| mount.origin).collect()
    }

    #[cfg(not(target_os = "linux"))]
    fn of(_folder: &Path, _mounts: &[u8]) -> Option<Self> {
        None
    }

    #[cfg(not(target_os = "linux"))]
    fn below(_folder: &Path, _mounts: &[u8]) -> Vec<Self> {
        Vec::new()
    }

    #[cfg(target_os = "linux")]
    fn by(mounts: &[u8], mount: u64, folder: &Path) -> Option<Self> {
        let number = mount.to_string();
        let mut mounts = mounts_of(mounts);
        let mount = mounts.find(|mount| mount.number == number.as_bytes())?;
        let below = folder.strip_prefix(mount.point).ok()?;
        let path = mount.origin.path.join(below);
        Some(Self {
            path,
            ..mount.origin
        })
    }
}

/// What the system says of its mounts.
///
/// # Errors
/// It does not.
#[cfg(target_os = "linux")]
fn mounts() -> io::Result<Vec<u8>> {
    fs::read("/proc/self/mountinfo").map_err(|error| {
        io::Error::new(
            error.kind(),
            format!("/proc/self/mountinfo: {error}: no mount can be told"),
        )
    })
}

#[cfg(not(target_os = "linux"))]
fn mounts() -> io::Result<Vec<u8>> {
    Ok(Vec::new())
}

/// One line of mountinfo.
#[cfg(target_os = "linux")]
struct Mount<'a> {
    number: &'a [u8],
    /// The folder of a file system that is mounted.
    origin: Origin,
    /// Where.
    point: PathBuf,
}

/// The lines of mountinfo: the mount's number, its parent's, the device, the folder of that file system that
/// is mounted, and where (proc_pid_mountinfo(5)).
#[cfg(target_os = "linux")]
fn mounts_of(mounts: &[u8]) -> impl Iterator<Item = Mount<'_>> {
    let lines = mounts.split(|byte| *byte == b'\n');
    lines.filter_map(|line| {
        let mut fields = line.split(|byte| *byte == b' ');
        let number = fields.next()?;
        let device = String::from_utf8_lossy(fields.nth(1)?).into_owned();
        let path = unescaped(fields.next()?);
        let point = unescaped(fields.next()?);
        let origin = Origin { device, path };
        Some(Mount {
            number,
            origin,
            point,
        })
    })
}

/// A path of mountinfo, which has space, tab, line end and backslash as a backslash and three octal digits.
#[cfg(target_os = "linux")]
fn unescaped(text: &[u8]) -> PathBuf {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt as _;
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        let digits = after
            .get(..3)
            .and_then(|digits| str::from_utf8(digits).ok());
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match byte.filter(|_| *first == b'\\') {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(3..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    OsString::from_vec(bytes).into()
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// As a system has them: a disk, two folders of it that are mounted elsewhere too, another disk.
    const MOUNTS: &[u8] = b"\
        21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n\
        22 21 8:2 / /data rw,relatime - ext4 /dev/sdb1 rw\n\
        23 21 8:2 /store/config /mnt/with\\040space rw,relatime - ext4 /dev/sdb1 rw\n\
        24 21 8:2 /elsewhere /mnt/elsewhere rw,relatime - ext4 /dev/sdb1 rw\n";

    fn origin(mount: u64, folder: &str) -> Origin {
        Origin::by(MOUNTS, mount, Path::new(folder)).unwrap()
    }

    #[test]
    fn a_folder_of_the_store_that_is_mounted_elsewhere_is_inside_it() {
        let store = origin(22, "/data/store");
        assert!(origin(22, "/data/store/journals").is_inside(&store));
        assert!(origin(23, "/mnt/with space/a/b").is_inside(&store));
        for (mount, outside) in [
            (24, "/mnt/elsewhere/store"),
            (22, "/data/store-2"),
            // The same path on another disk.
            (21, "/store/config"),
        ] {
            assert!(!origin(mount, outside).is_inside(&store), "{outside}");
        }
        assert_eq!(Origin::by(MOUNTS, 25, Path::new("/")), None);
    }

    #[test]
    fn what_is_mounted_in_the_store_is_inside_it_wherever_else_it_is_mounted() {
        let mounts = mounts_of(MOUNTS);
        let in_mnt = mounts.filter(|mount| mount.point.starts_with("/mnt"));
        let in_mnt: Vec<_> = in_mnt.map(|mount| mount.origin).collect();
        let is_in_mnt = |origin: Origin| in_mnt.iter().any(|outer| origin.is_inside(outer));
        assert!(is_in_mnt(origin(22, "/data/store/config/journals")));
        assert!(!is_in_mnt(origin(22, "/data/store/journals")));
    }

    #[test]
    fn the_system_says_where_a_folder_is() {
        let folder = tempfile::tempdir().unwrap();
        let origin = Origin::of(&folder.path().canonicalize().unwrap(), &mounts().unwrap());
        let name = folder.path().file_name().unwrap();
        // Before kernel 5.8 it does not.
        assert!(origin.is_none_or(|origin| origin.path.ends_with(name)));
    }

    #[test]
    fn what_is_to_be_made_is_inside_what_it_is_made_in() {
        let folder = tempfile::tempdir().unwrap();
        let [store, other] = ["store", "other"].map(|name| folder.path().join(name));
        fs::create_dir(&store).unwrap();
        fs::create_dir(&other).unwrap();
        symlink(&store, other.join("link")).unwrap();
        let inside = |path: &Path| is_inside(path, &store).unwrap();
        for path in [
            &store,
            &store.join("a/b"),
            &other.join("link/a"),
            &other.join("../store/a"),
        ] {
            assert!(inside(path), "{}", path.display());
        }
        for path in [&other, &other.join("a/b"), &folder.path().join("store-2")] {
            assert!(!inside(path), "{}", path.display());
        }
        // As that of a drive that is missing.
        let nothing = folder.path().join("nothing");
        assert!(!is_inside(&other, &nothing).unwrap());
        assert!(is_inside(&nothing.join("a"), &nothing).unwrap());
    }
}
