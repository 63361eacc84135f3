//! `docs/reference.md` has every field that the tool prints, with its type and its words, and nothing that
//! is never printed.

mod applied;
pub mod document;
mod identities;
mod objects;
mod schema;
mod stores;

use document::Reference;

/// The causes that no line can have here: those of a key service, which tests with a real one have, and
/// those that are exit codes alone.
const NOT_HERE: [&str; 6] = [
    "closed-pipe",
    "hung-up",
    "key-denied",
    "key-unavailable",
    "several",
    "terminated",
];

#[test]
fn every_line_is_in_the_document_and_all_of_the_document_in_the_lines() {
    let mut reference = Reference::read();
    objects::run(&mut reference);
    identities::run(&mut reference);
    stores::audits(&mut reference);
    stores::censuses(&mut reference);
    stores::manifests(&mut reference);
    stores::migrations(&mut reference);
    stores::preparations(&mut reference);
    stores::set_asides(&mut reference);
    stores::tokens(&mut reference);
    stores::interrupted(&mut reference);
    stores::sweeps(&mut reference);
    stores::demonstration(&mut reference);
    applied::run(&mut reference);
    let mut unseen = reference.unseen();
    // Tests with a real KES see these.
    let with_kes = ["kes ", "wrap: under: word kes"];
    unseen.retain(|what| !with_kes.iter().any(|seen| what.starts_with(seen)));
    assert!(unseen.is_empty(), "never seen: {unseen:#?}");
    assert_eq!(reference.unseen_causes(), NOT_HERE);
}
