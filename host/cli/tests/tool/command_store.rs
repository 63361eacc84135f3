//! The component in real folders: what it migrates opens with the tool, nothing outside is reached, and
//! a run that is killed or meets another writer leaves every object whole.

use std::fs;
use std::os::unix::fs::symlink;
use std::thread;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::json;

use crate::kit::component::{component, wasmtime};
use crate::kit::store::Store;
use crate::kit::{KEY, OTHER_KEY, Running, Tool, tool, with};

const PLAINTEXT: &[u8] = br#"{"version":1}"#;
/// Several batches of the command's 64.
const OBJECTS: usize = 200;
const KILLS: u64 = 8;
/// What the component has to be told before it writes.
const KNOWN: &str = "--server-is-stopped --modes-are-lost";

/// Plaintext objects in a few folders, with names that file systems and LDAP have.
fn plain() -> Store {
    Store::of((0..OBJECTS).map(|number| {
        let path = format!(
            "config/iam/policydb/cn={} x,dc=日本/{number}.json",
            number % 5
        );
        (
            path,
            json!({"version": 1, "policy": number.to_string()}).to_string(),
        )
    }))
}

fn lent(run: Tool) -> Tool {
    run.key(KEY).args(["--json"]).file("--keys", OTHER_KEY)
}

fn migrate(store: &Store, to: &str) -> Tool {
    let line = format!("migrate {KNOWN} --to {to}");
    lent(component(with(&line, store.root())))
}

/// A migration that was stopped, by a signal, between making its drafts and replacing objects by them.
fn stopped(store: &Store, to: &str) -> Running {
    let mut running = migrate(store, to).spawn();
    loop {
        running.until("draft", |_| store.drafts() > 0);
        running.signal(Signal::STOP);
        // The last of a batch may have become its object meanwhile.
        if store.drafts() > 0 {
            return running;
        }
        running.signal(Signal::CONT);
    }
}

/// How many objects the tool finds in this form; it must open them all.
#[track_caller]
fn audited(store: &Store, form: &str) -> usize {
    let ended = lent(tool(with("audit", store.root()))).ok();
    let lines = ended.json_of_objects();
    assert_eq!(lines.len(), OBJECTS + 1);
    lines
        .iter()
        .filter(|line| line["found"]["form"] == form)
        .count()
}

#[test]
fn a_migration_there_and_back_leaves_what_there_was() {
    let store = plain();
    let originals = store.bytes();
    let before = store.seen();
    migrate(&store, "kms --dry-run").ok().says_nothing();
    assert_eq!(store.seen(), before);
    for (to, form) in [
        ("kms", "minio"),
        ("kms --key other-key --cipher aes-256-gcm", "minio"),
        ("kms --form compact", "compact"),
        ("kms --data-key json", "minio"),
    ] {
        migrate(&store, to).ok().says_nothing();
        assert_eq!(audited(&store, form), OBJECTS);
        // What it did is what the tool would do.
        let again = lent(tool(with(&format!("migrate --to {to}"), store.root()))).ok();
        let unchanged = again
            .json()
            .iter()
            .filter(|line| line["outcome"] == "unchanged")
            .count();
        assert_eq!(unchanged, OBJECTS, "{to}");
    }
    migrate(&store, "plaintext").ok();
    assert!(
        store.bytes() == originals,
        "an object does not hold what it held"
    );
}

#[test]
fn tool_and_component_leave_the_same_bytes() {
    let (one, other) = (plain(), plain());
    for store in [&one, &other] {
        lent(tool(with("migrate --to kms", store.root()))).ok();
        let bad = "config/iam/bad.json";
        store.put(bad, b"\xff\xff");
    }
    let ended = migrate(&one, "plaintext").run().exits(11);
    let native = lent(tool(with("migrate --jobs 1 --to plaintext", other.root())))
        .run()
        .exits(11);
    let (mut lines, mut native) = (ended.json(), native.json());
    // The component keeps no journal.
    let run = native.last_mut().unwrap()["summary"]
        .as_object_mut()
        .unwrap()
        .remove("run");
    assert!(run.is_some());
    assert_eq!(lines.pop(), native.pop());
    assert_eq!(lines, native);
    assert!(one.bytes() == other.bytes());
}

#[test]
fn the_documented_command_line_works() {
    let store = Store::of([("config/iam/format.json", PLAINTEXT)]);
    let dir = format!("{}::/store", store.root().display());
    let options = ["--env", "MINIO_KMS_SECRET_KEY", "--dir", &dir];
    let migrate = ["migrate", "/store", "--to", "kms"];
    let known = KNOWN.split(' ');
    wasmtime(options, migrate.into_iter().chain(known))
        .key(KEY)
        .ok();
    wasmtime(options, ["audit", "/store", "--require", "sealed"])
        .key(KEY)
        .ok();
    wasmtime(["--dir", &dir], ["audit", "/store"])
        .run()
        .exits(4);
    wasmtime(
        ["--dir", &dir],
        ["inspect", "/store/config/iam/format.json"],
    )
    .ok()
    .prints("my-minio-key");
}

#[test]
fn nothing_is_written_unless_it_is_known_what_that_takes() {
    let store = plain();
    let before = store.seen();
    for known in ["", " --server-is-stopped", " --modes-are-lost"] {
        let line = format!("migrate{known} --to kms");
        let ended = component(with(&line, store.root())).key(KEY).run();
        ended
            .fails(2)
            .says("no owner, mode or access control list can be kept")
            .says(" cure: stop the server and add --server-is-stopped --modes-are-lost");
    }
    for known in ["--dry-run", &format!("--dry-run {KNOWN}")] {
        let line = format!("migrate {known} --to kms");
        component(with(&line, store.root())).key(KEY).ok();
    }
    assert_eq!(store.seen(), before);
    component(with("audit --modes-are-lost", store.root()))
        .run()
        .fails(2)
        .says("unexpected argument '--modes-are-lost'");
    migrate(&store, "kms").ok();
    assert_eq!(audited(&store, "minio"), OBJECTS);
}

#[test]
fn nothing_outside_the_given_folders_is_reached() {
    let store = Store::of([
        ("inside/config/x", PLAINTEXT),
        ("outside/config/x", PLAINTEXT),
    ]);
    let outside = store.file("outside");
    symlink(&outside, store.file("inside/link")).unwrap();
    store.put("outside/keys", KEY);
    symlink(outside.join("keys"), store.file("inside/keys")).unwrap();
    let dir = format!("{}::/store", store.file("inside").display());
    let run = |arguments: &[&str]| wasmtime(["--dir", &dir], arguments).run();
    run(&["audit", "/store"]).exits(0);
    run(&["audit", outside.to_str().unwrap()])
        .fails(2)
        .says("in no folder")
        .says(" cure: ");
    run(&["audit", "/storehouse"]).fails(2).says("in no folder");
    run(&["audit", "/store/../outside"])
        .fails(2)
        .says("the part `..`");
    run(&["audit", "/store/link"])
        .fails(13)
        .says("permission denied");
    run(&["audit", "/store", "--keys", "/store/keys"])
        .fails(2)
        .says("permission denied");
    run(&["inspect", "/store/keys"])
        .fails(13)
        .says("permission denied");
    run(&["audit", "/store/none"])
        .fails(13)
        .says("no such directory");
    run(&["audit", "/store/config"])
        .fails(2)
        .says("has no config/ in it");
    let below = format!("{}::/", store.root().display());
    wasmtime(["--dir", &below], ["audit", "inside"]).ok();
}

#[test]
fn what_the_component_does_not_read_is_refused() {
    let store = Store::of([("config/x", PLAINTEXT)]);
    for variable in [
        "MINIO_CONFIG_ENV_FILE",
        "MINIO_KMS_KES_ENDPOINT",
        "MINIO_KMS_SECRET_KEY_FILE",
        "MINIO_KMS_SERVER",
        "MINIO_ROOT_PASSWORD_FILE",
    ] {
        let run = component(with("audit", store.root())).env([(variable, "x")]);
        run.run()
            .fails(2)
            .says(&format!("{variable} is set, but"))
            .says(" cure: ");
    }
    for (variables, says) in [
        (vec![("MINIO_KMS_AUTO_ENCRYPTION", "on")], "there is no KMS"),
        (
            vec![("MINIO_ROOT_USER", "user")],
            "MINIO_ROOT_PASSWORD is not",
        ),
        (vec![("MINIO_KMS_MASTER_KEY", "k:xyz")], "not hexadecimal"),
        (
            vec![
                ("MINIO_KMS_SECRET_KEY", ""),
                ("MINIO_KMS_AUTO_ENCRYPTION", "on"),
            ],
            "MINIO_KMS_SECRET_KEY is empty",
        ),
        (
            vec![
                ("MINIO_ROOT_USER", "user"),
                ("MINIO_ROOT_PASSWORD", "short"),
            ],
            "MINIO_ROOT_PASSWORD: the password has 5 bytes",
        ),
    ] {
        let arguments = with("audit", store.root());
        let native = tool(&arguments).env(variables.clone()).run().fails(2);
        let ended = component(&arguments)
            .env(variables)
            .run()
            .fails(2)
            .says(says);
        assert_eq!(ended.stderr, native.stderr);
    }
    let secret = "hunter2hunter2";
    for option in ["--keys", "--root-credentials"] {
        let run = component(with("audit", store.root())).file(option, &format!("# x\n{secret}\n"));
        let ended = run.run().fails(2).says(", line 2: ");
        assert!(!ended.stderr.contains(secret));
    }
}

#[test]
fn a_name_that_wasi_cannot_have_is_reported_and_the_rest_is_done() {
    let store = Store::of([("config/iam/a.json", PLAINTEXT)]);
    let odd: &[u8] = b"config/iam/ba\xff\xfe.json";
    store.put(odd, PLAINTEXT);
    let ended = migrate(&store, "kms").run().exits(12);
    let lines = ended.json();
    assert_eq!(lines[0]["path"], "config/iam/");
    assert_eq!(lines[0]["error"]["cause"], "refused");
    let message = lines[0]["error"]["message"].as_str().unwrap();
    assert!(message.contains("not UTF-8"), "{message}");
    assert_eq!(lines[1]["outcome"], "migrated");
    assert_eq!(store.get(odd), PLAINTEXT);
}

#[test]
fn what_another_writer_wrote_meanwhile_is_migrated_instead() {
    let store = plain();
    let running = stopped(&store, "kms");
    let theirs = b"{\"version\":2}";
    let mut written = Vec::new();
    for (path, bytes) in store.bytes() {
        if bytes.starts_with(b"{") && !path.ends_with(b".tmp") {
            fs::write(store.file(&path), theirs).unwrap();
            written.push(path);
        }
    }
    running.signal(Signal::CONT);
    let lines = running.wait().exits(0).json();
    // Those of the batch that had its drafts; the later ones were read as theirs at once.
    assert!(lines.iter().any(|line| line["retries"] == 1));
    assert_eq!(store.drafts(), 0);
    assert_eq!(audited(&store, "minio"), OBJECTS);
    migrate(&store, "plaintext").ok();
    for path in written {
        assert_eq!(store.get(path), theirs);
    }
}

#[test]
fn a_killed_run_leaves_every_object_whole() {
    let store = plain();
    let originals = store.bytes();
    for kill in 0..KILLS {
        let to = ["kms", "plaintext"][usize::try_from(kill % 2).unwrap()];
        let mut running = stopped(&store, to);
        running.signal(Signal::CONT);
        thread::sleep(Duration::from_millis(kill * 25));
        running.kill();
        running.wait();
        // It opens all of them.
        audited(&store, "minio");
    }
    stopped(&store, "kms --form compact").kill();
    let drafts = store.drafts();
    assert!(drafts > 0);
    // The component names what the tool names.
    for audit in [
        component(with("audit", store.root())),
        tool(with("audit", store.root())),
    ] {
        let ended = lent(audit).ok().says("may hold plaintext");
        assert_eq!(ended.drafts().len(), drafts);
        assert_eq!(ended.json().pop().unwrap()["summary"]["drafts"], drafts);
    }
    let line = |run: Tool| {
        let lines = lent(run).run().json().into_iter();
        lines
            .filter(|line| line.get("draft").is_some())
            .collect::<Vec<_>>()
    };
    let required = with("audit --require sealed", store.root());
    let lines = line(component(&required));
    assert_eq!(lines, line(tool(&required)));
    assert_eq!(lines[0]["error"]["cause"], "drafts");
    // The tool knows them for what they are.
    let plural = if drafts == 1 { "" } else { "s" };
    let note = json!({"note": format!("removed: {drafts} draft{plural} of a killed run")});
    let ended = lent(tool(with("migrate --to kms", store.root()))).ok();
    assert_eq!(ended.errors(), [note]);

    stopped(&store, "plaintext").kill();
    assert!(store.drafts() > 0);
    migrate(&store, "plaintext").ok().says(" of a killed run");
    assert!(
        store.bytes() == originals,
        "an object does not hold what it held"
    );
}

#[test]
fn a_reader_that_has_seen_enough_is_nothing_to_complain_about() {
    let long = "x".repeat(200);
    let store = Store::of((0..1000).map(|number| (format!("config/{long}/{number}"), "{}")));
    let mut running = component(with("audit --json", store.root())).spawn_unread();
    running.until_output();
    running.close();
    running.wait().exits(141).says_nothing();
}
