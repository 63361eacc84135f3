//! `--plugin FILE`: what is no component for the world is refused in its own words; one that fails
//! is told apart from one that does not fit.

use std::ffi::OsString;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tempfile::{NamedTempFile, TempDir};

use crate::kit::store::Store;
use crate::kit::{Ended, KEY, Tool, tool, with};
use iamseal_tests::hostile::Guest;

const PATH: &str = "config/iam/users/alice/identity.json";

fn file(bytes: impl AsRef<[u8]>) -> NamedTempFile {
    let file = NamedTempFile::with_prefix_in("component-", env!("CARGO_TARGET_TMPDIR")).unwrap();
    fs::write(&file, bytes).unwrap();
    file
}

/// A run that takes the plugin in this file, whatever it is.
fn trusting(plugin: &Path, run: Tool) -> Tool {
    run.args(with("--trust-plugin --plugin", plugin))
}

fn seal(plugin: &Path) -> Ended {
    let seal = tool(with("seal --path", PATH)).key(KEY).input("{}");
    trusting(plugin, seal).run()
}

/// The commands that load a plugin, for this store.
fn commands(store: &Path) -> [Vec<OsString>; 5] {
    [
        with("seal --path", PATH),
        with("unseal --path", PATH),
        vec!["inspect".into()],
        with("audit", store),
        with("migrate --to kms", store),
    ]
}

/// Every command that loads a plugin refuses it with the same words.
#[track_caller]
fn refused(plugin: &Path, says: &str) {
    let store = Store::of([(PATH, "{}")]);
    let before = store.seen();
    let root = store.root();
    for command in commands(root) {
        let run = trusting(plugin, tool(command)).key(KEY);
        let ended = run.input("{}").run().fails(16).says(says);
        assert_eq!(ended.stderr.lines().count(), 2, "{ended}");
        assert!(ended.stderr.contains("\n cure: "), "{ended}");
    }
    assert_eq!(store.seen(), before);
}

#[test]
fn what_is_no_component_is_refused_in_its_own_words() {
    let whole = iamseal_component::PLUGIN;
    let folder = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    refused(folder.path(), "it is not a file");
    refused(&folder.path().join("nothing"), "No such file or directory");
    for (bytes, says) in [
        (&b""[..], "the file is empty"),
        (b"MINIO_KMS_SECRET_KEY=x\n", "it is text, not a component"),
        (
            b"\0asm\x01\0\0\0",
            "it is a core WebAssembly module, not a component",
        ),
        (
            b"\x7fELF\x02\x01\x01\0\0\0\0\0",
            "it is native or precompiled code",
        ),
        (b"\xff\xd8\xff\xe0", "it is not WebAssembly"),
        (&whole[..5], "damaged or cut short"),
        (&whole[..whole.len() / 2], "damaged or cut short"),
        (&whole[..whole.len() - 1], "damaged or cut short"),
    ] {
        refused(file(bytes).path(), says);
    }
}

#[test]
fn a_component_is_lent_no_keys_unless_somebody_says_that_it_is_trusted() {
    let file = file(iamseal_component::PLUGIN);
    let store = Store::of([(PATH, "{}")]);
    let before = store.seen();
    let run = |command: Vec<OsString>, options: &str| {
        let run = tool(command).args(options.split_whitespace());
        run.args(with("--plugin", file.path()))
            .key(KEY)
            .input("{}")
            .run()
    };
    let seen = tool(with("plugin inspect --json", file.path())).ok().json();
    let digest = seen[0]["sha256"].as_str().unwrap();
    let other = "0".repeat(64);
    for command in commands(store.root()) {
        let run = |options: &str| run(command.clone(), options);
        run("").fails(2).says("nothing says that you trust it");
        run(&format!("--plugin-sha256 {other}"))
            .fails(16)
            .says("is not the component that was named")
            .says(digest);
        run(&format!("--trust-plugin --plugin-sha256 {other}")).fails(16);
        run("--plugin-sha256 abc")
            .fails(2)
            .says("64 hexadecimal digits");
    }
    assert_eq!(store.seen(), before);
    for digest in [digest.to_owned(), digest.to_uppercase()] {
        run(
            with("seal --path", PATH),
            &format!("--plugin-sha256 {digest}"),
        )
        .exits(0);
    }
    // Without a plugin there is nothing to trust.
    for options in ["--trust-plugin", &format!("--plugin-sha256 {digest}")] {
        let seal = tool(with("seal --path", PATH)).args(options.split_whitespace());
        let ended = seal.key(KEY).input("{}").run();
        ended
            .fails(2)
            .says("about the file of --plugin, which is missing");
    }
}

#[test]
fn what_is_inspected_and_tested_is_named_by_its_digest() {
    let file = file(iamseal_component::AUDITOR);
    let seen = tool(with("plugin inspect --json", file.path())).ok().json();
    let digest = seen[0]["sha256"].as_str().unwrap();
    let tested = tool(with("plugin test", file.path())).ok();
    let named = format!("--plugin-sha256 {digest}");
    assert!(tested.text().contains(&named), "{tested}");
    let inspected = tool(with("plugin inspect", file.path())).ok();
    assert!(inspected.text().contains(digest), "{inspected}");
    // Neither is lent anything, so neither asks for trust; but a digest that is given has to fit.
    for command in ["plugin inspect", "plugin test"] {
        tool(with(command, file.path())).args(named.split(' ')).ok();
        let other = ["--plugin-sha256".to_owned(), "0".repeat(64)];
        let ended = tool(with(command, file.path())).args(other).run();
        ended.fails(16).says("is not the component that was named");
    }
}

#[test]
fn a_component_for_another_world_is_refused_with_the_difference() {
    for (text, says) in [
        (
            "(component)",
            "it does not export iamseal:plugin/sealing@0.1.0",
        ),
        (
            r#"(component (import "wasi:cli/environment@0.2.6" (instance)))"#,
            "it imports wasi:cli/environment@0.2.6, which the world plugin does not have",
        ),
        (
            r#"(component (instance $i) (export "iamseal:plugin/sealing@0.2.0" (instance $i)))"#,
            "it exports iamseal:plugin/sealing@0.2.0, and this host wants iamseal:plugin/sealing@0.1.0",
        ),
    ] {
        let file = file(wat::parse_str(text).unwrap());
        refused(file.path(), says);
        let name = file
            .path()
            .file_name()
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        seal(file.path()).says(&format!("error: {name} (sha256 "));
    }
}

#[test]
fn a_component_that_traps_or_eats_memory_is_told_as_that() {
    let traps = file(Guest::default().build());
    seal(traps.path())
        .fails(16)
        .says("failed: ")
        .says("unreachable");
    let eats = Guest {
        seal: "(loop (br_if 0 (i32.ne (memory.grow (i32.const 64)) (i32.const -1)))) unreachable",
        ..Guest::default()
    };
    seal(file(eats.build()).path())
        .fails(15)
        .says("reached a limit: ");
}

#[test]
fn the_component_that_is_built_in_works_from_a_file() {
    let file = file(iamseal_component::PLUGIN);
    let sealed = seal(file.path()).exits(0).says_nothing();
    let opened = tool(with("unseal --path", PATH))
        .key(KEY)
        .input(sealed.stdout);
    assert_eq!(opened.ok().stdout, b"{}");
    let store = Store::of([(PATH, "{}")]);
    let migrate = tool(with("migrate --to kms", store.root())).key(KEY);
    trusting(file.path(), migrate).ok();
    assert_ne!(store.get(PATH), b"{}");
}

#[test]
fn a_component_is_described_without_running_it() {
    let ours = file(iamseal_component::PLUGIN);
    let seen = tool(with("plugin inspect --json", ours.path())).ok().json();
    assert_eq!(seen[0]["worlds"], serde_json::json!(["plugin"]));
    assert_eq!(seen[0]["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(seen[0]["licences"], "Apache-2.0");
    assert!(
        seen[0]["not_auditor"]
            .as_str()
            .unwrap()
            .contains("storage-writer")
    );
    let auditor = file(iamseal_component::AUDITOR);
    let seen = tool(with("plugin inspect --json", auditor.path()))
        .ok()
        .json();
    assert_eq!(seen[0]["worlds"], serde_json::json!(["auditor"]));
    let text = tool(with("plugin inspect", auditor.path())).ok();
    assert!(text.text().contains("import iamseal:plugin/storage@0.1.0"));
    assert!(!text.text().contains("import iamseal:plugin/storage-writer"));
    let neither = file(wat::parse_str("(component)").unwrap());
    let ended = tool(with("plugin inspect", neither.path())).run();
    ended.exits(16).says("neither world");
}

#[test]
fn a_component_is_tested_in_the_world_that_it_is_for() {
    for (component, world) in [
        (iamseal_component::PLUGIN, "plugin"),
        (iamseal_component::AUDITOR, "auditor"),
    ] {
        let file = file(component);
        let ended = tool(with("plugin test --json", file.path())).ok();
        assert_eq!(ended.json()[0]["fit"], world);
    }
    let unfit = file(Guest::default().build());
    let ended = tool(with("plugin test", unfit.path())).run();
    ended.fails(16).says("a test failed").says("unreachable");
    let neither = file(wat::parse_str("(component)").unwrap());
    let ended = tool(with("plugin test", neither.path())).run();
    ended
        .fails(16)
        .says("does not fit the world iamseal:plugin/plugin@0.1.0");
}

#[test]
fn what_only_looks_runs_in_an_auditor_that_was_given() {
    let file = file(iamseal_component::AUDITOR);
    let store = Store::of([(PATH, "{}")]);
    let audit = tool(with("audit", store.root())).key(KEY);
    trusting(file.path(), audit).ok();
    let migrate = tool(with("migrate --to kms", store.root())).key(KEY);
    let ended = trusting(file.path(), migrate).run();
    ended
        .exits(16)
        .says("does not export iamseal:plugin/sealing@0.1.0");
    assert_eq!(store.get(PATH), b"{}");
}

/// What is in a folder, however deep.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let paths = entries.map(|entry| entry.unwrap().path());
    let (folders, mut files): (Vec<_>, Vec<_>) = paths.partition(|path| path.is_dir());
    files.extend(folders.iter().flat_map(|folder| files_below(folder)));
    files
}

#[test]
fn compiled_code_is_not_kept_where_others_can_put_theirs() {
    let kept = |mode| {
        let home = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let caches = home.path().join("caches");
        fs::create_dir(&caches).unwrap();
        fs::set_permissions(&caches, Permissions::from_mode(mode)).unwrap();
        let seal = tool(with("seal --path", PATH)).key(KEY).input("{}");
        seal.env([("XDG_CACHE_HOME", &caches)]).run().exits(0);
        files_below(&caches)
    };
    assert!(!kept(0o755).is_empty());
    for mode in [0o775, 0o777, 0o1777] {
        assert_eq!(kept(mode), Vec::<PathBuf>::new());
    }
}
