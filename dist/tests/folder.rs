//! The folder of a release, and the revision that it is of.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

use std::fs;
use std::path::Path;
use std::process::Command;

use iamseal_dist::release;

fn run(folder: &Path, program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .output();
    let output = output.unwrap();
    assert!(
        output.status.success(),
        "{program} {arguments:?}: {output:?}"
    );
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_sums_are_those_of_the_files() {
    let folder = tempfile::tempdir().unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let files = release::files(&root, None).unwrap();
    let into = folder.path().join("a/b");
    release::write(&files, &into).unwrap();
    // Again, over what is there.
    release::write(&files, &into).unwrap();
    let checked = run(&into, "sha256sum", &["--check", "--strict", "SHA256SUMS"]);
    assert_eq!(checked.lines().count(), files.len() - 1);
    assert_eq!(fs::read_dir(&into).unwrap().count(), files.len());
}

#[test]
fn a_folder_with_anything_else_in_it_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("of-somebody"), "x").unwrap();
    let files = [("new".to_string(), vec![1])].into();
    let error = release::write(&files, folder.path()).unwrap_err();
    assert!(error.to_string().contains("of-somebody"), "{error}");
    assert!(!folder.path().join("new").exists());
}

#[test]
fn the_revision_is_the_commit_and_whether_a_file_differs() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(release::revision(folder.path()).unwrap(), None);

    let git = |arguments: &[&str]| {
        let identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"];
        run(folder.path(), "git", &[&identity, arguments].concat())
    };
    git(&["init", "--quiet"]);
    release::revision(folder.path()).unwrap_err();

    fs::write(folder.path().join("file"), "1").unwrap();
    git(&["add", "file"]);
    git(&["commit", "--quiet", "--no-gpg-sign", "--message", "first"]);
    let commit = git(&["rev-parse", "HEAD"]).trim().to_string();
    assert_eq!(release::revision(folder.path()).unwrap().unwrap(), commit);

    fs::write(folder.path().join("file"), "2").unwrap();
    let revision = release::revision(folder.path()).unwrap();
    assert_eq!(revision.unwrap(), format!("{commit}-dirty"));
}
