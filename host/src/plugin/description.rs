//! What can be said of a component without running it.

use super::identity::Identity;
use super::world::{AUDITOR, Fit, PLUGIN};

/// A component and how it fits the worlds of the contract.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ComponentDescription {
    /// Which component.
    pub identity: Identity,
    /// Its interfaces: `import …` and `export …`, with versions.
    pub interfaces: Vec<String>,
    /// Why it is no component of the world `plugin`; none if names and versions fit.
    pub no_plugin: Option<String>,
    /// Why it is no component of the world `auditor`; none if names and versions fit.
    pub no_auditor: Option<String>,
}

impl ComponentDescription {
    pub(super) fn new(identity: Identity, fit: &Fit) -> Self {
        Self {
            identity,
            interfaces: fit.found(),
            no_plugin: fit.difference(&PLUGIN),
            no_auditor: fit.difference(&AUDITOR),
        }
    }
}
