//! `iamseal migrate`: every object of a store to one form and key.

use std::num::NonZeroU32;
use std::os::unix::ffi::OsStrExt as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use iamseal::contract::Target;
use iamseal::keys::MixedKeyring;
use iamseal::{Limits, MigrationPlan, PluginBuilder};
use iamseal_words::arguments::To;

use crate::arguments::{Common, Migrate, ShardOf};
use crate::census::stays;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::progress::Progress;
use crate::report::step;
use crate::run::{self, On};
use crate::store::Access;
use crate::tally::Tally;
use crate::watch::{self, Shown, Watch, With};
use crate::workers;
use crate::workers::Workers;
use crate::{finish, keys, load, prepare, standing, store};

/// How long a batch may take whose data keys come from a key service: some 400 calls of a second each,
/// which is slow, and some time for the rest.
const WITH_REMOTE_KEYS: Duration = Duration::from_secs(600);

pub async fn run(common: &Common, command: &Migrate) -> Result<ExitCode, Failure> {
    let is_for_rustfs = command.shared.to == To::Rustfs;
    migrate(common, keys::keyring_for(common, is_for_rustfs)?, command).await
}

/// The same with keys that are already there.
pub async fn migrate(
    common: &Common,
    keyring: MixedKeyring,
    command: &Migrate,
) -> Result<ExitCode, Failure> {
    watch::check(command)?;
    prepare::check(command)?;
    keys::to_seal(common, &keyring, &plan(command)?.target)?;
    if command.prepare {
        return prepare::run(common, keyring, command).await;
    }
    if let Some(prepared) = &command.finish {
        return finish::run(common, keyring, command, prepared).await;
    }
    let jobs = jobs(command)?;
    let access = Access::of(command.writes, command.shared.dry_run);
    let store = store::open(common, &command.shared.place, access).await?;
    let plan = plan(command)?;
    let given = &command.shared.place.store;
    stays::tell(common, &keyring, &store, given, &plan.target).await;
    let to_plaintext = matches!(plan.target, Target::Plaintext);
    standing::tell(common, &*store, &plan.prefix, |_| Some(to_plaintext)).await;
    let mut watch = Watch::begin(command, &*store).await?;
    let mut builder = builder(common, &keyring, jobs);
    let mut interrupt = Interrupt::listen()?;
    let on = On {
        store: store.clone(),
        given: &command.shared.place.store,
    };
    let (run, shown) = match command.shared.dry_run {
        true => {
            builder = builder.storage(store.clone());
            (None, None)
        }
        false => {
            let work = work(command);
            let (work, place) = ((&*plan.prefix, &*work), &command.journal);
            let run = run::start(common, &keyring, place, &on, work, &mut interrupt).await?;
            let shown = Shown::new(run.store());
            let lent = Arc::new(shown.clone());
            builder = builder.storage(lent).storage_writer(run.store());
            (Some(run), Some(shown))
        }
    };
    let prepared = interrupt.unless(async {
        let progress = match plan.shard {
            None => store::progress(common, &*store, &plan.prefix).await,
            // How many of the objects are in the shard shows only as they come.
            Some(_) => Progress::new(common, None),
        };
        (progress, builder.load().await)
    });
    let batch = workers::batch(jobs).min(store::batch(&command.shared.place.store));
    let mut tally = Tally::default();
    let started = match prepared.await {
        Ok((progress, Ok(plugin))) => Workers::start(&plugin, &plan, jobs, batch)
            .await
            .map(|workers| (progress, workers, plugin))
            .map_err(Failure::from),
        Ok((_, Err(error))) => Err(error.into()),
        Err(failure) => Err(failure),
    };
    let (progress, mut workers, plugin) = match started {
        Ok(started) => started,
        Err(failure) => {
            return run::finish(common, &on, run, tally, Some(failure), &mut interrupt).await;
        }
    };
    let mut stopped = None;
    let mut is_read = true;
    let mut has_failed = false;
    while let Some(batch) = workers.next().await {
        if let Some(failure) = interrupt.pressed() {
            stopped.get_or_insert(failure);
            workers.stop();
        }
        let steps = match batch {
            Ok(steps) => steps,
            // The others finish what they are at, and what they report is true.
            Err(error) => {
                stopped.get_or_insert(error.into());
                continue;
            }
        };
        if let Some(run) = &run {
            run.report(steps.iter().map(step::said)).await;
        }
        for step in &steps {
            match &mut watch {
                // What fails may not fail any more at the end.
                Some(watch) if step::cause(step).is_some() => {
                    watch.take_in(step);
                    has_failed = true;
                }
                Some(watch) => {
                    watch.take_in(step);
                    step::count(step, &mut tally);
                }
                None => step::count(step, &mut tally),
            }
            let line = match common.json {
                true => Some(step::json_line(step)),
                false => step::text_line(step),
            };
            // What is done is counted even where nobody reads of it.
            if let Some(line) = line.filter(|_| is_read)
                && let Err(failure) = progress.object(step::cause(step), &line)
            {
                is_read = false;
                stopped.get_or_insert(failure);
                workers.stop();
            }
        }
        progress.derived(workers.derivations());
        progress.advance(steps.len());
        if let Some(given_up) = run.as_ref().and_then(|run| run.gives_up()) {
            workers.stop();
            stopped.get_or_insert(given_up);
        }
    }
    if is_read && let Err(failure) = progress.unnamed() {
        stopped.get_or_insert(failure);
    }
    progress.finish();
    // A shard of few objects may have none.
    if tally.is_empty() && !has_failed && stopped.is_none() && plan.shard.is_none() {
        store::nothing_there(common, &command.shared.place);
    }
    drop(workers);
    if let (Some(watch), Some(run), Some(shown)) = (&mut watch, &run, &shown) {
        if stopped.is_none() {
            let with = With {
                common,
                run,
                store: &*store,
                shown,
                plugin: &plugin,
                plan: &plan,
                jobs,
                batch,
            };
            stopped = watch.hold(&with, &mut tally, &mut interrupt).await;
            // The next signal ends the proof.
            match Interrupt::listen() {
                Ok(next) => interrupt = next,
                Err(failure) => stopped = stopped.or(Some(failure)),
            }
        }
        watch.count(&mut tally);
    }
    run::finish(common, &on, run, tally, stopped, &mut interrupt).await
}

/// What the objects are to become.
///
/// # Errors
/// Options that do not go together.
pub fn plan(command: &Migrate) -> Result<MigrationPlan, Failure> {
    Ok(MigrationPlan {
        prefix: command.shared.place.prefix.as_bytes().to_vec(),
        start_after: None,
        shard: command.shard.map(ShardOf::shard),
        target: command.shared.target()?,
        dry_run: command.shared.dry_run,
        try_all_credentials: command.shared.credentials.try_all,
        not_loadable_too: command.shared.not_loadable_too,
    })
}

/// The plugin for so many workers, each of which has an instance for itself.
pub fn builder(common: &Common, keyring: &MixedKeyring, jobs: NonZeroU32) -> PluginBuilder {
    let mut limits = Limits::default();
    limits.instances_in_use = limits.instances_in_use.max(jobs.get() as usize);
    if keyring.is_remote() {
        limits.deadline = WITH_REMOTE_KEYS;
    }
    load::builder(common, Arc::new(keyring.clone())).limits(limits)
}

/// What is done, for the journal.
pub fn work(command: &Migrate) -> String {
    let to = match (command.shared.to, &command.shared.how.key) {
        (To::Plaintext, _) => "migrate to plaintext".to_owned(),
        (To::Rustfs, _) => "migrate to RustFS' form".to_owned(),
        (To::Kms, None) => "migrate to the default key".to_owned(),
        (To::Kms, Some(key)) => format!("migrate to the key {key}"),
    };
    match command.shard {
        Some(shard) => format!("{to}, shard {shard}"),
        None => to,
    }
}

/// As many workers as were asked for, or as there are cores.
///
/// # Errors
/// There are more shares of a shard than the contract can count.
pub fn jobs(command: &Migrate) -> Result<NonZeroU32, Failure> {
    let cores = || available_parallelism().ok()?.try_into().ok();
    let jobs = command.jobs.or_else(cores).unwrap_or(NonZeroU32::MIN);
    let shards = command.shard.map_or(1, |shard| shard.shard().count);
    match jobs.get().checked_mul(shards) {
        Some(_) => Ok(jobs),
        None => Err(Failure::usage("there are too many shards and jobs")
            .with_cure("ask for fewer of either")),
    }
}
