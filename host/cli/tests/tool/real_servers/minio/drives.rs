//! MinIO with its IAM on its own drives: written by iamseal while it is stopped, and read by it afterwards.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use iamseal_servers::minio::{Minio, ROOT};
use serde_json::Value;
use tempfile::TempDir;

use super::deployment::{BUCKET, key, puts_and_gets};
use crate::kit::{KEY, OTHER_KEY, Tool, tool};

const USERS: [(&str, &str); 4] = [
    ("alice", "password-of-alice"),
    ("zoë 日本", "password-of-zoë"),
    ("dev/carol", "password-of-carol"),
    ("<bob>&co", "password-of-bob"),
];
const SERVICE_ACCOUNT: (&str, &str) = ("SERVICEOFALICE", "password-of-service");

/// What the tool is given: the drive of a server that has one, else all of them.
pub struct Server {
    pub minio: Minio,
    drives: usize,
    folder: TempDir,
}

impl Server {
    /// A server with users, a group, policies and a service account, and a policy that is too large for
    /// `xl.meta`.
    pub fn start(drives: usize) -> Self {
        let server = Self {
            minio: Minio::start_on(
                drives,
                &[("MINIO_STORAGE_CLASS_INLINE_BLOCK", "1KiB".into())],
            ),
            drives,
            folder: tempfile::tempdir().unwrap(),
        };
        let minio = &server.minio;
        minio.admin(&["mb", &format!("t/{BUCKET}")]);
        for (user, password) in USERS {
            minio.admin(&["admin", "user", "add", "t", user, password]);
            minio.admin(&[
                "admin",
                "policy",
                "attach",
                "t",
                "readwrite",
                "--user",
                user,
            ]);
        }
        minio.admin(&["admin", "group", "add", "t", "team", USERS[1].0]);
        let statements: Vec<Value> = (0..40).map(statement).collect();
        let policy = serde_json::json!({"Version": "2012-10-17", "Statement": statements});
        let file = server.folder.path().join("policy.json");
        fs::write(&file, policy.to_string()).unwrap();
        minio.admin(&[
            "admin",
            "policy",
            "create",
            "t",
            "large",
            file.to_str().unwrap(),
        ]);
        let (access, secret) = SERVICE_ACCOUNT;
        let account = ["admin", "user", "svcacct", "add", "t", USERS[0].0];
        let options = ["--access-key", access, "--secret-key", secret];
        minio.admin(&[&account[..], &options[..]].concat());
        server
    }

    fn store(&self) -> String {
        match self.drives {
            1 => self.minio.drive().to_str().unwrap().to_owned(),
            _ => format!("drives:{}", self.minio.drives()),
        }
    }

    pub fn tool(
        &self,
        command: &str,
        arguments: &[&str],
        variables: &[(&'static str, String)],
    ) -> Tool {
        tool([command, &self.store()])
            .args(arguments)
            .env([("XDG_STATE_HOME", self.folder.path())])
            .env(variables.to_vec())
            .file("--keys", &format!("{KEY}\n{OTHER_KEY}\n"))
    }

    /// Migrates while it is stopped, and sees that all objects are what was asked for.
    pub fn migrate(&self, to: &str, variables: &[(&'static str, String)]) {
        let arguments = ["--to", to, "--server-is-stopped"];
        self.tool("migrate", &arguments, variables).ok();
        let audit = self.tool("audit", &["--json"], variables).ok();
        for line in audit.json_of_objects() {
            let form = match to {
                "plaintext" => "plaintext",
                _ => "minio",
            };
            let is_object = line.get("path").is_some();
            assert!(!is_object || line["found"]["form"] == form, "{line}");
        }
        assert!(audit.drafts().is_empty());
    }

    /// Starts it, and sees that all is there and works.
    #[track_caller]
    pub fn check(&mut self, variables: &[(&'static str, String)]) {
        self.minio.restart(variables);
        self.all_is_there();
        // A server of one drive does not heal.
        if self.drives > 1 {
            self.nothing_to_heal();
        }
    }

    pub fn users(&self) -> BTreeSet<String> {
        let listed = self.minio.admin(&["admin", "user", "list", "t"]);
        let listed = String::from_utf8(listed.stdout).unwrap();
        let lines = listed.lines();
        lines
            .map(|line| serde_json::from_str::<Value>(line).unwrap())
            .map(|line| line["accessKey"].as_str().unwrap().to_owned())
            .collect()
    }

    #[track_caller]
    pub fn all_is_there(&self) {
        let users = self.users();
        assert_eq!(users, USERS.map(|(user, _)| user.to_owned()).into());
        let policy = self.minio.admin(&["admin", "policy", "info", "t", "large"]);
        assert!(String::from_utf8_lossy(&policy.stdout).contains("bucket-39"));
        let group = self.minio.admin(&["admin", "group", "info", "t", "team"]);
        assert!(String::from_utf8_lossy(&group.stdout).contains(USERS[1].0));
        for (user, password) in [USERS[0], USERS[1], SERVICE_ACCOUNT] {
            puts_and_gets(&self.minio, (user, password));
        }
    }

    /// The configuration on a drive, counted from 0.
    fn config(&self, drive: usize) -> PathBuf {
        let drive = format!("drive{}", drive + 1);
        let above = self.minio.drive();
        above.with_file_name(drive).join(".minio.sys/config")
    }

    /// A copy of the configuration on each drive as it is now.
    fn copy(&self, name: &str) -> Vec<PathBuf> {
        let copies = (0..self.drives).map(|drive| {
            let copy = self.folder.path().join(format!("{name}-{drive}"));
            copy_all(&self.config(drive), &copy);
            copy
        });
        copies.collect()
    }

    /// Every object of the system is whole on every drive, by the server's own judgement.
    #[track_caller]
    pub fn nothing_to_heal(&self) {
        let heal = [
            "admin",
            "heal",
            "--recursive",
            "--dry-run",
            "--scan",
            "deep",
            "t",
        ];
        let healed = self.minio.admin(&heal);
        let said = String::from_utf8(healed.stdout).unwrap();
        let mut seen = 0;
        for line in said.lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            let drives = |side: &str| line[side]["drives"].as_array().cloned().unwrap_or_default();
            for drive in drives("before") {
                seen += 1;
                assert_eq!(drive["state"], "ok", "{line}");
            }
        }
        assert!(seen > 0, "{said}");
    }
}

fn statement(number: usize) -> Value {
    serde_json::json!({
        "Effect": "Allow",
        "Action": ["s3:GetObject", "s3:ListBucket"],
        "Resource": [format!("arn:aws:s3:::bucket-{number}/*"), format!("arn:aws:s3:::bucket-{number}")],
    })
}

/// From plaintext to a key, to another, and back, with the server started after each.
fn journey(drives: usize) {
    let mut server = Server::start(drives);
    // While it runs nothing is written, whatever it does.
    server
        .tool("migrate", &["--to", "kms"], &key(KEY))
        .run()
        .fails(12)
        .says("a server runs on these drives");
    server.minio.stop();
    server.migrate("kms", &key(KEY));
    server.check(&key(KEY));
    server.minio.stop();
    server.migrate("kms", &key(OTHER_KEY));
    server.check(&key(OTHER_KEY));
    server.minio.stop();
    server.migrate("plaintext", &key(OTHER_KEY));
    server.check(&[]);
}

#[test]
fn a_server_of_one_drive_starts_with_each_key_that_its_drive_was_migrated_to() {
    journey(1);
}

#[test]
fn a_server_of_four_drives_starts_with_each_key_that_its_drives_were_migrated_to() {
    journey(4);
}

/// What a server does without while it is set aside: a user, her service account, and a policy whose shards are
/// beside `xl.meta`.
const ASIDE: [&str; 3] = [
    "config/iam/users/alice/identity.json",
    "config/iam/service-accounts/SERVICEOFALICE/identity.json",
    "config/iam/policies/large/policy.json",
];

fn aside_and_back(drives: usize) {
    let mut server = Server::start(drives);
    server.minio.stop();
    let options = ["--server-is-stopped", "--json"];
    let arguments = [&ASIDE[..], &options].concat();
    let ended = server.tool("set-aside", &arguments, &key(KEY)).ok();
    let lines = ended.json();
    let policy = &lines[0]["plan"]["loss"];
    assert_eq!(
        policy,
        "the policy large: whoever has it alone may do nothing"
    );
    let account = &lines[1]["plan"]["loss"];
    assert_eq!(
        account,
        "the service account SERVICEOFALICE of alice and the secret key"
    );
    server.minio.restart(&[]);
    let there: Vec<&str> = USERS[1..].iter().map(|(user, _)| *user).collect();
    assert_eq!(
        server.users(),
        there.into_iter().map(str::to_owned).collect()
    );
    let policy = server
        .minio
        .mc(ROOT.0, ROOT.1, &["admin", "policy", "info", "t", "large"]);
    assert!(!policy.status.success(), "{policy:?}");
    server.minio.stop();

    let run = lines.last().unwrap()["summary"]["run"]["name"].clone();
    let arguments = [run.as_str().unwrap(), "--server-is-stopped"];
    server.tool("undo", &arguments, &key(KEY)).ok();
    server.check(&[]);
}

#[test]
fn a_server_of_one_drive_has_again_what_was_set_aside() {
    aside_and_back(1);
}

#[test]
fn a_server_of_four_drives_has_again_what_was_set_aside() {
    aside_and_back(4);
}

#[test]
fn a_server_reads_what_comes_or_goes_from_half_of_its_drives_on_and_else_nothing_of_it() {
    let mut server = Server::start(4);
    server.minio.stop();
    // On which drives each is, where its creation or removal was broken off.
    let is_on: [(&str, &[usize]); 4] = [
        (USERS[0].0, &[2, 3]),
        (USERS[1].0, &[3]),
        (USERS[2].0, &[0]),
        (USERS[3].0, &[0, 1]),
    ];
    for (user, drives) in is_on {
        for drive in (0..4).filter(|drive| !drives.contains(drive)) {
            let user = server.config(drive).join("iam/users").join(user);
            fs::remove_dir_all(user.join("identity.json")).unwrap();
        }
    }
    server.minio.restart(&[]);
    let there = [USERS[0].0, USERS[3].0].map(str::to_owned);
    assert_eq!(server.users(), there.into());
    server.minio.stop();
    // The tool sees the same.
    let path = |user: &str| format!("config/iam/users/{user}/identity.json");
    let listed = server.tool("audit", &["--json"], &key(KEY)).ok();
    let listed: Vec<_> = listed
        .json()
        .iter()
        .map(|line| line["path"].clone())
        .collect();
    assert!(listed.iter().any(|listed| *listed == *path(USERS[0].0)));
    assert!(!listed.iter().any(|listed| *listed == *path(USERS[1].0)));
}

/// Which of three versions each drive has where a write was broken off: the first over the old one, or the
/// second over what is half the old one and half the first, in the order in which iamseal writes that.
const BROKEN_OFF: [[usize; 4]; 7] = [
    [0, 0, 0, 0],
    [1, 0, 0, 0],
    [1, 1, 0, 0],
    [1, 1, 1, 0],
    [1, 1, 2, 0],
    [2, 1, 2, 0],
    [2, 2, 2, 0],
];

#[test]
fn a_server_reads_every_object_wherever_a_write_was_broken_off() {
    let mut server = Server::start(4);
    server.minio.stop();
    let mut versions = vec![server.copy("plaintext")];
    for name in ["first", "second"] {
        if name == "second" {
            server.migrate("plaintext", &key(KEY));
        }
        server.migrate("kms", &key(KEY));
        versions.push(server.copy(name));
    }
    let mut objects = Vec::new();
    objects_in(&versions[0][0], Path::new(""), &mut objects);
    objects.sort();
    assert!(objects.len() > BROKEN_OFF.len());
    for round in 0..BROKEN_OFF.len() {
        for (number, object) in objects.iter().enumerate() {
            let version_of = BROKEN_OFF[(number + round) % BROKEN_OFF.len()];
            for (drive, version) in version_of.into_iter().enumerate() {
                let place = server.config(drive).join(object);
                fs::remove_dir_all(&place).unwrap();
                copy_all(&versions[version][drive].join(object), &place);
            }
        }
        server.minio.restart(&key(KEY));
        server.all_is_there();
        server.minio.stop();
    }
}

/// The folders of objects, below this one.
pub fn objects_in(root: &Path, below: &Path, objects: &mut Vec<PathBuf>) {
    if root.join(below).join("xl.meta").exists() {
        objects.push(below.to_owned());
        return;
    }
    for entry in fs::read_dir(root.join(below)).unwrap() {
        objects_in(root, &below.join(entry.unwrap().file_name()), objects);
    }
}

fn copy_all(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").arg(from).arg(to).status();
    assert!(copied.unwrap().success());
}
