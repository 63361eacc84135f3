//! `iamseal keys`: what names which key, on drives that a real server wrote and in folders.

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Value, json};

use crate::kit::drives::{Drives, change_metadata, keys};
use crate::kit::store::Store;
use crate::kit::{Ended, KEY, KEY_NAME, tool, with};

const ARCHIVE: &str = "user-objects.tar.gz";
/// The keys that its server had.
const A: &str = "key-a:MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDE=";
const B: &str = "key-b:MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDI=";

/// The lines of each key and use, the lines of what was not read, and the summary.
struct Census {
    uses: BTreeMap<(Option<String>, String), Value>,
    unread: Vec<Value>,
    summary: Value,
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

impl Census {
    fn of(ended: &Ended) -> Self {
        let mut lines = ended.json();
        let summary = lines.pop().unwrap()["summary"].clone();
        let (unread, uses): (Vec<_>, Vec<_>) = lines
            .into_iter()
            .partition(|line| line["unread"].is_object());
        let key = |line: Value| {
            let key = line["key"].as_str().map(str::to_owned);
            ((key, text(&line["use"])), line)
        };
        Self {
            uses: uses.into_iter().map(key).collect(),
            unread,
            summary,
        }
    }

    /// Objects, versions and bytes.
    #[track_caller]
    fn counts(&self, key: Option<&str>, of: &str) -> [u64; 3] {
        let line = &self.uses[&(key.map(str::to_owned), of.to_owned())];
        ["objects", "versions", "bytes"].map(|name| line[name].as_u64().unwrap())
    }

    fn part(&self, name: &str) -> Value {
        let parts = self.summary["parts"].as_array().unwrap();
        let part = parts.iter().find(|part| part["part"] == name);
        part.unwrap().clone()
    }
}

#[test]
fn drives_tell_every_key_that_is_needed() {
    let drives = Drives::of(ARCHIVE);
    let before = drives.all();
    let census = Census::of(
        &tool(["keys", "--json", &drives.store()])
            .ok()
            .says_nothing(),
    );
    let [a, b] = [Some("key-a"), Some("key-b")];
    assert_eq!(census.counts(a, "sse-s3"), [5, 7, 40_000_500]);
    assert_eq!(census.counts(b, "sse-s3"), [1, 1, 300_000]);
    assert_eq!(census.counts(a, "sse-kms"), [2, 2, 300_100]);
    assert_eq!(census.counts(b, "sse-kms"), [1, 1, 300_000]);
    assert_eq!(census.counts(a, "uploads")[..2], [1, 1]);
    assert_eq!(census.counts(a, "default-encryption")[0], 1);
    // A bucket with SSE-S3 takes what key the server has.
    assert_eq!(census.counts(None, "default-encryption")[0], 1);
    let line = &census.uses[&(a.map(str::to_owned), "sse-s3".to_owned())];
    assert_eq!(line["buckets"], json!(["default-s3", "plain", "versioned"]));
    assert_eq!(line["first"][0]["path"], "default-s3/one");
    let summary = &census.summary;
    assert_eq!(summary["complete"], true);
    assert_eq!(summary["keys"], json!(["key-a", "key-b"]));
    assert_eq!(
        (&summary["objects"], &summary["versions"]),
        (&json!(12), &json!(15))
    );
    assert_eq!(summary["customer"]["objects"], 2);
    assert_eq!(summary["customer"]["bytes"], 40_000_100);
    for part in summary["parts"].as_array().unwrap() {
        assert_eq!(part["looked_at"], true, "{part}");
    }
    assert_eq!(drives.all(), before);
}

#[test]
fn people_read_the_same() {
    let drives = Drives::of(ARCHIVE);
    let ended = tool(["keys", &drives.store()]).ok();
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let lines: Vec<_> = ended.text().lines().map(words).collect();
    for expected in [
        "SSE-C: 2 objects (2 versions, 38.15 MiB) need keys that clients bring, and none of the KMS: plain: \
         plain/customer/big, plain/customer/small",
        "Looked at: objects in buckets: 12 objects with 15 versions in 4 buckets.",
        "Looked at: tiers: there are none.",
        "Complete: nothing on these drives needs another key. Backups and the journals of runs may.",
    ] {
        assert!(lines.iter().any(|line| line == expected), "{lines:#?}");
    }
    let row = |line: &&String| line.contains("key-b SSE-KMS 1 1 292.97 KiB");
    assert!(lines.iter().any(|line| row(&line)), "{lines:#?}");
}

#[test]
fn a_tier_and_replication_targets_name_their_key() {
    let drives = Drives::of("noninline.tar.gz");
    let census = Census::of(&tool(["keys", "--json", &drives.store()]).run());
    let key = Some("fixture-key-a");
    for of in [
        "tiers",
        "replication-targets",
        "default-encryption",
        "sse-kms",
    ] {
        assert_eq!(census.counts(key, of)[0], 1, "{of}");
    }
    assert!(census.counts(key, "config")[0] > 0);
}

#[test]
fn what_is_damaged_is_named_and_nothing_is_said_to_be_complete() {
    let drives = Drives::of(ARCHIVE);
    let object = |drive: usize, path: &str| drives.drive(drive).join(path).join("xl.meta");
    // On one drive it is made up for.
    fs::write(object(1, "plain/kms-a"), b"XL2 ").unwrap();
    let census = Census::of(&tool(["keys", "--json", &drives.store()]).ok());
    assert_eq!(
        (&census.summary["damaged"], &census.summary["complete"]),
        (&json!(1), &json!(true))
    );
    assert_eq!(census.counts(Some("key-a"), "sse-kms")[0], 2);

    // What the other half says is counted, and not taken for all.
    fs::write(object(2, "plain/kms-a"), b"").unwrap();
    let census = Census::of(&tool(["keys", "--json", &drives.store()]).run().exits(13));
    assert_eq!(census.unread[0]["unread"]["path"], "plain/kms-a");
    assert_eq!(
        (&census.summary["unread"], &census.summary["complete"]),
        (&json!(1), &json!(false))
    );
    assert_eq!(census.counts(Some("key-a"), "sse-kms")[0], 2);
    let said = tool(["keys", &drives.store()]).run().exits(13);
    assert!(said.text().contains("plain/kms-a"), "{said}");
    assert!(said.text().contains("Not complete"), "{said}");

    // A link is not followed.
    let drives = Drives::of(ARCHIVE);
    for drive in 1..=4 {
        let bucket = drives.drive(drive).join("versioned");
        fs::rename(&bucket, drives.drive(drive).join("plain/elsewhere")).unwrap();
        std::os::unix::fs::symlink("plain/elsewhere", &bucket).unwrap();
    }
    tool(["keys", &drives.store()]).run().exits(13);
}

#[test]
fn a_damaged_setting_of_a_bucket_is_named() {
    let drives = Drives::of(ARCHIVE);
    for drive in 1..=3 {
        let file = drives.file(drive, "buckets/default-kms/.metadata.bin/xl.meta");
        fs::write(file, b"XL2 \x01\x00\x03\x00").unwrap();
    }
    let census = Census::of(&tool(["keys", "--json", &drives.store()]).run().exits(13));
    let path = "buckets/default-kms/.metadata.bin";
    assert!(
        census
            .unread
            .iter()
            .any(|unread| unread["unread"]["path"] == path)
    );
    assert_eq!(census.summary["complete"], false);
}

/// Metadata that is whole, and not as a server writes it.
#[test]
fn what_names_no_key_that_can_be_one_leaves_it_open() {
    let changed = |from: &[u8], to: &[u8]| {
        let drives = Drives::of(ARCHIVE);
        for drive in 1..=4 {
            let object = drives.drive(drive).join("plain/kms-a/xl.meta");
            change_metadata(&object, from, to);
        }
        Census::of(&tool(["keys", "--json", &drives.store()]).ok())
    };
    for (from, to, of) in [
        (&b"-S3-Kms-Key-Id"[..], &b"-S3-Kms-Key-No"[..], "sse-kms"),
        (b"key-a", b"key-\xff", "sse-kms"),
        (
            b"Encryption-Kms-Sealed-Key",
            b"Encryption-Kms-Sealed-New",
            "sse-other",
        ),
    ] {
        let census = changed(from, to);
        let named = if of == "sse-other" {
            Some("key-a")
        } else {
            None
        };
        assert_eq!(census.counts(named, of)[..2], [1, 1]);
        assert_eq!(census.summary["complete"], named.is_some());
    }
    // A name is a name, whatever is in it.
    let census = changed(b"key-a", b"\x1b[2J ");
    assert_eq!(census.counts(Some("\u{1b}[2J "), "sse-kms")[0], 1);
}

#[test]
fn a_name_that_hides_something_shows() {
    let drives = Drives::of(ARCHIVE);
    for drive in 1..=4 {
        let drive = drives.drive(drive);
        fs::rename(drive.join("plain/kms-a"), drive.join("plain/\u{1b}[2J")).unwrap();
    }
    let said = tool(["keys", &drives.store()]).ok();
    assert!(!said.text().contains('\u{1b}'), "{said}");
    assert!(said.text().contains("plain/\\u{1b}[2J"), "{said}");
}

#[test]
fn of_system_folders_alone_nothing_is_said_of_buckets() {
    let drives = Drives::of(ARCHIVE);
    let folders = (1..=4).map(|drive| drives.file(drive, "").display().to_string());
    let folders = folders.collect::<Vec<_>>().join(",");
    let census = Census::of(&tool(["keys", "--json", &format!("drives:{folders}")]).ok());
    assert_eq!(census.summary["complete"], false);
    assert_eq!(census.part("objects")["looked_at"], false);
    assert_eq!(census.part("bucket-metadata")["count"], 4);
    // Too few drives are no evidence either.
    let census = Census::of(&tool(["keys", "--json", &drives.some([1])]).run().exits(13));
    assert_eq!(census.summary["complete"], false);
}

#[test]
fn a_folder_tells_what_is_in_it() {
    let paths = ["config/iam/users/a/identity.json", "config/config.json"];
    let seal = |path: &str| {
        let seal = tool(with("seal --path", path)).key(KEY);
        seal.input(r#"{"version":1}"#).ok().stdout
    };
    let store = Store::of(paths.map(|path| (path, seal(path))));
    store.put("config/iam/format.json", r#"{"version":1}"#);
    let root = store.root().to_str().unwrap().to_owned();
    let keys = || Census::of(&tool(["keys", "--json", &root]).ok());
    let census = keys();
    assert_eq!(census.counts(Some(KEY_NAME), "config")[0], 2);
    assert_eq!(census.part("config")["count"], 3);
    assert_eq!(census.part("bucket-metadata")["looked_at"], false);
    assert_eq!(census.part("objects")["looked_at"], false);
    assert_eq!(census.summary["complete"], false);

    // The metadata of a bucket, as a copy has it; and tiers that do not say their key.
    let xml = b"<A><SSEAlgorithm>aws:kms</SSEAlgorithm><KMSMasterKeyID>third</KMSMasterKeyID></A>";
    let head = b"\x01\x00\x01\x00\x81\xb3EncryptionConfigXML\xc4";
    let metadata = [&head[..], &[xml.len() as u8], xml].concat();
    store.put("buckets/b/.metadata.bin", &metadata);
    store.put("config/tier-config.bin", b"\x20\x00\xff");
    let census = keys();
    assert_eq!(census.counts(Some("third"), "default-encryption")[0], 1);
    assert_eq!(census.counts(None, "tiers")[0], 1);
    assert_eq!(census.summary["nameless"], 1);

    store.put("config/iam/groups/g/members.json", [0xff; 40]);
    let census = Census::of(&tool(["keys", "--json", &root]).run().exits(11));
    assert_eq!(census.unread.len(), 1);
    assert_eq!(census.summary["complete"], false);
}

#[test]
fn of_a_rustfs_nothing_is_said_to_be_known() {
    let drives = Drives::of(ARCHIVE);
    for drive in 1..=4 {
        fs::rename(
            drives.file(drive, ""),
            drives.drive(drive).join(".rustfs.sys"),
        )
        .unwrap();
    }
    let census = Census::of(&tool(["keys", "--json", &drives.store()]).ok());
    assert_eq!(census.counts(Some("key-a"), "config")[0], 2);
    assert_eq!(census.summary["complete"], false);
    for part in ["tiers", "bucket-metadata", "objects", "uploads"] {
        let part = census.part(part);
        assert_eq!(part["looked_at"], false);
        assert!(part["why"].as_str().unwrap().contains("RustFS"), "{part}");
    }
}

/// What an audit says of a key.
fn need(ended: &Ended, name: &str) -> Value {
    let summary = ended.json().pop().unwrap()["summary"].clone();
    let keys = summary["keys"].as_array().unwrap().iter();
    keys.into_iter()
        .find(|key| key["key"] == name)
        .unwrap()
        .clone()
}

#[test]
fn an_audit_of_drives_knows_what_tiers_and_buckets_name() {
    // Neither tiers nor a bucket name the second.
    let drives = Drives::of(ARCHIVE);
    let lent = format!("{A}\n{B}\n");
    let audit = |options: &str| {
        let audit = tool(["audit", &drives.store()]).file("--keys", &lent);
        audit.args(options.split_whitespace())
    };
    let ended = audit("--json").run();
    assert_eq!(need(&ended, "key-a")["named"], 1);
    assert_eq!(need(&ended, "key-a")["needed"], true);
    assert_eq!(need(&ended, "key-b")["needed"], false);
    assert!(need(&ended, "key-b")["named"].is_null());
    audit("").run().prints("(iamseal keys STORE counts it)");
    let narrow = audit("--json --prefix config/iam/").run();
    assert!(need(&narrow, "key-b")["needed"].is_null());
    for drive in 1..=3 {
        let file = drives.file(drive, "buckets/plain/.metadata.bin/xl.meta");
        fs::write(file, "XL2 ").unwrap();
    }
    assert!(need(&audit("--json").run(), "key-b")["needed"].is_null());

    // An exempt file names its key on drives.
    let drives = Drives::of("noninline.tar.gz");
    let audit = tool(["audit", "--json", &drives.store()]).file("--keys", &keys());
    let ended = audit.run();
    assert_eq!(need(&ended, "fixture-key-a")["named"], 3);
    assert_eq!(need(&ended, "fixture-key-b")["needed"], false);
}

#[test]
fn a_migration_says_before_it_begins_what_stops_working() {
    let drives = Drives::of("noninline.tar.gz");
    let migrate = |options: &str| {
        let migrate = tool(["migrate", "--dry-run", &drives.store()]).file("--keys", &keys());
        migrate.args(options.split_whitespace()).run()
    };
    let stops = "stops working on a server that does not have the key fixture-key-a: tiers, replication targets of \
                 1 buckets (repl), default encryption of 1 buckets (repl)";
    let not_looked_at = format!("which keys they need: iamseal keys '{}'", drives.store());
    let not_looked_at = match drives.store().contains(['{', ' ']) {
        true => not_looked_at,
        false => not_looked_at.replace('\'', ""),
    };
    for to in ["--to kms --key fixture-key-b", "--to plaintext"] {
        migrate(to).says(stops).says(&not_looked_at);
    }
    let same = migrate("--to kms --key fixture-key-a").says(&not_looked_at);
    assert!(!same.stderr.contains("stops working"), "{same}");

    // A server without a KMS has no key of its own for a bucket that asks for one.
    let drives = Drives::of(ARCHIVE);
    let migrate = |to: &str| {
        let migrate = tool(["migrate", "--dry-run", &drives.store()]).file("--keys", A);
        migrate.args(to.split_whitespace()).run()
    };
    let own = "does not have the one it has now: default encryption of 1 buckets (default-s3)";
    migrate("--to plaintext").says(own);
    assert!(!migrate("--to kms --key key-a").stderr.contains(own));
}

#[test]
fn a_migration_of_a_folder_says_what_it_sees() {
    let store = Store::of([("config/iam/format.json", "{}")]);
    let migrate = || {
        let migrate = tool(with("migrate --to kms --dry-run", store.root()));
        migrate.key(KEY).ok()
    };
    migrate().says_nothing();
    store.put("config/tier-config.bin", b"\x20\x00\xff");
    migrate()
        .says("names no key, and stops working")
        .says("it has now: tiers");
    store.put("config/tier-config.bin", b"\x01\x00\x01\x00\x80");
    migrate().says_nothing();
}

#[test]
fn what_was_counted_before_an_interrupt_is_said_and_not_taken_for_all() {
    let drives = Drives::of(ARCHIVE);
    for drive in 1..=4 {
        // The first of all is named at once; then there is more than a moment's work.
        fs::write(drives.drive(drive).join("default-kms/one/xl.meta"), "").unwrap();
        let object = drives.drive(drive).join("plain/kms-a/xl.meta");
        for number in 0..5000 {
            let folder = drives.drive(drive).join(format!("plain/m/{number}"));
            fs::create_dir_all(&folder).unwrap();
            fs::hard_link(&object, folder.join("xl.meta")).unwrap();
        }
    }
    let mut run = tool(["keys", "--json", &drives.store()]).spawn_unread();
    run.until_output();
    run.interrupt();
    let census = Census::of(&run.wait().exits(130));
    assert_eq!(census.summary["interrupted"], true);
    assert_eq!(census.summary["complete"], false);
    assert_eq!(census.part("config")["looked_at"], true);
    assert_eq!(census.part("objects")["looked_at"], false);
}
