//! `migrate`: every object of a store to one form and key.

use iamseal_words::contract::{ObjectError, Step, Target};
use iamseal_words::describe::describe_storage;
use iamseal_words::report::tally::{self, Tally};
use iamseal_words::report::{notes, step};

use crate::command::arguments::{Arguments, Migrate, To};
use crate::command::bindings::iamseal::command::lending;
use crate::command::bindings::iamseal::plugin::migration;
use crate::command::failure::Failure;
use crate::command::{output, store};

/// How many objects share the cost of durability. Large enough for the folders' syncs to weigh little.
const BATCH: u32 = 64;

pub fn run(arguments: &Arguments, command: &Migrate) -> Result<u8, Failure> {
    let Migrate {
        place,
        to,
        dry_run,
        try_all_credentials,
    } = command;
    store::open(arguments, place, !dry_run)?;
    if !dry_run {
        // What a killed run left behind is harmless, so failing to remove it is no reason to stop.
        match lending::sweep(&place.prefix) {
            Ok(0) => {}
            Ok(swept) => output::note(arguments.json, &notes::swept(swept)),
            Err(error) => {
                let why = describe_storage(&error.into());
                output::note(arguments.json, &notes::not_swept(&why));
            }
        }
    }
    let migration = migration::start(&migration::Plan {
        store: arguments.store_name.clone(),
        prefix: place.prefix.clone(),
        start_after: None,
        shard: None,
        target: match to {
            To::Plaintext => Target::Plaintext.into(),
            To::Sealed(options) => Target::Sealed(options.clone()).into(),
        },
        dry_run: *dry_run,
        try_all_credentials: *try_all_credentials,
    })
    .map_err(ObjectError::from)?;
    let mut tally = Tally::default();
    loop {
        let steps = migration.next(BATCH).map_err(ObjectError::from)?;
        if steps.is_empty() {
            break;
        }
        for step in steps {
            let step = &Step::from(step);
            step::count(step, &mut tally);
            if arguments.json {
                output::line(&step::json_line(step))?;
            } else if let Some(line) = step::text_line(step) {
                output::line(&line)?;
            }
        }
    }
    if tally.is_empty() {
        output::note(arguments.json, &notes::nothing_there(&place.prefix));
    }
    output::line(&if arguments.json {
        tally.json("outcome", false, None)
    } else {
        tally.table(tally::WAS)
    })?;
    Ok(tally.exit_code())
}
