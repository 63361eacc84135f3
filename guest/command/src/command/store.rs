//! The store that a command works on.

use iamseal_words::report::notes;

use crate::command::arguments::{Arguments, Where};
use crate::command::bindings::iamseal::command::lending::{self, Names};
use crate::command::bindings::iamseal::plugin::storage;
use crate::command::failure::Failure;
use crate::command::output;

/// Has the keys and the store lent to the plugin, to read or to write as well, and tells what an operator
/// should know of the store before anything else. Names the keys and root credentials.
///
/// # Errors
/// A key or the store cannot be lent, or the prefix takes in too much.
pub fn open(arguments: &Arguments, place: &Where, writes: bool) -> Result<Names, Failure> {
    let names = lending::lend_keys(&arguments.keys, &arguments.root_credentials)?;
    if let Some((message, cure)) = notes::wrong_prefix(&place.prefix) {
        return Err(Failure::usage(message).with_cure(cure));
    }
    lending::lend_store(&place.store, writes)?;
    if let Ok(marker) = storage::read(notes::MARKER) {
        output::note(arguments.json, notes::marker(&marker.bytes));
    }
    Ok(names)
}
