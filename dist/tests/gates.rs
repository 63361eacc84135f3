//! What is released passes every gate, and each gate refuses what it is there for.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

use std::path::{Path, PathBuf};

use iamseal_component::{AUDITOR, DRIVE_STORE, DRIVE_STORE_WRITER, PLUGIN};
use iamseal_dist::contract::Contract;
use iamseal_dist::{gate, release};
use wit_component::{DecodedWasm, WitPrinter, decode};

const REVISION: &str = "0123456789abcdef0123456789abcdef01234567-dirty";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn contract() -> Contract {
    Contract::read(&root().join("wit")).unwrap()
}

/// The contract with one text replaced by another, wherever it stands.
fn changed(from: &str, to: &str) -> Contract {
    let text = contract().text().unwrap();
    assert!(text.contains(from), "{from}");
    Contract::parse("changed.wit", &text.replace(from, to)).unwrap()
}

#[test]
fn the_contract_keeps_what_was_released() {
    let kept = gate::contract(&contract(), &root().join("wit/released")).unwrap();
    assert!(kept > 0, "wit/README.md says how a new line begins");
}

#[test]
fn a_change_that_breaks_hosts_or_plugins_is_refused() {
    for (what, from, to) in [
        (
            "a case more in a variant",
            "    no-credential,\n",
            "    no-credential,\n    new-case,\n",
        ),
        ("a case less", "    no-credential,\n", ""),
        (
            "a case more in an enum",
            "    aes128-gcm,\n",
            "    aes128-gcm,\n    aes512-gcm,\n",
        ),
        (
            "a field more in a record",
            "    user: string,\n",
            "    user: string,\n    realm: string,\n",
        ),
        (
            "a function less in an exported interface",
            "inspect: func(stored: list<u8>) -> result<description, error>;",
            "",
        ),
        (
            "a function more in an exported interface",
            "inspect: func(stored: list<u8>) -> result<description, error>;",
            "inspect: func(stored: list<u8>) -> result<description, error>; peek: func();",
        ),
        (
            "a function more in an imported interface",
            "panicked: func(message: string);",
            "panicked: func(message: string); said: func(message: string);",
        ),
        ("an import less", "  import key-maker;\n", ""),
        ("an export less", "  export sealing;\n", ""),
        (
            "another name for a world",
            "world auditor {",
            "world looker {",
        ),
        (
            "another parameter",
            "next: func(limit: u32)",
            "next: func(limit: u64)",
        ),
    ] {
        assert!(changed(from, to).keeps(&contract()).is_err(), "{what}");
    }
}

#[test]
fn a_change_that_breaks_nobody_is_taken() {
    for (what, from, to) in [
        (
            "other words",
            "/// Words that every interface shares.",
            "/// Words.",
        ),
        (
            "a new interface and a new world",
            "world auditor {",
            "interface more { more: func(); } world bigger { include plugin; import more; } world auditor {",
        ),
        (
            "the next version of the line",
            "iamseal:plugin@0.1.0",
            "iamseal:plugin@0.1.1",
        ),
    ] {
        let kept = changed(from, to).keeps(&contract());
        assert!(kept.is_ok_and(|kept| kept), "{what}");
    }
}

#[test]
fn a_new_line_owes_the_old_one_nothing() {
    let breaking = contract()
        .text()
        .unwrap()
        .replace("iamseal:plugin@0.1.0", "iamseal:plugin@0.2.0")
        .replace("    no-credential,\n", "");
    let breaking = Contract::parse("breaking.wit", &breaking).unwrap();
    assert!(!breaking.keeps(&contract()).unwrap());
}

#[test]
fn a_version_promises_what_cargo_reads_in_a_caret() {
    let of = |version: &str| changed("iamseal:plugin@0.1.0", &format!("iamseal:plugin@{version}"));
    for (released, now, promises) in [
        ("0.0.1", "0.0.1", true),
        ("0.0.1", "0.0.2", false),
        ("0.1.0", "0.1.9", true),
        ("0.1.0", "0.2.0", false),
        ("1.0.0", "1.2.3", true),
        ("1.0.0", "2.0.0", false),
    ] {
        let keeps = of(now).keeps(&of(released)).unwrap();
        assert_eq!(keeps, promises, "{now} after {released}");
    }
}

#[test]
fn the_files_of_a_release_pass_the_gates_and_say_their_revision() {
    let files = release::files(&root(), Some(REVISION)).unwrap();
    let names: Vec<_> = files.keys().map(String::as_str).collect();
    let wanted = [
        "LICENCES.txt",
        "SHA256SUMS",
        "iamseal-auditor.wasm",
        "iamseal-command.wasm",
        "iamseal-drive-store-writer.wasm",
        "iamseal-drive-store.wasm",
        "iamseal-plugin-0.1.0.wasm",
        "iamseal-plugin-0.1.0.wit",
        "iamseal.wasm",
    ];
    assert_eq!(names, wanted);
    for (name, embedded) in [
        ("iamseal.wasm", PLUGIN),
        ("iamseal-auditor.wasm", AUDITOR),
        ("iamseal-drive-store.wasm", DRIVE_STORE),
        ("iamseal-drive-store-writer.wasm", DRIVE_STORE_WRITER),
    ] {
        let more = files[name].strip_prefix(embedded).unwrap();
        assert!(more.ends_with(REVISION.as_bytes()), "{name}");
    }
}

#[test]
fn a_component_that_is_not_what_it_says_is_refused() {
    let contract = contract();
    let check = |name, world, revision, bytes: &[u8]| {
        gate::component(&contract, (name, world), revision, bytes)
            .map_err(|error| format!("{error:#}"))
    };
    check("iamseal", "plugin", None, PLUGIN).unwrap();
    check("iamseal-auditor", "auditor", None, AUDITOR).unwrap();
    check("iamseal-drive-store", "drive-store", None, DRIVE_STORE).unwrap();

    for (refused, wanted) in [
        (
            check("iamseal", "auditor", None, PLUGIN),
            "the world auditor",
        ),
        (
            check("iamseal-auditor", "plugin", None, AUDITOR),
            "the world plugin",
        ),
        (
            check(
                "iamseal-drive-store",
                "drive-store",
                None,
                DRIVE_STORE_WRITER,
            ),
            "the world drive-store",
        ),
        (check("iamseal", "writer", None, PLUGIN), "no world writer"),
        (
            check("other", "plugin", None, PLUGIN),
            "its name is \"iamseal\"",
        ),
        (
            check("iamseal", "plugin", Some(REVISION), PLUGIN),
            "its revision is \"\"",
        ),
        (
            check("iamseal", "plugin", None, &PLUGIN[..PLUGIN.len() / 2]),
            "no valid component",
        ),
        (
            check("iamseal", "plugin", None, b"\0asm\x01\0\0\0"),
            "the world plugin",
        ),
    ] {
        let error = refused.unwrap_err();
        assert!(error.contains(wanted), "{error}");
    }
}

#[test]
fn the_binary_contract_is_the_text() {
    let binary = contract().binary().unwrap();
    let DecodedWasm::WitPackage(resolve, package) = decode(&binary).unwrap() else {
        panic!("a component, not a package of WIT");
    };
    let others = resolve.packages.iter().map(|(id, _)| id);
    let others: Vec<_> = others.filter(|id| *id != package).collect();
    let mut printer = WitPrinter::default();
    printer.print(&resolve, package, &others).unwrap();
    let again = Contract::parse("again.wit", &printer.output.to_string()).unwrap();
    assert!(again.keeps(&contract()).unwrap());
    assert!(contract().keeps(&again).unwrap());
    assert!(
        printer
            .output
            .to_string()
            .contains("/// Words that every interface shares.")
    );
}
