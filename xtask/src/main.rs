//! `cargo xtask`: gets what the workspace needs on this machine, and does its chores.
//!
//! It uses little, so that it starts within seconds on a machine that has nothing else yet.

mod apt;
mod chores;
mod cxx;
mod fetched;
mod fuzz;
mod node;
mod python;
mod run;
mod servers;
mod target;
mod wasmtime;

use std::ffi::OsString;
use std::path::{self, PathBuf};
use std::process::ExitCode;

use clap::builder::PossibleValuesParser;
use clap::{Args, Parser, Subcommand};
use run::in_workspace;

/// Set-up and chores of the iamseal workspace
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Get what building and testing need: the wasm32-wasip2 target, a C++ compiler for libFuzzer, Python
    /// packages in .cache/python (the wasmtime CLI among them), Node packages in embeddings/node, and etcd, KES
    /// and MinIO in .cache/servers. Does nothing where all is there
    Setup,
    /// Build the tool and show the main job on a sample store
    Demo {
        /// Further arguments of `iamseal demo`
        #[arg(
            trailing_var_arg = true,
            allow_hyphen_values = true,
            value_name = "ARGUMENT"
        )]
        further: Vec<OsString>,
    },
    /// Run all tests, and each fuzz target for a few seconds
    Test(Further),
    /// Look for bugs with libFuzzer, or run one input of an earlier search again
    Fuzz {
        /// The target; all of them, one after the other, without
        #[arg(value_parser = PossibleValuesParser::new(fuzz::targets()))]
        target: Option<String>,
        /// A file with the input to run, once and without a search
        file: Option<OsString>,
        /// How long to search, for each target
        #[arg(long, default_value_t = 60, value_name = "N", conflicts_with = "file")]
        seconds: u32,
    },
    /// Measure sealing and unsealing: on both sides of the boundary, or beside another program
    Bench {
        /// Another program; it is given a size in bytes and prints {"size":…,"threads":…,"seal_ns":…,
        /// "unseal_ns":…}. Both are measured in turns
        #[arg(long, value_name = "CMD")]
        peer: Option<String>,
        #[command(flatten)]
        further: Further,
    },
    /// Measure the migration of a whole store, beside a plain loop over the same objects
    BenchStore {
        /// How many objects
        #[arg(long, default_value_t = 10_000, value_name = "N")]
        objects: u32,
        /// The folder in which the stores are made and removed again
        #[arg(default_value_os_t = in_workspace("target"))]
        folder: PathBuf,
    },
    /// Measure requests and starts of a server that migrates its store while it serves
    BenchServing(Further),
    /// Write what docs/reference.md has from the code: exit codes, causes, messages
    Docs,
    /// Check formatting, lints and documentation
    Lint,
    /// Write the files of a release into a folder, after they have passed every gate
    Dist {
        /// Where to
        #[arg(default_value_os_t = in_workspace("target/dist"))]
        folder: PathBuf,
    },
}

#[derive(Args)]
struct Further {
    /// Further arguments of `cargo test` or `cargo bench`, such as a part of a name
    #[arg(allow_hyphen_values = true, value_name = "ARGUMENT")]
    of_cargo: Vec<OsString>,
    /// Further arguments of the tests or the benchmark themselves
    #[arg(last = true, value_name = "ARGUMENT")]
    of_program: Vec<OsString>,
}

impl Further {
    /// All of them, as Cargo takes them.
    fn all(self) -> Vec<OsString> {
        let mut all = self.of_cargo;
        if !self.of_program.is_empty() {
            all.push("--".into());
            all.extend(self.of_program);
        }
        all
    }
}

fn main() -> ExitCode {
    let done = match Arguments::parse().chore {
        Chore::Setup => chores::setup(),
        Chore::Demo { further } => chores::demo(&further),
        Chore::Test(further) => chores::test(&further.all()),
        Chore::Fuzz {
            target: Some(target),
            file: Some(file),
            ..
        } => chores::repeat(&target, &file),
        Chore::Fuzz {
            target, seconds, ..
        } => chores::fuzz(target.as_deref(), seconds),
        Chore::Bench {
            peer: None,
            further,
        } => chores::bench("boundary", &further.all()),
        Chore::Bench {
            peer: Some(peer),
            further,
        } => {
            let peer = ["--", "--peer", &peer].map(OsString::from);
            chores::bench("peer", &[&peer[..], &further.of_program].concat())
        }
        Chore::BenchStore { objects, folder } => {
            let objects = ["--", "--objects", &objects.to_string()].map(OsString::from);
            let folder = path::absolute(&folder).unwrap_or(folder);
            chores::bench("store", &[&objects[..], &[folder.into()]].concat())
        }
        Chore::BenchServing(further) => chores::bench("serving", &further.all()),
        Chore::Docs => chores::docs(),
        Chore::Lint => chores::lint(),
        Chore::Dist { folder } => chores::dist(&folder),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            run::say(&failure.to_string());
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn further(line: &[&str]) -> Vec<OsString> {
        let words = ["xtask"].iter().chain(line);
        match Arguments::try_parse_from(words).unwrap().chore {
            Chore::Demo { further } => further,
            Chore::Test(further) | Chore::Bench { further, .. } => further.all(),
            Chore::Dist { folder } => vec![folder.into()],
            Chore::Setup
            | Chore::Docs
            | Chore::Lint
            | Chore::BenchStore { .. }
            | Chore::BenchServing(_)
            | Chore::Fuzz { .. } => Vec::new(),
        }
    }

    #[test]
    fn the_arguments_hold_together() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn further_arguments_reach_cargo_as_they_are() {
        for line in [
            &["test"][..],
            &["test", "vectors"],
            &["test", "--test", "vectors", "--", "--nocapture"],
            &["test", "--", "--nocapture"],
            &["bench", "--", "seal", "--quick"],
            &["demo", "--json"],
        ] {
            assert_eq!(further(line), line[1..], "{line:?}");
        }
    }

    #[test]
    fn a_chore_without_further_arguments_refuses_them() {
        assert!(Arguments::try_parse_from(["xtask", "lint", "--fix"]).is_err());
        assert!(Arguments::try_parse_from(["xtask"]).is_err());
    }
}
