//! A bucket whose runs are killed, meet each other or lose their server; and servers that do not keep to
//! the conditions of puts.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread;
use std::time::Instant;

use super::s3::{BUCKET, Bucket, Objects, PREFIX, URL, all};
use super::s3_between::{Fate, between};
use crate::kit::migration::reported;
use crate::kit::{Ended, KEY, run_name, tool, with};

const OBJECTS: usize = 200;
const KILLS: u32 = 8;
/// How many requests of a run are under way at once: so many drafts may vanish after it was stopped.
const AT_ONCE: usize = 16;

#[test]
fn a_run_that_is_killed_is_finished_by_the_next() {
    let bucket = Bucket::plain(OBJECTS);
    let before = bucket.objects();
    let start = Instant::now();
    bucket.write("migrate --to kms --jobs 2").ok();
    let whole = start.elapsed();
    bucket.holds(OBJECTS, "minio");

    let (mut hits, mut halves) = (0, 0);
    for kill in 0..KILLS {
        let (to, form) = match kill % 2 {
            0 => ("plaintext", "plaintext"),
            _ => ("kms", "minio"),
        };
        let mut run = bucket.write(&format!("migrate --to {to} --jobs 2")).spawn();
        thread::sleep(whole * kill / KILLS);
        run.kill();
        let ended = run.wait();
        hits += usize::from(ended.code.is_none());
        let lines = bucket.run("audit").ok().json_of_objects();
        let form_of = |path: &str| {
            let line = lines.iter().find(|line| line["path"] == path).unwrap();
            line["found"]["form"].as_str().unwrap().to_owned()
        };
        for path in reported(&ended) {
            assert_eq!(form_of(&path), form, "{path} was reported too early");
        }
        let new = lines.iter().filter(|line| line["found"]["form"] == form);
        halves += usize::from((1..OBJECTS).contains(&new.count()));
        bucket.write(&format!("migrate --to {to} --jobs 2")).ok();
        bucket.holds(OBJECTS, form);
    }
    println!("{hits} of {KILLS} kills hit a run under way, {halves} with some objects done");
    assert!(hits > 0, "no kill hit a run under way");
    bucket.write("migrate --to plaintext").ok();
    assert_eq!(objects_alone(bucket.objects()), before);
}

/// Without the drafts of killed runs, which stay until they are an hour old.
fn objects_alone(mut objects: Objects) -> Objects {
    objects.retain(|path, _| !path.starts_with(b"iamseal-draft/"));
    objects
}

#[test]
fn plaintext_that_a_killed_run_left_fails_an_audit_until_it_is_swept() {
    let bucket = Bucket::plain(OBJECTS);
    bucket.write("migrate --to kms").ok();
    let drafts = || -> Objects {
        let objects = bucket.objects().into_iter();
        let drafts = objects.filter(|(path, _)| path.starts_with(b"iamseal-draft/"));
        drafts.collect()
    };
    let mut run = bucket.write("migrate --to plaintext --jobs 1").spawn();
    // Counted on MinIO's drive: a download would take longer than a draft lives.
    let folder = bucket.minio.drive().join(BUCKET).join(PREFIX);
    let folder = folder.join("iamseal-draft");
    let count = || fs::read_dir(&folder).map_or(0, Iterator::count);
    run.until_stopped("drafts", || count() > AT_ONCE);
    run.kill();
    run.wait();
    // The objects are sealed again; the drafts are too young for this run to remove them.
    bucket.write("migrate --to kms").ok();
    let left = drafts();
    assert!(left.values().any(|bytes| bytes.starts_with(b"{\"")));
    let ended = bucket.run("audit --require current").run().exits(27);
    let named: Vec<_> = ended.drafts().into_iter().map(String::into_bytes).collect();
    assert!(named.iter().eq(left.keys()), "{ended}");

    let stays = bucket.run("sweep").ok().json();
    assert_eq!(stays[0]["outcome"], "stays");
    let reason = stays[0]["reason"].as_str().unwrap();
    assert!(
        reason.contains("it goes once it is 60 minutes old"),
        "{reason}"
    );
    let dry = bucket.run("sweep --no-run-under-way --dry-run").ok().json();
    assert_eq!(dry[0]["outcome"], "would-remove");
    bucket.run("sweep --no-run-under-way").ok();
    bucket.run("audit --require current").ok().says_nothing();
    assert_eq!(bucket.objects().len(), OBJECTS);
}

#[test]
fn two_migrations_at_once_lose_nothing() {
    let bucket = Bucket::plain(OBJECTS);
    let runs = [
        bucket.write("migrate --to kms --jobs 2").spawn(),
        bucket.write("migrate --to kms --jobs 2").spawn(),
    ];
    let runs = runs.map(|run| run.wait().exits(0));
    let mut paths: Vec<_> = runs.iter().flat_map(reported).collect();
    paths.sort();
    // Who came second found it done, so each object was changed by one alone.
    assert!(
        paths.is_sorted_by(|one, other| one < other),
        "migrated twice"
    );
    assert_eq!(paths.len(), OBJECTS);
    bucket.holds(OBJECTS, "minio");
}

#[test]
fn shards_side_by_side_do_each_object_once() {
    let bucket = Bucket::plain(OBJECTS);
    let shard = |index| bucket.write(&format!("migrate --to kms --jobs 2 --shard {index}/3"));
    let mut killed = shard(2).spawn();
    killed.kill();
    killed.wait();
    let runs = [1, 2, 3].map(|index| shard(index).spawn());
    let runs = runs.map(|run| run.wait().exits(0));
    let mut handled: Vec<_> = runs
        .iter()
        .flat_map(Ended::json)
        .filter_map(|line| line["path"].as_str().map(str::to_owned))
        .collect();
    handled.sort();
    assert_eq!(handled.len(), OBJECTS);
    handled.dedup();
    assert_eq!(handled.len(), OBJECTS, "an object was handled twice");
    bucket.holds(OBJECTS, "minio");
}

/// The old versions stay, and what undo brings back is a new one.
#[test]
fn a_bucket_that_keeps_versions() {
    let bucket = Bucket::plain(5);
    let before = bucket.objects();
    bucket
        .minio
        .admin(&["version", "enable", &format!("t/{BUCKET}")]);
    let says = |ended: Ended, times: usize| {
        let said = ended.stderr.matches("the bucket keeps versions").count();
        assert_eq!(said, times, "{ended}");
        ended
    };
    let migrated = says(bucket.write("migrate --to kms").ok(), 1);
    all(&migrated, "migrated", 5);
    bucket.holds(5, "minio");
    says(bucket.write("migrate --to kms").ok(), 0);
    let undone = says(bucket.undo(&run_name(&migrated)).ok(), 1);
    all(&undone, "restored", 5);
    assert_eq!(bucket.objects(), before);
    // Nobody has versions any more, but those that are there stay.
    bucket
        .minio
        .admin(&["version", "suspend", &format!("t/{BUCKET}")]);
    says(bucket.write("migrate --to kms").ok(), 1);
    says(bucket.write("migrate --to plaintext").ok(), 0);
}

/// So do drafts that a killed run left.
#[test]
fn what_is_swept_stays_in_a_bucket_that_keeps_versions() {
    let bucket = Bucket::plain(5);
    let draft = "iamseal-draft/0123456789abcdef";
    let upload = || {
        let place = format!("{BUCKET}/{PREFIX}");
        bucket.minio.upload(&place, [(draft, "{}")]);
    };
    // One from before has a version of no number.
    upload();
    let versioned = format!("t/{BUCKET}");
    bucket.minio.admin(&["version", "enable", &versioned]);
    let sweep = || bucket.run("sweep --no-run-under-way");
    let says = |ended: &Ended| ended.stderr.matches("the bucket keeps versions").count();
    assert_eq!(says(&sweep().args(["--dry-run"]).ok()), 0);
    for _ in 0..2 {
        let ended = sweep().ok();
        let path = ended.json()[0]["path"].clone();
        assert_eq!((says(&ended), path.as_str()), (1, Some(draft)));
        assert_eq!(says(&sweep().ok()), 0);
        upload();
    }
}

#[test]
fn a_server_that_stops_midway_loses_nothing() {
    let mut bucket = Bucket::plain(OBJECTS);
    let before = bucket.objects();
    let mut run = bucket.write("migrate --to kms --jobs 1").spawn_unread();
    run.until_output();
    bucket.minio.stop();
    let ended = run.wait();
    assert_ne!(ended.code, Some(0), "{ended}");
    let done = reported(&ended);
    assert!(
        !done.is_empty() && done.len() < OBJECTS,
        "{} were done",
        done.len()
    );
    assert!(ended.stderr.contains("\"cause\"") || ended.text().contains("\"cause\""));

    bucket.minio.restart(&[]);
    let lines = bucket.run("audit").ok().json();
    for path in done {
        let line = lines.iter().find(|line| line["path"] == *path).unwrap();
        assert_eq!(line["found"]["form"], "minio");
    }
    bucket.write("migrate --to kms").ok();
    bucket.holds(OBJECTS, "minio");
    bucket.write("migrate --to plaintext").ok();
    assert_eq!(objects_alone(bucket.objects()), before);
}

/// MinIO behind a server that drops the conditions on the way. The requests are not signed, as it could
/// not drop them otherwise.
#[test]
fn a_server_that_ignores_conditions_is_refused() {
    let bucket = Bucket::plain(3);
    let before = bucket.objects();
    bucket
        .minio
        .admin(&["anonymous", "set", "public", &format!("t/{BUCKET}")]);
    for (header, is_refused) in [
        ("if-match", true),
        ("if-none-match", true),
        ("x-other", false),
    ] {
        let endpoint = without(header, bucket.minio.address());
        let unsigned = |command: &str| {
            tool(with(&format!("{command} --json"), URL))
                .key(KEY)
                .args(["--journal".as_ref(), bucket.journals()])
                .env([
                    ("AWS_ENDPOINT_URL", endpoint.as_str()),
                    ("AWS_ALLOW_HTTP", "true"),
                    ("AWS_SKIP_SIGNATURE", "true"),
                ])
        };
        if !is_refused {
            all(&unsigned("migrate --to kms").ok(), "migrated", 3);
            continue;
        }
        let ended = unsigned("migrate --to kms").run().exits(12);
        let errors = ended.errors();
        let error = &errors.last().unwrap()["error"];
        let message = error["message"].as_str().unwrap();
        assert!(
            message.contains("ignores the condition of a put"),
            "{message}"
        );
        assert!(message.to_lowercase().contains(header), "{message}");
        assert!(error["cure"].is_string());
        assert_eq!(bucket.objects(), before);
    }
    assert_eq!(bucket.objects().len(), 3, "a draft was left");
}

/// The address of a server that drops this header of each request and hands it on, until the test ends.
fn without(header: &'static str, to: String) -> String {
    between(to, move |mut head| {
        head.retain(|line| !line.to_ascii_lowercase().starts_with(&format!("{header}:")));
        Fate::Goes(head)
    })
}

/// Credentials that a machine's agent gives are a server's answer too.
#[test]
fn credentials_that_no_request_can_carry_are_refused() {
    for (key, token) in [
        ("KEY", "to\\u0001ken"),
        ("K\\u00e9Y", "token"),
        ("KEY", "to\\nken"),
    ] {
        let agent = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = agent.local_addr().unwrap();
        let body = format!(
            r#"{{"AccessKeyId":"{key}","SecretAccessKey":"secret-of-agent","Token":"{token}",
                "Expiration":"2099-01-01T00:00:00Z"}}"#
        );
        thread::spawn(move || {
            for mut client in agent.incoming().flatten() {
                let mut head = [0; 4096];
                // A client that goes away early is no reason to stop.
                let _ = client.read(&mut head);
                let length = body.len();
                let _ = write!(
                    client,
                    "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
                );
            }
        });
        let audit = tool(["audit", "s3://bucket/prefix"]).key(KEY).env([
            (
                "AWS_CONTAINER_CREDENTIALS_FULL_URI",
                &*format!("http://{address}/"),
            ),
            ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/dev/null"),
            ("AWS_ENDPOINT_URL", "http://127.0.0.1:9"),
            ("AWS_ALLOW_HTTP", "true"),
        ]);
        let ended = audit.run().exits(13);
        let ended = ended.says("the credentials hold a character that no request can carry");
        assert!(!ended.stderr.contains("secret-of-agent"), "{ended}");
    }
}
