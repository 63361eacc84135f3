//! The command as a component under the stock wasmtime CLI does what the tool does: the same lines,
//! the same exit codes, the same bytes in the store.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::fs::symlink;

use crate::kit::component::component;
use crate::kit::store::Store;
use crate::kit::{CREDENTIAL, Ended, KEY, KEY_WITH_OTHER_BYTES, OTHER_KEY, Tool, tool, with};
use iamseal_tests::samples::{damaged, sealed_under, vector};

const PATH: &str = "config/iam/users/alice/identity.json";
const PLAINTEXT: &[u8] = br#"{"version":1,"credentials":{"accessKey":"alice"}}"#;

/// What the tool and the component say to the same arguments; it must be the same.
#[track_caller]
fn both(arguments: &[OsString], lend: impl Fn(Tool) -> Tool) -> Ended {
    let native = lend(tool(arguments)).run();
    let ended = lend(component(arguments)).run();
    let what = arguments.join(OsStr::new(" "));
    assert_eq!(ended.code, native.code, "{what:?}: {ended}{native}");
    // The component tries no key under another name than its own.
    let lines = native.stderr.lines();
    let lines = lines.filter(|line| !line.contains("the key that was given as "));
    assert!(ended.stderr.lines().eq(lines), "{what:?}: {ended}{native}");
    let same = ended.stdout == native.stdout;
    assert!(same, "{what:?}: {ended}{native}");
    ended
}

fn seal(path: &str, key: &str, how: &str) -> Vec<u8> {
    let seal = tool(with("seal --path", path)).args(how.split_whitespace());
    seal.key(key).input(PLAINTEXT).ok().stdout
}

/// An object of every form and of every kind that fails.
fn mixed() -> Store {
    let store = Store::new();
    for id in ["dev-013", "dev-038", "dev-040", "dev-039"] {
        let vector = vector(id);
        store.put(&vector.path, vector.stored);
    }
    store.put("config/config.json", vector("dev-067").stored);
    store.put("config/iam/format.json", PLAINTEXT);
    store.put("config/history/1.kv", b"region name=x\n");
    let carol = "config/iam/users/carol/identity.json";
    store.put(carol, seal(carol, KEY, "--form compact"));
    store.put("config/tier-config.bin", [1, 0, 1, 0, 0x82, 0xa1]);
    store.put("backend-encrypted", "encrypted");

    store.put("config/bad/empty", b"");
    store.put("config/bad/cut", &seal(PATH, KEY, "")[..60]);
    store.put("config/bad/drive/xl.meta", b"XL2 \x01\0\x03\0\xc6");
    store.put("config/bad/elsewhere", seal(PATH, KEY, ""));
    let other = format!("other-key:{}", KEY.split_once(':').unwrap().1);
    // Of two, since one alone tells nothing of its key.
    for path in ["config/bad/other-bytes", "config/bad/other-bytes-too"] {
        store.put(path, seal(path, &other, ""));
    }
    let path = "config/bad/damaged-data-key";
    store.put(path, seal(path, KEY_WITH_OTHER_BYTES, ""));
    store.put("config/bad/no-key", sealed_under("\u{1b}[2J\"name"));
    let bob = "config/iam/users/bob/identity.json";
    store.put(bob, damaged(seal(bob, KEY, "")));
    store.put("config/bad/root", vector("dev-074").stored);
    store.put("config/bad/evil\u{1b}[2J\u{202e}\n", b"");
    fs::File::create(store.file("config/bad/large"))
        .and_then(|file| file.set_len((16 << 20) + 1))
        .unwrap();
    symlink(store.file("config/iam"), store.file("config/bad/folder")).unwrap();
    symlink("nowhere", store.file("config/bad/nothing")).unwrap();
    store
}

#[test]
fn an_audit_prints_the_same_lines_and_changes_nothing() {
    let store = mixed();
    let before = store.seen();
    let lend = |run: Tool| run.key(KEY).env(CREDENTIAL).file("--keys", OTHER_KEY);
    let causes = |ended: &Ended| -> BTreeSet<String> {
        let lines = ended.json().into_iter();
        let causes = lines.filter_map(|line| line["error"]["cause"].as_str().map(String::from));
        causes.collect()
    };
    let ended = both(&with("audit --json", store.root()), lend).exits(3);
    let expected = [
        "body-not-authentic",
        "credential",
        "damaged-data-key",
        "key-not-found",
        "limit",
        "malformed",
        "not-loadable",
        "other-key-bytes",
        "other-path",
        "refused",
        "unknown-form",
    ];
    assert_eq!(causes(&ended), expected.map(String::from).into());
    let strict = "audit --json --require sealed --prefix config/iam/";
    let ended = both(&with(strict, store.root()), lend).exits(3);
    assert!(causes(&ended).contains("form-refused"));
    let current = "audit --json --require current --prefix config/iam/";
    let ended = both(&with(current, store.root()), lend).exits(3);
    assert!(causes(&ended).contains("outdated"));
    both(
        &with("audit --json --prefix config/none", store.root()),
        lend,
    )
    .exits(0);
    assert_eq!(store.seen(), before);
}

#[test]
fn every_cause_has_the_tools_exit_code_and_words() {
    let sealed = seal(PATH, KEY, "");
    let root = vector("dev-067").stored;
    let large = vec![b'{'; (16 << 20) + 1];
    let (seal, unseal, strict, current) = (
        with("seal --path", PATH),
        with("unseal --path", PATH),
        with("unseal --require sealed --path", PATH),
        with("unseal --require current --path", PATH),
    );
    let elsewhere = with("unseal --path", "config/iam/x");
    let outside = with("unseal --path", "../x");
    let store = with("unseal --path", ".minio.sys/config/config.json");
    let compact = with("seal --form compact --data-key json --path", PATH);
    let cases: [(&[OsString], &str, &[u8], i32); 16] = [
        (&unseal, KEY, &sealed, 0),
        (&unseal, KEY, PLAINTEXT, 0),
        (&store, KEY, &sealed, 2),
        (&compact, KEY, PLAINTEXT, 2),
        (&unseal, "no-colon", &sealed, 2),
        (&unseal, "name:AAAA", &sealed, 2),
        (&unseal, OTHER_KEY, &sealed, 4),
        (&unseal, KEY_WITH_OTHER_BYTES, &sealed, 7),
        (&elsewhere, KEY, &sealed, 7),
        (&unseal, KEY, &root, 8),
        (&unseal, KEY, &damaged(sealed.clone()), 9),
        (&unseal, KEY, b"", 10),
        (&strict, KEY, PLAINTEXT, 18),
        (&current, KEY, &sealed, 0),
        (&current, KEY, PLAINTEXT, 18),
        (&seal, KEY, &large, 15),
    ];
    for (arguments, key, input, code) in cases {
        both(arguments, |run| run.key(key).input(input)).exits(code);
        let mut json = arguments.to_vec();
        json.push("--json".into());
        if code != 2 {
            both(&json, |run| run.key(key).input(input)).exits(code);
        }
    }
    both(&outside, |run| run.key(KEY).input(PLAINTEXT)).exits(12);
    both(&seal, |run| run.input(PLAINTEXT)).fails(4);
    let other = |run: Tool| run.key(OTHER_KEY).file("--keys", KEY).input(&*sealed);
    both(&unseal, other).exits(0);
    both(&current, other).fails(22);
    let none = |run: Tool| run.file("--keys", KEY).input(&*sealed);
    both(&current, none).fails(4);
    both(&unseal, |run| {
        run.key(KEY).input(&b"XL2 \x01\0\x03\0\xc6"[..])
    })
    .fails(11);
    for form in ["dev-001", "dev-040", "dev-067"] {
        both(&with("inspect", "--json"), |run| {
            run.input(vector(form).stored)
        })
        .exits(0);
    }
}

#[test]
fn each_opens_what_the_other_sealed() {
    for how in [
        "",
        "--cipher aes-256-gcm",
        "--data-key json",
        "--form compact --store-name x",
    ] {
        let words = || how.split_whitespace();
        let name = how.split_once("--store-name").map_or("", |_| "x");
        let seal = || component(with("seal --path", PATH)).args(words());
        let unseal = |tool: fn(Vec<OsString>) -> Tool, sealed: Vec<u8>| {
            let run = tool(with("unseal --path", PATH)).args(["--store-name", name]);
            run.key(KEY).input(sealed).ok().stdout
        };
        let sealed = seal().key(KEY).input(PLAINTEXT).ok().stdout;
        assert_eq!(unseal(tool, sealed), PLAINTEXT);
        let sealed = tool(with("seal --path", PATH)).args(words());
        let sealed = sealed.key(KEY).input(PLAINTEXT).ok().stdout;
        assert_eq!(unseal(component, sealed), PLAINTEXT);
    }
}

#[test]
fn what_is_said_to_people_is_the_same() {
    let store = mixed();
    let lend = |run: Tool| run.key(KEY).env(CREDENTIAL).run().exits(3);
    let arguments = with("audit", store.root());
    let (native, ended) = (lend(tool(&arguments)), lend(component(&arguments)));
    assert_eq!(ended.text(), native.text());
}

#[test]
fn a_wrong_command_line_is_told_as_the_tool_tells_it() {
    for line in [
        "bogus",
        "audit",
        "audit a b",
        "audit a --to kms",
        "audit a --bogus",
        "audit a -x",
        "audit a --prefix",
        "audit a --json=x",
        "audit a --require x",
        "audit a --\u{1b}[2J",
        "migrate a",
        "migrate a --to x",
        "migrate a --to kms --to kms",
        "seal",
    ] {
        let words = || line.split_whitespace();
        let native = tool(words()).run().exits(2);
        let ended = component(words()).run().exits(2);
        assert!(ended.stdout.is_empty(), "{ended}");
        // What follows is the usage, and each has options of its own.
        let first = |ended: &Ended| ended.stderr.split("\n\n").next().unwrap().to_owned();
        assert_eq!(first(&ended), first(&native), "{line}");
        let native = tool(words()).args(["--json"]).run().exits(2);
        let ended = component(words()).args(["--json"]).run().exits(2);
        assert_eq!(ended.stderr, native.stderr, "{line}");
        assert!(ended.stdout.is_empty(), "{ended}");
    }
    component::<&str>([]).run().exits(2).says("Commands:");
    component(["--json"])
        .run()
        .exits(2)
        .says(r#"{"error":{"cause":"usage""#);
    for line in [
        "migrate a --to plaintext --key x --dry-run",
        "migrate a --to kms --form compact --data-key json --dry-run",
        "migrate a --to kms --server-is-stopped",
    ] {
        component(line.split_whitespace())
            .run()
            .fails(2)
            .says(" cure: ");
    }
    component("keygen x".split_whitespace())
        .run()
        .fails(2)
        .says("unrecognized subcommand");
}

#[test]
fn the_help_has_every_exit_code_that_can_be() {
    for line in ["--help", "help"] {
        let ended = component(line.split_whitespace()).ok().says_nothing();
        let (_, codes) = ended.text().split_once("Exit codes:").unwrap();
        let codes = codes
            .lines()
            .filter_map(|line| line.split_whitespace().next());
        let there: BTreeSet<u8> = codes.filter_map(|word| word.parse().ok()).collect();
        // Of the tool's codes those of another plugin, of manifests, of journals and of signals are not here,
        // and 134 is what the wasmtime CLI makes of a trap.
        let wanted = (0..=31).filter(|code| ![16, 23, 24, 25, 26, 29].contains(code));
        assert_eq!(there, wanted.chain([134, 141]).collect());
    }
    component(["audit", "--help"])
        .ok()
        .prints("the folder that holds config/")
        .says_nothing();
    component(["--version"])
        .ok()
        .prints(concat!(env!("CARGO_PKG_VERSION"), " (component)"));
}
