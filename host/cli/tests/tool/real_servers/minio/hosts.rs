//! A MinIO whose four drives are those of two hosts: they are copied to one, written there, and each host does the same to
//! its own. The server starts on what is there in the end.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::deployment::key;
use super::drives::Server;
use crate::kit::{Ended, KEY, OTHER_KEY, Tool, run_name, tool};

const DRIVES: usize = 4;
/// Which drives each host has, counted from 1, one host after the other. MinIO deals out the drives of a set so.
const HOSTS: [[usize; 2]; 2] = [[1, 3], [2, 4]];

/// The copies of all drives on one host, and the journals there.
struct Copies(TempDir);

impl Copies {
    fn of(server: &Server) -> Self {
        let copies = Self(tempfile::tempdir().unwrap());
        for number in 1..=DRIVES {
            let copy = copies.drive(number);
            std::fs::create_dir(&copy).unwrap();
            let system = drive(server, number).join(".minio.sys");
            let copied = Command::new("cp").arg("-a").arg(system).arg(copy).status();
            assert!(copied.unwrap().success());
        }
        copies
    }

    fn drive(&self, number: usize) -> PathBuf {
        self.0.path().join(format!("copy{number}"))
    }

    fn journals(&self) -> PathBuf {
        self.0.path().join("journals")
    }

    /// A run on the copies. Returns its name.
    fn run(
        &self,
        command: &str,
        arguments: &[&str],
        variables: &[(&'static str, String)],
    ) -> String {
        let store = format!("drives:{}/copy{{1...{DRIVES}}}", self.0.path().display());
        let ended = tool([command, &store, "--server-is-stopped", "--json"]).args(arguments);
        let ended = ended.env(variables.to_vec());
        run_name(&self.with_keys(ended).ok())
    }

    /// Does the same on each host, whose command gets its own copies and the journals.
    fn apply(&self, server: &Server, run: &str) {
        for host in HOSTS {
            self.apply_on(server, run, host).ok();
        }
    }

    fn apply_on(&self, server: &Server, run: &str, host: [usize; 2]) -> Tool {
        let run = tool([
            "drives",
            "apply",
            run,
            "--server-is-stopped",
            "--json",
            "--from",
        ]);
        let run = run.args(host.map(|number| self.drive(number)));
        let run = run
            .args(["--to"])
            .args(host.map(|number| drive(server, number)));
        self.with_keys(run)
    }

    fn with_keys(&self, run: Tool) -> Tool {
        run.args([Path::new("--journal"), &self.journals()])
            .file("--keys", &format!("{KEY}\n{OTHER_KEY}\n"))
    }
}

fn drive(server: &Server, number: usize) -> PathBuf {
    server
        .minio
        .drive()
        .with_file_name(format!("drive{number}"))
}

fn count(ended: &Ended, outcome: &str) -> usize {
    let lines = ended.json().into_iter();
    lines.filter(|line| line["outcome"] == outcome).count()
}

#[test]
fn a_server_of_two_hosts_starts_with_what_runs_did_to_copies_of_its_drives() {
    let mut server = Server::start(DRIVES);
    server.minio.stop();
    let copies = Copies::of(&server);
    let sealed = copies.run("migrate", &["--to", "kms"], &key(KEY));
    copies.apply(&server, &sealed);
    server.check(&key(KEY));
    server.minio.stop();

    // The drives have what the copies have, though a server has run since: what it changed is told below.
    let plain = copies.run("migrate", &["--to", "plaintext"], &key(KEY));
    copies.apply(&server, &plain);
    server.check(&[]);
    server.minio.stop();
    let undone = copies.run("undo", &[&plain], &key(KEY));
    copies.apply(&server, &undone);
    server.check(&key(KEY));

    // Who changes a user meanwhile keeps that.
    let changed = ["admin", "user", "disable", "t", "dev/carol"];
    server.minio.admin(&changed);
    server.minio.stop();
    let other = copies.run("migrate", &["--to", "kms"], &key(OTHER_KEY));
    for host in HOSTS {
        let ended = copies.apply_on(&server, &other, host).run().exits(14);
        assert_eq!(count(&ended, "changed-since"), 1, "{ended}");
    }
    // The one that was left opens under the old key alone: copied anew, it is sealed like the others.
    let copies = Copies::of(&server);
    let rest = copies.run("migrate", &["--to", "kms"], &key(OTHER_KEY));
    copies.apply(&server, &rest);
    server.check(&key(OTHER_KEY));
}

#[test]
fn a_server_that_runs_is_seen_by_a_host_that_applies() {
    let mut server = Server::start(DRIVES);
    server.minio.stop();
    let copies = Copies::of(&server);
    let sealed = copies.run("migrate", &["--to", "kms"], &key(KEY));
    server.minio.restart(&[]);
    let to = HOSTS[0].map(|number| drive(&server, number));
    let run = tool(["drives", "apply", &sealed, "--from"]);
    let run = run.args(HOSTS[0].map(|number| copies.drive(number)));
    let run = run.args(["--to"]).args(to);
    copies
        .with_keys(run)
        .run()
        .fails(12)
        .says("a server runs on these drives");
    server.all_is_there();
}
