//! `iamseal migrate --finish`: writes what a run has prepared, once no server runs any more.
//!
//! What is as it was read when it was prepared gets the bytes that were sealed then; they are drafts on all drives, read
//! back from them, before anything is replaced. All else is migrated as it is there now: what has changed since, what is
//! new, what failed. It is a run of its own with a journal of its own, so undo takes it back.

use std::collections::{HashMap, HashSet};
use std::num::NonZeroU32;
use std::process::ExitCode;
use std::sync::Arc;

use iamseal::contract::{Outcome, Policy, Step};
use iamseal::journal::{Journals, Prepared, PreparedObject, Trusted, write_prepared};
use iamseal::keys::MixedKeyring;
use iamseal::storage::{Storage as _, Store};
use iamseal::{MigrationPlan, Plugin};
use iamseal_words::arguments::To;

use crate::arguments::{Common, Migrate, Writes};
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::progress::Progress;
use crate::report::{notes, step};
use crate::run::{self, On, Run};
use crate::store::Access;
use crate::tally::Tally;
use crate::watch::Shown;
use crate::workers::{self, Workers};
use crate::{journals, load, migrate, output, prepare, store};

/// How many prepared objects share the cost of durability: a file system is synced a dozen times for each batch.
const BATCH: usize = 4096;
/// And how many of their bytes.
const BATCH_BYTES: usize = 8 << 20;
/// What to do where the journal of what was prepared is of no use.
const OTHER_KEYS: &str = "give the keys that it was prepared with, or prepare it again with those that the server will have";
const WITHOUT: &str =
    "restore it from a backup, or leave out --finish: all is read and sealed anew then";

pub async fn run(
    common: &Common,
    keyring: MixedKeyring,
    command: &Migrate,
    name: &str,
) -> Result<ExitCode, Failure> {
    let (plan, jobs) = (migrate::plan(command)?, migrate::jobs(command)?);
    // Whatever needs no drives comes before the server's end.
    let past = journals::open(&command.journal)?.past(name)?;
    let past = past.authentic(&keyring).await?;
    let count = check(&past, &prepare::how(common, &plan, &keyring))?;
    let policy = match command.shared.to {
        To::Rustfs => Policy::Rustfs,
        To::Kms | To::Plaintext => Policy::Sealed,
    };
    opens(common, &keyring, &past, policy).await?;
    output::note(common.json, &notes::to_be_written(count, name));
    if let Some(pid) = command.after_pid {
        output::note(common.json, &notes::waiting_for(pid));
        store::ended(pid).await?;
    }
    let writes = Writes {
        server_is_stopped: command.writes.server_is_stopped || command.after_pid.is_some(),
        ..command.writes
    };
    let place = &command.shared.place;
    let store = store::open(common, place, Access::Write(writes)).await?;
    prepare::check_kind(&*store, command)?;
    let mut interrupt = Interrupt::listen()?;
    let on = On {
        store: store.clone(),
        given: &place.store,
    };
    let work = format!("finish {name}: {}", migrate::work(command));
    let work = (&*plan.prefix, &*work);
    let run = run::start(
        common,
        &keyring,
        &command.journal,
        &on,
        work,
        &mut interrupt,
    )
    .await?;
    let shown = Shown::new(run.store());
    let builder = migrate::builder(common, &keyring, jobs).storage(Arc::new(shown.clone()));
    let plugin = builder.storage_writer(run.store()).load().await;
    let mut finish = Finish {
        common,
        run: &run,
        shown,
        plan,
        jobs,
        progress: Progress::new(common, Some(count)),
        tally: Tally::default(),
        done: HashSet::new(),
        stays: HashMap::new(),
        is_read: true,
    };
    let stopped = match plugin {
        Ok(plugin) => finish.all(&past, &*store, &plugin, &interrupt).await.err(),
        Err(error) => Some(error.into()),
    };
    let unnamed = finish.progress.unnamed().err();
    finish.progress.finish();
    let tally = finish.tally;
    let stopped = stopped.or(unnamed);
    if stopped.is_none() && tally.exit_code() == 0 {
        output::note(common.json, notes::SERVER_MAY_START);
    }
    run::finish(common, &on, Some(run), tally, stopped, &mut interrupt).await
}

/// Sees that the run has prepared this, and that each line of its journal is its own. Returns how many objects it tells
/// of.
fn check(past: &Trusted, how: &str) -> Result<u64, Failure> {
    let name = &past.head().name;
    match &past.head().prepares {
        Some(prepared) if prepared == how => {}
        Some(prepared) => {
            return Err(Failure::from(notes::prepared_otherwise(name, prepared)));
        }
        None => return Err(Failure::from(notes::not_prepared(name))),
    }
    let mut count = 0;
    for object in lines(past)? {
        object.map_err(|error| Failure::from(error).with_cure(WITHOUT))?;
        count += 1;
    }
    Ok(count)
}

/// Sees that with these keys all opens that was prepared: a key of the same name may have other bytes.
async fn opens(
    common: &Common,
    keyring: &MixedKeyring,
    past: &Trusted,
    policy: Policy,
) -> Result<(), Failure> {
    let auditor = load::auditor(common, keyring.clone(), None).await?;
    for object in lines(past)? {
        let object = object.map_err(|error| Failure::from(error).with_cure(WITHOUT))?;
        let Some(new) = &object.bytes else {
            continue;
        };
        if let Err(error) = auditor.unseal(&object.path, new, policy).await {
            let path = iamseal::shown(&object.path);
            let failure = Failure::from(error);
            let text = format!("what was prepared for {path} does not open with these keys");
            return Err(Failure::new(failure.cause, text).with_cure(OTHER_KEYS));
        }
    }
    Ok(())
}

fn lines(past: &Trusted) -> Result<Prepared, Failure> {
    let prepared = past.prepared()?;
    prepared.ok_or_else(|| notes::not_prepared(&past.head().name).into())
}

/// The runs that have finished one that prepared, by their names.
///
/// # Errors
/// The folder cannot be listed.
pub fn runs_of(name: &str, journals: &Journals) -> Result<Vec<String>, Failure> {
    let begin = format!("finish {name}:");
    let names = journals.names()?.into_iter();
    let is_of = |other: &String| {
        let past = journals.past(other);
        past.is_ok_and(|past| past.head().work.starts_with(&begin))
    };
    Ok(names.filter(is_of).collect())
}

/// A run that is under way.
struct Finish<'a> {
    common: &'a Common,
    run: &'a Run,
    /// What the plugin sees.
    shown: Shown,
    plan: MigrationPlan,
    jobs: NonZeroU32,
    progress: Progress,
    tally: Tally,
    /// The objects that are done.
    done: HashSet<Vec<u8>>,
    /// Those that were found to be what they are to become.
    stays: HashMap<Vec<u8>, PreparedObject>,
    /// Whether anybody still reads of objects.
    is_read: bool,
}

impl Finish<'_> {
    /// Writes what was prepared, then migrates the rest.
    ///
    /// # Errors
    /// Why it did not come to its end.
    async fn all(
        &mut self,
        past: &Trusted,
        store: &dyn Store,
        plugin: &Plugin,
        interrupt: &Interrupt,
    ) -> Result<(), Failure> {
        // Whether it can be sealed as is asked for is known before anything is written.
        self.rest(Vec::new(), plugin, interrupt).await?;
        let (mut batch, mut bytes) = (Vec::new(), 0);
        for object in lines(past)? {
            let object = object.map_err(|error| Failure::from(error).with_cure(WITHOUT))?;
            let Some(new) = &object.bytes else {
                self.stays.insert(object.path.clone(), object);
                continue;
            };
            bytes += new.len();
            batch.push(object);
            if batch.len() >= BATCH || bytes >= BATCH_BYTES {
                self.write(std::mem::take(&mut batch)).await?;
                self.goes_on(interrupt)?;
                bytes = 0;
            }
        }
        self.write(batch).await?;
        self.goes_on(interrupt)?;
        let rest = self.left(store).await?;
        let anew = rest.iter().filter(|path| !iamseal::is_exempt(path));
        let anew = anew.count() as u64;
        if anew > 0 {
            output::note(self.common.json, &notes::done_anew(anew));
        }
        self.rest(rest, plugin, interrupt).await
    }

    /// Writes prepared objects that are still what they were, as one batch. The others are left to be migrated.
    async fn write(&mut self, batch: Vec<PreparedObject>) -> Result<(), Failure> {
        let written = write_prepared(&*self.run.store(), &batch).await;
        let written = batch.into_iter().zip(written);
        // What has changed since, or failed, is left.
        let written = written.filter(|(_, written)| written.is_ok());
        let steps: Vec<Step> = written
            .map(|(object, _)| Step {
                path: object.path,
                outcome: Outcome::Migrated(object.found),
                retries: 0,
            })
            .collect();
        self.done.extend(steps.iter().map(|step| step.path.clone()));
        self.report(&steps).await;
        self.run.gives_up().map_or(Ok(()), Err)
    }

    /// The objects that are not done, but for those that are what they are to become. These are reported.
    async fn left(&mut self, store: &dyn Store) -> Result<Vec<Vec<u8>>, Failure> {
        let mut left = Vec::new();
        let mut same = Vec::new();
        let mut listing = store.list(&self.plan.prefix, None).await?;
        loop {
            let page = listing.next().await?;
            if page.is_empty() {
                break;
            }
            for path in page {
                if self.done.contains(&path) {
                    continue;
                }
                match self.stays.remove(&path) {
                    Some(object) if self.is_same(&object).await => same.push(Step {
                        path,
                        outcome: Outcome::Unchanged(object.found),
                        retries: 0,
                    }),
                    _ => left.push(path),
                }
            }
        }
        self.report(&same).await;
        left.sort_unstable();
        Ok(left)
    }

    async fn is_same(&self, object: &PreparedObject) -> bool {
        let stored = self.run.store().read(&object.path).await;
        stored.is_ok_and(|stored| stored.version == object.version)
    }

    /// Migrates these objects, which are in ascending order, as any migration does.
    async fn rest(
        &mut self,
        paths: Vec<Vec<u8>>,
        plugin: &Plugin,
        interrupt: &Interrupt,
    ) -> Result<(), Failure> {
        let count = u32::try_from(paths.len()).unwrap_or(u32::MAX);
        let jobs = NonZeroU32::new(count).map_or(NonZeroU32::MIN, |count| count.min(self.jobs));
        self.shown.only(paths);
        let mut workers = Workers::start(plugin, &self.plan, jobs, workers::batch(jobs)).await?;
        let stopped = workers.each(interrupt, async |steps| {
            self.report(&steps).await;
            self.run.gives_up()
        });
        stopped.await.map_or(Ok(()), Err)
    }

    /// Writes down, counts and prints what became of objects.
    async fn report(&mut self, steps: &[Step]) {
        self.run.report(steps.iter().map(step::said)).await;
        for step in steps {
            step::count(step, &mut self.tally);
            let line = match self.common.json {
                true => Some(step::json_line(step)),
                false => step::text_line(step),
            };
            // What is done is counted even where nobody reads of it.
            if let Some(line) = line.filter(|_| self.is_read) {
                self.is_read = self.progress.object(step::cause(step), &line).is_ok();
            }
        }
        self.progress.advance(steps.len());
    }

    /// Whether somebody wants the end, or nobody reads of it any more.
    fn goes_on(&self, interrupt: &Interrupt) -> Result<(), Failure> {
        interrupt.pressed().map_or(Ok(()), Err)
    }
}
