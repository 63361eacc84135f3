//! The command line as a component, for hosts of `wasi:cli`: what the native tool does to a store, with
//! the same exit codes and the same lines of JSON.
//!
//! What is said of objects is in `iamseal-words`, keys and the store are the adapters' business.

mod arguments;
mod audit;
mod failure;
mod help;
mod inspect;
mod migrate;
mod output;
mod seal;
mod store;
mod unseal;

use wasip2::cli::environment::get_arguments;
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
        let arguments = get_arguments();
        let (json, result) = match Arguments::parse(&arguments) {
            Ok(arguments) => (arguments.json, execute(&arguments)),
            Err(failure) => {
                // What cannot be read whole still says in what form the answer is wanted.
                let mut options = arguments.iter().take_while(|word| *word != "--");
                (options.any(|word| word == "--json"), Err(failure))
            }
        };
        match result.unwrap_or_else(|failure| failure.report(json)) {
            0 => Ok(()),
            code => {
                exit_with_code(code);
                Err(())
            }
        }
    }
}

/// Runs the command and returns the exit code.
fn execute(arguments: &Arguments) -> Result<u8, Failure> {
    match &arguments.command {
        Command::Help => output::line(help::HELP).map(|()| 0),
        Command::Version => output::line(help::VERSION).map(|()| 0),
        Command::Seal(command) => seal::run(arguments, command),
        Command::Unseal(command) => unseal::run(arguments, command),
        Command::Inspect(command) => inspect::run(arguments, command),
        Command::Audit(command) => audit::run(arguments, command),
        Command::Migrate(command) => migrate::run(arguments, command),
    }
}

/// The one unsafe line of the export stands in this macro.
#[allow(unsafe_code)]
mod exports {
    use super::Program;
    wasip2::cli::command::export!(Program);
}
