//! The command line as a component, for hosts of `wasi:cli`: what the native tool does to a store, with
//! the same exit codes and the same lines of JSON.
//!
//! What is said of objects is built from the files of the native tool (`report`, `describe`), which
//! know these crates' types by the names of its library. Keys and the store are the adapters' business.
#![no_std]

extern crate alloc;
// The files of the native tool name its library.
extern crate self as iamseal;

mod arguments;
mod audit;
#[path = "../../../host/src/describe.rs"]
mod describe;
mod failure;
mod help;
mod inspect;
mod migrate;
mod output;
#[allow(dead_code)] // The native tool has causes that cannot be here, such as an interruption.
#[path = "../../../host/cli/src/report/mod.rs"]
mod report;
mod seal;
#[path = "../../../host/src/shown.rs"]
mod shown;
mod store;
mod unseal;

use crate::arguments::{Arguments, Command};
use crate::bindings::exports::wasi::cli::run;
use crate::bindings::wasi::cli::environment::get_arguments;
use crate::bindings::wasi::cli::exit::exit_with_code;
use crate::failure::Failure;
use describe::describe;
use shown::{harmless, is_hidden, shown};

/// The interfaces in Rust, generated from `wit/` and `guest/command/wit`.
#[allow(missing_docs, unsafe_code, warnings, clippy::all)]
mod bindings {
    wit_bindgen::generate!({
        path: ["../../wit", "wit"],
        world: "iamseal:command/command",
        generate_all,
    });
}

/// The contract's types, by the names that they have in the native tool's library.
mod contract {
    pub use crate::bindings::iamseal::plugin::auditing::{
        Failure, Finding, Reason, Scope, Verdict,
    };
    pub use crate::bindings::iamseal::plugin::migration::{Outcome, Plan, Step, Target};
    pub use crate::bindings::iamseal::plugin::opening::{Description, Policy};
    pub use crate::bindings::iamseal::plugin::sealing::{
        MinioOptions, SealOptions, SealedForm, WrittenCipher,
    };
    pub use crate::bindings::iamseal::plugin::types::{
        Cipher, Context, DataKeyEncoding, Error as ObjectError, Form, Found, KeyDerivation,
        KeyError, Location, StorageError, WrittenEncoding,
    };
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

/// The one unsafe line of each export stands in this generated code.
#[allow(unsafe_code, warnings, clippy::all)]
mod exports {
    use crate::{Program, bindings};
    bindings::export!(Program with_types_in bindings);
}

iamseal_runtime::on_panic!(|message| {
    output::complain_bytes(b"error: the command panicked: ");
    output::complain_bytes(message.as_bytes());
    output::complain_bytes(b"\n");
});
