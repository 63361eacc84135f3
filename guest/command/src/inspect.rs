//! `inspect`: what can be seen without a key.

use alloc::borrow::ToOwned as _;

use crate::arguments::{Arguments, Inspect};
use crate::bindings::iamseal::command::lending;
use crate::bindings::iamseal::plugin::opening;
use crate::failure::Failure;
use crate::output;
use crate::report::description;

pub fn run(arguments: &Arguments, command: &Inspect) -> Result<u8, Failure> {
    // No key is asked for, so none is lent.
    let (name, stored) = match &command.file {
        None => ("standard input".to_owned(), output::input()?),
        Some(file) => (file.clone(), lending::read_file(file)?),
    };
    let seen = opening::inspect(&stored).map_err(|error| Failure::from(error).about(&name))?;
    output::line(&if arguments.json {
        description::json_line(&name, &seen)
    } else {
        let name = iamseal::shown(name.as_bytes());
        output::table(&["", &name], description::rows(&seen))
    })?;
    Ok(0)
}
