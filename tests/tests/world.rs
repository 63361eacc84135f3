//! The component is exactly what its world says, proved from its bytes.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

use std::collections::BTreeSet;
use std::path::Path;

use iamseal_component::PLUGIN;
use wit_component::{DecodedWasm, decode, targets};
use wit_parser::{Resolve, WorldId, WorldItem, WorldKey};

/// The package of `wit/` with its world `plugin`.
fn contract() -> (Resolve, WorldId) {
    let mut resolve = Resolve::default();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit");
    let (package, _) = resolve.push_dir(folder).unwrap();
    let world = resolve.select_world(&[package], Some("plugin")).unwrap();
    (resolve, world)
}

/// The component's own world.
fn component() -> (Resolve, WorldId) {
    match decode(PLUGIN).unwrap() {
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

#[test]
fn the_component_fits_its_world_in_every_type() {
    let (resolve, world) = contract();
    targets(&resolve, world, PLUGIN).unwrap();
}

#[test]
fn the_component_imports_exactly_the_contract_and_random_bytes() {
    let imported = imports(&component());
    assert_eq!(imported, imports(&contract()));
    // The same once more in words, so that the world cannot grow without this test being changed.
    let wanted = [
        "iamseal:plugin/diagnostics@0.1.0",
        "iamseal:plugin/key-generator@0.1.0",
        "iamseal:plugin/keyring@0.1.0",
        "iamseal:plugin/storage-writer@0.1.0",
        "iamseal:plugin/storage@0.1.0",
        "iamseal:plugin/types@0.1.0",
        "wasi:random/random@0.2.6",
    ];
    assert!(imported.iter().eq(&wanted), "{imported:?}");
}

#[test]
fn the_component_exports_exactly_the_contract() {
    let exported = exports(&component());
    assert_eq!(exported, exports(&contract()));
    let wanted = [
        "iamseal:plugin/auditing@0.1.0",
        "iamseal:plugin/migration@0.1.0",
        "iamseal:plugin/opening@0.1.0",
        "iamseal:plugin/sealing@0.1.0",
    ];
    assert!(exported.iter().eq(&wanted), "{exported:?}");
}

#[test]
fn a_world_that_lends_less_or_wants_more_does_not_fit() {
    let whole = "include iamseal:plugin/plugin@0.1.0;";
    let less = "
        import iamseal:plugin/keyring@0.1.0;
        import iamseal:plugin/key-generator@0.1.0;
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
        let (mut resolve, _) = contract();
        let source = format!("package tests:worlds; world other {{ {items} }}");
        let package = resolve.push_str("other.wit", &source).unwrap();
        let world = resolve.select_world(&[package], None).unwrap();
        assert_eq!(targets(&resolve, world, PLUGIN).is_ok(), fits, "{items}");
    }
}
