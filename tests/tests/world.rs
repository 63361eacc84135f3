//! The components are exactly what their worlds say, proved from their bytes.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

use std::collections::BTreeSet;
use std::path::Path;

use iamseal_component::{AUDITOR, DRIVE_STORE, DRIVE_STORE_WRITER, PLUGIN};
use wasmparser::{Parser, Payload};
use wit_component::{DecodedWasm, decode, targets};
use wit_parser::{Resolve, WorldId, WorldItem, WorldKey};

/// The components and their worlds.
const COMPONENTS: [(&str, &[u8]); 4] = [
    ("plugin", PLUGIN),
    ("auditor", AUDITOR),
    ("drive-store", DRIVE_STORE),
    ("drive-store-writer", DRIVE_STORE_WRITER),
];

/// The package of `wit/` with its world of this name.
fn contract(world: &str) -> (Resolve, WorldId) {
    let mut resolve = Resolve::default();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit");
    let (package, _) = resolve.push_dir(folder).unwrap();
    let world = resolve.select_world(&[package], Some(world)).unwrap();
    (resolve, world)
}

/// A component's own world.
fn component(bytes: &[u8]) -> (Resolve, WorldId) {
    match decode(bytes).unwrap() {
        DecodedWasm::Component(resolve, world) => (resolve, world),
        DecodedWasm::WitPackage(..) => panic!("a package of WIT, not a component"),
    }
}

/// The names of imports or exports, as they stand in a component.
fn names<'a>(
    resolve: &Resolve,
    items: impl IntoIterator<Item = (&'a WorldKey, &'a WorldItem)>,
) -> BTreeSet<String> {
    let items = items.into_iter();
    items.map(|(key, _)| resolve.name_world_key(key)).collect()
}

fn imports((resolve, world): &(Resolve, WorldId)) -> BTreeSet<String> {
    names(resolve, &resolve.worlds[*world].imports)
}

fn exports((resolve, world): &(Resolve, WorldId)) -> BTreeSet<String> {
    names(resolve, &resolve.worlds[*world].exports)
}

/// The functions that the core modules inside a component import from outside of it.
fn inner_imports(component: &[u8]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for payload in Parser::new(0).parse_all(component) {
        if let Payload::ImportSection(section) = payload.unwrap() {
            for import in section.into_imports() {
                let import = import.unwrap();
                // These two are the component's own wiring: its table of functions, and the handles
                // of the resources that it exports.
                if !import.module.is_empty() && !import.module.starts_with("[export]") {
                    found.insert(format!("{} {}", import.module, import.name));
                }
            }
        }
    }
    found
}

#[test]
fn the_components_fit_their_worlds_in_every_type() {
    for (world, bytes) in COMPONENTS {
        let (resolve, id) = contract(world);
        targets(&resolve, id, bytes).unwrap();
    }
}

#[test]
fn the_components_import_and_export_exactly_their_worlds() {
    for (world, bytes) in COMPONENTS {
        let (is, says) = (component(bytes), contract(world));
        assert_eq!(imports(&is), imports(&says), "{world}");
        assert_eq!(exports(&is), exports(&says), "{world}");
    }
}

// The same once more in words, so that a world cannot grow without a test being changed.

#[test]
fn the_plugin_imports_the_contract_and_random_bytes() {
    let component = component(PLUGIN);
    let imported = [
        "iamseal:plugin/diagnostics@0.1.0",
        "iamseal:plugin/key-maker@0.1.0",
        "iamseal:plugin/keyring@0.1.0",
        "iamseal:plugin/storage-writer@0.1.0",
        "iamseal:plugin/storage@0.1.0",
        "iamseal:plugin/types@0.1.0",
        "wasi:random/random@0.2.6",
    ];
    let exported = [
        "iamseal:plugin/auditing@0.1.0",
        "iamseal:plugin/migration@0.1.0",
        "iamseal:plugin/opening@0.1.0",
        "iamseal:plugin/sealing@0.1.0",
    ];
    assert!(imports(&component).iter().eq(&imported));
    assert!(exports(&component).iter().eq(&exported));
}

#[test]
fn the_auditor_imports_nothing_that_writes_makes_a_key_or_is_random() {
    let component = component(AUDITOR);
    let imported = [
        "iamseal:plugin/diagnostics@0.1.0",
        "iamseal:plugin/keyring@0.1.0",
        "iamseal:plugin/storage@0.1.0",
        "iamseal:plugin/types@0.1.0",
    ];
    let exported = [
        "iamseal:plugin/auditing@0.1.0",
        "iamseal:plugin/opening@0.1.0",
    ];
    assert!(imports(&component).iter().eq(&imported));
    assert!(exports(&component).iter().eq(&exported));
}

#[test]
fn the_store_of_drives_imports_files_to_read_and_no_keys() {
    let component = component(DRIVE_STORE);
    let imported = [
        "iamseal:plugin/diagnostics@0.1.0",
        "iamseal:plugin/files@0.1.0",
        "iamseal:plugin/types@0.1.0",
    ];
    let exported = [
        "iamseal:plugin/census@0.1.0",
        "iamseal:plugin/drives@0.1.0",
        "iamseal:plugin/storage@0.1.0",
    ];
    assert!(imports(&component).iter().eq(&imported));
    assert!(exports(&component).iter().eq(&exported));
    let called = inner_imports(DRIVE_STORE);
    let wanted = [
        "iamseal:plugin/diagnostics@0.1.0 panicked",
        "iamseal:plugin/files@0.1.0 drives",
        "iamseal:plugin/files@0.1.0 list",
        "iamseal:plugin/files@0.1.0 read",
    ];
    assert!(called.iter().eq(&wanted), "{called:?}");
}

#[test]
fn the_store_of_drives_that_writes_imports_what_that_takes_and_no_keys() {
    let component = component(DRIVE_STORE_WRITER);
    let imported = [
        "iamseal:plugin/diagnostics@0.1.0",
        "iamseal:plugin/files-writer@0.1.0",
        "iamseal:plugin/files@0.1.0",
        "iamseal:plugin/types@0.1.0",
        "wasi:random/random@0.2.6",
    ];
    let exported = [
        "iamseal:plugin/census@0.1.0",
        "iamseal:plugin/drives-writer@0.1.0",
        "iamseal:plugin/drives@0.1.0",
        "iamseal:plugin/storage-writer@0.1.0",
        "iamseal:plugin/storage@0.1.0",
    ];
    assert!(imports(&component).iter().eq(&imported));
    assert!(exports(&component).iter().eq(&exported));
    let reads = inner_imports(DRIVE_STORE);
    let more = inner_imports(DRIVE_STORE_WRITER);
    let more: Vec<_> = more.difference(&reads).cloned().collect();
    let wanted = [
        "iamseal:plugin/files-writer@0.1.0 create",
        "iamseal:plugin/files-writer@0.1.0 lock",
        "iamseal:plugin/files-writer@0.1.0 make-folder",
        "iamseal:plugin/files-writer@0.1.0 modified",
        "iamseal:plugin/files-writer@0.1.0 now",
        "iamseal:plugin/files-writer@0.1.0 open-up",
        "iamseal:plugin/files-writer@0.1.0 remove",
        "iamseal:plugin/files-writer@0.1.0 remove-folder",
        "iamseal:plugin/files-writer@0.1.0 rename",
        "iamseal:plugin/files-writer@0.1.0 sync",
        "wasi:random/random@0.2.6 get-random-bytes",
    ];
    assert_eq!(more, wanted);
}

#[test]
fn no_module_inside_the_auditor_imports_more_than_it_does() {
    let called = inner_imports(AUDITOR);
    let wanted = [
        "iamseal:plugin/diagnostics@0.1.0 panicked",
        "iamseal:plugin/keyring@0.1.0 [method]key.id",
        "iamseal:plugin/keyring@0.1.0 [method]key.open",
        "iamseal:plugin/keyring@0.1.0 [method]root-key.derive",
        "iamseal:plugin/keyring@0.1.0 [method]root-key.signed",
        "iamseal:plugin/keyring@0.1.0 [resource-drop]key",
        "iamseal:plugin/keyring@0.1.0 [resource-drop]root-key",
        "iamseal:plugin/keyring@0.1.0 candidates",
        // A name, which the policy `current` compares with.
        "iamseal:plugin/keyring@0.1.0 default-key",
        "iamseal:plugin/keyring@0.1.0 root-credentials",
        "iamseal:plugin/storage@0.1.0 [method]cursor.next",
        "iamseal:plugin/storage@0.1.0 [resource-drop]cursor",
        "iamseal:plugin/storage@0.1.0 list",
        "iamseal:plugin/storage@0.1.0 read",
    ];
    assert!(called.iter().eq(&wanted), "{called:?}");

    // The plugin, by the same measure, has what the auditor has not.
    let more: Vec<_> = inner_imports(PLUGIN).difference(&called).cloned().collect();
    let wanted = [
        "iamseal:plugin/key-maker@0.1.0 make",
        "iamseal:plugin/storage-writer@0.1.0 [method]draft.read-back",
        "iamseal:plugin/storage-writer@0.1.0 [resource-drop]draft",
        "iamseal:plugin/storage-writer@0.1.0 commit",
        "iamseal:plugin/storage-writer@0.1.0 stage",
        "wasi:random/random@0.2.6 get-random-bytes",
    ];
    assert_eq!(more, wanted);
}

#[test]
fn a_world_that_lends_less_or_wants_more_does_not_fit() {
    let whole = "include iamseal:plugin/plugin@0.1.0;";
    let less = "
        import iamseal:plugin/keyring@0.1.0;
        import iamseal:plugin/key-maker@0.1.0;
        import iamseal:plugin/storage@0.1.0;
        import iamseal:plugin/diagnostics@0.1.0;
        import wasi:random/random@0.2.6;
        export iamseal:plugin/opening@0.1.0;
        export iamseal:plugin/sealing@0.1.0;
        export iamseal:plugin/auditing@0.1.0;
        export iamseal:plugin/migration@0.1.0;
    ";
    let more = format!("{whole} export extra: func();");
    for (items, fits) in [(whole, true), (less, false), (&more, false)] {
        let (mut resolve, _) = contract("plugin");
        let source = format!("package tests:worlds; world other {{ {items} }}");
        let package = resolve.push_str("other.wit", &source).unwrap();
        let world = resolve.select_world(&[package], None).unwrap();
        assert_eq!(targets(&resolve, world, PLUGIN).is_ok(), fits, "{items}");
    }
}
