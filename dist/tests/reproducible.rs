//! The same source and compiler give the same bytes: the components are built once more, from a copy of
//! the sources in another folder and into another target folder.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use iamseal_component::{AUDITOR, DRIVE_STORE, DRIVE_STORE_WRITER, PLUGIN};
use sha2::{Digest, Sha256};

/// What is not source: what was built, and what was fetched.
const LEFT: [&str; 4] = [".cache", ".git", "node_modules", "target"];

/// Many times what it takes on a machine with two busy cores.
const PATIENCE: Duration = Duration::from_secs(900);

#[test]
fn another_checkout_gives_the_same_components() {
    let elsewhere = tempfile::tempdir().unwrap();
    let root = elsewhere.path().join("another name, with a space");
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join(".."), &root);
    let target = elsewhere.path().join("build");
    build(&root, &target);
    for (name, embedded) in [
        ("iamseal", PLUGIN),
        ("iamseal-auditor", AUDITOR),
        ("iamseal-drive-store", DRIVE_STORE),
        ("iamseal-drive-store-writer", DRIVE_STORE_WRITER),
    ] {
        let built = fs::read(find(&target, name)).unwrap();
        println!("{name}: SHA-256 {}", digest(&built));
        assert_eq!(digest(&built), digest(embedded), "{name}");
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name();
        if entry.file_type().unwrap().is_dir() {
            if LEFT.iter().all(|left| name != *left) {
                copy(&entry.path(), &to.join(&name));
            }
        } else {
            fs::copy(entry.path(), to.join(&name)).unwrap();
        }
    }
}

fn build(root: &Path, target: &Path) {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo)
        .args([
            "build",
            "--quiet",
            "--locked",
            "--package",
            "iamseal-component",
        ])
        .arg("--target-dir")
        .arg(target)
        .current_dir(root)
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    loop {
        if let Some(status) = build.try_wait().unwrap() {
            assert!(status.success(), "{status}");
            return;
        }
        if begun.elapsed() > PATIENCE {
            build.kill().unwrap();
            panic!("it hangs");
        }
        sleep(Duration::from_millis(100));
    }
}

/// The one component of this name that the build script left.
fn find(target: &Path, name: &str) -> PathBuf {
    let folders = fs::read_dir(target.join("debug/build")).unwrap();
    let files = folders.map(|folder| {
        folder
            .unwrap()
            .path()
            .join("out")
            .join(name)
            .with_extension("wasm")
    });
    let mut files = files.filter(|file| file.is_file());
    let file = files.next().unwrap();
    assert_eq!(files.next(), None);
    file
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
