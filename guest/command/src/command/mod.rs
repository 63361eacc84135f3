//! The command line as a component, for hosts of `wasi:cli`: what the native tool does to a store, with
//! the same exit codes and the same lines of JSON.
//!
//! What is said of objects is in `iamseal-words`, keys and the store are the adapters' business.

mod arguments;
mod audit;
mod failure;
mod inspect;
mod migrate;
mod output;
mod seal;
mod store;
mod unseal;

use std::env;
use std::ffi::OsString;

use clap::FromArgMatches as _;
use iamseal_words::arguments::{Common, matches, message_for_json};
use iamseal_words::report::cause::Cause;
use wasip2::cli::exit::exit_with_code;
use wasip2::exports::cli::run;

use crate::command::arguments::{Arguments, Command};
use crate::command::failure::Failure;

/// The interfaces in Rust, generated from `wit/` and `guest/command/wit`.
#[allow(missing_docs, unsafe_code, warnings, clippy::all)]
mod bindings {
    wit_bindgen::generate!({
        path: ["../../wit", "wit"],
        world: "iamseal:command/command",
        generate_all,
    });
}

/// Between the generated types and ours.
mod convert {
    use super::bindings::iamseal::plugin::{auditing, migration, opening, sealing, types};

    iamseal_words::from_plugin!();
    iamseal_words::asked_of_plugin!();
}

struct Program;

impl run::Guest for Program {
    fn run() -> Result<(), ()> {
        let line: Vec<OsString> = env::args_os().collect();
        let code = match parse(&line) {
            Ok(Arguments { common, command }) => {
                let code = execute(&common, &command);
                code.unwrap_or_else(|failure| failure.report(common.json))
            }
            Err(error) => not_parsed(&error, &line),
        };
        match code {
            0 => Ok(()),
            code => {
                exit_with_code(code);
                Err(())
            }
        }
    }
}

fn parse(line: &[OsString]) -> Result<Arguments, clap::Error> {
    Arguments::from_arg_matches(&matches(&arguments::command(), line)?)
}

/// Prints the help that was asked for, or says what is wrong with the command line.
fn not_parsed(error: &clap::Error, line: &[OsString]) -> u8 {
    if let Some(message) = message_for_json(error, line) {
        return Failure::usage(message).with_cure("see --help").report(true);
    }
    // There is nowhere to say that this failed.
    let _ = error.print();
    match error.use_stderr() {
        true => Cause::Usage.exit_code(),
        false => 0,
    }
}

/// Runs the command and returns the exit code.
fn execute(common: &Common, command: &Command) -> Result<u8, Failure> {
    match command {
        Command::Seal(command) => seal::run(common, command),
        Command::Unseal(command) => unseal::run(common, command),
        Command::Inspect(command) => inspect::run(common, command),
        Command::Audit(command) => audit::run(common, command),
        Command::Migrate(command) => migrate::run(common, command),
    }
}

/// The one unsafe line of the export stands in this macro.
#[allow(unsafe_code)]
mod exports {
    use super::Program;
    wasip2::cli::command::export!(Program);
}
