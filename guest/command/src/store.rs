//! The store that a command works on.

use crate::arguments::{Arguments, Where};
use crate::bindings::iamseal::command::lending::{self, Names};
use crate::bindings::iamseal::plugin::storage;
use crate::failure::Failure;
use crate::output;
use crate::report::notes;

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
