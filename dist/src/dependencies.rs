//! What the workspace depends on: which licences, from where, and the texts that a release has to carry.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::iter;
use std::path::Path;

use anyhow::{Context, Result, bail};
use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package, PackageId};
use spdx::{Expression, LicenseReq, ParseMode};

/// The crates whose code is in a release, with all that they link: the tool, and what the components
/// are made of.
pub const RELEASED: [&str; 5] = [
    "iamseal-cli",
    "iamseal-command",
    "iamseal-drive-store",
    "iamseal-plugin",
    "iamseal-runtime",
];

/// The licences that this project accepts: permissive ones, which ask for their text and no more.
const LICENCES: [&str; 12] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CDLA-Permissive-2.0", // of data: the certificate authorities of webpki-roots, in tests alone
    "ISC",
    "MIT",
    "NCSA", // of libFuzzer, in fuzzing alone
    "Unicode-3.0",
    "Zlib",
];

/// Crates that must not come in, and why.
const BANNED: [(&str, &str); 4] = [
    ("native-tls", "TLS is rustls' alone"),
    ("openssl-sys", "TLS is rustls' alone"),
    ("aws-lc-sys", "cryptography of TLS is ring's alone"),
    (
        "protobuf-src",
        "whoever builds it would need a C++ compiler",
    ),
];

/// Crates that may be linked in two generations into what is released, and whose they are. Each is code
/// that is there twice: one that is not needed any more has to go from this list.
const TWICE: [(&str, &str); 13] = [
    ("base64", "wasmtime's cache has 0.22"),
    ("block-buffer", "of sha2 0.10"),
    ("cpufeatures", "of sha2 0.10"),
    ("crypto-common", "of sha2 0.10"),
    ("digest", "of sha2 0.10"),
    ("embedded-io", "postcard has both"),
    ("getrandom", "ring has 0.2"),
    ("hashbrown", "gimli has 0.16"),
    ("io-lifetimes", "fs-set-times, of cap-std, has 2"),
    ("itertools", "cranelift has 0.14, object_store 0.15"),
    ("sha2", "wasmtime has 0.10"),
    ("winnow", "toml, of wasmtime's cache, has both"),
    ("wit-bindgen", "wasip2 was generated with an earlier one"),
];

/// Where every crate that is not ours comes from, as `Cargo.lock` names it.
const REGISTRY: &str = "registry+";

/// What `cargo metadata` says of the workspace, for the platforms that are tested.
pub struct Dependencies(Metadata);

impl Dependencies {
    /// Asks Cargo about the workspace at `root`. Nothing is fetched, and `Cargo.lock` stays as it is.
    ///
    /// # Errors
    /// Cargo does not answer.
    pub fn read(root: &Path) -> Result<Self> {
        let platforms = ["x86_64-unknown-linux-gnu", "wasm32-wasip2"];
        let filters = platforms.map(|platform| format!("--filter-platform={platform}"));
        let options = ["--locked", "--offline"].map(str::to_string);
        let metadata = MetadataCommand::new()
            .manifest_path(root.join("Cargo.toml"))
            .other_options([&options[..], &filters].concat())
            .exec()?;
        Ok(Self(metadata))
    }

    /// What is wrong with them, a line each: a licence that is not accepted, a source that is not the
    /// registry, a crate that is banned, or one that is linked twice without being expected to be.
    ///
    /// # Errors
    /// A crate of [`RELEASED`] is not in the workspace.
    pub fn faults(&self) -> Result<Vec<String>> {
        let mut faults = Vec::new();
        for package in &self.0.packages {
            faults.extend(licence(package));
            faults.extend(source(
                package,
                self.0.workspace_members.contains(&package.id),
            ));
            for (_, why) in BANNED
                .iter()
                .filter(|(name, _)| *name == package.name.as_str())
            {
                faults.push(format!("{} is banned: {why}", shown(package)));
            }
        }
        let mut versions: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for package in self.linked()? {
            let of = versions.entry(package.name.as_str()).or_default();
            of.push(package.version.to_string());
        }
        let twice: BTreeMap<_, _> = versions
            .into_iter()
            .filter(|(_, all)| all.len() > 1)
            .collect();
        for (name, versions) in &twice {
            if !TWICE.iter().any(|(known, _)| known == name) {
                faults.push(format!("{name} is linked as {}", versions.join(" and ")));
            }
        }
        for (known, _) in TWICE {
            if !twice.contains_key(known) {
                faults.push(format!(
                    "{known} is not linked twice any more: no exception is needed"
                ));
            }
        }
        Ok(faults)
    }

    /// The licence texts of all that is linked into what is released, each once, with the crates that it
    /// is of.
    ///
    /// # Errors
    /// A crate has no text, or it cannot be read.
    pub fn licence_texts(&self) -> Result<String> {
        let mut texts: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for package in self.linked()? {
            if self.0.workspace_members.contains(&package.id) {
                continue;
            }
            for text in self.licence_of(package)? {
                texts.entry(text).or_default().insert(shown(package));
            }
        }
        let mut all = String::from(
            "What iamseal is linked with, beside the Rust standard library (MIT OR Apache-2.0), and its licences.\n",
        );
        for (text, packages) in texts {
            let packages: Vec<_> = packages.into_iter().collect();
            write!(
                all,
                "\n{}\n{}\n\n{}\n",
                "=".repeat(80),
                packages.join(", "),
                text.trim_end()
            )?;
        }
        Ok(all)
    }

    /// A crate's texts; where it has none itself, those of a crate that comes from the same repository, or
    /// is released with it under one version, and has the same licence.
    fn licence_of(&self, package: &Package) -> Result<Vec<String>> {
        let same = |other: &&Package| {
            let repository = other.repository.is_some() && other.repository == package.repository;
            let is_kin = repository || other.version == package.version;
            is_kin && other.license == package.license
        };
        for candidate in iter::once(package).chain(self.0.packages.iter().filter(same)) {
            let texts = licence_files(candidate)?;
            if !texts.is_empty() {
                return Ok(texts);
            }
        }
        bail!("{} has no licence text", shown(package));
    }

    /// The crates of [`RELEASED`] and all that is linked with them: neither build scripts, nor macros,
    /// nor what tests need.
    fn linked(&self) -> Result<Vec<&Package>> {
        let Self(metadata) = self;
        let resolve = metadata
            .resolve
            .as_ref()
            .context("Cargo resolved nothing")?;
        let nodes: BTreeMap<&PackageId, _> =
            resolve.nodes.iter().map(|node| (&node.id, node)).collect();
        let packages: BTreeMap<&PackageId, _> = metadata
            .packages
            .iter()
            .map(|package| (&package.id, package))
            .collect();
        let mut next = Vec::new();
        for name in RELEASED {
            let member = metadata
                .workspace_packages()
                .into_iter()
                .find(|package| package.name.as_str() == name);
            next.push(
                &member
                    .with_context(|| format!("there is no crate {name}"))?
                    .id,
            );
        }
        let mut linked = BTreeMap::new();
        while let Some(id) = next.pop() {
            let Some(package) = packages.get(id) else {
                bail!("{id} is not among the packages");
            };
            let is_macro = package
                .targets
                .iter()
                .any(cargo_metadata::Target::is_proc_macro);
            if is_macro || linked.insert(id, *package).is_some() {
                continue;
            }
            for dependency in nodes.get(id).map_or(&[][..], |node| &node.deps) {
                let mut kinds = dependency.dep_kinds.iter();
                if kinds.any(|kind| kind.kind == DependencyKind::Normal) {
                    next.push(&dependency.pkg);
                }
            }
        }
        Ok(linked.into_values().collect())
    }
}

fn licence(package: &Package) -> Option<String> {
    let Some(text) = &package.license else {
        return Some(format!("{} names no licence", shown(package)));
    };
    // Some crates write `MIT/Apache-2.0`, as Cargo once asked.
    let accepted = Expression::parse_mode(text, ParseMode::LAX)
        .is_ok_and(|expression| expression.evaluate(is_accepted));
    (!accepted).then(|| format!("{} is under {text}", shown(package)))
}

fn is_accepted(wanted: &LicenseReq) -> bool {
    LICENCES.contains(&wanted.to_string().as_str())
}

fn source(package: &Package, is_ours: bool) -> Option<String> {
    let is_known = match &package.source {
        Some(source) => source.repr.starts_with(REGISTRY),
        None => is_ours,
    };
    (!is_known).then(|| format!("{} is not from the registry", shown(package)))
}

/// The texts beside a crate's manifest.
fn licence_files(package: &Package) -> Result<Vec<String>> {
    let folder = package
        .manifest_path
        .parent()
        .context("a manifest has no folder")?;
    let mut texts = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().to_ascii_uppercase();
        let begins = ["LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE"];
        if begins.iter().any(|begin| name.starts_with(begin)) && entry.file_type()?.is_file() {
            let text = fs::read(entry.path()).with_context(|| shown(package))?;
            texts.push(String::from_utf8_lossy(&text).replace("\r\n", "\n"));
        }
    }
    Ok(texts)
}

fn shown(package: &Package) -> String {
    format!("{} {}", package.name, package.version)
}
