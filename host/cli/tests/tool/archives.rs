//! A tar, a tar.gz or a zip of drives or of a folder is read as what was packed, and nothing else is done with it.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use rustix::process::Signal;
use tempfile::TempDir;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::kit::drives::{Drives, archives, keys, manifest};
use crate::kit::store::Store;
use crate::kit::{Ended, KEY, Tool, tool, with};

const ALICE: &str = "config/iam/users/alice/identity.json";

pub fn scratch() -> TempDir {
    TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}

/// Packs what is in a folder.
pub fn tar(how: &str, folder: &Path, into: &Path) -> PathBuf {
    let packed = into.join(format!("backup.{how}"));
    let flags = match how {
        "tar" => "-cf",
        _ => "-czf",
    };
    let mut command = Command::new("tar");
    command
        .arg(flags)
        .arg(&packed)
        .arg("-C")
        .arg(folder)
        .arg(".");
    assert!(command.status().unwrap().success());
    packed
}

/// The same as a zip.
pub fn zip(folder: &Path, into: &Path) -> PathBuf {
    fn add(zip: &mut ZipWriter<File>, root: &Path, folder: &Path) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                add(zip, root, &path);
                continue;
            }
            let name = path.strip_prefix(root).unwrap().to_str().unwrap();
            zip.start_file(name, SimpleFileOptions::default()).unwrap();
            zip.write_all(&fs::read(&path).unwrap()).unwrap();
        }
    }
    let packed = into.join("backup.zip");
    let mut zip = ZipWriter::new(File::create(&packed).unwrap());
    add(&mut zip, folder, folder);
    zip.finish().unwrap();
    packed
}

/// Runs a command, which leaves nothing where it unpacks.
#[track_caller]
pub fn run(line: &str, store: impl AsRef<Path>) -> Ended {
    leaves_nothing(tool(with(line, store.as_ref())).file("--keys", &keys()))
}

#[track_caller]
pub fn leaves_nothing(run: Tool) -> Ended {
    let place = scratch();
    let ended = run.env([("TMPDIR", place.path())]).run();
    let left = fs::read_dir(place.path()).unwrap().count();
    assert_eq!(left, 0, "{ended}");
    ended
}

/// Notes and failures name drives by their places, which are elsewhere in an archive.
fn without(text: &str, folder: &Path) -> String {
    text.replace(&format!("{}/", folder.display()), "")
}

#[test]
fn every_archive_of_drives_is_read_as_the_drives_are() {
    for (name, _) in manifest()["fixtures"].as_object().unwrap() {
        let drives = Drives::of(name);
        let store = match name.starts_with("old-fs-") {
            false => drives.store(),
            true => drives.file(1, "").to_str().unwrap().to_owned(),
        };
        let packed = archives().join(name);
        for line in ["audit --json", "ls --json"] {
            let (of_folder, of_archive) = (run(line, &store), run(line, &packed));
            assert_eq!(of_archive.code, of_folder.code, "{name}: {of_archive}");
            assert_eq!(of_archive.text(), of_folder.text(), "{name}: {line}");
            let said = without(&of_folder.stderr, drives.root());
            assert_eq!(of_archive.stderr, said, "{name}: {line}");
        }
    }
}

#[test]
fn however_it_is_packed_it_is_the_same() {
    let drives = Drives::of("user-objects.tar.gz");
    let place = scratch();
    let of_drives = run("audit --json", drives.store());
    let packed = [
        tar("tar", drives.root(), place.path()),
        tar("tar.gz", drives.root(), place.path()),
        zip(drives.root(), place.path()),
    ];
    for packed in packed {
        let of_archive = run("audit --json", &packed);
        assert_eq!(of_archive.text(), of_drives.text(), "{packed:?}");
        let of_archive = run("keys --json", &packed);
        let of_drives = run("keys --json", drives.store());
        assert_eq!(of_archive.text(), of_drives.text(), "{packed:?}");
        assert_eq!(of_archive.code, of_drives.code, "{packed:?}");
    }
}

#[test]
fn what_reads_reads_an_archive() {
    let drives = Drives::of("four-sealed.tar.gz");
    let packed = archives().join("four-sealed.tar.gz");
    for line in [
        format!("unseal --path {ALICE}"),
        format!("inspect --path {ALICE}"),
        "migrate --to plaintext --dry-run --json".to_owned(),
        "export --json".to_owned(),
    ] {
        let (of_folder, of_archive) = (run(&line, drives.store()), run(&line, &packed));
        assert_eq!(of_archive.code, of_folder.code, "{line}: {of_archive}");
        assert_eq!(of_archive.stdout, of_folder.stdout, "{line}: {of_archive}");
    }
    let cat = |store: &Path| {
        let run = tool(with("cat", store)).args([ALICE]);
        leaves_nothing(run.file("--keys", &keys())).exits(0).stdout
    };
    assert_eq!(cat(&packed), cat(Path::new(&drives.store())));
}

#[test]
fn a_system_folder_and_a_plain_folder_are_read_too() {
    let drives = Drives::of("single-sealed.tar.gz");
    let place = scratch();
    let of_drive = run("audit --json", drives.drive(1)).exits(0);
    let system = tar("tar.gz", &drives.drive(1).join(".minio.sys"), place.path());
    assert_eq!(run("audit --json", system).text(), of_drive.text());
    let drive = tar("tar", &drives.drive(1), place.path());
    assert_eq!(run("audit --json", drive).text(), of_drive.text());

    let store = Store::new();
    store.put(ALICE, b"{}");
    // Its name takes more than a header has room for.
    let long = format!("config/iam/policies/{}/policy.json", "long".repeat(50));
    store.put(&long, b"{}");
    for format in ["gnu", "pax"] {
        let packed = place.path().join(format!("folder-{format}.tar"));
        let mut command = Command::new("tar");
        command
            .arg(format!("--format={format}"))
            .arg("-cf")
            .arg(&packed);
        let status = command.arg("-C").arg(store.root()).arg(".").status();
        assert!(status.unwrap().success());
        let listed = run("ls --json", packed);
        assert_eq!(listed.text(), run("ls --json", store.root()).text());
        assert!(listed.text().contains(&long), "{listed}");
    }
}

#[test]
fn nothing_writes_to_an_archive() {
    let packed = archives().join("four-sealed.tar.gz");
    let before = fs::read(&packed).unwrap();
    let journal = scratch();
    for line in [
        "migrate --to plaintext --server-is-stopped",
        "set-aside --server-is-stopped --failing malformed",
        "sign-tokens --server-is-stopped",
        "sweep",
    ] {
        let run = tool(with(line, &packed)).file("--keys", &keys());
        let run = match line {
            "sweep" => run,
            _ => run.args(["--journal".as_ref(), journal.path()]),
        };
        let ended = leaves_nothing(run).exits(2);
        let ended = ended.says("it is an archive, which is only read");
        ended.says(" cure: unpack it (tar -xf FILE, unzip FILE) and give the folders");
    }
    assert_eq!(fs::read(&packed).unwrap(), before);
}

/// A tar of entries: kind, name, target of a link, and bytes.
pub fn made(entries: &[(u8, &str, &str, &[u8])], into: &Path) -> PathBuf {
    let mut tar = Vec::new();
    for (kind, name, target, bytes) in entries {
        let mut header = [0; 512];
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[124..135].copy_from_slice(format!("{:011o}", bytes.len()).as_bytes());
        header[148..156].fill(b' ');
        header[156] = *kind;
        header[157..157 + target.len()].copy_from_slice(target.as_bytes());
        header[257..265].copy_from_slice(b"ustar\x0000");
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        tar.extend(header);
        tar.extend(*bytes);
        tar.resize(tar.len().next_multiple_of(512), 0);
    }
    tar.resize(tar.len() + 1024, 0);
    let packed = into.join("made.tar");
    fs::write(&packed, tar).unwrap();
    packed
}

#[test]
fn nothing_in_an_archive_leads_out_of_it() {
    let place = scratch();
    let alice = (b'0', ALICE, "", &b"{}"[..]);
    for (entry, code, says) in [
        (
            (b'0', "../config/x", "", &b"{}"[..]),
            12,
            "leads out of it: ../config/x",
        ),
        (
            (b'2', "config/iam/x", "/etc/passwd", b""),
            12,
            "a link, a device or a sparse file",
        ),
        (
            (b'2', ".minio.sys", "/data/.minio.sys", b""),
            12,
            "a link, a device or a sparse file",
        ),
        (
            (b'1', "config/x", "/etc/passwd", b""),
            12,
            "a link, a device or a sparse file",
        ),
        (
            (b'6', "config/pipe", "", b""),
            12,
            "a link, a device or a sparse file",
        ),
        (
            (b'0', ALICE.trim_end_matches("/identity.json"), "", b"{}"),
            13,
            "more than one entry of this name",
        ),
    ] {
        let packed = made(&[alice, entry], place.path());
        run("audit", packed).fails(code).says(says).says(" cure: ");
    }
    // What has nothing to do with the store is left out; another name of a file is a file.
    let bob = "config/iam/users/bob/identity.json";
    let packed = made(
        &[
            alice,
            (b'2', "latest", "/etc", b""),
            (b'1', bob, ALICE, b""),
        ],
        place.path(),
    );
    let listed = run("ls", packed);
    assert!(
        listed.text().contains(ALICE) && listed.text().contains(bob),
        "{listed}"
    );
}

#[test]
fn damaged_and_other_archives_are_named() {
    let place = scratch();
    let whole = fs::read(archives().join("four-sealed.tar.gz")).unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let file = place.path().join(name);
        fs::write(&file, bytes).unwrap();
        file
    };
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    let mut of_tar = Vec::new();
    flate2::read::GzDecoder::new(&whole[..])
        .read_to_end(&mut of_tar)
        .unwrap();
    let mut header = of_tar.clone();
    header[1024] ^= 1;
    for (name, bytes, code) in [
        ("cut.tar.gz", &whole[..whole.len() / 2], 13),
        ("end.tar.gz", &whole[..whole.len() - 4], 13),
        ("flipped.tar.gz", &flipped, 13),
        ("cut.tar", &of_tar[..of_tar.len() / 2], 13),
        ("text.gz", &packed(b"{}"), 13),
        (
            "nothing.zip",
            b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
            2,
        ),
        ("cut.zip", b"PK\x03\x04", 13),
        ("backup.tar.zst", b"\x28\xb5\x2f\xfd\0", 2),
        ("backup.tar.xz", b"\xfd7zXZ\0\0", 2),
        ("backup.tar.age", b"age-encryption.org/v1\n", 2),
        ("inspect-data.enc", b"\x02secret", 2),
    ] {
        let ended = run("audit", file(name, bytes)).fails(code);
        ended.says(name).says(" cure: ");
    }
    run("audit", file("header.tar", &header)).exits(13);
    run("audit", file("plain.json", b"{}"))
        .fails(13)
        .says("not a directory");
    let stores = scratch();
    for store in ["one", "two"] {
        fs::create_dir_all(stores.path().join(store).join("config")).unwrap();
    }
    let several = tar("tar.gz", stores.path(), place.path());
    run("audit", several).fails(2).says("several stores: ");
}

pub fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

#[test]
fn what_was_unpacked_is_private_and_goes_at_a_signal() {
    let place = scratch();
    let zeros = vec![0; 1 << 20];
    let file = place.path().join("large.tar.gz");
    let mut large = GzEncoder::new(File::create(&file).unwrap(), Compression::fast());
    // Entries enough to be met while they are unpacked.
    let one = made(&[(b'0', "config/x", "", &zeros)], place.path());
    let mut one = fs::read(one).unwrap();
    one.truncate(one.len() - 1024);
    for _ in 0..2048 {
        large.write_all(&one).unwrap();
    }
    large.finish().unwrap();
    let unpacked = scratch();
    let run = tool(with("audit", &file)).key(KEY);
    let running = run.env([("TMPDIR", unpacked.path())]).spawn();
    let made = loop {
        let mut there = fs::read_dir(unpacked.path()).unwrap();
        if let Some(entry) = there.next() {
            break entry.unwrap().path();
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    use std::os::unix::fs::PermissionsExt as _;
    let mode = fs::metadata(&made).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    running.signal(Signal::INT);
    running.wait().exits(130);
    assert_eq!(fs::read_dir(unpacked.path()).unwrap().count(), 0);
}

#[test]
fn a_link_to_an_archive_is_followed_as_everywhere_on_the_command_line() {
    let place = scratch();
    let link = place.path().join("latest");
    symlink(
        archives()
            .join("single-sealed.tar.gz")
            .canonicalize()
            .unwrap(),
        &link,
    )
    .unwrap();
    run("audit", link).exits(0);
}
