//! The adapters: lend the plugin keys from the environment and from files, and a store in a folder or on drives,
//! through WASI. They are what `host` is to a plugin, for hosts that know nothing but WASI.
//!
//! `keys` and `store` keep the rules of `host/src/keys` and `host/src/storage/dir`, those of
//! `iamseal-words` included.

mod failure;
mod keys;
mod lending;
mod store;

use std::io::{self, Write as _};

use iamseal_words::shown::harmless;

use crate::adapters::bindings::exports::iamseal::plugin::diagnostics;

/// The interfaces in Rust, generated from `wit/` and `guest/command/wit`.
#[allow(missing_docs, unsafe_code, warnings, clippy::all)]
mod bindings {
    wit_bindgen::generate!({
        path: ["../../wit", "wit"],
        world: "iamseal:command/adapters",
        generate_all,
    });
}

/// Between the generated types and ours.
mod convert {
    use super::bindings::exports::iamseal::plugin::types;

    iamseal_words::lent_to_plugin!();
}

/// What the plugin and the command call.
struct Adapters;

impl diagnostics::Guest for Adapters {
    fn panicked(message: String) {
        let message = harmless(&message);
        // There is nowhere to say that this failed.
        let _ = writeln!(io::stderr().lock(), "error: the plugin panicked: {message}");
    }
}

/// The one unsafe line of each export stands in this generated code.
#[allow(unsafe_code, warnings, clippy::all)]
mod exports {
    use crate::adapters::{Adapters, bindings};
    bindings::export!(Adapters with_types_in bindings);
}
