//! Four drives of which one is missing while iamseal writes to the others, and which a server heals afterwards.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::deployment::key;
use super::drives::Server;
use crate::kit::{KEY, OTHER_KEY};

/// A server heals a wiped drive by itself, within seconds.
const HEALS: Duration = Duration::from_secs(120);

/// What becomes of the drive while it is missing.
#[derive(Clone, Copy, PartialEq)]
enum Lost {
    /// It comes back as it was.
    Away,
    /// An empty one takes its place.
    Wiped,
}

/// The drive's folder.
fn drive(server: &Server, number: usize) -> PathBuf {
    server
        .minio
        .drive()
        .with_file_name(format!("drive{number}"))
}

/// Migrates with a drive missing, starts the server with it back, heals, and migrates all of them.
fn lost_and_back(number: usize, lost: Lost) {
    let mut server = Server::start(4);
    server.minio.stop();
    server.migrate("kms", &key(KEY));
    let (place, away) = (drive(&server, number), drive(&server, 9));
    fs::rename(&place, &away).unwrap();
    let arguments = ["--to", "kms", "--server-is-stopped"];
    server
        .tool("migrate", &arguments, &key(OTHER_KEY))
        .run()
        .fails(12)
        .says("--degraded");
    let degraded = [&arguments[..], &["--degraded"]].concat();
    server
        .tool("migrate", &degraded, &key(OTHER_KEY))
        .ok()
        .says("one more lost drive of its set may lose objects");

    // The new key alone is enough, with the drive away and with it back.
    match lost {
        Lost::Away => fs::write(&place, "no drive").unwrap(),
        Lost::Wiped => fs::create_dir(&place).unwrap(),
    }
    server.minio.restart(&key(OTHER_KEY));
    server.all_is_there();
    if lost == Lost::Away {
        server.minio.stop();
        fs::remove_file(&place).unwrap();
        fs::rename(&away, &place).unwrap();
        server.minio.restart(&key(OTHER_KEY));
        server.all_is_there();
    }
    let heal = ["admin", "heal", "--recursive", "t"];
    server.minio.admin(&heal);
    wait_until_whole(&server, number);
    server.all_is_there();
    server.nothing_to_heal();
    server.minio.stop();

    // The server leaves the old data on the drive that it heals forward, beside the new.
    if lost == Lost::Away {
        let audit = server.tool("audit", &["--require", "current"], &key(OTHER_KEY));
        audit.run().exits(27).says("has left beside objects");
        server.tool("sweep", &[], &key(OTHER_KEY)).ok();
    }

    // It went forward: what any two drives have is under the new key, the healed one among them.
    let audit = server.tool("audit", &["--require", "current"], &key(OTHER_KEY));
    let said = audit.ok().stderr;
    assert!(!said.contains("older version"), "{said}");
    let other = drive(&server, number % 4 + 1);
    let hidden = drive(&server, 8);
    fs::rename(&other, &hidden).unwrap();
    let audit = server.tool("audit", &["--require", "current"], &key(OTHER_KEY));
    audit.ok();
    fs::rename(&hidden, &other).unwrap();
    // And it is written to without the option again.
    server.migrate("kms", &key(KEY));
    server.check(&key(KEY));
}

/// Waits until the drive has each object as the others have it.
fn wait_until_whole(server: &Server, number: usize) {
    let start = Instant::now();
    let (healed, other) = (drive(server, number), drive(server, number % 4 + 1));
    let objects = |drive: &Path| {
        let mut objects = Vec::new();
        let config = drive.join(".minio.sys/config");
        if config.exists() {
            super::drives::objects_in(&config, Path::new(""), &mut objects);
        }
        objects.sort();
        objects
    };
    while objects(&healed) != objects(&other) || is_under_way(&healed) {
        assert!(start.elapsed() < HEALS, "it is not healed");
        sleep(Duration::from_millis(500));
    }
}

/// Whether the server's note does not say yet that it is done: it ends with MessagePack's true then.
fn is_under_way(drive: &Path) -> bool {
    let finished = b"\xa8Finished\xc3";
    match fs::read(drive.join(".minio.sys/buckets/.healing.bin")) {
        Ok(note) => !note.windows(finished.len()).any(|part| part == finished),
        Err(_) => false,
    }
}

#[test]
fn a_drive_that_was_away_while_it_was_written_is_healed_forward() {
    lost_and_back(4, Lost::Away);
}

#[test]
fn the_first_drive_is_healed_forward_too() {
    lost_and_back(1, Lost::Away);
}

#[test]
fn a_drive_that_was_wiped_is_healed_with_what_was_written_meanwhile() {
    lost_and_back(2, Lost::Wiped);
}
