//! `iamseal migrate`: every object of a store to one form and key.

use std::os::unix::ffi::OsStrExt as _;
use std::process::ExitCode;
use std::sync::Arc;

use iamseal::MigrationPlan;
use iamseal::contract::Target;
use iamseal::keys::StaticKeyring;
use iamseal::storage::DirStore;

use crate::arguments::{Common, Migrate, To};
use crate::failure::Failure;
use crate::progress::{self, Interrupt, Progress};
use crate::report::{notes, step};
use crate::tally::Tally;
use crate::{keys, load, output, store};

/// How many objects share the cost of durability. Large enough for the folders' syncs to weigh
/// little, small enough for Ctrl-C to be answered soon.
const BATCH: u32 = 64;

pub async fn run(common: &Common, command: &Migrate) -> Result<ExitCode, Failure> {
    migrate(common, keys::keyring(common)?, command).await
}

/// The same with keys that are already there.
pub async fn migrate(
    common: &Common,
    keyring: StaticKeyring,
    command: &Migrate,
) -> Result<ExitCode, Failure> {
    let store = store::open(common, &command.place).await?;
    let plan = MigrationPlan {
        prefix: command.place.prefix.as_bytes().to_vec(),
        start_after: None,
        shard: None,
        target: match command.to {
            To::Plaintext => command.how.none_given().map(|()| Target::Plaintext)?,
            To::Kms => Target::Sealed(command.how.options()?),
        },
        dry_run: command.dry_run,
    };
    if !command.dry_run {
        // What a killed run left behind is harmless, so failing to remove it is no reason to stop.
        match store.sweep(&plan.prefix).await {
            Ok(0) => {}
            Ok(swept) => {
                output::note(common.json, &notes::swept(swept));
            }
            Err(error) => {
                let why = iamseal::describe_storage(&error);
                output::note(common.json, &notes::not_swept(&why));
            }
        }
    }
    let total = store::count(&store, &plan.prefix).await;
    let progress = Progress::new(common, total.ok());
    let plugin = load::builder(common, keyring)
        .storage(store.clone() as Arc<DirStore>)
        .storage_writer(store)
        .load()
        .await?;
    let mut migration = plugin.migrate(&plan).await?;
    let interrupt = Interrupt::listen()?;
    let mut tally = Tally::default();
    let mut was_interrupted = false;
    loop {
        // A batch is never dropped midway: Ctrl-C is answered between two.
        if interrupt.pressed() {
            was_interrupted = true;
            break;
        }
        let steps = migration.next(BATCH).await?;
        if steps.is_empty() {
            break;
        }
        for step in &steps {
            step::count(step, &mut tally);
            if common.json {
                progress.line(&step::json_line(step))?;
            } else if let Some(line) = step::text_line(step) {
                progress.line(&line)?;
            }
        }
        progress.advance(steps.len());
    }
    progress.finish();
    if tally.is_empty() {
        store::nothing_there(common, &command.place);
    }
    if common.json {
        output::line(&tally.json("outcome", was_interrupted))?;
    } else {
        output::line(&tally.table())?;
    }
    if was_interrupted {
        return Err(progress::interrupted());
    }
    Ok(tally.exit_code().into())
}
