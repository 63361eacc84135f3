//! `--to rustfs` and `--require rustfs`: what a RustFS reads, from every form, and back.

use std::fs;

use tempfile::NamedTempFile;

use crate::kit::component::component;
use crate::kit::identities::{archive, objects};
use crate::kit::migration::{NAMES, content, migrate, outcomes, plain};
use crate::kit::store::Store;
use crate::kit::{CREDENTIAL, Ended, KEY, Tool, run_name, tool, with};
use iamseal_tests::samples::vector;

const MASTER: [(&str, &str); 1] = [("RUSTFS_IAM_MASTER_KEY", "correct horse battery")];
const ROOT: [(&str, &str); 2] = [
    ("RUSTFS_ACCESS_KEY", "rustfs-admin"),
    ("RUSTFS_SECRET_KEY", "rustfs-secret"),
];
const ALICE: &str = "config/iam/users/alice/identity.json";

/// How many of the names are below `config/iam/`.
const IDENTITIES: u64 = 6;

fn counts(of: [(&str, u64); 2]) -> std::collections::BTreeMap<String, u64> {
    of.map(|(name, count)| (name.to_owned(), count)).into()
}

/// An audit that takes nothing but what a RustFS with these variables reads.
fn required(store: &Store, variables: &[(&'static str, &'static str)]) -> Tool {
    let audit = tool(with("audit --json --require rustfs", store.root()));
    audit.env(variables.iter().copied())
}

/// The form and the user of each identity.
fn found(ended: &Ended) -> Vec<(String, String)> {
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let objects = ended.json_of_objects();
    let found = objects.iter().map(|line| &line["found"]);
    let opened = found.filter(|found| found.is_object());
    opened
        .map(|found| (text(&found["form"]), text(&found["user"])))
        .collect()
}

#[test]
fn from_every_form_under_the_master_key_or_the_root_credential_and_back() {
    for (variables, user) in [(&MASTER[..], ""), (&ROOT, "rustfs-admin")] {
        let rustfs = |store: &Store| migrate(store, "rustfs").env(variables.iter().copied());
        for from in ["plaintext", "kms", "kms --form compact"] {
            let store = plain();
            let original = store.bytes();
            migrate(&store, from).ok();
            let before = store.bytes();
            let counted = outcomes(&rustfs(&store).args(["--dry-run"]).ok());
            assert_eq!(
                counted,
                counts([("would-migrate", IDENTITIES), ("exempt", 1)])
            );
            assert_eq!(store.bytes(), before);
            let counted = outcomes(&rustfs(&store).ok());
            assert_eq!(counted, counts([("migrated", IDENTITIES), ("exempt", 1)]));
            for (path, bytes) in &before {
                let is_identity = path.starts_with(b"config/iam/");
                assert_eq!(&store.get(path) != bytes, is_identity, "{from}: {path:?}");
            }
            // No other key is needed any more, and none is lent.
            let objects = found(&required(&store, variables).ok());
            let expected = ("root-credential".to_owned(), user.to_owned());
            assert_eq!(objects, vec![expected; IDENTITIES as usize]);
            let seen = store.seen();
            let counted = outcomes(&rustfs(&store).ok());
            assert_eq!(counted, counts([("unchanged", IDENTITIES), ("exempt", 1)]));
            assert_eq!(store.seen(), seen);

            migrate(&store, "plaintext")
                .env(variables.iter().copied())
                .ok();
            assert_eq!(store.bytes(), original);
        }
    }
}

#[test]
fn with_a_master_key_the_root_credential_is_read_with_alone() {
    let store = Store::of([(ALICE, content(ALICE.as_bytes()))]);
    let to_rustfs = || tool(with("migrate --to rustfs --json", store.root()));
    to_rustfs().env(ROOT).ok();
    // What was written before there was a master key is not what it would write now.
    required(&store, &[MASTER[0], ROOT[0], ROOT[1]])
        .run()
        .exits(22)
        .prints("another root credential")
        .prints("--to rustfs");
    to_rustfs().env(ROOT).env(MASTER).ok();
    required(&store, &MASTER).ok();
    // A key that was replaced opens, and is brought to the present one.
    let replaced = [
        ("RUSTFS_IAM_MASTER_KEY", "the next"),
        ("RUSTFS_IAM_MASTER_KEY_OLD_KEYS", MASTER[0].1),
    ];
    let ended = to_rustfs().env(replaced).ok();
    assert_eq!(outcomes(&ended), [("migrated".to_owned(), 1)].into());
    required(&store, &MASTER).run().exits(8);
    required(&store, &replaced[..1]).ok();
}

#[test]
fn a_minio_of_2020_is_brought_over() {
    let store = Store::new();
    for id in ["dev-067", "dev-068", "dev-069"] {
        store.put(format!("config/iam/{id}.json"), vector(id).stored);
    }
    let run = || tool(with("migrate --to rustfs --json", store.root())).env(CREDENTIAL);
    // MinIO's root credential is RustFS' only if it is given as such.
    run()
        .run()
        .exits(2)
        .says("no key of a RustFS is given")
        .says("RUSTFS_IAM_MASTER_KEY");
    run().env(ROOT).ok();
    required(&store, &ROOT).ok();
    for id in ["dev-067", "dev-068", "dev-069"] {
        let path = format!("config/iam/{id}.json");
        let opened = tool(with("unseal --require rustfs --path", &path)).env(ROOT);
        assert_eq!(
            opened.input(store.get(&path)).ok().stdout,
            vector(id).plaintext
        );
    }
}

#[test]
fn what_rustfs_reads_already_is_left_as_it_is() {
    // MinIO's own form, under the credential that RustFS has too.
    let same = [
        ("RUSTFS_ACCESS_KEY", CREDENTIAL[0].1),
        ("RUSTFS_SECRET_KEY", CREDENTIAL[1].1),
    ];
    let store = Store::of([("config/iam/other.json", vector("dev-067").stored)]);
    let ended = tool(with("migrate --to rustfs --json", store.root()))
        .env(same)
        .ok();
    assert_eq!(outcomes(&ended), [("unchanged".to_owned(), 1)].into());
    required(&store, &same).ok();
}

#[test]
fn what_is_not_what_rustfs_reads_is_named() {
    let store = plain();
    migrate(&store, "kms").ok();
    required(&store, &MASTER)
        .key(KEY)
        .run()
        .exits(18)
        .prints("only what RustFS reads may be opened")
        .prints("migrate --to rustfs");
    let plain = Store::of([(ALICE, "{}")]);
    required(&plain, &MASTER)
        .run()
        .exits(18)
        .prints("it is plaintext");
    required(&plain, &[])
        .run()
        .exits(2)
        .says("no key of a RustFS is given");
}

#[test]
fn options_of_a_kms_do_not_go_with_it() {
    let store = plain();
    for option in [
        "--key my-minio-key",
        "--form compact",
        "--cipher aes-256-gcm",
    ] {
        let line = format!("rustfs {option}");
        migrate(&store, &line)
            .env(MASTER)
            .run()
            .exits(2)
            .says("--to rustfs does not go with");
    }
}

#[test]
fn a_run_is_reverted_and_proved_like_any_other() {
    let store = plain();
    migrate(&store, "kms").ok();
    let before = store.bytes();
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let journals = ["--journal".as_ref(), folder.path()];
    let with_journal = |line: &str| {
        let run = tool(with(&format!("{line} --json"), store.root())).args(journals);
        run.key(KEY).env(MASTER)
    };
    let ended = with_journal("migrate --to rustfs").ok();
    let run = run_name(&ended);
    // What it replaced is sealed; nothing is in the open in the journal either.
    for file in fs::read_dir(folder.path()).unwrap() {
        let bytes = fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(9).any(|window| window == b"\"version\""));
    }
    let proof = folder.path().join(format!("{run}.proof"));
    tool(with("verify-proof", &proof)).key(KEY).env(MASTER).ok();
    with_journal("undo").args([&run]).ok();
    assert_eq!(store.bytes(), before);
    // Where RustFS' passphrase alone is lent, it opens the journal.
    let alone = Store::of([(ALICE, content(ALICE.as_bytes()))]);
    let run_alone = |line: &str| {
        let run = tool(with(&format!("{line} --json"), alone.root())).args(journals);
        run.env(MASTER)
    };
    let ended = run_alone("migrate --to rustfs").ok();
    run_alone("undo").args([run_name(&ended)]).ok();
    assert_eq!(alone.get(ALICE), content(ALICE.as_bytes()).as_bytes());
}

#[test]
fn a_manifest_records_what_was_written() {
    let store = plain();
    migrate(&store, "rustfs").env(MASTER).ok();
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let manifest = folder.path().join("manifest");
    let run = |line: &str| {
        let tool = tool(with(line, store.root())).args(["--manifest".as_ref(), manifest.as_path()]);
        tool.key(KEY).env(MASTER)
    };
    run("manifest").ok();
    run("audit --json").ok();
    run("audit --json --require rustfs").ok();
    // Nothing binds an object to its path but the manifest.
    let [alice, format] = [ALICE, "config/iam/format.json"].map(|path| store.get(path));
    store.put(ALICE, format);
    store.put("config/iam/format.json", alice);
    run("audit --json --require rustfs").run().exits(24);
}

#[test]
fn the_folder_of_a_rustfs_is_a_store_like_any_other() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let root = folder.path().join(".rustfs.sys");
    let file = root.join(ALICE);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, content(ALICE.as_bytes())).unwrap();
    tool(with("migrate --to rustfs", &root)).env(MASTER).ok();
    tool(with("audit --require rustfs", &root)).env(MASTER).ok();
    tool(with("migrate --to plaintext", &root)).env(MASTER).ok();
    assert_eq!(
        fs::read(&file).unwrap(),
        content(ALICE.as_bytes()).as_bytes()
    );
}

#[test]
fn the_component_writes_and_requires_the_same() {
    let store = plain();
    let line = "migrate --server-is-stopped --modes-are-lost --to rustfs --json";
    let run = || component(with(line, store.root())).key(KEY);
    run().run().exits(2).says("no key of a RustFS is given");
    // WASI's paths are text.
    fs::remove_dir_all(store.file(NAMES[5]).parent().unwrap()).unwrap();
    let ended = run().env(ROOT).ok();
    assert_eq!(
        outcomes(&ended),
        counts([("migrated", IDENTITIES - 1), ("exempt", 1)])
    );
    required(&store, &ROOT).ok();
    let audit = || component(with("audit --json --require rustfs", store.root()));
    audit().env(ROOT).ok();
    audit().env(ROOT).env(MASTER).run().exits(22);
    let stored = store.get(ALICE);
    let opened = component(with("unseal --require rustfs --path", ALICE)).env(ROOT);
    assert_eq!(
        opened.input(stored).ok().stdout,
        content(ALICE.as_bytes()).as_bytes()
    );
}

#[test]
fn identities_of_an_archive_are_made_for_it() {
    let from = Store::of(
        objects()
            .into_iter()
            .map(|(path, it)| (path, it.to_string())),
    );
    let archive = tool(with("export", from.root())).ok().stdout;
    let file = NamedTempFile::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    fs::write(&file, &archive).unwrap();
    let to = Store::new();
    let import = tool(with("import --to rustfs", to.root())).args([file.path()]);
    import.env(MASTER).ok();
    let objects = found(&required(&to, &MASTER).ok());
    assert!(objects.len() > 3, "{objects:?}");
    let exported = tool(with("export", to.root())).env(MASTER).ok().stdout;
    let names = |zip: &[u8]| -> Vec<String> { self::archive(zip).into_keys().collect() };
    assert_eq!(names(&exported), names(&archive));
}
