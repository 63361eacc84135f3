//! The commands that bring single objects, and the identities in them, out of a store and back.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use tempfile::TempDir;

use super::document::Reference;
use super::objects::{ODD, seal};
use crate::kit::drives::{Drives, keys};
use crate::kit::identities::{ACCOUNT, ALICE, CAROL, POLICY, TEAM, mixed};
use crate::kit::store::Store;
use crate::kit::{KEY, OTHER_KEY, Tool, tool, with};

pub fn run(reference: &mut Reference) {
    let store = mixed();
    store.put(ODD, seal(ODD, KEY, "", b"{}"));
    reference.compare("ls", &tool(with("ls --json", store.root())).ok());
    reference.compare("unseal", &at("cat --json", &store, CAROL.as_bytes()).ok());
    reference.compare("seal", &at("cat --json --raw", &store, ODD).ok());
    exports(reference, &store);
    imports(reference);
    edits(reference, &store);
}

fn at(line: &str, store: &Store, path: &[u8]) -> Tool {
    let arguments = with(line, store.root());
    tool(arguments).args([OsStr::from_bytes(path)]).key(KEY)
}

fn exports(reference: &mut Reference, store: &Store) {
    let export = || {
        tool(with("export --json", store.root()))
            .key(KEY)
            .file("--root-credentials", "oldadmin:oldsecret1")
    };
    // The identity whose name is not text.
    reference.compare("export", &export().run().exits(10));
    store.put("config/iam/users/old/policy.json", "\"readers\"");
    // Under a root credential; that form is bound to no path.
    let field = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/field/iam-export/store");
    store.put(ALICE, fs::read(field.join(ALICE)).unwrap());
    store.put(POLICY, seal(POLICY.as_bytes(), OTHER_KEY, "", b"{}"));
    reference.compare("export", &export().run().exits(3));
    let folder = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let to_file = export().args(["-o"]).args([folder.path().join("iam.zip")]);
    reference.compare("export", &to_file.run().exits(3));
    let drives = Drives::of("eight-two-sets.tar.gz");
    let half = tool(["export", "--json", &drives.some(1..=4)]);
    let half = half.file("--keys", &keys()).run();
    assert_ne!(half.code, Some(0));
    reference.compare("export", &half);
}

fn imports(reference: &mut Reference) {
    let folder = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let zip = folder.path().join("iam.zip");
    let exported = tool(with("export", mixed().root())).key(KEY).ok();
    fs::write(&zip, exported.stdout).unwrap();
    let store = Store::of([(TEAM, "{}"), (POLICY, "{}")]);
    let import = |options: &str| {
        tool(with("import --json", store.root()))
            .args([&zip])
            .args(options.split_whitespace())
            .key(KEY)
            .env([("XDG_STATE_HOME", folder.path())])
    };
    for (options, code) in [
        ("--dry-run", 14),
        ("--dry-run --replace", 0),
        ("", 14),
        ("--replace", 0),
    ] {
        reference.compare("import", &import(options).run().exits(code));
    }
}

fn edits(reference: &mut Reference, store: &Store) {
    let journals = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let edit = |path: &[u8], editor: &str| {
        let edit = at("edit --json", store, path);
        edit.env([("XDG_STATE_HOME", journals.path())])
            .env([("EDITOR", format!("f() {{ {editor}; }}; f"))])
    };
    reference.compare("edit", &edit(ODD, "echo '{\"new\": 1}' > \"$1\"").ok());
    let other = store.file(CAROL);
    let conflict = format!("echo '{{\"new\": 2}}' > \"$1\"; rm {}", other.display());
    let ended = edit(CAROL.as_bytes(), &conflict).run().exits(14);
    reference.compare("edit", &ended);
    for line in ended.errors() {
        let note = line["note"].as_str().unwrap_or_default();
        if let Some((_, rest)) = note.split_once("your text is kept in ") {
            let (file, _) = rest.split_once(", in the open").unwrap();
            let folder = Path::new(file).parent().unwrap();
            fs::remove_dir_all(folder).unwrap();
        }
    }
    // Plaintext, which stays so: its journal has it all the same.
    reference.compare(
        "edit",
        &edit(ACCOUNT.as_bytes(), "echo '{\"new\": 3}' > \"$1\"").ok(),
    );
    for file in fs::read_dir(journals.path().join("iamseal")).unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        for line in text.lines() {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            if let Some(change) = line.get("change") {
                reference.object("journal change", change);
            }
        }
    }
    reference.compare("edit", &edit(TEAM.as_bytes(), "true").ok());
}
