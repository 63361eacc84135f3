//! Journals and proofs: what they give away, and whose they are.

use std::fs;
use std::path::{Path, PathBuf};

use rustix::process::Signal;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use crate::kit::migration::{NAMES, content, outcomes, plain};
use crate::kit::store::Store;
use crate::kit::{
    CREDENTIAL, Ended, KEY, KEY_WITH_OTHER_BYTES, OTHER_KEY, Running, Tool, run_name, tool, with,
};
use iamseal_tests::samples::encode;

const ALICE: &str = "config/iam/users/alice/identity.json";
const POLICY: &str = "config/iam/policies/readonly/policy.json";

/// A folder of journals.
struct Journals(TempDir);

impl Journals {
    fn new() -> Self {
        Self(tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap())
    }

    /// A command on the store with these journals and no keys.
    fn bare(&self, line: &str, store: &Store) -> Tool {
        let tool = tool(with(&format!("{line} --json"), store.root()));
        tool.args(["--journal".as_ref(), self.0.path()])
    }

    /// The same with all keys.
    fn run(&self, line: &str, store: &Store) -> Tool {
        lend(self.bare(line, store))
    }

    fn undo(&self, store: &Store, run: &str) -> Tool {
        self.run("undo", store).args([run])
    }

    fn file(&self, run: &str, end: &str) -> PathBuf {
        self.0.path().join(format!("{run}.{end}"))
    }

    /// All that is in any of its files.
    fn text(&self) -> String {
        let files = fs::read_dir(self.0.path()).unwrap();
        let read = |file: std::io::Result<fs::DirEntry>| fs::read_to_string(file?.path());
        files.map(|file| read(file).unwrap()).collect()
    }
}

fn lend(tool: Tool) -> Tool {
    tool.key(KEY).env(CREDENTIAL).file("--keys", OTHER_KEY)
}

fn sha256(bytes: &[u8]) -> Vec<u8> {
    Sha256::digest(bytes).to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A user as MinIO has it, of whom all is known but the password.
fn identity(password: &str) -> String {
    json!({"version": 1, "credentials": {
        "accessKey": "alice", "secretKey": password, "expiration": "1970-01-01T00:00:00Z", "status": "on"
    }})
    .to_string()
}

#[test]
fn a_guess_at_a_password_cannot_be_tried_on_journals_and_proofs() {
    let (journals, store) = (Journals::new(), plain());
    let object = identity("correct horse");
    store.put(ALICE, &object);
    let sealed = journals.run("migrate --to kms", &store).ok();
    journals.undo(&store, &run_name(&sealed)).ok();
    // Runs that leave it as it is, and from sealed to plaintext.
    journals.run("migrate --to plaintext", &store).ok();
    journals.run("migrate --to kms", &store).ok();
    journals.run("migrate --to plaintext", &store).ok();
    // One without any key.
    journals.bare("migrate --to plaintext", &store).ok();
    assert_eq!(store.get(ALICE), object.as_bytes());
    let text = journals.text().to_lowercase();
    assert!(text.contains(ALICE));
    let digest = sha256(object.as_bytes());
    for known in [hex(&digest), encode(&digest), encode(object.as_bytes())] {
        assert!(!text.contains(&known.to_lowercase()), "{known}");
    }
    // Two objects with the same bytes do not tell that they are the same.
    let store = Store::of([(ALICE, &object), (POLICY, &object)]);
    let run = run_name(&journals.run("migrate --to kms", &store).ok());
    let proof = objects(&journals.file(&run, "proof"));
    assert_ne!(proof[0]["before"], proof[1]["before"]);
}

/// The objects of a proof.
fn objects(file: &Path) -> Vec<Value> {
    let text = fs::read_to_string(file).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    lines
        .filter_map(|line: Value| line.get("object").cloned())
        .collect()
}

#[test]
fn a_proof_may_be_shown_to_whoever_guesses_at_a_root_credential() {
    let (journals, store) = (Journals::new(), plain());
    let run = run_name(&journals.run("migrate --to kms", &store).ok());
    let text = |end| fs::read_to_string(journals.file(&run, end)).unwrap();
    assert!(text("journal").contains("\"under\":\"credential\""));
    assert!(text("proof").contains("\"under\":\"key\""));
    assert!(!text("proof").contains("credential"));
}

/// A journal of this run of the stranger's own making, which would write this policy.
fn forged(run: &str, head: &Value, now: &[u8], policy: &str) -> String {
    let before = hex(&sha256(policy.as_bytes()));
    let after = hex(&sha256(now));
    let mut head = head.clone();
    head["name"] = run.into();
    let change = json!({
        "path": POLICY, "before": before, "after": after, "sealed_before": before,
        "sealed_after": after, "kept": "before", "bytes": encode(policy.as_bytes()),
    });
    let lines = [json!({"run": head}), json!({"change": change})];
    lines.map(|line| format!("{line}\n")).concat()
}

#[test]
fn a_strangers_journal_is_not_followed() {
    let allow_all = "{\"Statement\":[{\"Effect\":\"Allow\",\"Action\":[\"*\"]}]}";
    let (journals, store) = (Journals::new(), Store::of([(POLICY, "{\"Statement\":[]}")]));
    let own = run_name(&journals.run("migrate --to kms", &store).ok());
    let now = store.get(POLICY);
    let first = fs::read_to_string(journals.file(&own, "journal")).unwrap();
    let first: Value = serde_json::from_str(first.lines().next().unwrap()).unwrap();
    let head = &first["run"];
    let mut unkeyed = head.clone();
    unkeyed["key"] = Value::Null;

    // Without a key, and with that of a run that is known.
    for (run, head, code) in [
        ("20260101T000000Z", &unkeyed, 29),
        ("20260101T000001Z", head, 29),
    ] {
        let text = forged(run, head, &now, allow_all);
        fs::write(journals.file(run, "journal"), text).unwrap();
        for dry in [&["--dry-run"][..], &[]] {
            let ended = journals.undo(&store, run).args(dry).run().exits(code);
            assert!(ended.stdout.is_empty(), "{ended}");
        }
        // Whoever insists does not get anything written that no run would have kept.
        let insist = journals.undo(&store, run).args(["--trust-journal"]);
        let ended = insist.run();
        assert_ne!(ended.code, Some(0), "{ended}");
        assert_eq!(store.get(POLICY), now);
    }

    // A whole run of the stranger's, under keys of his own.
    let theirs = Store::of([(POLICY, allow_all)]);
    let seal = journals.bare("migrate --to kms", &theirs);
    let run = run_name(&seal.key(KEY_WITH_OTHER_BYTES).ok());
    let ended = journals.undo(&store, &run).run().exits(4);
    assert!(ended.stderr.contains("what does: the key"), "{ended}");
    assert_eq!(store.get(POLICY), now);
}

/// A text of these lines after a change.
fn changed<'a>(lines: &[&'a str], change: impl FnOnce(&mut Vec<&'a str>)) -> String {
    let mut lines = lines.to_vec();
    change(&mut lines);
    lines.join("\n") + "\n"
}

#[test]
fn a_journal_that_was_tampered_with_is_not_followed() {
    let (journals, store) = (Journals::new(), plain());
    let run = run_name(&journals.run("migrate --to kms", &store).ok());
    let other = plain();
    let of_other = run_name(&journals.run("migrate --to kms", &other).ok());
    let read = |run: &str| fs::read_to_string(journals.file(run, "journal")).unwrap();
    let (whole, foreign) = (read(&run), read(&of_other));
    let lines: Vec<_> = whole.lines().collect();
    let foreign: Vec<_> = foreign.lines().collect();
    assert!(lines.len() > 5);
    let flipped = whole.replacen("\"kept\":\"after\"", "\"kept\":\"aftes\"", 1);
    let tampered = [
        ("flipped", flipped),
        ("swapped", changed(&lines, |lines| lines.swap(2, 3))),
        (
            "dropped",
            changed(&lines, |lines| {
                lines.remove(2);
            }),
        ),
        (
            "doubled",
            changed(&lines, |lines| lines.insert(3, lines[2])),
        ),
        ("spliced", changed(&lines, |lines| lines[2] = foreign[2])),
        ("added", changed(&lines, |lines| lines.push(foreign[2]))),
        ("beheaded", changed(&lines, |lines| lines[0] = foreign[0])),
    ];
    let sealed = store.bytes();
    for (kind, text) in tampered {
        fs::write(journals.file(&run, "journal"), text).unwrap();
        let ended = journals.undo(&store, &run).run();
        // A head of another run is no journal of this one.
        let wanted = if kind == "beheaded" { 13 } else { 29 };
        assert_eq!(ended.code, Some(wanted), "{kind}: {ended}");
        assert!(store.bytes() == sealed, "{kind}");
    }
}

#[test]
fn a_journal_that_lacks_its_end_is_followed_only_without_a_proof() {
    let (journals, store) = (Journals::new(), plain());
    let run = run_name(&journals.run("migrate --to kms", &store).ok());
    let whole = fs::read_to_string(journals.file(&run, "journal")).unwrap();
    let lines: Vec<_> = whole.lines().collect();
    let sealed = store.bytes();
    let within_a_line = whole[..whole.len() - 20].to_owned();
    let without = |count: usize| changed(&lines, |lines| lines.truncate(lines.len() - count));
    for cut in [within_a_line.clone(), without(1), without(lines.len() - 1)] {
        fs::write(journals.file(&run, "journal"), &cut).unwrap();
        let ended = journals.undo(&store, &run).run().exits(29);
        assert!(ended.stderr.contains("its end is missing"), "{ended}");
        assert!(store.bytes() == sealed, "{cut}");
    }
    // A kill leaves it like this, and no proof.
    fs::write(journals.file(&run, "journal"), &within_a_line).unwrap();
    let proof = journals.file(&run, "proof");
    let proved = fs::read(&proof).unwrap();
    fs::remove_file(&proof).unwrap();
    journals.undo(&store, &run).ok();
    assert!(store.bytes() == plain().bytes());
    // Whoever knows better insists.
    fs::write(&proof, proved).unwrap();
    journals.undo(&store, &run).run().exits(29);
    journals.undo(&store, &run).args(["--trust-journal"]).ok();
}

/// Sealed to sealed, so that nothing but the journal needs a key.
fn resealed(journals: &Journals) -> (Store, String) {
    let store = plain();
    journals.run("migrate --to kms", &store).ok();
    let ended = journals.run("migrate --to kms --form compact", &store).ok();
    (store, run_name(&ended))
}

#[test]
fn any_key_or_credential_of_the_run_will_do() {
    let journals = Journals::new();
    let (store, run) = resealed(&journals);
    let proof = journals.file(&run, "proof");
    let elsewhere = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let copy = elsewhere.path().join("proof");
    fs::copy(&proof, &copy).unwrap();
    let undo = || journals.bare("undo --dry-run", &store).args([&run]);
    let verify = |file: &Path| tool(with("verify-proof --json", file));
    type Lend<'a> = &'a dyn Fn(Tool) -> Tool;
    let all: [(&str, Lend<'_>, [i32; 3]); 5] = [
        ("the key", &|tool| tool.key(KEY), [0, 0, 0]),
        ("another", &|tool| tool.file("--keys", OTHER_KEY), [0, 0, 0]),
        // The journal is beside the one proof.
        ("the credential", &|tool| tool.env(CREDENTIAL), [0, 0, 4]),
        ("none", &|tool| tool, [4, 4, 4]),
        (
            "other bytes",
            &|tool| tool.key(KEY_WITH_OTHER_BYTES),
            [4, 4, 4],
        ),
    ];
    for (name, lend, codes) in all {
        let runs = [undo(), verify(&proof), verify(&copy)].map(lend);
        let ended = runs.map(Tool::run);
        let seen = ended.each_ref().map(|ended| ended.code.unwrap());
        assert_eq!(seen, codes, "{name}: {}", ended[2]);
        let said = &ended[2].json()[0]["proof"];
        assert_eq!(said["authentic"], codes[2] == 0);
        assert_eq!(said["objects"], NAMES.len());
        if codes[2] != 0 {
            assert!(ended[2].stderr.contains("nothing was verified"));
        }
    }
}

#[test]
fn where_no_key_is_left_sealed_objects_are_compared_all_the_same() {
    let journals = Journals::new();
    let (store, run) = resealed(&journals);
    let theirs = store.get(NAMES[0]);
    store.put(NAMES[1], &theirs);
    let undo = || journals.bare("undo", &store).args([&run]);
    undo().run().exits(4);
    let ended = undo().args(["--trust-journal"]).run().exits(14);
    let wanted = [("changed-since".to_owned(), 1), ("restored".to_owned(), 6)];
    assert_eq!(outcomes(&ended), wanted.into());
    assert_eq!(store.get(NAMES[1]), theirs);

    // Plaintext that a run left cannot be compared, and is left alone.
    let run = run_name(&journals.run("migrate --to plaintext", &store).run());
    let before = store.bytes();
    let undo = journals.bare("undo --trust-journal", &store).args([&run]);
    let ended = undo.run().exits(1);
    assert_eq!(outcomes(&ended).keys().collect::<Vec<_>>(), ["failed"]);
    assert!(store.bytes() == before);
}

#[test]
fn a_proof_that_was_tampered_with_is_none() {
    let (journals, store) = (Journals::new(), plain());
    let run = run_name(&journals.run("migrate --to kms", &store).ok());
    let other = run_name(&journals.run("migrate --to kms", &plain()).ok());
    let file = journals.file(&run, "proof");
    let read = |file: &Path| fs::read_to_string(file).unwrap();
    let (whole, foreign) = (read(&file), read(&journals.file(&other, "proof")));
    let lines: Vec<_> = whole.lines().collect();
    let foreign: Vec<_> = foreign.lines().collect();
    let last = lines.len() - 1;
    let verify = || tool(with("verify-proof --json", &file)).key(KEY);
    verify().ok();
    for (kind, text) in [
        (
            "flipped",
            whole.replacen("\"migrated\"", "\"unchanged\"", 1),
        ),
        ("swapped", changed(&lines, |lines| lines.swap(2, 3))),
        (
            "dropped",
            changed(&lines, |lines| {
                lines.remove(2);
            }),
        ),
        (
            "doubled",
            changed(&lines, |lines| lines.insert(3, lines[2])),
        ),
        ("spliced", changed(&lines, |lines| lines[2] = foreign[2])),
        ("cut short", changed(&lines, |lines| lines.truncate(last))),
        ("cut in a line", whole[..whole.len() - 9].to_owned()),
        (
            "with another end",
            changed(&lines, |lines| lines[last] = foreign[last]),
        ),
        ("with more", changed(&lines, |lines| lines.push(lines[2]))),
        ("with half a line more", whole.clone() + "{\"object\":{"),
        // The journal's own lines are under the same key.
        ("a journal", read(&journals.file(&run, "journal"))),
    ] {
        fs::write(&file, text).unwrap();
        let ended = verify().run();
        assert_eq!(ended.code, Some(29), "{kind}: {ended}");
        assert!(ended.stdout.is_empty(), "{kind}: {ended}");
    }
}

#[test]
fn a_proof_is_compared_with_the_store() {
    let (journals, store) = (Journals::new(), plain());
    let run = run_name(&journals.run("migrate --to kms", &store).ok());
    let proof = journals.file(&run, "proof");
    let verify = || {
        let verify = tool(with("verify-proof --json", &proof));
        verify.args([store.root()]).key(KEY)
    };
    let counts = |ended: &Ended| outcomes_after_head(ended);
    assert_eq!(counts(&verify().ok()), [("as-proved".to_owned(), 7)].into());
    store.put(NAMES[1], content(NAMES[1]));
    fs::remove_file(store.file(NAMES[2])).unwrap();
    let ended = verify().run().exits(3);
    let wanted = [("as-proved", 5), ("changed", 1), ("missing", 1)];
    let wanted = wanted.map(|(name, count)| (name.to_owned(), count));
    assert_eq!(counts(&ended), wanted.into());
    let seen = store.seen();
    let _ = verify().run();
    assert_eq!(store.seen(), seen);
}

/// What became of the objects, after the line about the proof.
fn outcomes_after_head(ended: &Ended) -> std::collections::BTreeMap<String, u64> {
    let mut outcomes = std::collections::BTreeMap::new();
    for line in &ended.json()[1..] {
        if let Some(outcome) = line["outcome"].as_str() {
            *outcomes.entry(outcome.to_owned()).or_default() += 1;
        }
    }
    outcomes
}

#[test]
fn what_is_no_proof_is_told() {
    let (journals, store) = (Journals::new(), plain());
    let nothing = journals.file("nobody", "proof");
    tool(with("verify-proof", &nothing))
        .key(KEY)
        .run()
        .exits(13);
    let object = store.file(NAMES[0]);
    tool(with("verify-proof", &object)).key(KEY).run().exits(2);
}

const MANY: usize = 2000;

/// A run over many objects that was stopped while it reads them again for its proof.
fn stopped_in_its_proof(journals: &Journals, store: &Store) -> Running {
    let mut running = journals.run("migrate --to kms", store).spawn();
    running.until_stopped("the proof", || {
        let files = fs::read_dir(journals.0.path()).unwrap();
        let mut names = files.map(|file| file.unwrap().file_name());
        names.any(|name| name.as_encoded_bytes().ends_with(b".proof.tmp"))
    });
    running
}

fn many() -> Store {
    let paths = (0..MANY).map(|number| format!("config/iam/policydb/users/{number}.json"));
    Store::of(paths.map(|path| (path, "{}")))
}

#[test]
fn what_cannot_be_read_again_is_not_said_to_be_changed() {
    let (journals, store) = (Journals::new(), many());
    let running = stopped_in_its_proof(&journals, &store);
    let folder = store.file("config/iam/policydb/users");
    let aside = folder.with_extension("aside");
    // A link on the way is refused, so that nothing can be read.
    fs::rename(&folder, &aside).unwrap();
    std::os::unix::fs::symlink(&aside, &folder).unwrap();
    running.signal(Signal::CONT);
    let ended = running.wait().exits(12);
    let summary = ended.json().pop().unwrap()["summary"]["run"].clone();
    let unread = summary["unread"].as_u64().unwrap();
    assert!(unread > 0 && summary["differ"] == 0, "{summary}");
    let ended = ended.says(&format!(
        "{unread} objects could not be read again for the proof"
    ));

    fs::remove_file(&folder).unwrap();
    fs::rename(&aside, &folder).unwrap();
    let proof = journals.file(&run_name(&ended), "proof");
    let verify = || lend(tool(["verify-proof", "--json"]).args([&*proof, store.root()]));
    let ended = verify().ok();
    let lines = ended.json();
    assert_eq!(lines[0]["proof"]["unread"], unread);
    let counts = &lines.last().unwrap()["summary"]["counts"];
    assert_eq!(counts, &json!([{"outcome": "as-proved", "objects": MANY}]));
    // What was not read again is compared with what the run left.
    let last = folder.join(format!("{}.json", MANY - 1));
    fs::write(last, "{}").unwrap();
    verify().run().exits(24);
}

#[test]
fn a_proof_is_interrupted() {
    for signal in [Signal::INT, Signal::TERM] {
        let (journals, store) = (Journals::new(), many());
        let running = stopped_in_its_proof(&journals, &store);
        running.signal(signal);
        running.signal(Signal::CONT);
        let ended = running.wait();
        assert!([Some(130), Some(143)].contains(&ended.code), "{ended}");
        let ended = ended.says("all objects are done, and there is no proof");
        let counts = ended.json().pop().unwrap()["summary"]["counts"].clone();
        assert_eq!(counts[0]["objects"], MANY);
        let files = fs::read_dir(journals.0.path()).unwrap();
        let names: Vec<_> = files.map(|file| file.unwrap().file_name()).collect();
        assert_eq!(names.len(), 1, "{names:?}");
        let ended = journals.undo(&store, &run_name(&ended)).ok();
        let counts = ended.json().pop().unwrap()["summary"]["counts"].clone();
        assert_eq!(counts, json!([{"outcome": "restored", "objects": MANY}]));
    }
}

#[test]
fn a_proof_that_is_not_there_is_told_of_where_objects_failed_too() {
    let (journals, store) = (Journals::new(), many());
    store.put("config/bad", [1, 2, 3]);
    let running = stopped_in_its_proof(&journals, &store);
    running.interrupt();
    running.signal(Signal::CONT);
    let ended = running.wait().exits(130);
    ended.says("all objects are done, and there is no proof");
}

/// Not even who trusts a journal wants files written that no run changes.
#[test]
fn a_journal_of_paths_that_no_run_changes_is_not_followed_there() {
    let journals = Journals::new();
    let (store, run) = resealed(&journals);
    let (file, sealed) = (journals.file(&run, "journal"), store.get(ALICE));
    let lines: Vec<Value> = fs::read_to_string(&file)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|line: &Value| !line["run"].is_null() || line["change"]["path"] == ALICE)
        .collect();
    for (place, code) in [
        (ALICE, 0),
        ("config/tier-config.bin", 12),
        ("config/site-replication/state.json", 12),
        ("buckets/x.json", 12),
    ] {
        store.put(place, &sealed);
        let forged = lines.iter().cloned().map(|mut line| {
            line.as_object_mut().unwrap().remove("mac");
            match line.get_mut("change") {
                Some(change) => {
                    change["path"] = place.into();
                    change["before"] = Value::Null;
                    change["after"] = Value::Null;
                }
                None => line["run"]["key"] = Value::Null,
            }
            format!("{line}\n")
        });
        fs::write(&file, forged.collect::<String>()).unwrap();
        let undo = journals.undo(&store, &run);
        undo.args(["--trust-journal"]).run().exits(code);
        assert_eq!(store.get(place) == sealed, code != 0, "{place}");
    }
}
