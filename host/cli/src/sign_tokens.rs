//! `iamseal sign-tokens`: session tokens of service accounts that a root secret signed, signed by the accounts'
//! own secrets.

mod plan;

use std::num::NonZeroU32;
use std::process::ExitCode;
use std::sync::Arc;

use iamseal::Plugin;
use iamseal::contract::StorageError;
use iamseal::keys::{Keyring as _, RootCredential};
use iamseal::storage::Storage;

use crate::arguments::{Common, SignTokens};
use crate::cause::Cause;
use crate::failure::Failure;
use crate::identities::signed_by_account;
use crate::interrupt::Interrupt;
use crate::loadable::Loadable;
use crate::put::Put;
use crate::report::notes;
use crate::report::why::Why;
use crate::reseal::{Object, Sealers};
use crate::run::{self, On, Run};
use crate::steps::{FAILED, Step, Telling, write};
use crate::store::Access;
use crate::tally::Tally;
use crate::{keys, load, output, standing, store, workers};

const SIGNED: &str = "signed";
const WOULD_SIGN: &str = "would-sign";

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
    let becomes_plaintext = |path: &[u8]| planned.accounts.get(path).copied();
    standing::tell(common, &*store, notes::CONFIG, becomes_plaintext).await;
    let on = On {
        store: store.clone(),
        given: &command.store,
    };
    let run = match command.dry_run || planned.accounts.is_empty() {
        true => None,
        false => {
            let work = format!("sign {}", notes::count(planned.accounts.len(), "token"));
            let (work, place) = ((notes::CONFIG, &*work), &command.journal);
            Some(run::start(common, &keyring, place, &on, work, &mut interrupt).await?)
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
    let mut tally = Tally::default();
    // Nothing that could be done is no success where something is left to do.
    if planned.unknown > 0 && planned.accounts.is_empty() {
        tally.beside(Cause::Credential);
    }
    let paths: Vec<_> = planned.accounts.into_keys().collect();
    let unfit = planned.failed.into_iter().map(|(path, why)| {
        let mut step = Step::new(path, FAILED).failed(why);
        step.is_read = false;
        step
    });
    let unfit: Vec<_> = unfit.collect();
    let objects = paths.len() + unfit.len();
    let mut telling = Telling::new(common, run.as_ref(), objects, tally);
    telling.batch(&unfit).await;
    let batch = workers::batch(NonZeroU32::MIN).min(store::batch(&command.store));
    for batch in paths.chunks(batch.max(1) as usize) {
        // A batch is never dropped midway: Ctrl-C is answered between two.
        if !telling.goes_on(interrupt.pressed()) {
            break;
        }
        telling.batch(&signing.batch(batch).await).await;
    }
    let (tally, stopped) = telling.end();
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
        let (mut steps, mut prepared) = (Vec::new(), Vec::new());
        for path in paths {
            let outcome = match self.run {
                Some(_) => SIGNED,
                None => WOULD_SIGN,
            };
            let step = Step::new(path.clone(), outcome);
            steps.push(match self.prepare(path).await {
                Ok(put) => {
                    prepared.push((steps.len(), put));
                    step
                }
                Err(why) => step.failed(why),
            });
        }
        let opener = self.plugin.reader();
        write(self.run, opener, &self.loadable, prepared, steps).await
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
