//! Drives that are prepared while a server may run, and finished when it was stopped.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::kit::drives::{Deployment, all_keys};
use crate::kit::migration::plain;
use crate::kit::{Ended, Tool, run_name, tool};

const ALICE: &str = "config/iam/users/alice/identity.json";
const EXEMPT: &str = "config/tier-config.bin";
const TO: [&str; 4] = ["--to", "kms", "--key", "other-key"];

/// One of each kind of deployment.
const ARCHIVES: [&str; 6] = [
    "single-sealed.tar.gz",
    "four-sealed.tar.gz",
    "eight-two-sets.tar.gz",
    "two-pools.tar.gz",
    "noninline.tar.gz",
    "old-four-plain.tar.gz",
];

impl Deployment {
    /// A command that promises nothing.
    fn prepare_with(&self, arguments: &[&str]) -> Tool {
        tool(["migrate", &self.drives.store(), "--json"])
            .args(arguments)
            .args(["--journal".as_ref(), self.journals.path()])
            .file("--keys", &all_keys())
    }

    fn prepare(&self) -> Ended {
        self.prepare_with(&[&TO[..], &["--prepare"]].concat()).ok()
    }

    fn finish(&self, run: &str) -> Tool {
        self.run("migrate", &[&TO[..], &["--finish", run]].concat())
    }

    /// What an object holds.
    fn held(&self, path: &str) -> Vec<u8> {
        let cat = tool(["cat", &self.drives.store(), path]);
        cat.file("--keys", &all_keys()).ok().stdout
    }

    #[track_caller]
    fn is_under_the_other_key(&self) {
        for (path, finding) in self.audit() {
            assert!(finding["key"] == "other-key" || path == EXEMPT, "{finding}");
        }
        let all = self.drives.all().into_keys();
        let ours = |path: &PathBuf| path.to_string_lossy().contains("iamseal");
        assert_eq!(all.filter(ours).count(), 0);
    }
}

/// What became of each object.
fn outcomes(ended: &Ended) -> BTreeMap<String, String> {
    let lines = ended.json().into_iter();
    let outcome = |line: Value| {
        let outcome = line["outcome"].as_str()?.to_owned();
        Some((line["path"].as_str()?.to_owned(), outcome))
    };
    lines.filter_map(outcome).collect()
}

#[test]
fn what_prepares_changes_no_byte_and_what_finishes_writes_it_and_undo_takes_it_back() {
    for archive in ARCHIVES {
        let deployment = Deployment::of(archive);
        let (before, found) = (deployment.drives.all(), deployment.audit());
        let prepared = deployment.prepare();
        let mut said = outcomes(&prepared);
        said.remove(EXEMPT);
        assert!(
            said.values().all(|outcome| outcome == "prepared"),
            "{prepared}"
        );
        let prepared = prepared.says("nothing is changed yet").says("--finish");
        assert!(deployment.drives.all() == before, "{archive}");

        let run = run_name(&prepared);
        let finished = deployment.finish(&run).ok();
        assert!(
            !finished.stderr.contains("sealed now"),
            "{archive}: {finished}"
        );
        let finished = finished.says("a server may be started");
        let mut now = outcomes(&finished);
        now.remove(EXEMPT);
        assert!(
            now.values().all(|outcome| outcome == "migrated"),
            "{finished}"
        );
        assert_eq!(now.len(), said.len());
        let summary = finished.json().pop().unwrap();
        assert_eq!(summary["summary"]["run"]["differ"], 0, "{finished}");
        deployment.is_under_the_other_key();

        // Again there is nothing to be written.
        let again = deployment.finish(&run).ok();
        assert!(
            !outcomes(&again)
                .values()
                .any(|outcome| outcome == "migrated")
        );

        let name = run_name(&finished);
        let undo = deployment.run("undo", &[&run]).run();
        let undo = undo.exits(2).says("has only prepared").says(&name);
        assert!(undo.stdout.is_empty());
        deployment.run("undo", &[&name]).ok();
        let back = deployment.audit();
        let forms = |found: &BTreeMap<String, Value>| -> Vec<Value> {
            found.values().map(|line| line["found"].clone()).collect()
        };
        assert_eq!(forms(&back), forms(&found), "{archive}");
    }
}

#[test]
fn what_has_changed_since_is_done_anew_and_nobodys_change_is_lost() {
    let deployment = Deployment::of("four-sealed.tar.gz");
    let run = run_name(&deployment.prepare());
    // As a server would: one is another, one is gone, one is new.
    let identity = deployment.held(ALICE);
    let text = String::from_utf8(identity).unwrap();
    let changed = text.replacen("\"on\"", "\"off\"", 1);
    let file = deployment.journals.path().join("new");
    fs::write(&file, &changed).unwrap();
    let edit = deployment.run("edit", &[ALICE]);
    edit.args(["--from".as_ref(), file.as_path()]).ok();
    let gone = deployment
        .audit()
        .into_keys()
        .find(|path| path.starts_with("config/iam/policies/"))
        .unwrap();
    deployment.run("set-aside", &[&gone]).ok();
    let count = deployment.audit().len();

    let finished = deployment
        .finish(&run)
        .ok()
        .says("not prepared at all: 1 object, which is read");
    let said = outcomes(&finished);
    assert_eq!(said.get(&gone), None);
    assert_eq!(said[ALICE], "migrated");
    assert_eq!(deployment.audit().len(), count);
    deployment.is_under_the_other_key();
    assert_eq!(deployment.held(ALICE), changed.as_bytes());
    // What was there before it began, not before it was prepared.
    deployment.run("undo", &[&run_name(&finished)]).ok();
    assert_eq!(deployment.held(ALICE), changed.as_bytes());
    assert_eq!(deployment.audit()[ALICE]["key"], "fixture-key-a");
}

#[test]
fn what_was_prepared_with_a_key_of_other_bytes_is_not_written() {
    let deployment = Deployment::of("four-sealed.tar.gz");
    let run = run_name(&deployment.prepare());
    let before = deployment.drives.all();
    // Made anew, under the same name.
    let other = |line: &str| match line.starts_with("other-key:") {
        true => format!("other-key:{}=", "A".repeat(43)),
        false => line.to_owned(),
    };
    let keys: Vec<String> = all_keys().lines().map(other).collect();
    let finish = [&TO[..], &["--finish", &run, "--server-is-stopped"]].concat();
    let finish = tool(["migrate", &deployment.drives.store()]).args(finish);
    let finish = finish.args(["--journal".as_ref(), deployment.journals.path()]);
    let ended = finish.file("--keys", &keys.join("\n")).run().exits(7);
    ended
        .says("does not open with these keys")
        .says("prepare it again");
    assert!(deployment.drives.all() == before);
}

#[test]
fn runs_that_are_killed_in_either_part_leave_every_object_old_or_new_and_are_finished() {
    let mut hits = 0;
    for kill in 0..6_u64 {
        let deployment = Deployment::of("four-sealed.tar.gz");
        let objects = deployment.audit().len();
        let before = deployment.drives.all();
        let pause = Duration::from_millis(80 * (kill + 1));
        let to = [&TO[..], &["--prepare"]].concat();
        let mut running = deployment.prepare_with(&to).spawn();
        thread::sleep(pause);
        running.kill();
        hits += usize::from(running.wait().code.is_none());
        assert!(deployment.drives.all() == before);
        // Whatever it came to can be finished, if it came to begin.
        let named = fs::read_dir(deployment.journals.path()).unwrap();
        let names = named.filter_map(|entry| {
            let name = entry.unwrap().file_name().into_string().unwrap();
            name.strip_suffix(".journal").map(str::to_owned)
        });
        let begun: Vec<String> = names.collect();
        let run = match begun.first() {
            Some(run) => run.clone(),
            None => run_name(&deployment.prepare()),
        };
        let mut running = deployment.finish(&run).spawn();
        thread::sleep(pause);
        running.kill();
        hits += usize::from(running.wait().code.is_none());
        let found = deployment.audit();
        assert_eq!(found.len(), objects);
        assert!(found.values().all(|finding| finding["verdict"] != "fails"));
        deployment.finish(&run).ok();
        deployment.is_under_the_other_key();
        assert_eq!(deployment.audit().len(), objects);
    }
    assert!(hits > 0, "no kill hit a run under way");
}

#[test]
fn what_cannot_be_prepared_or_finished_is_refused_before_anything_is_touched() {
    let deployment = Deployment::of("four-sealed.tar.gz");
    let before = deployment.drives.all();
    let plaintext = deployment.prepare_with(&["--to", "plaintext", "--prepare"]);
    plaintext
        .run()
        .exits(2)
        .says("what becomes plaintext is not prepared")
        .says("leave out --prepare");
    tool(["migrate", plain().root().to_str().unwrap(), "--prepare"])
        .args(TO)
        .file("--keys", &all_keys())
        .run()
        .exits(2)
        .says("only MinIO's drives are prepared");
    deployment
        .finish("nobody")
        .run()
        .exits(2)
        .says("there is no run");
    let run = run_name(&deployment.prepare());
    // Under another key, or of fewer objects.
    for other in [
        &["--to", "kms", "--key", "fixture-key-a"][..],
        &[
            "--to",
            "kms",
            "--key",
            "other-key",
            "--prefix",
            "config/iam/",
        ],
    ] {
        let arguments = [other, &["--finish", &run]].concat();
        deployment
            .run("migrate", &arguments)
            .run()
            .exits(2)
            .says("has prepared something else")
            .says("--key other-key");
    }
    let arguments = [&TO[..], &["--finish", &run, "--after-pid", "999999999"]].concat();
    deployment
        .prepare_with(&arguments)
        .run()
        .exits(2)
        .says("there is no process 999999999");
    // A journal that somebody else has written to.
    let journal = deployment.journals.path().join(format!("{run}.journal"));
    let text = fs::read_to_string(&journal).unwrap();
    let at = text.rfind("\"bytes\":\"").unwrap() + 20;
    let mut bytes = text.into_bytes();
    bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
    fs::write(&journal, bytes).unwrap();
    deployment
        .finish(&run)
        .run()
        .exits(29)
        .says("is not what the run wrote there")
        .says("or leave out --finish");
    assert!(deployment.drives.all() == before);
}

#[test]
fn it_is_waited_for_the_end_of_the_process_that_is_named() {
    let deployment = Deployment::of("four-sealed.tar.gz");
    let run = run_name(&deployment.prepare());
    let before = deployment.drives.all();
    let mut server = Command::new("sleep").arg("1000").spawn().unwrap();
    let pid = server.id().to_string();
    let arguments = [&TO[..], &["--finish", &run, "--after-pid", &pid]].concat();
    let mut running = deployment.prepare_with(&arguments).spawn();
    running.until_said("waiting for the end");
    thread::sleep(Duration::from_millis(500));
    assert!(deployment.drives.all() == before);
    server.kill().unwrap();
    // Nobody has asked for its exit code yet.
    let ended = running.wait().exits(0);
    server.wait().unwrap();
    assert!(!ended.stderr.contains("35 s"), "{ended}");
    deployment.is_under_the_other_key();
}
