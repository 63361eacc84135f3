//! What a release has to pass.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use wasm_metadata::Payload;
use wasmparser::Validator;
use wit_component::{DecodedWasm, decode, targets};
use wit_parser::{IndexMap, WorldItem, WorldKey};

use crate::contract::Contract;

/// Whether a component is valid, fits its world in every type, and says of itself what it is: this
/// name, the version, licence and source of this workspace, and this revision or none.
///
/// # Errors
/// What it is not.
pub fn component(
    contract: &Contract,
    (name, world): (&str, &str),
    revision: Option<&str>,
    bytes: &[u8],
) -> Result<()> {
    is_valid(name, bytes)?;
    let (resolve, id) = contract.world(world)?;
    targets(resolve, id, bytes)
        .with_context(|| format!("{name} does not fit the world {world}"))?;
    is_what_it_says(name, revision, bytes)
}

/// The same for the command component, whose world is WASI's: it imports nothing else, and exports
/// `wasi:cli/run`.
///
/// # Errors
/// What it is not.
pub fn command(name: &str, revision: Option<&str>, bytes: &[u8]) -> Result<()> {
    is_valid(name, bytes)?;
    let DecodedWasm::Component(resolve, world) = decode(bytes)? else {
        bail!("{name} is a package of WIT, not a component");
    };
    let world = resolve.worlds.get(world).context("it has no world")?;
    let names = |items: &IndexMap<WorldKey, WorldItem>| -> Vec<String> {
        items
            .keys()
            .map(|key| resolve.name_world_key(key))
            .collect()
    };
    for import in names(&world.imports) {
        ensure!(import.starts_with("wasi:"), "{name} imports {import}");
    }
    let exports = names(&world.exports);
    let runs = |export: &String| export.starts_with("wasi:cli/run@");
    ensure!(
        exports.iter().all(runs) && exports.len() == 1,
        "{name} exports {exports:?}"
    );
    is_what_it_says(name, revision, bytes)
}

fn is_valid(name: &str, bytes: &[u8]) -> Result<()> {
    Validator::new()
        .validate_all(bytes)
        .with_context(|| format!("{name} is no valid component"))?;
    Ok(())
}

fn is_what_it_says(name: &str, revision: Option<&str>, bytes: &[u8]) -> Result<()> {
    let payload = Payload::from_binary(bytes)?;
    let said = payload.metadata();
    let text = |said: Option<String>| said.unwrap_or_default();
    for (what, said, is) in [
        ("name", text(said.name.clone()), name),
        (
            "version",
            text(said.version.as_ref().map(ToString::to_string)),
            env!("CARGO_PKG_VERSION"),
        ),
        (
            "licenses",
            text(said.licenses.as_ref().map(ToString::to_string)),
            env!("CARGO_PKG_LICENSE"),
        ),
        (
            "source",
            text(said.source.as_ref().map(ToString::to_string)),
            env!("CARGO_PKG_REPOSITORY"),
        ),
        (
            "revision",
            text(said.revision.as_ref().map(ToString::to_string)),
            revision.unwrap_or_default(),
        ),
    ] {
        ensure!(
            said == is,
            "{name} says that its {what} is {said:?}, but it is {is:?}"
        );
    }
    Ok(())
}

/// Whether a contract keeps what was released: every file of the folder `released` whose version its
/// own promises to keep, see [`Contract::keeps`]. Returns how many these are.
///
/// # Errors
/// What it does not keep; a file that cannot be read.
pub fn contract(contract: &Contract, released: &Path) -> Result<usize> {
    let mut kept = 0;
    for file in fs::read_dir(released).with_context(|| released.display().to_string())? {
        let file = file?.path();
        let name = file.display().to_string();
        let text = fs::read_to_string(&file).with_context(|| name.clone())?;
        let then = Contract::parse(&name, &text)?;
        kept += usize::from(contract.keeps(&then).with_context(|| name)?);
    }
    Ok(kept)
}
