//! The files of a release.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use iamseal_build::metadata;
use iamseal_component::{AUDITOR, DRIVE_STORE, DRIVE_STORE_WRITER, PLUGIN};
use sha2::{Digest, Sha256};
use wasm_encoder::{ComponentSection, CustomSection};

use crate::contract::Contract;
use crate::dependencies::Dependencies;
use crate::{compose, gate};

/// The components: name, world, bytes.
pub const COMPONENTS: [(&str, &str, &[u8]); 4] = [
    ("iamseal", "plugin", PLUGIN),
    ("iamseal-auditor", "auditor", AUDITOR),
    ("iamseal-drive-store", "drive-store", DRIVE_STORE),
    (
        "iamseal-drive-store-writer",
        "drive-store-writer",
        DRIVE_STORE_WRITER,
    ),
];

/// The component for hosts of `wasi:cli`.
const COMMAND: &str = "iamseal-command";

/// The licence texts of all that is linked into what is released.
const LICENCES: &str = "LICENCES.txt";

/// The digests of the other files, as `sha256sum --check` reads them.
const SUMS: &str = "SHA256SUMS";

/// The files of a release by name: the components, the contract as text and as a binary WIT package,
/// the licence texts of what is linked, and `SHA256SUMS`. `root` is the workspace's, `revision` the commit that it is at; without one the
/// components name none.
///
/// Plugin, auditor and stores of drives are the embedded ones and one section more.
///
/// # Errors
/// A file does not pass a gate, a dependency is not one that is accepted, or `wit/` cannot be read.
pub fn files(root: &Path, revision: Option<&str>) -> Result<BTreeMap<String, Vec<u8>>> {
    let contract = Contract::read(&root.join("wit"))?;
    gate::contract(&contract, &root.join("wit/released"))?;

    let mut files = BTreeMap::new();
    for (name, world, bytes) in COMPONENTS {
        let bytes = released(bytes, revision);
        gate::component(&contract, (name, world), revision, &bytes)?;
        files.insert(format!("{name}.wasm"), bytes);
    }
    let mut joined = compose::command()?;
    metadata::append(&mut joined, COMMAND);
    let joined = released(&joined, revision);
    gate::command(COMMAND, revision, &joined)?;
    files.insert(format!("{COMMAND}.wasm"), joined);
    let name = contract.file_name();
    files.insert(format!("{name}.wit"), contract.text()?.into_bytes());
    files.insert(format!("{name}.wasm"), contract.binary()?);
    let dependencies = Dependencies::read(root)?;
    let faults = dependencies.faults()?;
    ensure!(faults.is_empty(), "{}", faults.join("\n"));
    files.insert(
        LICENCES.to_string(),
        dependencies.licence_texts()?.into_bytes(),
    );
    let sums = sums(&files)?.into_bytes();
    files.insert(SUMS.to_string(), sums);
    Ok(files)
}

/// Writes the files into a folder, which is made if it is not there.
///
/// # Errors
/// The folder holds a file that this release has not, or cannot be written.
pub fn write(files: &BTreeMap<String, Vec<u8>>, folder: &Path) -> Result<()> {
    let shown = || folder.display().to_string();
    fs::create_dir_all(folder).with_context(shown)?;
    for entry in fs::read_dir(folder).with_context(shown)? {
        let name = entry?.file_name();
        let known = name.to_str().is_some_and(|name| files.contains_key(name));
        ensure!(
            known,
            "{} holds {}, which is not of this release: take it away, or name another folder",
            folder.display(),
            name.display()
        );
    }
    for (name, bytes) in files {
        let file = folder.join(name);
        fs::write(&file, bytes).with_context(|| file.display().to_string())?;
    }
    Ok(())
}

/// The commit that the workspace is at, with `-dirty` behind it if a file differs from it; `None`
/// where there is no Git repository.
///
/// # Errors
/// Git is there and fails.
pub fn revision(root: &Path) -> Result<Option<String>> {
    if !root.join(".git").exists() {
        return Ok(None);
    }
    let commit = git(root, &["rev-parse", "HEAD"])?;
    let changes = git(root, &["status", "--porcelain"])?;
    let dirty = if changes.is_empty() { "" } else { "-dirty" };
    Ok(Some(format!("{commit}{dirty}")))
}

fn git(root: &Path, arguments: &[&str]) -> Result<String> {
    let output = Command::new("git")
        .args(arguments)
        .current_dir(root)
        .output();
    let output = match output {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(error).context("git, which knows the revision, is not installed");
        }
        output => output?,
    };
    ensure!(
        output.status.success(),
        "git {}: {}",
        arguments.join(" "),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8(output.stdout)?.trim().to_string())
}

fn released(component: &[u8], revision: Option<&str>) -> Vec<u8> {
    let mut bytes = component.to_vec();
    if let Some(revision) = revision {
        let section = CustomSection {
            name: "revision".into(),
            data: revision.as_bytes().into(),
        };
        section.append_to_component(&mut bytes);
    }
    bytes
}

fn sums(files: &BTreeMap<String, Vec<u8>>) -> Result<String> {
    let mut sums = String::new();
    for (name, bytes) in files {
        for byte in Sha256::digest(bytes) {
            write!(sums, "{byte:02x}")?;
        }
        writeln!(sums, "  {name}")?;
    }
    Ok(sums)
}
