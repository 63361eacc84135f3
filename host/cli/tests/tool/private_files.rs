//! What the tool leaves beside a store is for its user alone, and compiled code that somebody else
//! could have written is not run.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::kit::{KEY, Tool, tool, with};

/// Seals something with this folder as the user's cache folder.
fn seal(caches: &TempDir) -> Tool {
    let seal = tool(with("seal --path", "config/config.json")).key(KEY);
    seal.env([("XDG_CACHE_HOME", caches.path())]).input("{}")
}

/// Every file and folder below this one.
fn below(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(below(&path));
        }
        all.push(path);
    }
    all
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// The compiled code in there: its one file that is no count of its uses.
fn code(caches: &TempDir) -> PathBuf {
    let files = below(caches.path()).into_iter();
    let mut code = files.filter(|path| path.is_file() && path.extension().is_none());
    let found = code.next().unwrap();
    assert_eq!(code.next(), None);
    found
}

#[test]
fn a_loose_mask_opens_no_compiled_code_to_others() {
    let caches = tempfile::tempdir().unwrap();
    seal(&caches).after("umask 0").ok();
    assert!(code(&caches).exists());
    for path in below(caches.path()) {
        assert_eq!(mode(&path) & 0o077, 0, "{}", path.display());
    }
}

#[test]
fn compiled_code_that_others_can_write_to_is_neither_run_nor_replaced() {
    let caches = tempfile::tempdir().unwrap();
    seal(&caches).ok();
    let code = code(&caches);
    // What is no code is compiled anew and replaced, if the folder is used at all.
    for (mode, is_used) in [(0o600, true), (0o666, false)] {
        fs::write(&code, "not code").unwrap();
        fs::set_permissions(&code, Permissions::from_mode(mode)).unwrap();
        seal(&caches).ok();
        let was_replaced = fs::read(&code).unwrap() != b"not code";
        assert_eq!(was_replaced, is_used, "{mode:o}");
    }
}
