//! `inspect`: what can be seen without a key.

use iamseal_words::arguments::Common;
use iamseal_words::contract::{Description, ObjectError};
use iamseal_words::report::{description, paint};
use iamseal_words::shown::shown;

use crate::command::arguments::Inspect;
use crate::command::bindings::iamseal::command::lending;
use crate::command::bindings::iamseal::plugin::opening;
use crate::command::failure::Failure;
use crate::command::output;
use crate::command::store::text;

pub fn run(common: &Common, command: &Inspect) -> Result<u8, Failure> {
    // No key is asked for, so none is lent.
    let (name, stored) = match &command.file {
        None => ("standard input".to_owned(), output::input()?),
        Some(file) => (text(file), lending::read_file(&text(file))?),
    };
    let seen = opening::inspect(&stored).map(Description::from);
    let seen = seen.map_err(|error| Failure::from(ObjectError::from(error)).about(&name))?;
    output::line(&if common.json {
        description::json_line(&name, &seen)
    } else {
        let name = shown(name.as_bytes());
        paint::table(&["", &name], description::rows(&seen))
    })?;
    Ok(0)
}
