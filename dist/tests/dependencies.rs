//! Licences, sources, bans and duplicate generations of all that is built, and the texts of what is linked.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

use std::path::Path;

use iamseal_dist::dependencies::Dependencies;

fn dependencies() -> Dependencies {
    Dependencies::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..")).unwrap()
}

#[test]
fn every_dependency_is_one_that_we_accept() {
    let faults = dependencies().faults().unwrap();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_texts_of_all_that_is_linked_are_there() {
    let texts = dependencies().licence_texts().unwrap();
    for of in ["argon2 0.", "tokio 1.", "wasmtime 48."] {
        assert!(texts.contains(of), "{of}");
    }
    // What only builds or tests is not in a release.
    for of in ["cc 1.", "criterion 0.", "syn "] {
        assert!(
            !texts.contains(&format!(", {of}")) && !texts.contains(&format!("\n{of}")),
            "{of}"
        );
    }
}
