//! The folders that archives were unpacked into, which go when the process ends.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use super::Wrong;
use crate::failure::Failure;

/// The folders that are to be removed when the process ends.
static FOLDERS: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());
/// Whether nothing more is unpacked, since the process ends.
static IS_ENDING: AtomicBool = AtomicBool::new(false);

/// Removes what was unpacked when it is dropped, even where a command panics.
pub struct Guard;

impl Drop for Guard {
    fn drop(&mut self) {
        // Whoever ends in order has told of it before.
        let _ = remove();
    }
}

/// Remembers a folder.
pub fn remember(folder: PathBuf) {
    let mut folders = FOLDERS.lock().unwrap_or_else(PoisonError::into_inner);
    folders.push(folder);
}

/// Refuses to go on once the process ends.
///
/// # Errors
/// It does.
pub fn go_on() -> Result<(), Wrong> {
    match IS_ENDING.load(Relaxed) {
        true => Err(Wrong::Ended),
        false => Ok(()),
    }
}

/// Removes what was unpacked, and tells what is left of it. For the end of the process: nothing is unpacked any
/// more. Returns the code to end with where something is left.
pub fn remove_and_tell(json: bool) -> Option<ExitCode> {
    let left = remove().err()?;
    Some(Failure::from(left).report(json))
}

fn remove() -> Result<(), Wrong> {
    IS_ENDING.store(true, Relaxed);
    // Whoever comes second waits until they are gone, and does not end the process before.
    let mut folders = FOLDERS.lock().unwrap_or_else(PoisonError::into_inner);
    let removed: Vec<_> = folders.drain(..).map(|folder| removed(&folder)).collect();
    removed.into_iter().collect()
}

fn removed(folder: &Path) -> Result<(), Wrong> {
    // What was being written when the end came may be there a moment longer.
    const TRIES: u32 = 50;
    let mut tries = 1..=TRIES;
    loop {
        match clear(folder) {
            Ok(()) => return Ok(()),
            Err(_) if tries.next().is_some() => thread::sleep(Duration::from_millis(10)),
            Err(why) => {
                let folder = folder.to_path_buf();
                return Err(Wrong::Left { folder, why });
            }
        }
    }
}

/// Removes a folder with all that is in it. However deep that is, one file is open at a time: the system's limit may
/// be a low one.
fn clear(folder: &Path) -> io::Result<()> {
    let mut folders = vec![folder.to_path_buf()];
    while let Some(last) = folders.last().cloned() {
        let listed = match fs::read_dir(&last) {
            // Somebody else was quicker.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                folders.pop();
                continue;
            }
            listed => listed?,
        };
        let known = folders.len();
        for entry in listed {
            let entry = entry?;
            match entry.file_type()?.is_dir() {
                true => folders.push(entry.path()),
                false => fs::remove_file(entry.path())?,
            }
        }
        if folders.len() == known {
            fs::remove_dir(&last)?;
            folders.pop();
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn everything_goes_and_nothing_else() {
        let above = tempfile::tempdir().unwrap();
        let [folder, other] = ["in", "other"].map(|name| above.path().join(name));
        fs::create_dir_all(folder.join("a/b/c")).unwrap();
        fs::create_dir_all(folder.join("a/d")).unwrap();
        fs::create_dir(&other).unwrap();
        fs::write(other.join("file"), b"").unwrap();
        fs::write(folder.join("a/b/file"), b"").unwrap();
        symlink(&other, folder.join("link")).unwrap();
        removed(&folder).unwrap();
        removed(&folder).unwrap();
        assert!(!folder.exists() && other.join("file").exists());
    }

    #[test]
    fn what_is_left_is_named() {
        let above = tempfile::tempdir().unwrap();
        let file = above.path().join("file");
        fs::write(&file, b"").unwrap();
        let left = removed(&file);
        assert!(
            matches!(&left, Err(Wrong::Left { folder, .. }) if *folder == file),
            "{left:?}"
        );
    }
}
