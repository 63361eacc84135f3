//! Of an archive every entry is read, or the command says what is not: no store in it is left out in silence.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::archives::{leaves_nothing, made, packed, run, scratch, tar, zip};
use crate::kit::drives::{Drives, archives, keys};
use crate::kit::{tool, with};

const ALICE: &str = "config/iam/users/alice/identity.json";
const BOB: &str = "config/iam/users/bob/identity.json";

fn write(file: PathBuf, bytes: &[u8]) {
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, bytes).unwrap();
}

/// A copy of a folder, and of what is in it.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    let status = Command::new("cp").arg("-a").arg(from).arg(to).status();
    assert!(status.unwrap().success());
}

/// Four sealed drives.
fn sealed() -> Drives {
    Drives::of("four-sealed.tar.gz")
}

/// A folder with `config/` in it.
fn folder() -> TempDir {
    let folder = scratch();
    write(folder.path().join(ALICE), b"{}");
    folder
}

/// However a folder is packed, nothing succeeds on it: both of this code, and with these words.
#[track_caller]
fn refused(root: &Path, code: i32, says: &str) {
    let place = scratch();
    for packed in [tar("tar.gz", root, place.path()), zip(root, place.path())] {
        for line in ["audit --require current", "keys"] {
            let ended = run(line, &packed).fails(code);
            ended.says(says).says("cure: ");
        }
    }
}

#[test]
fn a_folder_beside_a_folder_is_another_store() {
    for besides in ["before-rotation", "a/b/c", "buckets/x"] {
        let folder = folder();
        write(folder.path().join(besides).join(BOB), b"{}");
        refused(folder.path(), 2, "several stores: ");
    }
}

#[test]
fn a_folder_beside_or_in_drives_is_another_store() {
    for besides in ["old-plain", "old/plain", "", "disk1", "disk1/bucket/old"] {
        let drives = sealed();
        let first = drives.names[0].clone();
        let besides = besides.replace("disk1", &first);
        write(drives.root().join(&besides).join(ALICE), b"{}");
        refused(drives.root(), 2, "several stores: ");
    }
    let drives = sealed();
    write(drives.drive(1).join("old/config/config.json"), b"{}");
    refused(drives.root(), 2, "several stores: ");
    let (drives, other) = (sealed(), Drives::of("single-plain.tar.gz"));
    copy(&other.drive(1), &drives.drive(1).join("bucket/old"));
    refused(drives.root(), 2, "several stores: ");
}

#[test]
fn other_drives_are_other_stores() {
    let (drives, other) = (sealed(), Drives::of("single-plain.tar.gz"));
    copy(&other.drive(1), &drives.root().join("other"));
    refused(drives.root(), 2, "several stores: ");
    // As it was once.
    let drives = sealed();
    copy(&drives.drive(1), &drives.root().join("before"));
    refused(drives.root(), 2, "several stores: ");
}

#[test]
fn a_drive_without_its_format_is_no_folder() {
    let (drives, other) = (sealed(), Drives::of("single-plain.tar.gz"));
    fs::remove_file(other.file(1, "format.json")).unwrap();
    refused(other.root(), 2, "has no format.json, ");
    copy(&other.drive(1), &drives.root().join("other"));
    refused(drives.root(), 2, "which says of which server it is: other");
}

#[test]
fn what_lies_too_deep_is_named() {
    let nine = "1/2/3/4/5/6/7/8/9";
    let folder = folder();
    write(folder.path().join(nine).join(ALICE), b"{}");
    refused(folder.path(), 15, "too deep: 1/2/3/4/5/6/7/8/9");
    let drives = sealed();
    copy(&sealed().drive(1), &drives.root().join(nine));
    refused(drives.root(), 15, "too deep: 1/2/3/4/5/6/7/8/9");
}

#[test]
fn what_belongs_to_no_store_is_named() {
    let drives = sealed();
    write(drives.root().join("notes/read.me"), b"text");
    write(drives.root().join("iam/users/alice/identity.json"), b"{}");
    let place = scratch();
    for packed in [
        tar("tar", drives.root(), place.path()),
        zip(drives.root(), place.path()),
    ] {
        let ended = run("audit", packed).exits(0);
        ended.says("2 entries belong to no store in it, and are not looked at, such as ");
    }
    let entries = [(b'0', ALICE, "", &b"{}"[..]), (b'2', "latest", "/etc", b"")];
    let ended = run("ls", made(&entries, place.path())).exits(0);
    ended.says("1 entry belongs to no store in it, and is not looked at: latest");
}

/// Two names of as many letters become one.
fn renamed(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let at: Vec<usize> = (0..bytes.len() - from.len())
        .filter(|at| bytes[*at..].starts_with(from.as_bytes()))
        .collect();
    assert!(!at.is_empty());
    for at in at {
        bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
    }
    bytes
}

#[test]
fn a_second_entry_of_a_name_is_not_passed_over() {
    let place = scratch();
    let entries = |second: &'static [u8]| {
        let alice = (b'0', ALICE, "", &b"{}"[..]);
        [
            alice,
            (b'0', "./config/iam/users/alice/identity.json", "", second),
        ]
    };
    let twice = made(&entries(b"{\"later\": 1}"), place.path());
    run("audit", twice).fails(13).says(ALICE).says("cure: ");
    for other in [&b"{"[..], b"{}}", b""] {
        let twice = made(
            &[(b'0', ALICE, "", b"{}"), (b'0', ALICE, "", other)],
            place.path(),
        );
        run("audit", twice).fails(13).says("more than one entry");
    }
    let link = |bytes| {
        made(
            &[(b'0', ALICE, "", b"{}"), (b'1', BOB, ALICE, bytes)],
            place.path(),
        )
    };
    run("audit", link(b"{\"other\": 1}")).fails(13).says(BOB);
    run("ls", link(b"{}")).prints(BOB);
    // Appending what has not changed is no harm.
    run("ls", made(&entries(b"{}"), place.path())).prints(ALICE);

    let file = place.path().join("twice.zip");
    let mut zip = ZipWriter::new(File::create(&file).unwrap());
    let other = "config/iam/users/alicf/identity.json";
    for name in [ALICE, other] {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.write_all(name.as_bytes()).unwrap();
    }
    zip.finish().unwrap();
    // The content is packed.
    let twice = renamed(&fs::read(&file).unwrap(), other, ALICE);
    fs::write(&file, twice).unwrap();
    run("audit", file).fails(13).says("duplicate file names");
}

#[test]
fn what_lies_behind_the_end_is_not_passed_over() {
    let place = scratch();
    let (sealed, plain) = (sealed(), folder());
    let one = fs::read(tar("tar", sealed.root(), place.path())).unwrap();
    let two = fs::read(tar("tar", plain.path(), place.path())).unwrap();
    let zipped = fs::read(zip(sealed.root(), place.path())).unwrap();
    let other_zip = fs::read(zip(plain.path(), place.path())).unwrap();
    let far = [&one[..], &vec![0; 17 << 20], &two].concat();
    let gz = |bytes: &[u8]| packed(bytes);
    for (name, bytes) in [
        ("two.tar", [&one[..], &two].concat()),
        ("text.tar", [&one[..], b"text"].concat()),
        ("far.tar", far.clone()),
        ("far.tar.gz", gz(&far)),
        ("two.tar.gz", [gz(&one), gz(&two)].concat()),
        ("text.tar.gz", [gz(&one), b"text".to_vec()].concat()),
        ("tar.zip", [&zipped[..], &two].concat()),
        ("text.zip", [&zipped[..], b"text"].concat()),
        ("two.zip", [&other_zip[..], &zipped].concat()),
        ("two-small-last.zip", [&zipped[..], &other_zip].concat()),
        ("zip.tar", [&one[..], &other_zip].concat()),
    ] {
        let file = place.path().join(name);
        fs::write(&file, bytes).unwrap();
        let ended = run("audit", &file).fails(13);
        ended.says(name).says("cure: ");
        fs::remove_file(file).unwrap();
    }
    // Zeros are what tapes and disks are filled up with.
    let filled = place.path().join("filled.tar");
    fs::write(&filled, [&one[..], &vec![0; 1 << 20]].concat()).unwrap();
    run("audit", filled).exits(0);
}

#[test]
fn a_file_that_is_packed_again_as_a_link_to_itself_stays() {
    let (place, store) = (scratch(), folder());
    let alice = store.path().join(ALICE);
    fs::create_dir_all(store.path().join("config/iam/users/bob")).unwrap();
    fs::hard_link(&alice, store.path().join(BOB)).unwrap();
    let packed = place.path().join("again.tar");
    let mut command = Command::new("tar");
    command.arg("-cf").arg(&packed).arg("-C").arg(store.path());
    let status = command.args(["config", "config/iam/users"]).status();
    assert!(status.unwrap().success());
    for path in [ALICE, BOB] {
        let run = tool(with("cat", &packed)).args([path]);
        let ended = leaves_nothing(run.file("--keys", &keys()));
        assert_eq!(ended.exits(0).stdout, fs::read(&alice).unwrap());
    }
}

#[test]
fn deep_folders_are_refused_or_removed() {
    let place = scratch();
    for (depth, code) in [(400, 0), (1900, 15)] {
        let deep = format!("d{}/", "/d".repeat(depth));
        let attributes = format!("path={deep}\n");
        // The digits of the length count too.
        let length = (0..).find(|length| format!("{length} {attributes}").len() == *length);
        let attributes = format!("{} {attributes}", length.unwrap());
        let packed = made(
            &[
                (b'0', ALICE, "", b"{}"),
                (b'x', "attributes", "", attributes.as_bytes()),
                (b'5', "d", "", b""),
            ],
            place.path(),
        );
        let audit = tool(with("audit", packed)).file("--keys", &keys());
        leaves_nothing(audit.after("ulimit -n 128")).exits(code);
    }
}

#[test]
fn no_archive_is_prepared() {
    let place = scratch();
    let store = folder();
    for packed in [
        archives().join("four-sealed.tar.gz"),
        tar("tar", store.path(), place.path()),
    ] {
        let journal = scratch();
        let run = tool(with("migrate --to kms --prepare", packed));
        let run = run.args(["--journal".as_ref(), journal.path()]);
        let ended = leaves_nothing(run.file("--keys", &keys())).exits(2);
        ended
            .says("an archive is only read")
            .says("cure: unpack it (tar -xf FILE, unzip FILE) and give the folders");
        assert_eq!(fs::read_dir(journal.path()).unwrap().count(), 0);
    }
}
