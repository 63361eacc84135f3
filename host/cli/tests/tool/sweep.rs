//! Drafts of killed runs: an audit finds and names them, and `iamseal sweep` removes them.

use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::kit::store::Store;
use crate::kit::{Ended, KEY, Running, Tool, tool, with};

const OBJECTS: usize = 300;

/// Objects that are sealed.
fn sealed() -> Store {
    let store = Store::of((0..OBJECTS).map(|number| {
        let path = format!("config/iam/policydb/{}/{number}.json", number % 7);
        (
            path,
            json!({"version": 1, "policy": number.to_string()}).to_string(),
        )
    }));
    run("migrate --to kms", &store).ok();
    store
}

fn run(command: &str, store: &Store) -> Tool {
    tool(with(command, store.root())).key(KEY).args(["--json"])
}

/// A migration to plaintext that has made drafts and has not put them in place.
fn held(store: &Store) -> (Running, std::fs::File) {
    let hold = store.hold();
    let mut running = run("migrate --to plaintext --jobs 1", store).spawn();
    // Until no more come: one that is being made is not held yet, and a sweep may take it.
    running.until("drafts", |_| {
        let there = store.drafts();
        there >= 50 && {
            thread::sleep(Duration::from_millis(300));
            store.drafts() == there
        }
    });
    (running, hold)
}

fn summary(ended: &Ended) -> Value {
    ended.json().pop().unwrap()["summary"].clone()
}

#[test]
fn plaintext_that_a_killed_run_left_fails_an_audit_until_it_is_swept() {
    let store = sealed();
    run("audit --require current", &store).ok().says_nothing();
    let before = store.bytes();
    let (mut running, hold) = held(&store);
    running.kill();
    running.wait();
    drop(hold);
    let left = store.drafts();
    let now = store.bytes();
    let in_the_open = now.iter().filter(|(_, bytes)| bytes.starts_with(b"{"));
    assert!(left > 0 && in_the_open.count() > 0);

    for require in ["sealed", "current"] {
        let ended = run(&format!("audit --require {require}"), &store).run();
        let ended = ended.exits(27);
        let named = ended.drafts();
        assert_eq!(named.len(), left);
        assert!(named.iter().all(|path| now.contains_key(path.as_bytes())));
        let line = ended
            .json()
            .into_iter()
            .find(|line| line.get("draft").is_some());
        assert_eq!(line.unwrap()["error"]["cause"], "drafts");
        let summary = summary(&ended);
        assert_eq!(
            (&summary["drafts"], &summary["objects"]),
            (&json!(left), &json!(OBJECTS))
        );
        let note = ended.errors().pop().unwrap()["note"].clone();
        assert!(note.as_str().unwrap().contains("may hold plaintext"));
    }
    let ended = run("audit", &store).ok();
    assert_eq!(
        (ended.drafts().len(), &summary(&ended)["drafts"]),
        (left, &json!(left))
    );
    assert_eq!(store.bytes(), now, "an audit changed something");
    // A person is shown the first of them.
    let text = tool(with("audit --require sealed", store.root())).key(KEY);
    let text = text.run().exits(27);
    let lines = text.text().lines().filter(|line| line.starts_with("draft"));
    assert_eq!(lines.count(), left.min(10));
    text.says(&format!("{left} drafts"));

    let swept = |outcome, ended: &Ended| {
        let counts = json!([{"outcome": outcome, "drafts": left}]);
        assert_eq!(summary(ended)["counts"], counts, "{ended}");
        assert_eq!(ended.json().len(), left + 1);
    };
    swept("would-remove", &run("sweep --dry-run", &store).ok());
    assert_eq!(store.bytes(), now);
    swept("removed", &run("sweep", &store).ok());
    assert_eq!(store.bytes(), before);
    run("audit --require current", &store).ok().says_nothing();
    assert_eq!(summary(&run("sweep", &store).ok())["drafts"], 0);
}

#[test]
fn what_a_living_run_holds_stays() {
    let store = sealed();
    let (running, hold) = held(&store);
    let there = store.drafts();
    for options in ["", " --dry-run", " --no-run-under-way"] {
        let ended = run(&format!("sweep{options}"), &store).ok();
        let counts = summary(&ended)["counts"].clone();
        assert_eq!(counts[0]["outcome"], "stays", "{ended}");
        assert_eq!(counts.as_array().unwrap().len(), 1);
        let reason = &ended.json()[0]["reason"];
        assert_eq!(reason, "a run that is under way holds it");
    }
    assert!(store.drafts() >= there);
    // What is in the open meanwhile is told of too.
    let ended = run("audit --require current", &store).run().exits(27);
    assert!(!ended.drafts().is_empty());
    drop(hold);
    let ended = running.wait().exits(0);
    assert_eq!(summary(&ended)["counts"][0]["objects"], OBJECTS);
    assert_eq!(store.drafts(), 0);
}

#[test]
fn a_prefix_limits_both() {
    let store = sealed();
    let draft = ".iamseal-0123456789abcdef.tmp";
    for folder in ["config/a", "config/b"] {
        store.put(format!("{folder}/{draft}"), "{}");
    }
    let ended = run("audit --require sealed --prefix config/a", &store).run();
    let path = format!("config/a/{draft}");
    assert_eq!(ended.exits(27).drafts(), [path.as_str()]);
    let ended = run("sweep --prefix config/a", &store).ok();
    assert_eq!(ended.json()[0], json!({"path": path, "outcome": "removed"}));
    assert_eq!(store.drafts(), 1);
    // A draft of an object whose name the prefix begins.
    store.put(format!("config/iam/{draft}"), "{}");
    let audit = run("audit --require sealed --prefix config/iam/form", &store).run();
    let path = format!("config/iam/{draft}");
    assert_eq!(audit.exits(27).drafts(), [path.as_str()]);
    let ended = run("sweep --prefix config/iam/form", &store).ok();
    assert_eq!(ended.json()[0], json!({"path": path, "outcome": "removed"}));
    let ended = run("sweep --prefix iam/", &store).run();
    ended.exits(2).says("begin it with config/");
}
