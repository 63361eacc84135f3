//! `migrate --shard I/N`: several runs share the objects of one store.

use std::collections::BTreeSet;

use serde_json::json;
use tempfile::TempDir;

use crate::kit::migration::forms;
use crate::kit::store::Store;
use crate::kit::{Ended, KEY, Tool, tool, with};

const OBJECTS: usize = 300;

fn plain(objects: usize) -> Store {
    Store::of((0..objects).map(|number| {
        let path = format!("config/iam/policydb/{}/{number}.json", number % 7);
        (
            path,
            json!({"version": 1, "policy": number.to_string()}).to_string(),
        )
    }))
}

fn migrate(store: &Store, shard: &str, journals: &TempDir) -> Tool {
    let run = tool(with("migrate --json --to kms", store.root())).key(KEY);
    run.args(["--shard", shard])
        .args(["--journal".as_ref(), journals.path()])
}

fn journals() -> TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}

/// The paths of the objects of a run.
fn handled(ended: &Ended) -> BTreeSet<String> {
    let lines = ended.json();
    let paths = lines.iter().filter_map(|line| line["path"].as_str());
    let all: Vec<_> = paths.map(str::to_owned).collect();
    let different: BTreeSet<_> = all.iter().cloned().collect();
    assert_eq!(all.len(), different.len(), "an object was handled twice");
    different
}

#[test]
fn shards_together_are_all_objects_and_no_object_is_in_two() {
    let store = plain(OBJECTS);
    let journals = journals();
    for (shards, jobs) in [(1, "1"), (3, "1"), (3, "4"), (5, "2")] {
        let mut all = BTreeSet::new();
        for index in 1..=shards {
            let shard = format!("{index}/{shards}");
            let run = migrate(&store, &shard, &journals).args(["--dry-run", "--jobs", jobs]);
            let part = handled(&run.ok());
            assert!(!part.is_empty() && (shards == 1 || part.len() < OBJECTS));
            assert!(all.is_disjoint(&part), "{shard} with {jobs} jobs");
            all.extend(part);
        }
        assert_eq!(all.len(), OBJECTS, "{shards} shards with {jobs} jobs");
    }
}

/// The same split whatever the jobs, so that a shard can be run again with others.
#[test]
fn a_shard_has_the_same_objects_with_any_number_of_jobs() {
    let store = plain(OBJECTS);
    let journals = journals();
    let part = |jobs: &str| {
        let run = migrate(&store, "2/3", &journals);
        handled(&run.args(["--dry-run", "--jobs", jobs]).ok())
    };
    let alone = part("1");
    for jobs in ["2", "3", "5"] {
        assert_eq!(part(jobs), alone, "{jobs} jobs");
    }
}

/// Processes side by side with their journals in one folder; one is killed and run again.
#[test]
fn shards_side_by_side_migrate_each_object_once() {
    let store = plain(OBJECTS);
    let journals = journals();
    let hold = store.hold();
    let mut killed = migrate(&store, "1/4", &journals).spawn();
    killed.until("draft", |_| store.drafts() > 2);
    killed.kill();
    assert_eq!(killed.wait().code, None);
    drop(hold);

    let shards = ["1/4", "2/4", "3/4", "4/4"];
    let runs = shards.map(|shard| migrate(&store, shard, &journals).spawn());
    let mut all = BTreeSet::new();
    for run in runs {
        let ended = run.wait().exits(0);
        let part = handled(&ended);
        assert!(all.is_disjoint(&part));
        all.extend(part);
        let summary = ended.json().pop().unwrap();
        assert_eq!(summary["summary"]["run"]["differ"], 0, "{ended}");
    }
    assert_eq!(all.len(), OBJECTS);
    let forms = forms(&store, KEY);
    assert!(forms.values().all(|found| found["form"] == "minio"));
    assert_eq!(store.drafts(), 0);

    let runs = tool(["runs", "--json", "--journal"]).args([journals.path()]);
    let mut works: Vec<_> = runs
        .ok()
        .json()
        .iter()
        .map(|run| run["work"].as_str().unwrap().to_owned())
        .collect();
    works.sort();
    works.dedup();
    let work = |shard| format!("migrate to the default key, shard {shard}");
    assert_eq!(works, shards.map(work));
}

#[test]
fn an_empty_shard_is_no_mistake() {
    let store = plain(1);
    let journals = journals();
    let mut done = 0;
    for index in 1..=9 {
        let run = migrate(&store, &format!("{index}/9"), &journals);
        done += handled(&run.ok().says_nothing()).len();
    }
    assert_eq!(done, 1);
}

#[test]
fn what_is_no_shard_is_refused() {
    let store = plain(1);
    let journals = journals();
    for shard in ["0/3", "4/3", "1/0", "1", "/", "a/b", "-1/3", "1/3/3", ""] {
        let ended = migrate(&store, shard, &journals).run();
        assert_eq!(ended.code, Some(2), "{shard}");
    }
    let many = migrate(&store, "1/4294967295", &journals).args(["--jobs", "2"]);
    many.run().exits(2);
}
