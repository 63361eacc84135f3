//! The README and the pages in `docs/`: their shell blocks run as they stand, and their links lead
//! somewhere.
//!
//! A block of shell is marked `sh` and run by one of the tests below, or `console` and shown alone, which
//! [`SHOWN`] explains. Blocks marked `rust` are tests of the crate `iamseal-tests`' documentation.

mod links;
mod page;
mod real_servers;
mod stage;

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::process::Command;

use crate::kit::drives::{Drives, keys};
use crate::kit::migration::{NAMES, content};
use crate::kit::{CREDENTIAL, KEY, ROOT_SEALED};
use page::{Page, in_workspace, pages};
use stage::{Stage, my_key};

/// The pages whose `sh` blocks a test runs.
const RUN: [&str; 10] = [
    "README.md",
    "docs/buckets.md",
    "docs/drives.md",
    "docs/etcd.md",
    "docs/kes.md",
    "docs/my-minio-no-longer-starts.md",
    "docs/operators.md",
    "docs/other-hosts.md",
    "docs/rustfs.md",
    "docs/undo-and-manifest.md",
];

/// How many blocks of a page are shown and not run, and why.
const SHOWN: [(&str, usize, &str); 6] = [
    (
        "README.md",
        2,
        "the two commands run this very test; installing builds the tool a second time",
    ),
    (
        "docs/drives.md",
        4,
        "drives are those of a server; tests of their own run these commands on archives; hosts copy by rsync",
    ),
    (
        "docs/embedding.md",
        1,
        "it builds the example server, which tests of its own run",
    ),
    (
        "docs/fuzzing.md",
        1,
        "the crash tests, with what they print",
    ),
    (
        "docs/other-hosts.md",
        3,
        "a release builds for minutes; packages come from the network; drives are a server's",
    ),
    ("docs/rustfs.md", 1, "the import is a RustFS'"),
];

/// The pages whose `rust` blocks are compiled: those that `tests/src/lib.rs` includes.
const COMPILED: [&str; 2] = ["README.md", "docs/embedding.md"];

/// How long the README may be, for its reader to see all of it.
const README_LINES: usize = 150;

#[test]
fn every_block_is_run_or_known() {
    let (mut run, mut compiled, mut shown) = (BTreeSet::new(), BTreeSet::new(), BTreeMap::new());
    for page in pages() {
        for block in &page.blocks {
            match &*block.kind {
                "sh" => drop(run.insert(page.name.clone())),
                "rust" => drop(compiled.insert(page.name.clone())),
                "console" => *shown.entry(page.name.clone()).or_default() += 1,
                "text" | "toml" => {}
                // The formats' page has layouts in them.
                "" if page.name.starts_with("docs/formats/") => {}
                other => panic!("{}: a block marked {other:?}", page.name),
            }
        }
    }
    assert_eq!(run, RUN.map(String::from).into());
    assert_eq!(compiled, COMPILED.map(String::from).into());
    let known = SHOWN.map(|(name, count, _)| (name.to_owned(), count));
    assert_eq!(shown, known.into());
}

#[test]
fn the_readme_is_short_and_leads_to_every_page() {
    let readme = Page::read("README.md");
    let lines = readme.text.lines().count();
    assert!(lines <= README_LINES, "the README has {lines} lines");
    let targets: BTreeSet<_> = links::of(&readme).into_iter().collect();
    for page in pages() {
        let is_linked = page.name == "README.md" || targets.contains(&page.name);
        let is_page = page.name.starts_with("docs/") || !page.name.contains('/');
        assert!(is_linked || !is_page, "{} is not linked", page.name);
    }
}

#[test]
fn every_link_leads_somewhere() {
    let broken: Vec<String> = pages().iter().flat_map(links::broken).collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// A file that was moved takes the pages with it.
#[test]
fn every_file_that_is_named_is_there() {
    let missing: Vec<String> = pages().iter().flat_map(links::missing).collect();
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

/// The operators' short table and the reference, which is made from the code.
#[test]
fn the_exit_codes_are_those_of_the_reference() {
    let codes = |name: &str, section: &str| -> BTreeSet<u8> {
        let page = Page::read(name);
        let (_, text) = page.text.split_once(section).unwrap();
        let text = text.split("\n## ").next().unwrap();
        let cells = text.lines().filter(|line| line.starts_with('|'));
        let cells = cells.flat_map(|line| line.split('|'));
        cells.filter_map(|cell| cell.trim().parse().ok()).collect()
    };
    let section = "\n## Exit codes\n";
    assert_eq!(
        codes("docs/operators.md", section),
        codes("docs/reference.md", section)
    );
}

/// A store that lived through some years: plaintext, root credential, sealed under an old key.
fn old_store(stage: &Stage, folder: &str) {
    plain_store(stage, folder);
    stage.store(
        folder,
        [
            (&b"config/config.json"[..], ROOT_SEALED.to_vec()),
            (b"config/iam/users/carol/identity.json", sealed_for_carol()),
        ],
    );
    let [(_, user), (_, password)] = CREDENTIAL;
    stage.file("old.credentials", &format!("{user}:{password}\n"));
    stage.file("old.keys", &format!("{KEY}\n"));
}

fn plain_store(stage: &Stage, folder: &str) {
    stage.store(folder, NAMES.map(|name| (name, content(name).into_bytes())));
}

/// The names that are text; WASI and the client of MinIO have no others.
fn names_of_text() -> impl Iterator<Item = &'static [u8]> {
    NAMES
        .into_iter()
        .filter(|name| str::from_utf8(name).is_ok())
}

fn sealed_for_carol() -> Vec<u8> {
    let seal = crate::kit::tool(["seal", "--path", "config/iam/users/carol/identity.json"]);
    seal.key(KEY).input("{\"version\":1}").ok().stdout
}

#[test]
fn the_readme_runs() {
    let stage = Stage::of("README.md");
    plain_store(&stage, "data/.minio.sys");
    let root = ROOT_SEALED.to_vec();
    stage.store("data/.minio.sys", [(&b"config/config.json"[..], root)]);
    let [(_, user), (_, password)] = CREDENTIAL;
    stage.file("old.credentials", &format!("{user}:{password}\n"));
    stage.run(&[("/data/", "data/")]);
}

#[test]
fn the_operators_page_runs() {
    let stage = Stage::of("docs/operators.md");
    old_store(&stage, "data/.minio.sys");
    let drives = Drives::of("user-objects.tar.gz");
    for number in 1..=4 {
        let disk = stage.path(format!("data/disk{number}"));
        fs::rename(drives.drive(number), disk).unwrap();
    }
    let new_key = crate::kit::tool(["keygen", "new-key"]).ok();
    stage.file("my-key.secret", &my_key());
    stage.file("both.keys", &format!("{}{}", my_key(), new_key.text()));
    let identities = crate::kit::identities::objects().into_iter();
    let identities = identities.map(|(path, object)| (path.as_bytes(), object.to_string().into()));
    stage.store("data/old/.minio.sys", identities);
    fs::create_dir_all(stage.path("data/new/.minio.sys/config")).unwrap();
    stage.run(&[("/data/", "data/")]);
}

#[test]
fn the_page_of_a_server_that_does_not_start_runs() {
    let stage = Stage::of("docs/my-minio-no-longer-starts.md");
    let drives = Drives::of("four-sealed.tar.gz");
    fs::create_dir(stage.path("data")).unwrap();
    for number in 1..=4 {
        let disk = stage.path(format!("data/disk{number}"));
        fs::rename(drives.drive(number), disk).unwrap();
    }
    stage.file("my-key.secret", &my_key());
    stage.file("old.keys", &keys());
    let [(_, user), (_, password)] = CREDENTIAL;
    stage.file("old.credentials", &format!("{user}:{password}\n"));
    let printed = stage.run(&[("/data/", "data/")]);
    assert!(printed.contains("migrated"), "{printed}");
    assert!(stage.path("iam.zip").exists());
}

#[test]
fn the_page_of_drives_runs_for_several_hosts() {
    let stage = Stage::of("docs/drives.md");
    let drives = Drives::of("noninline.tar.gz");
    for number in 1..=4 {
        let name = format!("disk{number}");
        for folder in ["copies", "mnt"] {
            let disk = stage.path(folder).join(&name);
            fs::create_dir_all(&disk).unwrap();
            let system = drives.file(number, "");
            let copied = Command::new("cp").arg("-a").arg(system).arg(disk).status();
            assert!(copied.unwrap().success());
        }
    }
    let new_key = crate::kit::tool(["keygen", "new-key"]).ok();
    stage.file("both.keys", &format!("{}{}", keys(), new_key.text()));
    let journals = stage.path("journals");
    let last_run = format!("$(ls {} | tail -n 1 | cut -d . -f 1)", journals.display());
    let printed = stage.run(&[
        ("/copies/", "copies/"),
        ("/mnt/", "mnt/"),
        ("/journals", "journals"),
        ("20261123T203010Z", &last_run),
    ]);
    assert_eq!(printed.matches("would-apply").count(), 6 + 1, "{printed}");
    let store = format!("drives:{}/disk{{1...4}}", stage.path("mnt").display());
    let audit = crate::kit::tool(["audit", &store, "--require", "sealed"]);
    let audit = audit.file("--keys", new_key.text()).ok();
    assert!(audit.text().contains("new-key"), "{audit}");
}

#[test]
fn the_page_of_rustfs_runs() {
    let stage = Stage::of("docs/rustfs.md");
    let identities = crate::kit::identities::mixed().bytes();
    let identities = identities
        .iter()
        .map(|(path, bytes)| (&**path, bytes.clone()));
    stage.store("data/.minio.sys", identities);
    let config = (&b"config/config.json"[..], ROOT_SEALED.to_vec());
    stage.store("data/.minio.sys", [config]);
    let [(_, user), (_, password)] = CREDENTIAL;
    stage.file("old.credentials", &format!("{user}:{password}\n"));
    stage.file("old.keys", &format!("{KEY}\n"));
    stage.file("my-key.secret", &my_key());
    stage.file("rustfs-master-key", "correct horse battery staple\n");
    let printed = stage.run(&[("/data/", "data/")]);
    assert!(printed.contains("migrated"), "{printed}");
    assert!(stage.path("iam.zip").exists());
}

#[test]
fn the_page_of_undo_and_manifest_runs() {
    let stage = Stage::of("docs/undo-and-manifest.md");
    stage.file("my-key.secret", &my_key());
    plain_store(&stage, "data/.minio.sys");
    plain_store(&stage, "data/other");
    let migrate = |store: &str, journals: &str| {
        let journals = stage.path(journals);
        fs::create_dir_all(&journals).unwrap();
        let migrate = crate::kit::tool(crate::kit::with("migrate --to kms", stage.path(store)));
        let migrate = migrate.args(["--journal".as_ref(), journals.as_os_str()]);
        migrate.key(my_key().trim()).ok();
    };
    migrate("data/.minio.sys", stage::JOURNALS);
    migrate("data/other", "full/journals");
    let run = stage.last_run(stage::JOURNALS);
    let other = stage.last_run("full/journals");
    stage.run(&[
        ("/data/", "data/"),
        ("/full/", "full/"),
        ("/other/", "other/"),
        ("20261123T203010Z", &run),
        ("20261123T203011Z", &other),
    ]);
}

#[test]
fn the_page_of_other_hosts_runs() {
    let set_up = |variable: &str| {
        env::var(variable).unwrap_or_else(|_| panic!("`cargo xtask test` sets up {variable}"))
    };
    let stage = Stage::of("docs/other-hosts.md");
    stage.file("my-key.secret", &my_key());
    let objects = names_of_text().map(|name| (name, content(name).into_bytes()));
    stage.store("data/.minio.sys", objects);
    stage.bytes("target/dist/iamseal.wasm", iamseal_component::PLUGIN);
    stage.bytes(
        "target/dist/iamseal-command.wasm",
        &iamseal_dist::command().unwrap(),
    );
    // The modules themselves, since transpiling writes beside them.
    for file in [
        "embeddings/python/iamseal.py",
        "embeddings/node/iamseal.js",
        "embeddings/node/package.json",
        "embeddings/node/transpile.js",
    ] {
        stage.bytes(file, &fs::read(in_workspace(file)).unwrap());
    }
    let packages = "embeddings/node/node_modules";
    symlink(in_workspace(packages), stage.path(packages)).unwrap();
    // An environment of Python knows itself by its path, so a link would leave it.
    for (file, variable) in [
        ("python/bin/python", "IAMSEAL_PYTHON"),
        ("bin/wasmtime", "IAMSEAL_WASMTIME"),
        ("bin/node", "IAMSEAL_NODE"),
    ] {
        let program = set_up(variable);
        let path = env::var("PATH").unwrap_or_default();
        let script = format!("#!/bin/sh\nPATH='{path}' exec '{program}' \"$@\"\n");
        stage.bytes(file, script.as_bytes());
        let mode = fs::Permissions::from_mode(0o755);
        fs::set_permissions(stage.path(file), mode).unwrap();
    }
    let opened = stage.run(&[("/data/", "data/")]);
    assert!(opened.ends_with("{\"version\":1}\n"), "{opened}");
}
