//! `--help` and `--version`: what the tool says of itself.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::kit::tool;

const COMMANDS: [&str; 23] = [
    "keygen",
    "seal",
    "unseal",
    "inspect",
    "ls",
    "cat",
    "audit",
    "keys",
    "manifest",
    "migrate",
    "export",
    "import",
    "edit",
    "sweep",
    "drives",
    "undo",
    "set-aside",
    "sign-tokens",
    "runs",
    "verify-proof",
    "kes",
    "plugin",
    "demo",
];

fn help(arguments: &[&str]) -> String {
    let ended = tool(arguments).args(["--help"]).ok().says_nothing();
    ended.text().to_owned()
}

/// The lines that begin with the tool's name or a variable for it, as examples do.
fn examples(help: &str) -> Vec<&str> {
    let (_, examples) = help.split_once("\nExample").unwrap();
    examples
        .lines()
        .map(str::trim)
        .filter(|line| {
            let starts = ["iamseal ", "MINIO_", "(umask "];
            starts.iter().any(|start| line.starts_with(start))
        })
        .filter(|line| line.contains("iamseal "))
        .collect()
}

#[test]
fn the_help_names_every_command_and_option() {
    let help = help(&[]);
    for command in COMMANDS {
        let named = help
            .lines()
            .any(|line| line.trim_start().starts_with(&format!("{command} ")));
        assert!(named, "{command} is not named:\n{help}");
    }
    for option in [
        "--json",
        "--keys",
        "--root-credentials",
        "--store-name",
        "--plugin",
        "--plugin-sha256",
        "--trust-plugin",
    ] {
        assert!(help.contains(option), "{option} is not named:\n{help}");
    }
    for variable in [
        "MINIO_KMS_SECRET_KEY",
        "MINIO_KMS_SECRET_KEY_FILE",
        "MINIO_ROOT_USER",
    ] {
        assert!(help.contains(variable), "{variable} is not named:\n{help}");
    }
}

#[test]
fn every_command_has_an_example() {
    assert!(examples(&help(&[])).len() >= 4);
    for command in COMMANDS {
        let help = help(&[command]);
        let begin = format!("iamseal {command}");
        let has_one = examples(&help).iter().any(|line| line.contains(&begin));
        assert!(has_one, "no example:\n{help}");
    }
}

#[test]
fn the_examples_are_taken() {
    let mut tried = 0;
    let all = COMMANDS.map(|command| help(&[command]));
    for line in all.iter().flat_map(|help| examples(help)) {
        let begin = line.find("iamseal ").unwrap();
        let words = line[begin..].split_whitespace().skip(1);
        let arguments: Vec<&str> = words
            .take_while(|word| !["<", ">"].contains(word))
            .collect();
        // With an argument that nothing takes, so that nothing is done: what comes first is wrong
        // usage of some other kind.
        let ended = tool(&arguments).args(["--no-such-option"]).run().fails(2);
        ended.says("unexpected argument '--no-such-option'");
        tried += 1;
    }
    assert!(tried >= COMMANDS.len());
}

#[test]
fn every_exit_code_is_documented() {
    let help = help(&[]);
    let (_, codes) = help.split_once("Exit codes:").unwrap();
    let documented: BTreeSet<u32> = codes
        .split_whitespace()
        .filter_map(|word| word.parse().ok())
        .collect();
    let source = include_str!("../../../words/src/report/cause.rs");
    let (_, codes) = source.split_once("fn exit_code").unwrap();
    let (codes, _) = codes.split_once("fn name").unwrap();
    let mut known: BTreeSet<u32> = codes
        .lines()
        .filter_map(|line| line.split_once("=> ")?.1.split(',').next()?.parse().ok())
        .collect();
    assert!(known.len() > 16, "{known:?}");
    known.insert(0);
    assert_eq!(documented, known, "{help}");
}

#[test]
fn a_version_is_the_packages() {
    let ended = tool(["--version"]).ok();
    assert_eq!(
        ended.text(),
        concat!("iamseal ", env!("CARGO_PKG_VERSION"), "\n")
    );
}

#[test]
fn wrong_usage_has_its_own_code() {
    for arguments in [
        &["nonsense"][..],
        &[],
        &["seal"],
        &["migrate", "x"],
        &["audit"],
    ] {
        let ended = tool(arguments).run().exits(2);
        assert!(ended.stdout.is_empty());
        assert!(ended.stderr.contains("Usage: iamseal"), "{ended}");
        let ended = tool(arguments).args(["--json"]).run().exits(2);
        assert!(ended.stdout.is_empty());
        let said: Value = serde_json::from_str(&ended.stderr).unwrap();
        assert_eq!(said["error"]["cause"], "usage");
        let message = said["error"]["message"].as_str().unwrap();
        assert!(!message.is_empty() && !message.contains("Usage"), "{ended}");
    }
}
