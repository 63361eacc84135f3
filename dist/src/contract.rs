//! The contract in `wit/`: as what it is released, and whether it is still what was released.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use indexmap::IndexMap;
use wit_component::{WitPrinter, encode, semver_check};
use wit_parser::{PackageId, Resolve, WorldId};

/// A package of WIT with what it depends on.
pub struct Contract {
    resolve: Resolve,
    package: PackageId,
}

impl Contract {
    /// Reads a folder of WIT.
    ///
    /// # Errors
    /// It cannot be read, is no WIT, or its package has no version.
    pub fn read(folder: &Path) -> Result<Self> {
        let mut resolve = Resolve::default();
        let (package, _) = resolve.push_dir(folder)?;
        Self { resolve, package }.versioned()
    }

    /// Reads one file of WIT that holds all packages, as [`text`](Self::text) makes it; `name` is for
    /// errors.
    ///
    /// # Errors
    /// It is no WIT, or its package has no version.
    pub fn parse(name: &str, text: &str) -> Result<Self> {
        let mut resolve = Resolve::default();
        let package = resolve.push_str(name, text)?;
        Self { resolve, package }.versioned()
    }

    fn versioned(self) -> Result<Self> {
        let name = &self.resolve.packages[self.package].name;
        ensure!(name.version.is_some(), "the package {name} has no version");
        Ok(self)
    }

    /// The name of files that hold it, without an ending: `iamseal-plugin-0.1.0`.
    pub fn file_name(&self) -> String {
        let name = &self.resolve.packages[self.package].name;
        let version = name.version.iter().map(|version| format!("-{version}"));
        format!(
            "{}-{}{}",
            name.namespace,
            name.name,
            version.collect::<String>()
        )
    }

    /// The contract and the packages it depends on as one file of WIT, comments included.
    ///
    /// # Errors
    /// It has a feature that cannot be written as text.
    pub fn text(&self) -> Result<String> {
        let others: Vec<_> = self.resolve.packages.iter().map(|(id, _)| id).collect();
        let others: Vec<_> = others
            .into_iter()
            .filter(|id| *id != self.package)
            .collect();
        let mut printer = WitPrinter::default();
        printer.print(&self.resolve, self.package, &others)?;
        Ok(format!("{}\n", printer.output))
    }

    /// The contract as a binary WIT package, which registries and tools take like its text.
    ///
    /// # Errors
    /// It has a feature that has no binary form.
    pub fn binary(&self) -> Result<Vec<u8>> {
        encode(&self.resolve, self.package)
    }

    /// Its world of this name.
    ///
    /// # Errors
    /// It has none.
    pub fn world(&self, name: &str) -> Result<(&Resolve, WorldId)> {
        let world = self.resolve.packages[self.package].worlds.get(name);
        Ok((
            &self.resolve,
            *world.with_context(|| format!("there is no world {name}"))?,
        ))
    }

    /// Whether hosts and plugins of both may be mixed: every world of `released` is still there, and a
    /// component of either fits the other. New interfaces and worlds may come; what was released must
    /// not change, not even by one more case of a variant.
    ///
    /// A version that promises nothing (another major number, or another minor one before 1.0) has
    /// nothing to keep, which is `false`.
    ///
    /// # Errors
    /// What does not fit.
    pub fn keeps(&self, released: &Self) -> Result<bool> {
        if !self.promises(released) {
            return Ok(false);
        }
        let (both, then) = released.beside(self)?;
        let name = self.file_name();
        for (world, then) in then {
            let now = both.packages[self.package].worlds.get(&world);
            let now = *now.with_context(|| format!("{name} has lost its world {world}"))?;
            semver_check(both.clone(), then, now).with_context(|| {
                format!("world {world}: a host of {name} does not serve plugins that are in use")
            })?;
            semver_check(both.clone(), now, then).with_context(|| {
                format!("world {world}: a plugin of {name} does not run in hosts that are in use")
            })?;
        }
        Ok(true)
    }

    /// Whether the version of the package promises what `released` did, as Cargo reads `^`.
    fn promises(&self, released: &Self) -> bool {
        let line = |contract: &Self| {
            let name = &contract.resolve.packages[contract.package].name;
            let version = name.version.clone()?;
            let minor = if version.major == 0 { version.minor } else { 0 };
            Some((
                name.namespace.clone(),
                name.name.clone(),
                version.major,
                minor,
            ))
        };
        line(self) == line(released)
    }

    /// Both contracts in one `Resolve`, in which the identifiers of `now` hold, and the worlds of
    /// `self` in it.
    fn beside(&self, now: &Self) -> Result<(Resolve, IndexMap<String, WorldId>)> {
        let mut then = self.resolve.clone();
        let package = &mut then.packages[self.package];
        then.package_names.shift_remove(&package.name);
        // Packages of one name would be taken for one; the check ignores versions.
        package.name.version = None;
        let name = package.name.clone();
        then.package_names.insert(name.clone(), self.package);

        let mut both = now.resolve.clone();
        both.merge(then)?;
        let package = both.package_names.get(&name).copied();
        let package = package.with_context(|| format!("{name} was lost"))?;
        let worlds = both.packages[package].worlds.clone();
        Ok((both, worlds))
    }
}
