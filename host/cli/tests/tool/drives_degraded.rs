//! Drives that are written to though one of a set is missing.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use crate::kit::drives::{Deployment, all_keys, keys};
use crate::kit::{Ended, OTHER_KEY, Tool, run_name, tool};

const ALICE: &str = "config/iam/users/alice/identity.json";
const FOUR: &str = "four-sealed.tar.gz";
/// What is asked for with a drive missing, and what is said then before anything is written.
const DEGRADED: &str = "--degraded";
const RISK: &str = "one more lost drive of its set may lose objects";

impl Deployment {
    /// Seals everything under the other key.
    fn migrate_to_other(&self, arguments: &[&str]) -> Tool {
        let to = ["--to", "kms", "--key", "other-key"];
        self.run("migrate", &[&to, arguments].concat())
    }

    /// Moves a drive away.
    fn lose(&self, drive: usize) -> PathBuf {
        let away = self.journals.path().join(format!("drive-{drive}"));
        fs::rename(self.drives.drive(drive), &away).unwrap();
        away
    }

    /// The names of the keys that the objects are under, as the drives that are there have them.
    fn keys(&self) -> BTreeSet<String> {
        let audit = tool([
            "audit",
            "--json",
            "--prefix",
            "config/iam/",
            &self.drives.store(),
        ]);
        let ended = audit.file("--keys", &all_keys()).ok();
        let lines = ended.json_of_objects();
        let key = |line: &serde_json::Value| Some(line["key"].as_str()?.to_owned());
        lines.iter().filter_map(key).collect()
    }
}

/// Whether a note of JSON says this.
fn notes(ended: &Ended, what: &str) -> bool {
    let lines = ended.stderr.lines();
    let mut notes = lines.filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    notes.any(|line| {
        line["note"]
            .as_str()
            .is_some_and(|note| note.contains(what))
    })
}

#[test]
fn with_a_drive_missing_it_is_written_only_where_that_is_asked_for() {
    for drive in 1..=4 {
        let deployment = Deployment::of(FOUR);
        let away = deployment.lose(drive);
        let before = deployment.drives.all();
        deployment
            .migrate_to_other(&[])
            .run()
            .exits(12)
            .says("drives are written to only where all of them are there and sound")
            .says("run with --degraded")
            .says("one more lost drive may lose objects, and old secrets stay on it");
        assert_eq!(deployment.drives.all(), before);
        let old = deployment.keys();

        let ended = deployment.migrate_to_other(&[DEGRADED]).ok();
        assert!(notes(&ended, RISK), "{ended}");
        assert!(
            notes(&ended, &format!("number {drive} is missing")),
            "{ended}"
        );
        let new = BTreeSet::from(["other-key".to_owned()]);
        assert_eq!(deployment.keys(), new);
        assert!(!deployment.drives.drive(drive).exists());

        // It comes back as it was: it is behind, and nothing else is changed by it.
        fs::rename(&away, deployment.drives.drive(drive)).unwrap();
        assert_eq!(deployment.keys(), new);
        tool(["audit", &deployment.drives.store()])
            .key(OTHER_KEY)
            .file("--keys", &keys())
            .run()
            .says("has an older version of");
        // With all drives there the run is taken back by the command that it printed, and is told of no risk.
        let undone = deployment.run("undo", &[&run_name(&ended), DEGRADED]).ok();
        assert!(!notes(&undone, RISK), "{undone}");
        assert_eq!(deployment.keys(), old);
        // All four have it now.
        deployment.lose(drive % 4 + 1);
        assert_eq!(deployment.keys(), old);
    }
}

#[test]
fn what_was_written_with_a_drive_missing_is_taken_back_while_it_is_missing_too() {
    let deployment = Deployment::of(FOUR);
    let old = deployment.keys();
    let away = deployment.lose(2);
    let ended = deployment.migrate_to_other(&[DEGRADED]).ok();
    deployment.run("undo", &[&run_name(&ended)]).run().exits(12);
    let undone = deployment.run("undo", &[&run_name(&ended), DEGRADED]).ok();
    assert!(notes(&undone, RISK), "{undone}");
    assert_eq!(deployment.keys(), old);
    fs::rename(&away, deployment.drives.drive(2)).unwrap();
    assert_eq!(deployment.keys(), old);
    // And it is written again without the option.
    deployment.migrate_to_other(&[]).ok();
}

#[test]
fn objects_are_set_aside_and_brought_back_with_a_drive_missing() {
    let deployment = Deployment::of(FOUR);
    let away = deployment.lose(1);
    let cat = || {
        let cat = tool(["cat", &deployment.drives.store(), ALICE]);
        cat.file("--keys", &keys()).run()
    };
    let before = cat().stdout;
    let ended = deployment.run("set-aside", &[ALICE, DEGRADED]).ok();
    assert!(notes(&ended, RISK), "{ended}");
    assert_ne!(cat().code, Some(0));
    // Only the drive that comes back has her now, so that a server does not know her.
    fs::rename(&away, deployment.drives.drive(1)).unwrap();
    assert_ne!(cat().code, Some(0));
    let run = run_name(&ended);
    deployment.run("undo", &[&run]).ok();
    assert_eq!(cat().stdout, before);
}

#[test]
fn a_drive_that_was_wiped_is_not_written_to() {
    let deployment = Deployment::of(FOUR);
    fs::remove_dir_all(deployment.drives.drive(3)).unwrap();
    fs::create_dir(deployment.drives.drive(3)).unwrap();
    deployment.migrate_to_other(&[DEGRADED]).ok();
    assert_eq!(fs::read_dir(deployment.drives.drive(3)).unwrap().count(), 0);
}

#[test]
fn with_too_few_drives_nothing_is_written_whatever_is_asked_for() {
    // Of an odd set none may be missing, and of one of four no second one.
    let deployment = Deployment::of(FOUR);
    deployment.lose(2);
    deployment.lose(4);
    let before = deployment.drives.all();
    let ended = deployment
        .migrate_to_other(&[DEGRADED])
        .run()
        .exits(12)
        .says("of the 4 drives of the set 2 are there and sound, and 3 are needed")
        .says("of a set of 4, 6, 8 … one may be missing");
    assert!(!notes(&ended, RISK), "{ended}");
    assert_eq!(deployment.drives.all(), before);
}

#[test]
fn a_journal_where_the_missing_drive_was_is_refused() {
    let deployment = Deployment::of(FOUR);
    deployment.lose(4);
    let inside = deployment.drives.drive(4).join("journals");
    let store = deployment.drives.store();
    let arguments = ["--to", "plaintext", "--server-is-stopped", DEGRADED];
    tool(["migrate", &store])
        .args(arguments)
        .args(["--journal".as_ref(), inside.as_path()])
        .file("--keys", &keys())
        .run()
        .fails(2)
        .says("is inside the store");
    assert!(!deployment.drives.drive(4).exists());
}
