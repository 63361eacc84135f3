//! The adapters: lend the plugin keys from the environment and from files, and a store in a folder,
//! through WASI. They are what `host` is to a plugin, for hosts that know nothing but WASI.
//!
//! `keys` and `store` keep the rules of `host/src/keys` and `host/src/storage/dir`, and are built from
//! the same files where those need no operating system. `files` finds what the operator names below
//! the folders that the host gave.
#![no_std]

extern crate alloc;

mod failure;
mod files;
mod keys;
mod lending;
#[path = "../../../host/src/shown.rs"]
mod shown;
mod store;

use alloc::format;

use crate::bindings::exports::iamseal::plugin::diagnostics;
use crate::bindings::wasi::cli::stderr;

/// The interfaces in Rust, generated from `wit/` and `guest/command/wit`.
#[allow(missing_docs, unsafe_code, warnings, clippy::all)]
mod bindings {
    wit_bindgen::generate!({
        path: ["../../wit", "../command/wit"],
        world: "iamseal:command/adapters",
        generate_all,
    });
}

/// The contract's types, by the names that they have in `host`.
mod contract {
    pub use crate::bindings::exports::iamseal::plugin::types::{KeyError, SizeLimit, StorageError};
}

/// What the plugin and the command call.
struct Adapters;

impl diagnostics::Guest for Adapters {
    fn panicked(message: alloc::string::String) {
        let message = shown::harmless(&message);
        complain(&format!("error: the plugin panicked: {message}\n"));
    }
}

/// Writes to standard error; there is nowhere to say that this failed.
fn complain(text: &str) {
    let err = stderr::get_stderr();
    // No more is taken at once.
    for chunk in text.as_bytes().chunks(4096) {
        if err.blocking_write_and_flush(chunk).is_err() {
            return;
        }
    }
}

/// The one unsafe line of each export stands in this generated code.
#[allow(unsafe_code, warnings, clippy::all)]
mod exports {
    use crate::{Adapters, bindings};
    bindings::export!(Adapters with_types_in bindings);
}

iamseal_runtime::on_panic!(|message| {
    complain("error: the adapters panicked: ");
    complain(message);
    complain("\n");
});
