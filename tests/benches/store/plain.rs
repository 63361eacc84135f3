//! The plain loop: one object after the other, each durable before the next. What a server does that
//! migrates its objects when it starts.
//!
//! The cryptography is the core's, compiled for this machine. Nothing is read back, nothing keeps
//! another writer out, and owner and mode are not kept.

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use iamseal_core::{Location, Policy, Session, seal, unseal};
use iamseal_tests::lent::Lent;

use crate::sample::{NEW, keys, sealed};

/// Brings every object of a store to the new key.
pub fn migrate(store: &Path) {
    let lent = Lent::keys(keys());
    let mut session = Session::default();
    let options = sealed(NEW);
    for file in files(&store.join("config")) {
        let path = file.strip_prefix(store).unwrap().as_os_str().as_bytes();
        let location = Location::new("", path).unwrap();
        let stored = fs::read(&file).unwrap();
        let policy = Policy::Compatible;
        let opened = unseal(&lent, &mut session, &location, &stored, policy).unwrap();
        let sealed = seal(&lent, &mut session, &location, &opened.plaintext, &options).unwrap();
        replace(&file, &sealed);
    }
}

fn replace(file: &Path, bytes: &[u8]) {
    let folder = file.parent().unwrap();
    let temporary = folder.join(".new.tmp");
    let mut new = File::create_new(&temporary).unwrap();
    new.write_all(bytes).unwrap();
    new.sync_all().unwrap();
    fs::rename(&temporary, file).unwrap();
    File::open(folder).unwrap().sync_all().unwrap();
}

/// All files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            match entry.file_type().unwrap().is_dir() {
                true => folders.push(entry.path()),
                false => files.push(entry.path()),
            }
        }
    }
    files.sort();
    files
}
