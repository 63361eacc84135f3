//! `iamseal migrate --prepare`: all that takes time of a migration of drives, while a server still runs on them.
//!
//! The drives are lent to be read alone. What objects are to become goes into the journal of a run, outside of the
//! drives, sealed: [`super::finish`] writes it when the server was stopped.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use iamseal::MigrationPlan;
use iamseal::contract::{SealedForm, Step, Target, WrittenCipher, WrittenEncoding};
use iamseal::journal::{Preparing, RunKey};
use iamseal::keys::{Keyring as _, MixedKeyring};
use iamseal::storage::Store;
use iamseal_words::arguments::To;
use serde_json::json;

use crate::arguments::{Common, Migrate};
use crate::census::stays;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::progress::Progress;
use crate::report::{notes, step};
use crate::store::{Access, Kind};
use crate::tally::{self, Tally};
use crate::typed::quoted;
use crate::workers::{self, Workers};
use crate::{journals, load, migrate, output, standing, store};

/// Refuses what cannot be prepared or finished, before the store is opened.
///
/// # Errors
/// Why it cannot.
pub fn check(command: &Migrate) -> Result<(), Failure> {
    if !command.prepare && command.finish.is_none() {
        return Ok(());
    }
    match command.shared.to {
        To::Plaintext => Err(notes::PREPARE_TO_PLAINTEXT.into()),
        To::Kms | To::Rustfs => Ok(()),
    }
}

/// Refuses a store that is not in drives, or in an archive of them, to which nothing is written later.
///
/// # Errors
/// It is not.
pub fn check_kind(store: &dyn Store, command: &Migrate) -> Result<(), Failure> {
    let given = &command.shared.place.store;
    if store::folder(given).is_some_and(Path::is_file) {
        return Err(notes::PREPARE_ARCHIVE.into());
    }
    match store::kind(store, given) {
        Kind::Drives => Ok(()),
        Kind::Folder | Kind::Server => Err(notes::PREPARE_DRIVES.into()),
    }
}

pub async fn run(
    common: &Common,
    keyring: MixedKeyring,
    command: &Migrate,
) -> Result<ExitCode, Failure> {
    let jobs = migrate::jobs(command)?;
    let place = &command.shared.place;
    let store = store::open(common, place, Access::Read).await?;
    check_kind(&*store, command)?;
    let plan = migrate::plan(command)?;
    stays::tell(common, &keyring, &store, &place.store, &plan.target).await;
    standing::tell(common, &*store, &plan.prefix, |_| Some(false)).await;
    let interrupt = Interrupt::listen()?;
    let folders = store::folders(&place.store)?;
    let journals = journals::open_outside(&command.journal, &folders)?;
    let inspector = load::inspector(common).await?;
    let key = RunKey::make(&keyring).await?;
    let key = key.ok_or(notes::PREPARE_NEEDS_KEY)?;
    let work = format!("prepare to {}", migrate::work(command));
    let how = how(common, &plan, &keyring);
    let journal = journals.begin_preparing(&store.name(), &common.store_name, &work, &how, key)?;
    journals::check_outside(&journal, &folders)?;
    let journal = Arc::new(journal);
    let preparing = Arc::new(Preparing::new(journal.clone(), store.clone(), inspector));
    let builder = migrate::builder(common, &keyring, jobs).storage(preparing.clone());
    let plugin = builder.storage_writer(preparing.clone()).load().await?;
    let batch = workers::batch(jobs);
    let mut workers = Workers::start(&plugin, &plan, jobs, batch).await?;
    let progress = store::progress(common, &*store, &plan.prefix).await;
    let mut tally = Tally::default();
    let stopped = workers
        .each(&interrupt, async |steps| {
            if let Err(error) = preparing.write(&steps).await {
                return Some(error.into());
            }
            let said = steps
                .iter()
                .map(|step| said(common, &progress, step, &mut tally));
            let failed = said.filter_map(Result::err).next();
            progress.advance(steps.len());
            failed
        })
        .await;
    let unnamed = progress.unnamed().err();
    progress.finish();
    drop(workers);
    let stopped = stopped.or(unnamed);
    if tally.is_empty() && stopped.is_none() {
        store::nothing_there(common, place);
    }
    let name = &journal.head().name;
    let run = json!({"name": name, "proof": null, "differ": null, "unread": null});
    let printed = output::summary(&match common.json {
        true => tally.json("outcome", stopped.is_some(), Some(run)),
        false => tally.table(tally::IS),
    });
    let finish = common.typed.finish(name);
    output::note(common.json, &notes::to_finish(finish.as_deref(), name));
    match stopped {
        Some(stopped) => Err(stopped),
        None => printed.map(|()| tally.exit_code().into()),
    }
}

/// Counts an object, and prints its line.
fn said(
    common: &Common,
    progress: &Progress,
    step: &Step,
    tally: &mut Tally,
) -> Result<(), Failure> {
    step::count_as(step, step::PREPARED, tally);
    let line = match common.json {
        true => Some(step::json_line_as(step, step::PREPARED)),
        false => step::text_line(step),
    };
    line.map_or(Ok(()), |line| progress.object(step::cause(step), &line))
}

/// How a plan seals, as the options that ask for it: two commands seal alike if it is the same.
pub fn how(common: &Common, plan: &MigrationPlan, keyring: &MixedKeyring) -> String {
    let mut options = Vec::new();
    let mut add = |option: &str, value: &str| options.push(format!("--{option} {value}"));
    if let Target::Sealed(sealed) = &plan.target {
        let (to, form) = match sealed.form {
            SealedForm::Minio(_) => ("kms", Some("minio")),
            SealedForm::Compact => ("kms", Some("compact")),
            SealedForm::Rustfs => ("rustfs", None),
        };
        add("to", to);
        if let Some(form) = form {
            add("form", form);
            let key = sealed.key.clone().or_else(|| keyring.default_key());
            add("key", &quoted(key.unwrap_or_default().as_ref()));
        }
        if let SealedForm::Minio(minio) = sealed.form {
            match minio.cipher {
                None => {}
                Some(WrittenCipher::Aes256Gcm) => add("cipher", "aes-256-gcm"),
                Some(WrittenCipher::Chacha20Poly1305) => add("cipher", "chacha20-poly1305"),
            }
            match minio.data_key_encoding {
                None => {}
                Some(WrittenEncoding::Binary) => add("data-key", "binary"),
                Some(WrittenEncoding::Json) => add("data-key", "json"),
            }
        }
    }
    add("prefix", &quoted(OsStr::from_bytes(&plan.prefix)));
    if !common.store_name.is_empty() {
        add("store-name", &quoted(common.store_name.as_ref()));
    }
    if plan.not_loadable_too {
        options.push("--not-loadable-too".into());
    }
    options.join(" ")
}
