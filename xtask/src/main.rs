//! `cargo xtask`: gets what the workspace needs on this machine, and does its chores.
//!
//! It uses little, so that it starts within seconds on a machine that has nothing else yet.

mod apt;
mod chores;
mod python;
mod run;
mod target;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

/// Set-up and chores of the iamseal workspace
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Get what building and testing need: the wasm32-wasip2 target, and Python packages in
    /// .cache/python. Does nothing where all is there
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
    /// Run all tests
    Test(Further),
    /// Measure sealing and unsealing on both sides of the boundary
    Bench(Further),
    /// Check formatting, lints and documentation
    Lint,
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
        Chore::Bench(further) => chores::bench(&further.all()),
        Chore::Lint => chores::lint(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            run::say(&failure.to_string());
            ExitCode::FAILURE
        }
    }
}
