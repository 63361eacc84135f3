//! Where compiled components are kept, so that the next process start need not compile again.

use std::env;
use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use wasmtime::{Cache, CacheConfig};

use crate::private;

/// Where compiled components are kept.
///
/// What is kept is native code that is run as it is found: whoever can write to the folder can do
/// whatever the process can.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum CompileCache {
    /// The folder `iamseal` in the user's cache folder (`$XDG_CACHE_HOME`, or else `~/.cache`), which
    /// is made if it is missing. Nowhere if there is none, or if anybody but the user and root could
    /// put something in its place or in it: under `sudo` the home folder can be somebody else's. What
    /// others could write to in it, because a process with a loose `umask` made it, is enough.
    #[default]
    Default,
    /// This folder, made if it is missing. Who can write to it is the caller's care; what is in it
    /// already must be the user's or root's, and nobody else may be able to write to that.
    Folder(PathBuf),
    /// Nowhere.
    Off,
}

/// What a folder for compiled code may hold at the most: the runtime keeps 65,536 files itself before it
/// begins to remove some. To look at so many takes a fifth of a second.
const MOST_FILES: usize = 2 * 65_536;

/// Opens the cache; none if nothing is to be kept.
///
/// # Errors
/// A text: the folder that was named cannot be used.
pub(super) fn open(cache: &CompileCache) -> Result<Option<Cache>, String> {
    match cache {
        CompileCache::Off => Ok(None),
        CompileCache::Default => Ok(users_own().and_then(|folder| {
            at(folder)
                .inspect_err(|error| tracing::warn!(%error, "compiled code is not kept"))
                .ok()
        })),
        CompileCache::Folder(folder) => {
            let refused = |why: String| format!("cache folder {}: {why}", folder.display());
            let folder = std::path::absolute(folder).map_err(|error| refused(error.to_string()))?;
            at(folder)
                .map(Some)
                .map_err(|error| refused(error.root_cause().to_string()))
        }
    }
}

/// The cache in this folder, if nobody but the user and root can have written anything in it: what is
/// kept was not always made by this process, under its mask.
fn at(folder: PathBuf) -> wasmtime::Result<Cache> {
    if folder.is_dir() {
        private::check_below(&folder, private::user(), MOST_FILES)?;
    }
    let mut config = CacheConfig::new();
    config.with_directory(folder);
    Cache::new(config)
}

/// The folder that [`CompileCache::Default`] describes.
fn users_own() -> Option<PathBuf> {
    let named = env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    // A relative one is invalid: XDG Base Directory Specification 0.8, section 2.
    let caches = named.filter(|folder| folder.is_absolute()).or_else(|| {
        let home = env::home_dir().filter(|home| home.is_absolute())?;
        Some(home.join(".cache"))
    })?;
    let folder = caches.join("iamseal");
    let own = own(&folder, private::user());
    own.inspect_err(
        |error| tracing::debug!(folder = %folder.display(), %error, "compiled code is not kept"),
    )
    .ok()
}

/// The real path of this folder, made if it is missing, when nobody but `user` and root can change
/// what stands at it.
fn own(folder: &Path, user: u32) -> io::Result<PathBuf> {
    // Looked at first, so that nothing is made in a folder of somebody else's.
    let there = folder.ancestors().find(|above| above.exists());
    private::check_way(&there.unwrap_or(folder).canonicalize()?, user)?;
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    let real = folder.canonicalize()?;
    private::check_way(&real, user)?;
    Ok(real)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

    use tempfile::TempDir;

    use super::*;

    fn me() -> u32 {
        private::user()
    }

    /// A folder with this mode and an empty folder `home` in it.
    fn folder(mode: u32) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("home")).unwrap();
        fs::set_permissions(folder.path(), Permissions::from_mode(mode)).unwrap();
        folder
    }

    #[test]
    fn a_missing_folder_is_made_for_the_user_alone() {
        let above = folder(0o755);
        let made = own(&above.path().join("a/b"), me()).unwrap();
        for folder in [&made, made.parent().unwrap()] {
            assert_eq!(fs::metadata(folder).unwrap().mode() & 0o7777, 0o700);
        }
        assert_eq!(own(&above.path().join("a/b"), me()).unwrap(), made);
    }

    #[test]
    fn nothing_is_made_or_used_where_others_can_write() {
        for mode in [0o775, 0o757, 0o1777] {
            let above = folder(mode);
            own(&above.path().join("cache"), me()).unwrap_err();
            assert!(!above.path().join("cache").exists());
        }
        // What is below such a folder can be moved away, unless it is sticky.
        let below = |mode| own(&folder(mode).path().join("home/cache"), me());
        below(0o775).unwrap_err();
        below(0o777).unwrap_err();
        below(0o1777).unwrap();
    }

    #[test]
    fn what_a_link_leads_to_is_looked_at() {
        let (above, open) = (folder(0o755), folder(0o777));
        symlink(open.path(), above.path().join("cache")).unwrap();
        own(&above.path().join("cache"), me()).unwrap_err();
    }

    #[test]
    fn another_users_folder_is_not_used() {
        let above = folder(0o755);
        // Root's are everybody's, so a test that root runs has to give one away.
        if me() == 0 {
            std::os::unix::fs::chown(above.path().join("home"), Some(1), None).unwrap();
        }
        let user = if me() == 0 { 0 } else { me() + 1 };
        own(&above.path().join("home"), user).unwrap_err();
    }

    #[test]
    fn a_cache_folder_that_is_a_file_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let cache = CompileCache::Folder(file.path().to_owned());
        let error = open(&cache).err().unwrap();
        assert!(
            error.contains(&file.path().display().to_string()),
            "{error}"
        );
    }

    #[test]
    fn a_folder_with_code_that_others_can_write_to_is_not_used() {
        let folder = folder(0o755);
        let home = folder.path().join("home");
        let code = home.join("modules/code");
        fs::create_dir(home.join("modules")).unwrap();
        fs::write(&code, b"").unwrap();
        fs::set_permissions(home.join("modules"), Permissions::from_mode(0o755)).unwrap();
        for (mode, is_used) in [(0o644, true), (0o666, false)] {
            fs::set_permissions(&code, Permissions::from_mode(mode)).unwrap();
            let opened = open(&CompileCache::Folder(home.clone()));
            assert_eq!(opened.is_ok(), is_used, "{mode:o}");
        }
    }
}
