//! Drafts in a bucket that cannot be removed, and what is denied by its server: it is told, with a cure that
//! loses nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::Value;

use super::s3::{BUCKET, Bucket, PREFIX, all};
use super::s3_between::{Fate, between};
use crate::kit::migration::outcomes;
use crate::kit::{Ended, Tool, run_name};

/// How many objects are in one batch.
const BATCH: usize = 32;
/// How long nothing may take that waits for nothing.
const SOON: Duration = Duration::from_secs(15);

/// The tool by way of a server that does this with requests.
fn by_way_of(
    bucket: &Bucket,
    tool: Tool,
    judge: impl Fn(Vec<String>) -> Fate + Send + Sync + 'static,
) -> Tool {
    let endpoint = between(bucket.minio.address(), judge);
    tool.env([("AWS_ENDPOINT_URL", endpoint)])
}

/// Whether a request is of this method and about a key or listing below this part of the store.
fn is(head: &[String], method: &str, part: &str) -> bool {
    let plain = head[0].replace("%2F", "/").replace("%2f", "/");
    plain.starts_with(method) && plain.contains(&format!("{PREFIX}/{part}"))
}

/// Lets no draft be removed but the one on which a run tries the bucket.
fn keeps_drafts() -> impl Fn(Vec<String>) -> Fate + Send + Sync {
    let removals = AtomicUsize::new(0);
    move |head| {
        let is_removal = is(&head, "DELETE", "iamseal-draft/");
        match is_removal && removals.fetch_add(1, Ordering::SeqCst) > 0 {
            true => Fate::Denied,
            false => Fate::Goes(head),
        }
    }
}

/// The drafts in the bucket.
fn drafts(bucket: &Bucket) -> Vec<Vec<u8>> {
    let objects = bucket.objects().into_iter();
    let drafts = objects.filter(|(path, _)| path.starts_with(b"iamseal-draft/"));
    drafts.map(|(path, _)| path).collect()
}

/// What it said of drafts that are left, once.
#[track_caller]
fn says_left(ended: &Ended, count: usize) {
    let notes = ended.errors().into_iter();
    let notes = notes.filter_map(|line| Some(line["note"].as_str()?.to_owned()));
    let notes: Vec<_> = notes.filter(|note| note.contains("drafts")).collect();
    let [note] = &notes[..] else {
        panic!("{ended}");
    };
    let begin =
        format!("{count} drafts could not be removed and may hold plaintext: iamseal-draft/");
    assert!(note.starts_with(&begin), "{note}");
    let end = format!("iamseal sweep --no-run-under-way s3://{BUCKET}/{PREFIX}");
    assert!(note.ends_with(&end), "{note}");
}

/// The errors of objects and drafts, or the command's own.
fn errors(ended: &Ended) -> Vec<Value> {
    let lines = ended.json().into_iter().chain(ended.errors());
    let errors = lines.filter_map(|line| line.get("error").cloned());
    errors.collect()
}

/// All of them are about access, and nobody is told to remove anything.
#[track_caller]
fn is_denied(ended: &Ended, count: usize) {
    let errors = errors(ended);
    assert_eq!(errors.len(), count, "{ended}");
    for error in errors {
        let message = error["message"].as_str().unwrap();
        assert!(
            message.contains("access is denied: Access Denied."),
            "{error}"
        );
        let cure = error["cure"].as_str().unwrap_or_default();
        assert!(
            cure.contains("allow them to list, read, write and delete"),
            "{error}"
        );
        assert!(!ended.text().contains("plain file"), "{ended}");
    }
}

#[test]
fn plaintext_in_drafts_that_may_not_be_removed_does_not_end_with_success() {
    let objects = 12;
    let bucket = Bucket::plain(objects);
    let sealed = bucket.write("migrate --to kms").ok();
    for undo in [false, true] {
        let (run, outcome) = match undo {
            false => (bucket.write("migrate --to plaintext"), "migrated"),
            true => (bucket.undo(&run_name(&sealed)), "restored"),
        };
        let ended = by_way_of(&bucket, run, keeps_drafts()).run().exits(27);
        all(&ended, outcome, objects as u64);
        says_left(&ended, objects);
        assert_eq!(drafts(&bucket).len(), objects);
        bucket.run("sweep --no-run-under-way").ok();
        assert!(drafts(&bucket).is_empty());
        if !undo {
            bucket.undo(&run_name(&ended)).ok();
        }
    }
}

#[test]
fn where_drafts_may_not_be_removed_no_more_are_made() {
    let objects = 2 * BATCH;
    let bucket = Bucket::plain(objects);
    bucket.write("migrate --to kms").ok();
    let run = bucket.write("migrate --to plaintext --jobs 1");
    let ended = by_way_of(&bucket, run, keeps_drafts()).run().exits(3);
    let counted = outcomes(&ended);
    assert_eq!(counted["migrated"], BATCH as u64, "{ended}");
    is_denied(&ended, BATCH);
    says_left(&ended, BATCH);
    assert_eq!(drafts(&bucket).len(), BATCH);
}

#[test]
fn a_run_that_is_interrupted_tells_of_the_drafts_that_it_leaves() {
    let bucket = Bucket::plain(2 * BATCH);
    bucket.write("migrate --to kms").ok();
    let (made, judge) = (Arc::new(AtomicUsize::new(0)), keeps_drafts());
    let made_so_far = Arc::clone(&made);
    let run = bucket.write("migrate --to plaintext --jobs 1");
    let run = by_way_of(&bucket, run, move |head| {
        if is(&head, "PUT", "iamseal-draft/") {
            made.fetch_add(1, Ordering::SeqCst);
        }
        // Slow enough for the signal to come in the middle of the batch.
        if is(&head, "PUT", "config/") {
            thread::sleep(Duration::from_millis(500));
        }
        judge(head)
    });
    let mut running = run.spawn();
    running.until("drafts", |_| made_so_far.load(Ordering::SeqCst) > 10);
    running.interrupt();
    let ended = running.wait().exits(130);
    says_left(&ended, BATCH);
    let error = errors(&ended).pop().unwrap();
    let message = error["message"].as_str().unwrap();
    assert_eq!(
        message,
        "interrupted; every object is whole, but drafts are left"
    );
    assert!(!ended.stderr.contains("has changed nothing"), "{ended}");
}

#[test]
fn what_the_server_denies_has_a_cure_that_loses_nothing() {
    let objects = 3;
    let bucket = Bucket::plain(objects);
    let without = |command: &str, method: &'static str, part: &'static str| {
        let tool = match command.starts_with("migrate") {
            true => bucket.write(command),
            false => bucket.run(command),
        };
        let judge = move |head: Vec<String>| match is(&head, method, part) {
            true => Fate::Denied,
            false => Fate::Goes(head),
        };
        by_way_of(&bucket, tool, judge).run()
    };
    let ended = without("migrate --to kms", "PUT", "config/").exits(12);
    assert_eq!(outcomes(&ended)["failed"], objects as u64);
    is_denied(&ended, objects);

    let draft = [("iamseal-draft/0123456789abcdef", "{}")];
    bucket.minio.upload(&format!("{BUCKET}/{PREFIX}"), draft);
    let sweep = "sweep --no-run-under-way";
    let of_drafts = "iamseal-draft/";
    is_denied(&without(sweep, "DELETE", of_drafts).exits(12), 1);
    let listing = "iamseal-draft";
    is_denied(&without(sweep, "GET", listing).exits(12), 1);
    bucket.write("migrate --to kms").ok();
    is_denied(
        &without("audit --require sealed", "GET", listing).exits(12),
        1,
    );
}

#[test]
fn the_sweep_before_a_run_hears_an_interruption() {
    let bucket = Bucket::plain(2);
    let sealed = bucket.write("migrate --to kms").ok();
    let draft = [("iamseal-draft/0123456789abcdef", "{}")];
    bucket.minio.upload(&format!("{BUCKET}/{PREFIX}"), draft);
    for run in [
        bucket.write("migrate --to plaintext"),
        bucket.undo(&run_name(&sealed)),
    ] {
        let looks = Arc::new(AtomicUsize::new(0));
        let looks_so_far = Arc::clone(&looks);
        let run = by_way_of(&bucket, run, move |head| {
            match is(&head, "HEAD", "iamseal-draft/") {
                true => {
                    looks.fetch_add(1, Ordering::SeqCst);
                    Fate::Held
                }
                false => Fate::Goes(head),
            }
        });
        let mut running = run.spawn();
        running.until("a look at the draft", |_| {
            looks_so_far.load(Ordering::SeqCst) > 0
        });
        running.interrupt();
        let begun = Instant::now();
        running.wait().exits(130);
        assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
    }
}

#[test]
fn a_sweep_that_is_interrupted_says_what_it_did() {
    const DRAFTS: usize = 30;
    let bucket = Bucket::plain(1);
    let drafts = (0..DRAFTS).map(|number| (format!("iamseal-draft/{number:016x}"), "{}"));
    bucket.minio.upload(&format!("{BUCKET}/{PREFIX}"), drafts);
    let removals = AtomicUsize::new(0);
    let (holds, is_held) = channel();
    let endpoint = between(bucket.minio.address(), move |head| {
        match head[0].starts_with("DELETE") && removals.fetch_add(1, Ordering::SeqCst) >= 20 {
            true => {
                let _ = holds.send(());
                Fate::Held
            }
            false => Fate::Goes(head),
        }
    });
    let sweep = bucket.run("sweep --no-run-under-way");
    let running = sweep.env([("AWS_ENDPOINT_URL", endpoint)]).spawn_unread();
    is_held.recv().unwrap();
    running.signal(Signal::INT);
    let ended = running.wait().exits(130);
    let lines = ended.json();
    let summary = &lines.last().unwrap()["summary"];
    assert_eq!(summary["drafts"], DRAFTS, "{ended}");
    let removed = lines.iter().filter(|line| line["outcome"] == "removed");
    let left = bucket.objects();
    let left = left
        .keys()
        .filter(|path| path.starts_with(b"iamseal-draft/"));
    assert!(removed.count() <= DRAFTS - left.count());
}
