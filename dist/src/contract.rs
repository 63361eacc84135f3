//! The contract in `wit/`: as what it is released, and whether it is still what was released.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use indexmap::IndexMap;
use wit_component::{WitPrinter, encode, semver_check};
use wit_parser::{PackageId, PackageName, Resolve, WorldId};

/// A package of WIT with what it depends on.
pub struct Contract {
    resolve: Resolve,
    id: PackageId,
    name: PackageName,
    worlds: IndexMap<String, WorldId>,
}

impl Contract {
    /// Reads a folder of WIT.
    ///
    /// # Errors
    /// It cannot be read, is no WIT, or its package has no version.
    pub fn read(folder: &Path) -> Result<Self> {
        let mut resolve = Resolve::default();
        let (id, _) = resolve.push_dir(folder)?;
        Self::of(resolve, id)
    }

    /// Reads one file of WIT that holds all packages, as [`text`](Self::text) makes it; `name` is for
    /// errors.
    ///
    /// # Errors
    /// It is no WIT, or its package has no version.
    pub fn parse(name: &str, text: &str) -> Result<Self> {
        let mut resolve = Resolve::default();
        let id = resolve.push_str(name, text)?;
        Self::of(resolve, id)
    }

    fn of(resolve: Resolve, id: PackageId) -> Result<Self> {
        let package = resolve.packages.get(id).context("there is no package")?;
        let (name, worlds) = (package.name.clone(), package.worlds.clone());
        ensure!(name.version.is_some(), "the package {name} has no version");
        Ok(Self {
            resolve,
            id,
            name,
            worlds,
        })
    }

    /// The name of files that hold it, without an ending: `iamseal-plugin-0.1.0`.
    pub fn file_name(&self) -> String {
        let version = self.name.version.iter();
        let version: String = version.map(|version| format!("-{version}")).collect();
        format!("{}-{}{version}", self.name.namespace, self.name.name)
    }

    /// The contract and the packages it depends on as one file of WIT, comments included.
    ///
    /// # Errors
    /// It has a feature that cannot be written as text.
    pub fn text(&self) -> Result<String> {
        let all = self.resolve.packages.iter().map(|(id, _)| id);
        let others: Vec<_> = all.filter(|id| *id != self.id).collect();
        let mut printer = WitPrinter::default();
        printer.print(&self.resolve, self.id, &others)?;
        Ok(format!("{}\n", printer.output))
    }

    /// The contract as a binary WIT package, which registries and tools take like its text.
    ///
    /// # Errors
    /// It has a feature that has no binary form.
    pub fn binary(&self) -> Result<Vec<u8>> {
        encode(&self.resolve, self.id)
    }

    /// Its world of this name.
    ///
    /// # Errors
    /// It has none.
    pub fn world(&self, name: &str) -> Result<(&Resolve, WorldId)> {
        let world = self.worlds.get(name);
        Ok((
            &self.resolve,
            *world.with_context(|| format!("there is no world {name}"))?,
        ))
    }

    /// Whether hosts and plugins of both may be mixed: every world of `released` is still there, and a
    /// component of either fits the other. New interfaces and worlds may come; what was released must
    /// not change, not even by one more case of a variant.
    ///
    /// A version that promises nothing (another major number, another minor one before 1.0, or any
    /// other before 0.1) has nothing to keep, which is `false`.
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
            let now = self.worlds.get(&world);
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
        let line = |PackageName {
                        namespace,
                        name,
                        version,
                    }: &PackageName| {
            let version = version.as_ref()?;
            let kept = match (version.major, version.minor) {
                (0, 0) => (0, 0, version.patch),
                (0, minor) => (0, minor, 0),
                (major, _) => (major, 0, 0),
            };
            Some((namespace.clone(), name.clone(), kept))
        };
        line(&self.name) == line(&released.name)
    }

    /// Both contracts in one `Resolve`, in which the identifiers of `now` hold, and the worlds of
    /// `self` in it.
    fn beside(&self, now: &Self) -> Result<(Resolve, IndexMap<String, WorldId>)> {
        // Packages of one name would be taken for one; the check ignores versions.
        let unversioned = PackageName {
            version: None,
            ..self.name.clone()
        };
        let mut then = self.resolve.clone();
        then.package_names.shift_remove(&self.name);
        then.package_names.insert(unversioned.clone(), self.id);
        let package = then.packages.get_mut(self.id);
        package.context("there is no package")?.name = unversioned.clone();

        let mut both = now.resolve.clone();
        both.merge(then)?;
        let id = both.package_names.get(&unversioned);
        let package = id.and_then(|id| both.packages.get(*id));
        let worlds = package.context("the package was lost")?.worlds.clone();
        Ok((both, worlds))
    }
}
