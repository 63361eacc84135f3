//! `migrate`: every object of a store to one form and key.

use iamseal_words::arguments::{Common, To};
use iamseal_words::contract::{ObjectError, Step, StorageError};
use iamseal_words::report::cause::Cause;
use iamseal_words::report::tally::{self, Tally};
use iamseal_words::report::{notes, step};

use crate::command::arguments::Migrate;
use crate::command::bindings::iamseal::command::lending;
use crate::command::bindings::iamseal::plugin::migration;
use crate::command::failure::Failure;
use crate::command::{output, store};

/// How many objects share the cost of durability. Large enough for the folders' syncs to weigh little.
const BATCH: u32 = 64;

pub fn run(common: &Common, command: &Migrate) -> Result<u8, Failure> {
    let (writes, command) = (command.writes()?, &command.shared);
    let target = command.target()?;
    let prefix = command.place.prefix.as_encoded_bytes();
    store::open(common, &command.place, writes, command.to == To::Rustfs)?;
    if writes {
        // What a killed run left behind is harmless, so failing to remove it is no reason to stop.
        match lending::sweep(prefix) {
            Ok(0) => {}
            Ok(swept) => output::note(common.json, &notes::swept(swept)),
            Err(error) => {
                let why = StorageError::from(error).to_string();
                output::note(common.json, &notes::not_swept(&why));
            }
        }
    }
    let migration = migration::start(&migration::Plan {
        store: common.store_name.clone(),
        prefix: prefix.to_vec(),
        start_after: None,
        shard: None,
        target: target.into(),
        dry_run: command.dry_run,
        try_all_credentials: command.credentials.try_all,
        not_loadable_too: command.not_loadable_too,
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
            if common.json {
                output::line(&step::json_line(step))?;
            } else if let Some(line) = step::text_line(step) {
                output::line(&line)?;
            }
        }
    }
    if !store::tell_of_objects(common) {
        tally.beside(Cause::Storage);
    }
    if tally.is_empty() {
        output::note(common.json, &notes::nothing_there(prefix));
    }
    output::line(&if common.json {
        tally.json("outcome", false, None)
    } else {
        tally.table(tally::WAS)
    })?;
    Ok(tally.exit_code())
}
