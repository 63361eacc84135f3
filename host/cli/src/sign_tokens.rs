//! `iamseal sign-tokens`: session tokens of service accounts that a root secret signed, signed by the accounts'
//! own secrets.

mod plan;
mod step;

use std::num::NonZeroU32;
use std::process::ExitCode;
use std::sync::Arc;

use iamseal::Plugin;
use iamseal::contract::StorageError;
use iamseal::keys::{Keyring as _, RootCredential};
use iamseal::storage::Storage;

use self::step::{FAILED, SIGNED, Step, WOULD_SIGN};
use crate::arguments::{Common, SignTokens};
use crate::failure::Failure;
use crate::identities::signed_by_account;
use crate::interrupt::Interrupt;
use crate::loadable::Loadable;
use crate::progress::Progress;
use crate::put::{Put, put};
use crate::report::notes;
use crate::report::why::Why;
use crate::reseal::{Object, Sealers};
use crate::run::{self, On, Run};
use crate::store::Access;
use crate::tally::Tally;
use crate::{keys, load, output, store, workers};

pub async fn run(common: &Common, command: &SignTokens) -> Result<ExitCode, Failure> {
    let access = Access::of(command.writes, command.dry_run);
    let store = store::open_whole(common, &command.store, access).await?;
    let keyring = keys::keyring(common)?;
    let roots = keyring.root_credentials();
    if roots.is_empty() {
        return Err(notes::NO_ROOT_TO_VERIFY.into());
    }
    let auditor = load::auditor(common, keyring.clone(), Some(store.clone())).await?;
    let mut interrupt = Interrupt::listen()?;
    let planning = plan::of(common, command, &*store, &auditor);
    let planned = interrupt.unless(planning).await??;
    planned.tell(common);
    let on = On {
        store: store.clone(),
        given: &command.store,
    };
    let mut tally = Tally::default();
    let run = match command.dry_run || planned.accounts.is_empty() {
        true => None,
        false => {
            let work = format!("sign {}", notes::count(planned.accounts.len(), "token"));
            let begun = interrupt.unless(async {
                store::sweep(common, &*store, notes::CONFIG).await;
                Run::begin(common, &keyring, &command.journal, &on, &work).await
            });
            match begun.await.flatten() {
                Ok(run) => Some(run),
                Err(failure) => return Err(run::not_begun(common, &on, failure).await),
            }
        }
    };
    let storage: Arc<dyn Storage> = match &run {
        Some(run) => run.store(),
        None => store.clone(),
    };
    let plugin = load::builder(common, Arc::new(keyring.clone()))
        .load()
        .await?;
    let mut signing = Signing {
        plugin: &plugin,
        sealers: Sealers::new(common, &keyring, &plugin),
        loadable: Loadable::new(common, &keyring).await?,
        storage: &*storage,
        run: run.as_ref(),
        roots,
    };
    let progress = Progress::new(common, Some(planned.objects()));
    let mut stopped = None;
    let batch = workers::batch(NonZeroU32::MIN).min(store::batch(&command.store));
    let failed = planned.failed.into_iter();
    let mut done: Vec<_> = failed.map(|(path, why)| Step::failed(path, why)).collect();
    let mut batches = planned.accounts.chunks(batch.max(1) as usize);
    loop {
        if let Some(run) = &run {
            let said = done.iter().filter(|step| step.is_read);
            let said = said.map(|step| (&*step.path, step.outcome, step.outcome == SIGNED));
            run.report(said).await;
        }
        for step in &done {
            let cause = step.failure.as_ref().map(|why| why.cause);
            match cause {
                Some(cause) => tally.failed(step.outcome, cause),
                None => tally.plain(step.outcome),
            }
            // What is done is counted even where nobody reads of it.
            if let Some(line) = step.line(common).filter(|_| stopped.is_none()) {
                stopped = progress.object(cause, &line).err();
            }
        }
        progress.advance(done.len());
        // A batch is never dropped midway: Ctrl-C is answered between two.
        stopped = stopped
            .or_else(|| run.as_ref().and_then(Run::gives_up))
            .or_else(|| interrupt.pressed());
        let Some(batch) = batches.next().filter(|_| stopped.is_none()) else {
            break;
        };
        done = signing.batch(batch).await;
    }
    if stopped.is_none() {
        stopped = progress.unnamed().err();
    }
    progress.finish();
    if run.is_some() {
        output::note(common.json, notes::TOKENS_SIGNED);
    }
    run::finish(common, &on, run, tally, stopped, &mut interrupt).await
}

/// What is needed to sign.
struct Signing<'a> {
    plugin: &'a Plugin,
    sealers: Sealers<'a>,
    loadable: Loadable,
    storage: &'a dyn Storage,
    /// None of a dry run.
    run: Option<&'a Run>,
    roots: Vec<RootCredential>,
}

impl Signing<'_> {
    async fn batch(&mut self, paths: &[Vec<u8>]) -> Vec<Step> {
        let (mut steps, mut puts, mut places) = (Vec::new(), Vec::new(), Vec::new());
        for path in paths {
            match self.prepare(path).await {
                Ok(put) => {
                    places.push(steps.len());
                    puts.push(put);
                    let outcome = match self.run {
                        Some(_) => SIGNED,
                        None => WOULD_SIGN,
                    };
                    steps.push(Step::new(path.clone(), outcome));
                }
                Err(why) => steps.push(Step::failed(path.clone(), why)),
            }
        }
        if let Some(run) = self.run {
            let store = run.store_of_other_content();
            let written = put(&store, self.plugin.reader(), &self.loadable, puts).await;
            for (place, failure) in places.into_iter().zip(written) {
                if let (Some(step), Some(failure)) = (steps.get_mut(place), failure) {
                    step.outcome = FAILED;
                    step.failure = Some(Why::from(&failure));
                }
            }
        }
        steps
    }

    /// The account's object with its token signed anew.
    async fn prepare(&mut self, path: &[u8]) -> Result<Put, Why> {
        let why = |failure: Failure| Why::from(&failure);
        let stored = self.storage.read(path).await.map_err(|error| match error {
            // It was there when it was looked at.
            StorageError::NotFound => why(StorageError::Conflict.into()),
            error => why(error.into()),
        })?;
        let object = Object::open(self.plugin, path, stored).await.map_err(why)?;
        let new = signed_by_account(&object.plaintext, &self.roots)?;
        let sealer = self.sealers.of(&object).await.map_err(why)?;
        object.with(sealer, &new).await.map_err(why)
    }
}
