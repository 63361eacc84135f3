//! The parts of `docs/reference.md` that follow from the code: what is written there is what the code
//! says. `cargo xtask docs` writes them.

mod causes;
mod messages;
mod samples;

use std::collections::BTreeSet;
use std::path::Path;
use std::{env, fs};

/// Set by `cargo xtask docs`: to write the document and not only look at it.
const WRITE: &str = "IAMSEAL_WRITE_DOCS";

#[test]
fn the_reference_is_what_the_code_says() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference.md");
    let there = fs::read_to_string(&file).unwrap();
    let mut wanted = there.clone();
    for (name, table) in causes::tables().into_iter().chain(messages::tables()) {
        wanted = with_section(&wanted, name, &table);
    }
    if env::var_os(WRITE).is_some() {
        fs::write(&file, wanted).unwrap();
    } else {
        assert!(
            there == wanted,
            "{} is not up to date: run `cargo xtask docs`",
            file.display()
        );
    }
}

/// The document's text about variables names those that the code reads, and no other.
#[test]
fn the_variables_are_those_that_are_read() {
    let sources = [
        include_str!("../../src/keys/environment.rs"),
        include_str!("../../src/keys/environment/kes.rs"),
        include_str!("../../src/keys/environment/kms.rs"),
        include_str!("../../src/keys/environment/root.rs"),
        include_str!("edit/private_text.rs"),
        include_str!("journals.rs"),
        include_str!("../../src/plugin/cache.rs"),
        include_str!("../../src/storage/etcd/address.rs"),
        include_str!("../../src/storage/s3/open.rs"),
    ];
    let read: BTreeSet<_> = sources
        .iter()
        .filter_map(|source| source.split("#[cfg(test)]").next())
        .flat_map(|source| variables(source, '"'))
        .collect();
    let text = include_str!("../../../docs/reference.md");
    let (_, text) = text.split_once("\n## Variables\n").unwrap();
    let (text, _) = text.split_once("\n## ").unwrap();
    assert_eq!(variables(text, '`').collect::<BTreeSet<_>>(), read);
}

/// The variables that stand between two of this mark.
fn variables(text: &str, mark: char) -> impl Iterator<Item = &str> {
    let is_one = |text: &&str| {
        let begins = ["MINIO_", "XDG_", "ETCDCTL_", "IAMSEAL_"];
        let begins = begins.iter().any(|begin| text.starts_with(begin));
        begins
            && text
                .chars()
                .all(|char| char.is_ascii_uppercase() || char == '_')
    };
    text.split(mark).filter(is_one)
}

/// The document with this table between the marks of this name.
fn with_section(text: &str, name: &str, table: &str) -> String {
    let begin = format!("<!-- {name}: from the code, by `cargo xtask docs` -->\n");
    let end = format!("<!-- end of {name} -->");
    let place = text.split_once(&begin).and_then(|(before, rest)| {
        let (_, after) = rest.split_once(&end)?;
        Some((before, after))
    });
    let Some((before, after)) = place else {
        panic!("docs/reference.md has no section {name}");
    };
    format!("{before}{begin}{table}{end}{after}")
}

/// A table of Markdown.
fn table(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let header: Vec<String> = header.iter().map(|cell| (*cell).to_owned()).collect();
    let rule = vec!["---".to_owned(); header.len()];
    let rows = rows.into_iter().map(|row| line(&row));
    let rows: String = rows.collect();
    format!("{}{}{rows}", line(&header), line(&rule))
}

/// Text as it is, in a cell of a table.
fn literal(text: &str) -> String {
    let mark = if text.contains('`') { "``" } else { "`" };
    format!("{mark}{}{mark}", text.replace('|', "\\|"))
}
