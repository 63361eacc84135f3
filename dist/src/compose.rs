//! Joining the plugin, what reads drives, the adapters and the command line into one component, which runs under
//! every host of `wasi:cli` and needs nothing but WASI.

use std::collections::BTreeSet;

use iamseal_component::{ADAPTERS, COMMAND, DRIVE_FILES, DRIVE_STORE, PLUGIN};
use thiserror::Error;
use wac_graph::types::Package;
use wac_graph::{CompositionGraph, EncodeOptions, NodeId};

/// What the component exports.
const RUN: &str = "wasi:cli/run@0.2.12";

/// Why components were not joined. The text is for people.
#[derive(Debug, Error)]
#[error("the command cannot be made: {0}")]
pub struct ComposeError(String);

/// What is joined.
#[derive(Clone, Copy)]
pub struct Parts<'a> {
    /// A component of the world `plugin`.
    pub plugin: &'a [u8],
    /// One that lends the files of drives.
    pub drive_files: &'a [u8],
    /// One of the world `drive-store`, which is lent them.
    pub drive_store: &'a [u8],
    /// One that lends keys, and a store: a folder, or what the former makes of drives.
    pub adapters: &'a [u8],
    /// The command line.
    pub command: &'a [u8],
}

/// The parts that are released.
pub const PARTS: Parts<'static> = Parts {
    plugin: PLUGIN,
    drive_files: DRIVE_FILES,
    drive_store: DRIVE_STORE,
    adapters: ADAPTERS,
    command: COMMAND,
};

/// The command: [`PARTS`] joined.
///
/// # Errors
/// [`ComposeError`], if they do not fit together, or there is no command in this build.
pub fn command() -> Result<Vec<u8>, ComposeError> {
    if COMMAND.is_empty() {
        return Err(ComposeError(
            "this build has no command, since its compiler has no standard library for wasm32-wasip2: \
             rustup target add wasm32-wasip2"
                .into(),
        ));
    }
    compose(PARTS)
}

/// Joins parts. The component that comes of it exports `wasi:cli/run`
/// and imports WASI alone.
///
/// # Errors
/// [`ComposeError`], if one is no component, lacks what another needs, or an import would be left that
/// is not WASI's.
pub fn compose(parts: Parts<'_>) -> Result<Vec<u8>, ComposeError> {
    let mut joint = Joint(CompositionGraph::new());
    let files = joint.instance("iamseal:drive-files", parts.drive_files, &[])?;
    let drives = joint.instance("iamseal:drive-store", parts.drive_store, &[files])?;
    let adapters = joint.instance("iamseal:adapters", parts.adapters, &[drives, files])?;
    let plugin = joint.instance("iamseal:plugin", parts.plugin, &[adapters])?;
    let from = [plugin, adapters, drives];
    let command = joint.instance("iamseal:command", parts.command, &from)?;
    let Joint(mut graph) = joint;
    let run = graph.alias_instance_export(command, RUN).map_err(failed)?;
    graph.export(run, RUN).map_err(failed)?;
    let foreign: BTreeSet<_> = graph
        .imports()
        .map(|(name, _, _)| name.to_owned())
        .filter(|name| !name.starts_with("wasi:"))
        .collect();
    if !foreign.is_empty() {
        let names: Vec<_> = foreign.into_iter().collect();
        return Err(ComposeError(format!("nobody exports {}", names.join(", "))));
    }
    graph.encode(EncodeOptions::default()).map_err(failed)
}

struct Joint(CompositionGraph);

impl Joint {
    /// An instance of a component whose imports come from the first of `from` that exports them, or
    /// remain imports.
    fn instance(
        &mut self,
        name: &str,
        component: &[u8],
        from: &[NodeId],
    ) -> Result<NodeId, ComposeError> {
        let Self(graph) = self;
        let package = Package::from_bytes(name, None, component.to_vec(), graph.types_mut())
            .map_err(failed)?;
        let imports: Vec<String> = graph.types()[package.ty()]
            .imports
            .keys()
            .cloned()
            .collect();
        let package = graph.register_package(package).map_err(failed)?;
        let instance = graph.instantiate(package);
        for import in imports {
            let export = from
                .iter()
                .find_map(|from| graph.alias_instance_export(*from, &import).ok());
            if let Some(export) = export {
                graph
                    .set_instantiation_argument(instance, &import, export)
                    .map_err(failed)?;
            }
        }
        Ok(instance)
    }
}

/// An error with all that led to it.
fn failed(error: impl Into<anyhow::Error>) -> ComposeError {
    ComposeError(format!("{:#}", error.into()))
}
