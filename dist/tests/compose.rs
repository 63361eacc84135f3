//! The command needs nothing but WASI, proved from its bytes.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

use std::collections::BTreeSet;

use iamseal_component::{ADAPTERS, AUDITOR, COMMAND, DRIVE_FILES, PLUGIN};
use iamseal_dist::{PARTS, Parts, command, compose};
use wit_component::{DecodedWasm, decode};

/// The names of a component's imports and exports.
fn world(component: &[u8]) -> [BTreeSet<String>; 2] {
    let DecodedWasm::Component(resolve, world) = decode(component).unwrap() else {
        panic!("a package of WIT, not a component");
    };
    let world = &resolve.worlds[world];
    [&world.imports, &world.exports].map(|items| {
        let keys = items.keys();
        keys.map(|key| resolve.name_world_key(key)).collect()
    })
}

#[test]
fn the_command_imports_wasi_alone_and_can_be_run() {
    let [imports, exports] = world(&command().unwrap());
    // No network and no clock: of `wasi:clocks` it takes a type. The standard library looks at what its
    // streams are, and waits with `wasi:io/poll`.
    let wanted = [
        "wasi:cli/environment@0.2.12",
        "wasi:cli/exit@0.2.12",
        "wasi:cli/stderr@0.2.12",
        "wasi:cli/stdin@0.2.12",
        "wasi:cli/stdout@0.2.12",
        "wasi:cli/terminal-input@0.2.12",
        "wasi:cli/terminal-output@0.2.12",
        "wasi:cli/terminal-stderr@0.2.12",
        "wasi:cli/terminal-stdin@0.2.12",
        "wasi:cli/terminal-stdout@0.2.12",
        "wasi:clocks/wall-clock@0.2.12",
        "wasi:filesystem/preopens@0.2.12",
        "wasi:filesystem/types@0.2.12",
        "wasi:io/error@0.2.12",
        "wasi:io/poll@0.2.12",
        "wasi:io/streams@0.2.12",
        "wasi:random/random@0.2.12",
    ];
    assert!(imports.iter().eq(&wanted), "{imports:?}");
    assert!(exports.iter().eq(["wasi:cli/run@0.2.12"]), "{exports:?}");
}

#[test]
fn only_what_lends_reaches_files_and_randomness_is_the_plugins_and_theirs() {
    let [imports, exports] = world(DRIVE_FILES);
    assert!(imports.iter().all(|import| import.starts_with("wasi:")));
    assert!(!exports.iter().any(|export| export.contains("writer")));
    let [imports, _] = world(COMMAND);
    let reaches = |name: &str| imports.iter().any(|import| import.starts_with(name));
    assert!(!reaches("wasi:filesystem/") && !reaches("wasi:random/"));
    assert!(!reaches("iamseal:plugin/keyring@") && !reaches("iamseal:plugin/storage-writer@"));
}

#[test]
fn the_same_parts_give_the_same_bytes() {
    assert!(command().unwrap() == command().unwrap());
}

#[test]
fn parts_that_do_not_fit_are_refused_with_the_reason() {
    let of = |plugin, adapters, command| Parts {
        plugin,
        adapters,
        command,
        ..PARTS
    };
    for (plugin, adapters, command, says) in [
        // An auditor cannot seal.
        (AUDITOR, ADAPTERS, COMMAND, "iamseal:plugin/sealing@0.1.0"),
        (PLUGIN, PLUGIN, COMMAND, "iamseal:plugin/keyring@0.1.0"),
        (PLUGIN, ADAPTERS, PLUGIN, "wasi:cli/run@0.2.12"),
        (&PLUGIN[..100], ADAPTERS, COMMAND, ""),
        (b"\0asm\x01\0\0\0", ADAPTERS, COMMAND, ""),
        (b"", ADAPTERS, COMMAND, ""),
    ] {
        let error = compose(of(plugin, adapters, command));
        let error = error.unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
    let without = Parts {
        drive_store: AUDITOR,
        ..PARTS
    };
    let error = compose(without).unwrap_err().to_string();
    assert!(error.contains("iamseal:plugin/"), "{error}");
}
