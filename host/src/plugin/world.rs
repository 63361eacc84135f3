//! Whether a component fits its world of `iamseal:plugin`, and if not, where.

use wasmtime::Engine;
use wasmtime::component::{Component, HasSelf, InstancePre, Linker};

use crate::contract::generated::iamseal::plugin::{diagnostics, storage, storage_writer, types};
use crate::contract::generated::wasi::random::random;
use crate::contract::keys::iamseal::plugin::{key_maker, keyring};

use super::exports::Indices;
use super::lend::State;

/// A world as this host serves it.
pub(super) struct World {
    pub name: &'static str,
    /// What it lends a component. A component may import less.
    imports: &'static [&'static str],
    /// What it wants of a component. A component may export more.
    exports: &'static [&'static str],
    /// Binds the imports.
    pub lend: fn(&mut Linker<State>) -> wasmtime::Result<()>,
    /// Finds the exports.
    pub look_up: fn(&InstancePre<State>) -> wasmtime::Result<Indices>,
}

/// Opens, describes and audits.
pub(super) const AUDITOR: World = World {
    name: "auditor",
    imports: &[
        "iamseal:plugin/types@0.1.0",
        "iamseal:plugin/keyring@0.1.0",
        "iamseal:plugin/storage@0.1.0",
        "iamseal:plugin/diagnostics@0.1.0",
    ],
    exports: &[
        "iamseal:plugin/opening@0.1.0",
        "iamseal:plugin/auditing@0.1.0",
    ],
    lend: lend_to_read,
    look_up: Indices::of_auditor,
};

/// The same, and seals and migrates.
pub(super) const PLUGIN: World = World {
    name: "plugin",
    imports: &[
        "iamseal:plugin/types@0.1.0",
        "iamseal:plugin/keyring@0.1.0",
        "iamseal:plugin/storage@0.1.0",
        "iamseal:plugin/diagnostics@0.1.0",
        "iamseal:plugin/key-maker@0.1.0",
        "iamseal:plugin/storage-writer@0.1.0",
        "wasi:random/random@0.2.6",
    ],
    exports: &[
        "iamseal:plugin/opening@0.1.0",
        "iamseal:plugin/auditing@0.1.0",
        "iamseal:plugin/sealing@0.1.0",
        "iamseal:plugin/migration@0.1.0",
    ],
    lend: |linker| {
        lend_to_read(linker)?;
        key_maker::add_to_linker::<_, HasSelf<_>>(linker, |state| state)?;
        storage_writer::add_to_linker::<_, HasSelf<_>>(linker, |state| state)?;
        random::add_to_linker::<_, HasSelf<_>>(linker, |state| state)
    },
    look_up: Indices::of_plugin,
};

impl World {
    /// The world's interfaces, one line each.
    pub fn expected(&self) -> Vec<String> {
        lines(self.imports, self.exports)
    }
}

/// What a component imports and exports, beside what the world has.
pub(super) struct Fit {
    imports: Vec<String>,
    exports: Vec<String>,
}

impl Fit {
    pub fn of(component: &Component, engine: &Engine) -> Self {
        let ty = component.component_type();
        Self {
            imports: ty.imports(engine).map(|(name, _)| name.into()).collect(),
            exports: ty.exports(engine).map(|(name, _)| name.into()).collect(),
        }
    }

    /// The component's interfaces, one line each.
    pub fn found(&self) -> Vec<String> {
        lines(&self.imports, &self.exports)
    }

    /// The difference to `world` in words; none if the names and versions fit.
    pub fn difference(&self, world: &World) -> Option<String> {
        let unknown = self
            .imports
            .iter()
            .filter(|import| !world.imports.iter().any(|offered| serves(offered, import)))
            .map(|import| match same_interface(import, world.imports) {
                Some(offered) => format!("it imports {import}, and this host has {offered}"),
                None => format!(
                    "it imports {import}, which the world {} does not have",
                    world.name
                ),
            });
        let missing = world
            .exports
            .iter()
            .filter(|wanted| !self.exports.iter().any(|export| serves(export, wanted)))
            .map(|wanted| match same_interface(wanted, &self.exports) {
                Some(export) => format!("it exports {export}, and this host wants {wanted}"),
                None => format!("it does not export {wanted}"),
            });
        let all: Vec<String> = unknown.chain(missing).collect();
        (!all.is_empty()).then(|| all.join("; "))
    }
}

fn lend_to_read(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    types::add_to_linker::<_, HasSelf<_>>(linker, |state| state)?;
    keyring::add_to_linker::<_, HasSelf<_>>(linker, |state| state)?;
    storage::add_to_linker::<_, HasSelf<_>>(linker, |state| state)?;
    diagnostics::add_to_linker::<_, HasSelf<_>>(linker, |state| state)
}

fn lines<S: std::fmt::Display>(imports: &[S], exports: &[S]) -> Vec<String> {
    let imports = imports.iter().map(|name| format!("import {name}"));
    let exports = exports.iter().map(|name| format!("export {name}"));
    imports.chain(exports).collect()
}

/// Whether an interface can stand where another is asked for: the same name, and a version that
/// semantic versioning calls compatible, which is the runtime's rule too.
fn serves(offered: &str, wanted: &str) -> bool {
    let (offered_name, offered_version) = split(offered);
    let (wanted_name, wanted_version) = split(wanted);
    offered_name == wanted_name
        && (offered_version == wanted_version
            || track(offered_version).is_some_and(|track_| track(wanted_version) == Some(track_)))
}

fn same_interface<S: AsRef<str>>(name: &str, among: impl IntoIterator<Item = S>) -> Option<String> {
    among
        .into_iter()
        .find(|other| split(other.as_ref()).0 == split(name).0)
        .map(|other| other.as_ref().to_owned())
}

fn split(interface: &str) -> (&str, &str) {
    interface.split_once('@').unwrap_or((interface, ""))
}

/// The part of a version that must be equal: `1` of 1.2.3, `0.1` of 0.1.3; none if only the very
/// same version will do.
fn track(version: &str) -> Option<&str> {
    if version.contains(['-', '+']) {
        return None;
    }
    let (major, rest) = version.split_once('.')?;
    if major != "0" {
        return Some(major);
    }
    let (minor, _) = rest.split_once('.')?;
    (minor != "0").then(|| version.get(..major.len() + 1 + minor.len()))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_matched_as_semantic_versioning_says() {
        assert!(serves("a:b/c@0.1.0", "a:b/c@0.1.0"));
        assert!(serves("a:b/c@0.2.6", "a:b/c@0.2.12"));
        assert!(serves("a:b/c@1.0.0", "a:b/c@1.9.0"));
        assert!(!serves("a:b/c@0.1.0", "a:b/c@0.2.0"));
        assert!(!serves("a:b/c@1.0.0", "a:b/c@2.0.0"));
        assert!(!serves("a:b/c@0.0.1", "a:b/c@0.0.2"));
        assert!(!serves("a:b/c@0.1.0", "a:b/c@0.1.1-rc.1"));
        assert!(!serves("a:b/c@0.1.0", "a:b/d@0.1.0"));
    }

    #[test]
    fn the_lists_are_the_worlds() {
        let mut wit = wit_parser::Resolve::default();
        let (package, _) = wit.push_dir("../wit").unwrap();
        let names = |items: &wit_parser::IndexMap<wit_parser::WorldKey, wit_parser::WorldItem>| {
            let mut names: Vec<_> = items.keys().map(|key| wit.name_world_key(key)).collect();
            names.sort();
            names
        };
        let sorted = |list: &[&str]| {
            let mut list: Vec<_> = list.iter().map(|name| (*name).to_owned()).collect();
            list.sort();
            list
        };
        for listed in [AUDITOR, PLUGIN] {
            let world = wit.select_world(&[package], Some(listed.name)).unwrap();
            assert_eq!(names(&wit.worlds[world].imports), sorted(listed.imports));
            assert_eq!(names(&wit.worlds[world].exports), sorted(listed.exports));
        }
    }

    #[test]
    fn an_auditor_is_lent_nothing_to_write_with() {
        let fit = Fit {
            imports: PLUGIN.imports.iter().map(|&name| name.into()).collect(),
            exports: PLUGIN.exports.iter().map(|&name| name.into()).collect(),
        };
        assert_eq!(fit.difference(&PLUGIN), None);
        let difference = fit.difference(&AUDITOR).unwrap();
        for import in ["key-maker", "storage-writer", "random"] {
            assert!(difference.contains(import), "{difference}");
        }
    }

    #[test]
    fn both_versions_are_named() {
        let fit = Fit {
            imports: vec![
                "iamseal:plugin/keyring@0.3.0".to_owned(),
                "wasi:cli/environment@0.2.6".to_owned(),
                "wasi:random/random@0.2.12".to_owned(),
            ],
            exports: vec![
                "iamseal:plugin/sealing@0.3.0".to_owned(),
                "iamseal:plugin/auditing@0.1.2".to_owned(),
            ],
        };
        let difference = fit.difference(&PLUGIN).unwrap();
        assert_eq!(
            difference,
            "it imports iamseal:plugin/keyring@0.3.0, and this host has \
             iamseal:plugin/keyring@0.1.0; it imports wasi:cli/environment@0.2.6, which the world \
             plugin does not have; it does not export iamseal:plugin/opening@0.1.0; it exports \
             iamseal:plugin/sealing@0.3.0, and this host wants iamseal:plugin/sealing@0.1.0; it does \
             not export iamseal:plugin/migration@0.1.0"
        );
    }
}
