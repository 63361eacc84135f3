//! The commands on whole stores, with every outcome.

use std::ffi::OsStr;
use std::fs;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::document::Reference;
use super::objects::{ODD, seal};
use crate::kit::drives::{Drives, change_metadata, keys};
use crate::kit::store::Store;
use crate::kit::{
    CREDENTIAL, Ended, KEY, KEY_WITH_OTHER_BYTES, OTHER_KEY, Tool, run_name, tool, with,
};
use iamseal_tests::samples::{damaged, vector};

const ALICE: &str = "config/iam/users/alice/identity.json";
const BOB: &str = "config/iam/users/bob/identity.json";
const CAROL: &str = "config/iam/users/carol/identity.json";
const TIERS: &str = "config/tier-config.bin";
const PLAIN: &str = "config/iam/format.json";

fn own(path: impl AsRef<[u8]>) -> Vec<u8> {
    seal(path.as_ref(), KEY, "", b"{}")
}

/// The command with every key.
pub fn lend(run: Tool) -> Tool {
    run.key(KEY).env(CREDENTIAL).file("--keys", OTHER_KEY)
}

/// An object of every form.
fn good() -> Store {
    let store = Store::of([(ALICE, own(ALICE)), (PLAIN, b"{}".to_vec())]);
    store.put(ODD, own(ODD));
    store.put(CAROL, seal(CAROL.as_bytes(), KEY, "--form compact", b"{}"));
    store.put("config/old.json", vector("dev-067").stored);
    store.put(TIERS, [1, 0, 1, 0, 0x82, 0xa1]);
    store
}

/// One of every kind that fails too.
fn bad() -> Store {
    let store = good();
    let bare = vector("dev-040");
    store.put(&bare.path, bare.stored);
    store.put("config/bad/empty", b"");
    store.put("config/bad/binary", [0xff; 40]);
    store.put("config/bad/elsewhere", own(ALICE));
    store.put("config/bad/elsewhere-too", own(ODD));
    let other = format!("third-key:{}", KEY.split_once(':').unwrap().1);
    store.put(
        "config/bad/no-key",
        seal(b"config/bad/no-key", &other, "", b"{}"),
    );
    // Of two, since one alone tells nothing of its key.
    for path in ["config/bad/other-bytes", "config/bad/other-bytes-too"] {
        let (name, (_, bytes)) = ("other-key", KEY.split_once(':').unwrap());
        store.put(
            path,
            seal(path.as_bytes(), &format!("{name}:{bytes}"), "", b"{}"),
        );
    }
    let path = "config/bad/data-key";
    store.put(path, seal(path.as_bytes(), KEY_WITH_OTHER_BYTES, "", b"{}"));
    store.put(BOB, damaged(own(BOB)));
    // MinIO's fragments hold 16 KiB and have tags of 16 bytes: without the last, which holds 1 byte.
    let path = "config/bad/short";
    let mut short = seal(path.as_bytes(), KEY, "", &[b' '; (16 << 10) + 1]);
    short.truncate(short.len() - 17);
    store.put(path, short);
    store.put("config/bad/root", vector("dev-074").stored);
    let large = fs::File::create(store.file("config/bad/large"));
    large.and_then(|file| file.set_len((16 << 20) + 1)).unwrap();
    symlink("nowhere", store.file("config/bad/link")).unwrap();
    store
}

/// Objects that a server loads and that are not as they ought to be.
fn judged() -> Store {
    let message = "eyJhbGciOiJIUzUxMiIsInR5cCI6IkpXVCJ9.eyJhY2Nlc3NLZXkiOiJzdmMiLCJwYXJlbnQiOiJhbGljZSIsInNhLXBvbG\
                   ljeSI6ImluaGVyaXRlZC1wb2xpY3kifQ";
    let store = Store::of([(PLAIN, b"{}".to_vec())]);
    // Signed with the account's own secret, with that of CREDENTIAL, with "password", and with another.
    for (name, signature) in [
        (
            "own",
            "R670stiFzaJIVvNcgvLOUDLQhVsmoEdg8ceIu4XuXVLEPrvORIv9jsrMVie4Bpo0F8zMvx7RCTi23BU7jGb9dA",
        ),
        (
            "present",
            "4EP2qnTPyDH9Z_7Nvb1HFgx6skJ2gOfK5gP-K4O6IoL_E4s_9EynzT0QET0vQk5N8x3yzwlYL4VyctyNihLoYw",
        ),
        (
            "earlier",
            "cV-3c1CwbvvP2mvfBemYO2PzQ70g1Ah-ePLLMOzg64-Zz-5BvlCe24XCDsFNd7wIsVXOCQSCoL_3bPy5cHE_0A",
        ),
        ("unknown", "none"),
    ] {
        let token = format!("{message}.{signature}");
        let credentials = json!({"secretKey": "accountsecret", "sessionToken": token});
        let path = format!("config/iam/service-accounts/{name}/identity.json");
        store.put(
            path,
            json!({"version": 1, "credentials": credentials}).to_string(),
        );
    }
    let path = "config/iam/policydb/users/a.json";
    store.put(
        path,
        seal(path.as_bytes(), KEY, "", b"{\"policy\":\"gone,\xff\"}"),
    );
    store
}

fn audit(store: &Store, options: &str) -> Tool {
    let run = tool(with("audit --json", store.root()));
    lend(run.args(options.split_whitespace()))
}

pub fn audits(reference: &mut Reference) {
    let store = bad();
    for options in ["", "--require sealed", "--require current"] {
        reference.compare("audit", &audit(&store, options).run().exits(3));
    }
    reference.compare("audit", &audit(&good(), "").ok());
    let judged = judged();
    let audit_of_tokens = audit(&judged, "").file("--root-credentials", "older:password");
    reference.compare("audit", &audit_of_tokens.ok());
    let drives = Drives::of("eight-two-sets.tar.gz");
    let half = tool(["audit", "--json", &drives.some(1..=4)]).file("--keys", &keys());
    reference.compare("audit", &half.run().exits(13));
    // Several that their key does not open, beside one that it does.
    let store = Store::new();
    for (name, key) in [
        ("a", KEY),
        ("b", KEY_WITH_OTHER_BYTES),
        ("c", KEY_WITH_OTHER_BYTES),
    ] {
        let path = format!("config/{name}");
        store.put(&path, seal(path.as_bytes(), key, "", b"{}"));
    }
    reference.compare("audit", &audit(&store, "").run().exits(30));
    // After eight objects that no credential opens, the others are not tried with all: here PBKDF2's.
    let store = Store::new();
    for number in 0..9 {
        let mut garbage = [0xa5; 57];
        garbage[32] = 2;
        store.put(format!("config/bad/{number}"), garbage);
    }
    let run = audit(&store, "").file("--root-credentials", "older:password");
    reference.compare("audit", &run.run().exits(3));
    let run = audit(&store, "--try-all-credentials");
    let run = run.file("--root-credentials", "older:password").run();
    assert!(!run.exits(8).text().contains("credential-untried"));
}

fn with_manifest(run: Tool, store: &Store) -> Tool {
    run.args([OsStr::new("--manifest"), store.file("manifest").as_os_str()])
}

/// Censuses of drives, whole and damaged, and of a folder.
pub fn censuses(reference: &mut Reference) {
    let keys = |store: &str| tool(["keys", "--json", store]).run();
    let drives = Drives::of("user-objects.tar.gz");
    for drive in 1..=4 {
        let object = drives.drive(drive).join("plain/s3/small/xl.meta");
        change_metadata(&object, b"-S3-Sealed-Key", b"-S3-Sealed-New");
        fs::write(drives.drive(drive).join("plain/s3/big/xl.meta"), "").unwrap();
    }
    reference.compare("keys", &keys(&drives.store()));
    let drives = Drives::of("noninline.tar.gz");
    reference.compare("keys", &keys(&drives.store()));
    let audit = tool(["audit", "--json", &drives.store()]).file("--keys", &self::keys());
    reference.compare("audit", &audit.run());
    reference.compare("keys", &keys(good().root().to_str().unwrap()));
}

pub fn manifests(reference: &mut Reference) {
    let store = good();
    let manifest = || {
        let run = tool(with("manifest --json", store.root()));
        with_manifest(lend(run), &store)
    };
    let mut compare = |code: i32| {
        let ended = with_manifest(audit(&store, ""), &store).run().exits(code);
        reference.compare("audit", &ended);
        ended
    };
    compare(26);
    let _ = manifest().ok();
    compare(0);
    let old = store.get(ALICE);
    store.put(ALICE, own(ALICE));
    let written = manifest().ok();
    store.put(ALICE, old);
    store.put(PLAIN, "{\"changed\":true}");
    store.put(BOB, own(BOB));
    store.put(CAROL, "{}");
    store.put("config/copy", store.get(ODD));
    fs::remove_file(store.file(TIERS)).unwrap();
    symlink("nowhere", store.file(TIERS)).unwrap();
    fs::remove_file(store.file("config/old.json")).unwrap();
    compare(3);
    reference.compare("manifest", &written);
    reference.compare("manifest", &manifest().run().exits(12));
}

/// A folder of journals.
pub struct Journals(pub TempDir);

impl Journals {
    pub fn new() -> Self {
        Self(tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap())
    }

    fn run(&self, line: &str, store: &Store) -> Tool {
        let run = tool(with(&format!("{line} --json"), store.root()));
        run.args([OsStr::new("--journal"), self.0.path().as_os_str()])
    }

    pub fn file(&self, run: &str, end: &str) -> PathBuf {
        self.0.path().join(format!("{run}.{end}"))
    }

    /// Compares a journal's or proof's lines.
    pub fn compare(&self, reference: &mut Reference, file: &Path, sections: &[(&str, &str)]) {
        for line in fs::read_to_string(file).unwrap().lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            let fields = line.as_object().unwrap().iter();
            let kinds: Vec<_> = fields.filter(|(name, _)| *name != "mac").collect();
            let [(kind, value)] = kinds[..] else {
                panic!("not one field beside the MAC: {line}");
            };
            let section = sections.iter().find(|(name, _)| name == kind);
            reference.object(section.unwrap().1, value);
        }
    }
}

pub fn migrations(reference: &mut Reference) {
    let (journals, store) = (Journals::new(), bad());
    let dry = lend(journals.run("migrate --to kms --dry-run", &store)).run();
    reference.compare("migrate", &dry.exits(3));

    // One that somebody else changes meanwhile, and one that is changed after it.
    let hold = store.hold();
    let mut running = lend(journals.run("migrate --to kms", &store)).spawn();
    // Carol's, alone in its form, and what is plain or under the root credential or the bare context.
    running.until("drafts", |_| store.drafts() == 4);
    store.put(PLAIN, "{\"theirs\":true}");
    drop(hold);
    let ended = running.wait().exits(3);
    reference.compare("migrate", &ended);
    let run = run_name(&ended);
    let sections = [
        ("run", "journal run"),
        ("change", "journal change"),
        ("step", "journal step"),
        ("object", "proof object"),
        ("proof", "proof sums"),
    ];
    for end in ["journal", "proof"] {
        journals.compare(reference, &journals.file(&run, end), &sections);
    }

    proof(reference, &store, &journals.file(&run, "proof"), 24);

    let undo = |options: &str, run: &str| {
        let undo = journals.run("undo", &store).args([run]);
        undo.args(options.split_whitespace())
    };
    let dry = lend(undo("--dry-run", &run)).ok();
    reference.compare("undo", &dry);
    let before = store.get(CAROL);
    store.put(CAROL, "{\"since\":true}");
    // Without the key that sealed what was plain.
    let ended = undo("", &run).file("--keys", OTHER_KEY).run().exits(3);
    reference.compare("undo", &ended);
    store.put(CAROL, before);
    reference.compare("undo", &lend(undo("", &run)).run());
    reference.compare("undo", &lend(undo("", &run)).run());

    // Paths that are not UTF-8, and a journal that was damaged.
    let odd = Store::of([(ODD, "{}")]);
    let ended = lend(journals.run("migrate --to kms", &odd)).ok();
    reference.compare("migrate", &ended);
    let run = run_name(&ended);
    for end in ["journal", "proof"] {
        journals.compare(reference, &journals.file(&run, end), &sections);
    }
    let file = journals.file(&run, "journal");
    let journal = fs::read_to_string(&file).unwrap();
    let undo = || lend(journals.run("undo", &odd).args([&run]));
    fs::write(&file, journal.replace("\"bytes\":\"", "\"bytes\":\"AAAA")).unwrap();
    reference.compare("undo", &undo().run().exits(29));
    let insist = undo().args(["--trust-journal"]);
    reference.compare("undo", &insist.run().exits(1));
    fs::write(&file, journal).unwrap();
    reference.compare("undo", &undo().ok());
    // A run without any key, that takes one of sealed objects back.
    lend(journals.run("migrate --to kms", &odd)).ok();
    let ended = lend(journals.run("migrate --to kms --form compact", &odd)).ok();
    let undo = journals
        .run("undo --trust-journal", &odd)
        .args([&run_name(&ended)]);
    let ended = undo.ok();
    reference.compare("undo", &ended);
    for end in ["journal", "proof"] {
        journals.compare(reference, &journals.file(&run_name(&ended), end), &sections);
    }
    let ended = lend(journals.run("migrate --to plaintext", &odd)).ok();
    let run = run_name(&ended);
    journals.compare(reference, &journals.file(&run, "journal"), &sections);
    proofs(reference, &odd, &journals.file(&run, "proof"));

    let runs = tool(["runs", "--json", "--journal"]).args([journals.0.path()]);
    reference.compare("runs", &runs.ok());
}

/// Drives that are prepared, with a name that is not UTF-8.
pub fn preparations(reference: &mut Reference) {
    let (journals, drives) = (Journals::new(), Drives::of("old-four-plain.tar.gz"));
    for drive in 1..=4 {
        let users = drives.file(drive, "config/iam/users");
        let odd = OsStr::from_bytes(b"ali\xffce");
        fs::rename(users.join("alice"), users.join(odd)).unwrap();
    }
    let run = |options: &[&str]| {
        let run = tool(["migrate", &drives.store(), "--to", "kms", "--json"]).args(options);
        lend(run.args([OsStr::new("--journal"), journals.0.path().as_os_str()]))
    };
    let mut prepare = || {
        let prepared = run(&["--prepare", "--not-loadable-too"]).ok();
        reference.compare("migrate", &prepared);
        let name = run_name(&prepared);
        let sections = [("run", "journal run"), ("prepared", "journal prepared")];
        journals.compare(reference, &journals.file(&name, "journal"), &sections);
        name
    };
    let name = prepare();
    let options = [
        "--finish",
        &name,
        "--not-loadable-too",
        "--server-is-stopped",
    ];
    // Where it was renamed to its drives are read, and not written to.
    let finished = run(&options).run().exits(12);
    prepare();
    reference.compare("migrate", &finished);
}

pub fn tokens(reference: &mut Reference) {
    let (journals, store) = (Journals::new(), judged());
    let [lost, odd] = [&b"lost"[..], b"odd\xff"]
        .map(|name| [b"config/iam/service-accounts/", name, b"/identity.json"].concat());
    store.put(&lost, seal(&lost, KEY_WITH_OTHER_BYTES, "", b"{}"));
    store.put(&odd, b"{");
    let sign = |options: &str| {
        let run = journals.run("sign-tokens", &store);
        lend(run.args(options.split_whitespace()))
    };
    reference.compare("sign-tokens", &sign("--dry-run").run().exits(3));
    let ended = sign("").run().exits(3);
    reference.compare("sign-tokens", &ended);
}

pub fn set_asides(reference: &mut Reference) {
    let (journals, store) = (Journals::new(), bad());
    let odd = "config/iam/odd/\u{fffd}";
    let aside = |options: &str| {
        let run = journals
            .run("set-aside", &store)
            .args([OsStr::from_bytes(ODD)]);
        lend(run.args(options.split_whitespace()))
    };
    reference.compare("set-aside", &aside("--dry-run").args([odd]).run().exits(13));
    store.put(PLAIN, b"\x89PNG");
    let named = [PLAIN, "config/bad/link"];
    let gone = [OsStr::from_bytes(b"config/bad/\xff")];
    let run = aside("--failing body-not-authentic").args(named).args(gone);
    let ended = run.run().exits(3);
    reference.compare("set-aside", &ended);
    let sections = [
        ("run", "journal run"),
        ("change", "journal change"),
        ("step", "journal step"),
        ("object", "proof object"),
        ("proof", "proof sums"),
    ];
    let compare = |reference: &mut Reference, run: &str| {
        for end in ["journal", "proof"] {
            journals.compare(reference, &journals.file(run, end), &sections);
        }
    };
    compare(reference, &run_name(&ended));
    let undone = lend(journals.run("undo", &store).args([&run_name(&ended)])).ok();
    reference.compare("undo", &undone);
    compare(reference, &run_name(&undone));
}

/// Compares what is said of this proof and this store with all keys.
fn proof(reference: &mut Reference, store: &Store, proof: &Path, code: i32) {
    let verify = tool(with("verify-proof --json", proof)).args([store.root()]);
    said_of_proof(reference, &lend(verify).run().exits(code));
}

fn said_of_proof(reference: &mut Reference, ended: &Ended) {
    for line in ended.json() {
        match (line.get("proof"), line.get("summary")) {
            (Some(proof), _) => reference.object("verify-proof", proof),
            (_, Some(summary)) => reference.object("verify-proof summary", summary),
            _ => reference.object("verify-proof object", &line),
        }
    }
}

/// The same of a proof of one object, whatever became of that.
fn proofs(reference: &mut Reference, store: &Store, file: &Path) {
    let unverified = tool(with("verify-proof --json", file)).run().exits(4);
    said_of_proof(reference, &unverified);
    proof(reference, store, file, 0);
    let object = store.get(ODD);
    store.put(ODD, "{\"since\":true}");
    proof(reference, store, file, 24);
    fs::remove_file(store.file(ODD)).unwrap();
    proof(reference, store, file, 25);
    symlink("nowhere", store.file(ODD)).unwrap();
    proof(reference, store, file, 12);
    fs::remove_file(store.file(ODD)).unwrap();
    store.put(ODD, object);
}

pub fn interrupted(reference: &mut Reference) {
    let journals = Journals::new();
    // More than two batches for each worker.
    let paths = (0..600).map(|number| format!("config/iam/policydb/users/{number}.json"));
    let store = Store::of(paths.map(|path| (path, "{}")));
    let hold = store.hold();
    let migrate = journals.run("migrate --to kms --jobs 1", &store);
    let mut running = migrate.key(KEY).spawn();
    running.until("drafts", |_| store.drafts() > 2);
    running.interrupt();
    drop(hold);
    reference.compare("migrate", &running.wait().exits(130));
}

pub fn sweeps(reference: &mut Reference) {
    let store = Store::of([("config/a", "{}")]);
    let hold = store.hold();
    let journals = Journals::new();
    let mut running = lend(journals.run("migrate --to kms", &store)).spawn();
    running.until("a draft", |_| store.written_drafts() > 0);
    let draft = b".iamseal-0123456789abcdef.tmp";
    for folder in [&b"config/"[..], b"config/\xff/"] {
        store.put([folder, draft].concat(), "{}");
    }
    // Its path is too long, so what is in it cannot be swept.
    let deep = deep_folder(&store.file("config"));
    for options in ["", "--require sealed"] {
        let ended = audit(&store, options).run();
        assert_ne!(ended.code, Some(0));
        reference.compare("audit", &ended);
    }
    for options in ["--dry-run", ""] {
        let sweep = tool(with("sweep --json", store.root()));
        let ended = sweep.args(options.split_whitespace()).run();
        reference.compare("sweep", &ended.exits(12));
    }
    drop((hold, deep));
    running.wait();
}

/// Folders in folders until the path is longer than any that is taken, which a program can make that goes
/// step by step.
fn deep_folder(parent: &Path) -> OwnedFd {
    use rustix::fs::{CWD, Mode, OFlags, mkdirat, openat};
    let open = |parent: BorrowedFd<'_>, name: &OsStr| {
        openat(parent, name, OFlags::DIRECTORY, Mode::empty()).unwrap()
    };
    let part = "d".repeat(255);
    let mut folder = open(CWD, parent.as_os_str());
    for _ in 0..17 {
        mkdirat(&folder, &*part, Mode::RWXU).unwrap();
        folder = open(folder.as_fd(), part.as_ref());
    }
    folder
}

pub fn demonstration(reference: &mut Reference) {
    let ended = tool(["demo", "--json"]).ok();
    for line in ended.json() {
        if line.get("demo").is_some() {
            reference.object("demo", &line);
            continue;
        }
        let summary = line.get("summary");
        let is_audit = summary.unwrap_or(&line).get(match summary {
            Some(_) => "keys",
            None => "verdict",
        });
        let command = if is_audit.is_some() {
            "audit"
        } else {
            "migrate"
        };
        match summary {
            Some(summary) => reference.object(&format!("{command} summary"), summary),
            None => reference.object(&format!("{command} object"), &line),
        }
    }
}
