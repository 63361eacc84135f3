//! What runs on copies of drives write down, and what is said where it is done to the drives.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::document::Reference;
use super::stores::Journals;
use crate::kit::drives::{Drives, all_keys};
use crate::kit::{Tool, run_name, tool};

const SECTIONS: [(&str, &str); 6] = [
    ("run", "journal run"),
    ("change", "journal change"),
    ("step", "journal step"),
    ("drive", "journal drive"),
    ("version", "journal version"),
    ("data", "journal data"),
];

/// One drive, or one of four, and the copies of all.
struct Copied {
    drives: Drives,
    copies: PathBuf,
    journals: Journals,
}

impl Copied {
    fn of(drives: Drives) -> Self {
        let journals = Journals::new();
        let copies = journals.0.path().join("copies");
        copy(drives.root(), &copies);
        Self {
            drives,
            copies,
            journals,
        }
    }

    fn run(&self, command: &str, options: &[&str]) -> Tool {
        let copies = self.drives.names.iter().map(|name| self.copies.join(name));
        let copies: Vec<String> = copies.map(|copy| copy.to_str().unwrap().into()).collect();
        let store = format!("drives:{}", copies.join(","));
        with_journals(
            tool([command, &store, "--server-is-stopped"]),
            &self.journals,
        )
        .args(options)
    }

    fn apply(&self, run: &str, options: &[&str]) -> Tool {
        let names = self.drives.names.iter();
        let apply = tool(["drives", "apply", run, "--server-is-stopped", "--from"])
            .args(names.map(|name| self.copies.join(name)))
            .args(["--to".as_ref(), self.drives.drive(1).as_path()]);
        with_journals(apply, &self.journals).args(options)
    }
}

fn with_journals(run: Tool, journals: &Journals) -> Tool {
    run.args(["--json".as_ref(), "--journal".as_ref(), journals.0.path()])
        .file("--keys", &all_keys())
}

fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").arg(from).arg(to).status();
    assert!(copied.unwrap().success());
}

pub fn run(reference: &mut Reference) {
    // An object with its shard in a file of its own, and a name that is not UTF-8.
    let drives = Drives::of("noninline-single-sealed.tar.gz");
    let journals = Journals::new();
    let plain = tool(["migrate", &drives.store(), "--to", "plaintext"]);
    let plain = with_journals(plain.args(["--server-is-stopped"]), &journals).ok();
    let file = journals.file(&run_name(&plain), "journal");
    journals.compare(reference, &file, &SECTIONS);
    let policies = drives.file(1, "config/iam/policies");
    let policy = fs::read_dir(&policies).unwrap().next().unwrap().unwrap();
    let odd = policies.join(OsStr::from_bytes(b"odd\xff"));
    fs::rename(policy.path(), &odd).unwrap();
    let copied = Copied::of(drives);
    let migrate = copied.run("migrate", &["--to", "kms", "--key", "other-key"]);
    let run = run_name(&migrate.args(["--not-loadable-too"]).ok());
    let file = copied.journals.file(&run, "journal");
    copied.journals.compare(reference, &file, &SECTIONS);
    for options in [&["--dry-run"][..], &[], &[]] {
        reference.compare("drives apply", &copied.apply(&run, options).ok());
    }
    let undo = run_name(&copied.run("undo", &[&run]).ok());
    fs::write(odd.join("policy.json/xl.meta"), "something else").unwrap();
    reference.compare("drives apply", &copied.apply(&undo, &[]).run().exits(14));

    let copied = Copied::of(Drives::of("four-sealed.tar.gz"));
    let alice = ["config/iam/users/alice/identity.json"];
    let run = run_name(&copied.run("set-aside", &alice).ok());
    let file = copied.journals.file(&run, "journal");
    copied.journals.compare(reference, &file, &SECTIONS);
    // They are not what the run left any more.
    let undo = run_name(&copied.run("undo", &[&run]).ok());
    reference.compare("drives apply", &copied.apply(&run, &[]).run().exits(12));
    let file = copied.journals.file(&undo, "journal");
    copied.journals.compare(reference, &file, &SECTIONS);
}
