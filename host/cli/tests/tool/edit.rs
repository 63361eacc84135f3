//! `edit`: one object in an editor, and back as it was sealed.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::kit::disk::not_tested;
use crate::kit::drives::{Drives, keys};
use crate::kit::identities::{ALICE, POLICY, objects};
use crate::kit::store::Store;
use crate::kit::{CREDENTIAL, Ended, KEY, KEY_WITH_OTHER_BYTES, OTHER_KEY, Tool, tool, with};
use iamseal_tests::samples::vector;

/// Ways in which the object may be sealed, and what `inspect` says of each.
const FORMS: [(&str, &str, &str, &str); 4] = [
    ("--form minio", "minio", "chacha20-poly1305", "binary"),
    (
        "--form minio --cipher aes-256-gcm",
        "minio",
        "aes-256-gcm",
        "binary",
    ),
    (
        "--form minio --data-key json",
        "minio",
        "chacha20-poly1305",
        "json",
    ),
    ("--form compact", "compact", "chacha20-poly1305", ""),
];

/// A store of one object, and journals.
struct Place {
    store: Store,
    journals: TempDir,
}

impl Place {
    fn of(stored: impl Into<Vec<u8>>) -> Self {
        Self {
            store: Store::of([(POLICY, stored.into())]),
            journals: tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap(),
        }
    }

    fn sealed(how: &str, key: &str) -> Self {
        let seal = tool(with("seal --path", POLICY)).args(how.split_whitespace());
        let sealed = seal.key(key).input(policy());
        Self::of(sealed.ok().stdout)
    }

    /// With an editor that does this to the file `$1`.
    fn edit(&self, editor: &str) -> Tool {
        self.run(&with("edit", self.store.root()))
            .args([POLICY])
            .env([("EDITOR", script(editor))])
    }

    fn run<A: AsRef<std::ffi::OsStr>>(&self, arguments: &[A]) -> Tool {
        let keys = format!("{KEY}\n{OTHER_KEY}\n");
        tool(arguments)
            .env([("XDG_STATE_HOME", self.journals.path())])
            .file("--keys", &keys)
    }

    #[track_caller]
    fn opened(&self) -> String {
        let printed = self
            .run(&with("cat", self.store.root()))
            .args([POLICY])
            .ok();
        printed.text().to_owned()
    }

    fn described(&self) -> Value {
        let described = tool(with("inspect --json", self.store.file(POLICY))).ok();
        described.json().remove(0)
    }

    /// Takes the last run back.
    #[track_caller]
    fn undo(&self) -> Ended {
        let runs = self.run(&["runs", "--json"]).ok().json();
        let run = runs.last().unwrap()["run"].as_str().unwrap().to_owned();
        self.run(&with("undo", self.store.root())).args([run]).ok()
    }
}

fn policy() -> String {
    let (_, policy) = objects()
        .into_iter()
        .find(|(path, _)| *path == POLICY)
        .unwrap();
    policy.to_string()
}

/// A command for a shell, whose last argument is the file.
fn script(editor: &str) -> String {
    format!("f() {{ {editor}; }}; f")
}

const CHANGE: &str = "sed -i s/GetObject/PutObject/ \"$1\"";

/// The folder of the text that is said to be kept; the test removes it.
#[track_caller]
fn kept(ended: &Ended) -> PathBuf {
    let (_, rest) = ended.stderr.split_once("your text is kept in ").unwrap();
    PathBuf::from(rest.split_once(", in the open").unwrap().0)
}

#[test]
fn it_is_sealed_as_it_was_and_can_be_taken_back() {
    for key in [KEY, OTHER_KEY] {
        for (how, form, cipher, encoding) in FORMS {
            let place = Place::sealed(how, key);
            let before = place.store.bytes();
            let described = place.described();
            assert_eq!(described["form"], form);
            assert_eq!(described["cipher"], cipher);
            assert_eq!(
                described["data_key_encoding"].as_str().unwrap_or_default(),
                encoding
            );
            let ended = place.edit(CHANGE).ok().prints("edited");
            assert!(!ended.stderr.contains("PutObject"), "{ended}");
            let ended = ended.says("to take it back: iamseal undo ");
            assert!(!ended.stderr.contains("is kept"), "{ended}");
            assert_eq!(place.opened(), policy().replace("GetObject", "PutObject"));
            let now = place.described();
            for field in ["form", "key", "cipher", "data_key_encoding"] {
                assert_eq!(now[field], described[field], "{how}: {field}");
            }
            assert_ne!(place.store.bytes(), before);
            place.undo().prints("restored");
            assert_eq!(place.store.bytes(), before);
        }
    }
}

/// The first key of a name is the one for new objects, and an object that another of that name sealed is none.
#[test]
fn it_is_sealed_under_the_key_that_opened_it_where_others_have_its_name() {
    for form in ["--form minio", "--form compact"] {
        let place = Place::sealed(form, KEY);
        let keys = format!("{KEY_WITH_OTHER_BYTES}\n{KEY}\n");
        let edit = tool(with("edit", place.store.root())).args([POLICY]);
        let edit = edit.env([("XDG_STATE_HOME", place.journals.path())]);
        edit.env([("EDITOR", script(CHANGE))])
            .file("--keys", &keys)
            .ok();
        let opens = |key: &str| tool(with("audit", place.store.root())).key(key).run().code;
        assert_eq!(opens(KEY), Some(0), "{form}");
        assert_ne!(opens(KEY_WITH_OTHER_BYTES), Some(0), "{form}");
        let ended = tool(with("audit", place.store.root()));
        let ended = ended.file("--keys", &keys).ok();
        ended.says("2 keys are named my-minio-key");
    }
}

#[test]
fn plaintext_stays_plaintext_and_no_journal_holds_it() {
    let place = Place::of(policy());
    place.edit(CHANGE).ok();
    let stored = String::from_utf8(place.store.get(POLICY)).unwrap();
    assert_eq!(stored, policy().replace("GetObject", "PutObject"));
    let folder = place.journals.path().join("iamseal");
    for file in fs::read_dir(&folder).unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        for secret in ["GetObject", "PutObject"] {
            let encoded = iamseal_tests::samples::encode(secret.as_bytes());
            assert!(!text.contains(secret) && !text.contains(&encoded[..11]));
        }
    }
    place.undo().prints("restored");
    assert_eq!(place.store.get(POLICY), policy().as_bytes());
    // And that again.
    place.undo().prints("restored");
    assert_eq!(place.store.get(POLICY), stored.as_bytes());
}

#[test]
fn without_any_key_plaintext_is_not_edited() {
    let place = Place::of(policy());
    let edit = tool(with("edit", place.store.root())).args([POLICY]);
    let edit = edit.env([("EDITOR", "touch"), ("XDG_STATE_HOME", "/nonexistent")]);
    edit.run()
        .fails(2)
        .says("no key to keep the old bytes under");
}

#[test]
fn a_text_that_is_the_same_writes_nothing() {
    let place = Place::sealed("", KEY);
    let before = place.store.seen();
    for editor in [
        "true",
        "touch \"$1\"",
        "echo >> \"$1\"",
        "cp \"$1\" x; mv x \"$1\"",
    ] {
        let ended = place.edit(&editor.replace('x', &place.scratch())).ok();
        ended.says("the text is as it was: nothing is written");
        assert_eq!(place.store.seen(), before, "{editor}");
    }
    assert!(!place.journals.path().join("iamseal").exists());
}

impl Place {
    fn scratch(&self) -> String {
        self.journals
            .path()
            .join("scratch")
            .to_str()
            .unwrap()
            .to_owned()
    }
}

#[test]
fn json_is_laid_out_for_a_person_and_stored_as_it_was() {
    let place = Place::sealed("", KEY);
    let seen = place.scratch();
    place.edit(&format!("cp \"$1\" {seen}; {CHANGE}")).ok();
    let shown = fs::read_to_string(&seen).unwrap();
    assert!(
        shown.contains("\n  \"Policy\": {\n    \"Statement\": [\n"),
        "{shown}"
    );
    assert_eq!(place.opened(), policy().replace("GetObject", "PutObject"));
    // What somebody has laid out otherwise stays as it is.
    let place = Place::of("{ \"a\": 1 }\n");
    place
        .edit(&format!("cp \"$1\" {seen}; sed -i s/1/2/ \"$1\""))
        .ok();
    assert_eq!(fs::read_to_string(&seen).unwrap(), "{ \"a\": 1 }\n");
    assert_eq!(place.store.get(POLICY), b"{ \"a\": 2 }\n");
}

#[test]
fn the_text_is_for_its_owner_alone_and_gone_at_the_end() {
    let place = Place::sealed("", KEY);
    let seen = place.journals.path().join("seen");
    let editor = format!(
        "stat -c '%a %n' \"$1\" \"${{1%/*}}\" > {0}; env > {0}.env; cp \"$1\" \"$1~\"; {CHANGE}",
        seen.display()
    );
    place.edit(&editor).key(KEY).ok();
    let said = fs::read_to_string(&seen).unwrap();
    let [file, folder] =
        [0, 1].map(|line| said.lines().nth(line).unwrap().split_once(' ').unwrap());
    assert_eq!((file.0, folder.0), ("600", "700"));
    assert!(file.1.ends_with("/policy.json"));
    assert!(!Path::new(folder.1).exists());
    let environment = fs::read_to_string(seen.with_extension("env")).unwrap();
    assert!(!environment.contains("MINIO_"), "{environment}");
}

/// Root with the variables of the user who became root.
#[test]
fn the_text_is_not_in_a_folder_that_is_somebody_elses() {
    let theirs = tempfile::tempdir_in("/dev/shm").unwrap();
    if chown(theirs.path(), Some(65534), None).is_err() {
        return not_tested("a folder of another user, which needs root");
    }
    let place = Place::sealed("", KEY);
    let seen = place.journals.path().join("seen");
    let editor = format!("echo \"$1\" > {}; {CHANGE}", seen.display());
    for variable in ["XDG_RUNTIME_DIR", "TMPDIR"] {
        let edit = place.edit(&editor).env([(variable, theirs.path())]);
        edit.ok();
        let said = fs::read_to_string(&seen).unwrap();
        assert!(!Path::new(said.trim()).starts_with(theirs.path()), "{said}");
        place.undo();
    }
}

#[test]
fn what_is_not_valid_is_not_written_and_not_lost() {
    let place = Place::sealed("", KEY);
    let before = place.store.seen();
    for (editor, code, says) in [
        ("printf '{\"a\":' > \"$1\"", 10, "not valid JSON"),
        ("printf '\\377' > \"$1\"", 10, "not valid JSON"),
        (": > \"$1\"", 10, "the new text is empty"),
        (
            "echo '{}' > \"$1\"; false",
            1,
            "it ended with exit status: 1",
        ),
    ] {
        let ended = place.edit(editor).run().fails(code).says(says);
        let file = kept(&ended);
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(place.store.seen(), before);
        // What it says to do.
        if code == 1 {
            let from = place
                .run(&with("edit", place.store.root()))
                .args([POLICY, "--from"]);
            from.args([&file]).ok();
            assert_eq!(place.opened(), "{}");
        }
        fs::remove_dir_all(file.parent().unwrap()).unwrap();
    }
    let ended = place.edit("rm \"$1\"").run().fails(13);
    assert!(!ended.stderr.contains("is kept"), "{ended}");
    let ended = place.edit("false").run().fails(1);
    assert!(!ended.stderr.contains("is kept"), "{ended}");
    let ended = place.edit("no-such-editor").run();
    ended.fails(1).says("set VISUAL or EDITOR");
}

#[test]
fn what_somebody_else_has_changed_is_not_overwritten() {
    for change in ["cp {other} {file}", "rm {file}"] {
        let place = Place::sealed("", KEY);
        let other = Place::sealed("", KEY);
        let file = place.store.file(POLICY);
        let change = change
            .replace("{other}", other.store.file(POLICY).to_str().unwrap())
            .replace("{file}", file.to_str().unwrap());
        let ended = place.edit(&format!("{CHANGE}; {change}")).run().exits(14);
        let text = kept(&ended);
        let mine = fs::read_to_string(&text).unwrap();
        let mine: Value = serde_json::from_str(&mine).unwrap();
        assert_eq!(mine.to_string(), policy().replace("GetObject", "PutObject"));
        if file.exists() {
            assert_eq!(place.store.get(POLICY), other.store.get(POLICY));
        }
        assert_eq!(place.store.drafts(), 0);
        // It would undo the other change.
        assert!(!ended.stderr.contains("--from"), "{ended}");
        fs::remove_dir_all(text.parent().unwrap()).unwrap();
    }
}

#[test]
fn what_is_not_to_be_written_is_refused_before_an_editor_opens() {
    let place = Place::sealed("", KEY);
    place.store.put("config/site-replication/state.json", "{}");
    place.store.put(
        "config/iam/users/root/identity.json",
        vector("dev-067").stored,
    );
    let editor = format!("touch {}", place.scratch());
    for (path, code, says) in [
        ("config/site-replication/state.json", 12, "exempt"),
        ("config/iam/users/root/identity.json", 2, "migrate it first"),
        ("buckets/b/.metadata.bin", 2, "no path of an object"),
        (
            "config//iam/policies/readers/policy.json",
            2,
            "no path of an object",
        ),
        ("config/../config/config.json", 2, "no path of an object"),
        ("config/none.json", 13, "config/none.json"),
    ] {
        let edit = place.run(&with("edit", place.store.root())).args([path]);
        let edit = edit.env([("EDITOR", script(&editor))]).env(CREDENTIAL);
        edit.run().fails(code).says(says);
        assert!(!Path::new(&place.scratch()).exists(), "{path}");
    }
    // Nor what does not open.
    let edit = tool(with("edit", place.store.root())).args([POLICY]);
    edit.env([("EDITOR", script(&editor))]).run().fails(4);
    assert!(!Path::new(&place.scratch()).exists());
}

#[test]
fn drives_take_what_was_edited_while_no_server_runs() {
    let drives = Drives::of("four-sealed.tar.gz");
    let journals = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let all = format!("{}{OTHER_KEY}\n", keys());
    let run = |arguments: &[&str]| {
        tool(arguments)
            .env([("XDG_STATE_HOME", journals.path())])
            .file("--keys", &all)
    };
    let store = drives.store();
    let cat = || run(&["cat", &store, ALICE]).ok().text().to_owned();
    let before = cat();
    let edit = run(&["edit", &store, ALICE, "--server-is-stopped"]);
    edit.env([("EDITOR", script("sed -i s/alice/ALICE/g \"$1\""))])
        .ok();
    assert_eq!(cat(), before.replace("alice", "ALICE"));
    let runs = run(&["runs", "--json"]).ok().json();
    let name = runs[0]["run"].as_str().unwrap();
    run(&["undo", &store, name, "--server-is-stopped"]).ok();
    assert_eq!(cat(), before);
}
