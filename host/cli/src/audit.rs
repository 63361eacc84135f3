//! `iamseal audit`: one verdict per object.

use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use iamseal::AuditScope;
use iamseal::keys::{Environment, MixedKeyring};
use iamseal::storage::{Storage, Store};
use iamseal_words::arguments::{is_for_rustfs, policy};

use crate::arguments::{Audit, Common};
use crate::cause::Cause;
use crate::census::figures::{Figures, Use};
use crate::census::look::{BUCKETS, Look};
use crate::compare::{Comparing, Noting};
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::misnamed::Misnamed;
use crate::progress::Progress;
use crate::report::drafts::Drafts;
use crate::report::names::Names;
use crate::report::needs::Needs;
use crate::report::{finding, notes};
use crate::store::Access;
use crate::tally::{self, Tally};
use crate::{keys, load, manifest, output, standing, store, typed};

/// How many objects are looked at between two looks at the clock and at Ctrl-C. A few, because one
/// root-credential object takes 50 ms.
const BATCH: u32 = 16;

pub async fn run(common: &Common, command: &Audit) -> Result<ExitCode, Failure> {
    let is_for_rustfs = is_for_rustfs(command.shared.require);
    audit(common, keys::keyring_for(common, is_for_rustfs)?, command).await
}

/// The same with keys that are already there.
pub async fn audit(
    common: &Common,
    keyring: MixedKeyring,
    command: &Audit,
) -> Result<ExitCode, Failure> {
    let store = store::open(common, &command.shared.place, Access::Read).await?;
    let scope = AuditScope {
        prefix: command.shared.place.prefix.as_bytes().to_vec(),
        start_after: None,
        policy: policy(command.shared.require),
        try_all_credentials: command.shared.credentials.try_all,
    };
    standing::tell(common, &*store, &scope.prefix, |_| Some(false)).await;
    let progress = store::progress(common, &*store, &scope.prefix).await;
    let file = match &command.against.manifest {
        None => None,
        Some(file) => Some(manifest::file(file, &command.shared.place.store)?),
    };
    let noting = file.is_some().then(|| Arc::new(Noting::new(store.clone())));
    let lent: Arc<dyn Storage> = match &noting {
        None => store.clone(),
        Some(noting) => noting.clone(),
    };
    for (name, count) in keys::of_one_name(&keyring) {
        output::note(common.json, &notes::keys_of_one_name(&name, count));
    }
    let (keys, users) = (keyring.key_names(), keyring.root_users());
    let mut needs = Needs::new(
        keys.map(str::to_owned),
        users.map(str::to_owned),
        &scope.prefix,
    );
    let auditor = load::auditor(common, keyring.clone(), Some(lent)).await?;
    let at_least = command.against.at_least_epoch.unwrap_or(0);
    let manifest = match file {
        None => None,
        Some(file) => {
            let about = |error| manifest::unopened(error).about(file.path().display());
            Some(file.load(&auditor, at_least).await.map_err(about)?)
        }
    };
    if let Some(key) = manifest.as_ref().and_then(|manifest| manifest.key()) {
        needs.see_manifest(key);
    }
    let mut comparing = match (&manifest, &noting) {
        (Some(manifest), Some(noting)) => {
            Some(Comparing::new(noting, manifest.compare(&scope.prefix)))
        }
        _ => None,
    };
    let mut names = Names::default();
    let mut misnamed = Misnamed::default();
    let mut audit = auditor.audit(&scope).await?;
    let mut interrupt = Interrupt::listen()?;
    let mut tally = Tally::default();
    let mut stopped = None;
    while stopped.is_none() {
        let findings = match interrupt.unless(audit.next(BATCH)).await {
            Ok(Ok(findings)) if findings.is_empty() => break,
            Ok(Ok(findings)) => findings,
            Ok(Err(error)) => {
                stopped = Some(error.into());
                break;
            }
            Err(failure) => {
                stopped = Some(failure);
                break;
            }
        };
        for finding in &findings {
            needs.see(finding);
            misnamed.see(finding);
            names.see(finding);
            let line = match &mut comparing {
                Some(comparing) => comparing.line(finding, common.json, &mut tally).await,
                None => {
                    finding::count(finding, &mut tally);
                    if common.json {
                        finding::json_line(finding)
                    } else {
                        finding::text_line(finding)
                    }
                }
            };
            if stopped.is_none() {
                stopped = progress.object(finding::cause(finding), &line).err();
            }
        }
        comparing.iter().for_each(Comparing::next);
        progress.derived(audit.derivations());
        progress.advance(findings.len());
    }
    if stopped.is_none() {
        stopped = progress.unnamed().err();
    }
    // What the audit did not come to is not missing.
    if let Some(comparing) = comparing.as_ref().filter(|_| stopped.is_none()) {
        for line in comparing.missing(common.json, &mut tally) {
            // What is missing is counted even where nobody reads of it.
            if stopped.is_none() {
                stopped = progress.line(&line).err();
            }
        }
    }
    let mut drafts = Drafts::new(command.shared.require.is_some(), common.verbose);
    if stopped.is_none() {
        let looked = look_for_drafts(
            common,
            &*store,
            &scope.prefix,
            &mut drafts,
            &mut tally,
            &progress,
        );
        match interrupt.unless(looked).await {
            Ok(Ok(())) => {}
            Err(failure) => stopped = Some(failure),
            // A store of which that is not known is not what is required.
            Ok(Err(failure)) if command.shared.require.is_some() => stopped = Some(failure),
            Ok(Err(failure)) => output::note(common.json, &notes::drafts_unknown(&failure.message)),
        }
    }
    progress.finish();
    if drafts.count() > 0 {
        output::note(common.json, &notes::drafts(drafts.count()));
    }
    if stopped.is_none() && scope.prefix == notes::CONFIG {
        let place = &command.shared.place.store;
        let seeing = see_settings(common, &store, place, &mut needs);
        match interrupt.unless(seeing).await {
            Ok(Ok(())) => {}
            Ok(Err(failure)) => {
                output::note(common.json, &notes::settings_unknown(&failure.message));
                needs.break_off();
            }
            Err(failure) => stopped = Some(failure),
        }
    }
    if stopped.is_none() {
        let telling = misnamed.tell(common, &*store, &keyring);
        stopped = match interrupt.unless(telling).await {
            Ok(told) => told.err(),
            Err(failure) => Some(failure),
        };
    }
    // Of an account whose signer is an earlier root, and the present one is there, its own line tells.
    let knows_root = Environment::of_process()?.has_root_credential()?;
    if !knows_root && needs.signed() > 0 {
        let store = typed::quoted(command.shared.place.store.as_os_str());
        output::note(common.json, &notes::signed_by_root(needs.signed(), &store));
    }
    // After all that is read: it tells of that.
    let is_whole = store::tell(common, &*store).await;
    if !is_whole {
        tally.beside(Cause::Storage);
    }
    if tally.is_empty() && stopped.is_none() {
        store::nothing_there(common, &command.shared.place);
    }
    if stopped.is_some() || !is_whole {
        needs.break_off();
    }
    // What was not looked at may well be there.
    let names = (stopped.is_none() && is_whole && scope.prefix == notes::CONFIG).then_some(names);
    if names.as_ref().is_some_and(Names::has_more) {
        output::note(common.json, notes::MORE_NAMED);
    }
    let text = match common.json {
        true => {
            let about = manifest
                .as_ref()
                .zip(comparing.as_ref())
                .map(|(manifest, comparing)| {
                    let mut about = manifest::about(manifest);
                    if let Some(fields) = about.as_object_mut() {
                        fields.insert("as_recorded".into(), comparing.as_recorded().into());
                    }
                    ("manifest", about)
                });
            let further = [("keys", needs.json())].into_iter().chain(about);
            let further = further.chain(drafts.json());
            let further = further.chain(names.and_then(|names| names.json()));
            let further = further.chain((!is_whole).then(|| ("all_seen", false.into())));
            tally.summary("verdict", stopped.is_some(), further)
        }
        false => {
            let mut lines = vec![tally.table(tally::IS)];
            lines.extend(needs.table());
            lines.extend(names.and_then(|names| names.text()));
            if let (Some(manifest), Some(comparing)) = (&manifest, &comparing) {
                lines.push(manifest::words(manifest));
                let as_recorded = comparing.as_recorded();
                lines.push(format!(
                    "As it records it: {}.",
                    notes::count(as_recorded, "object")
                ));
            }
            lines.extend((!is_whole).then(|| notes::NOT_ALL_SEEN.to_owned()));
            lines.join("\n")
        }
    };
    let printed = output::summary(&text);
    match stopped {
        Some(stopped) => Err(stopped),
        None => printed.map(|()| tally.exit_code().into()),
    }
}

/// Takes into account what the tiers and the settings of buckets name. They are not among the objects, and what
/// cannot be read of them fails nothing: it leaves open who needs which key.
async fn see_settings(
    common: &Common,
    store: &Arc<dyn Store>,
    given: &Path,
    needs: &mut Needs,
) -> Result<(), Failure> {
    let has_settings = match store::kind(&**store, given) {
        store::Kind::Drives => store.census().is_some(),
        // Most copies hold the configuration alone.
        store::Kind::Folder => !store.list(BUCKETS, None).await?.next().await?.is_empty(),
        store::Kind::Server => false,
    };
    if !has_settings {
        return Ok(());
    }
    let mut figures = Figures::default();
    Look::new(common, store, given, None, &mut figures)
        .settings()
        .await?;
    for (key, of, group) in figures.groups() {
        // Without a name it is the key that the server has, whichever that is.
        if key.is_some() || of != Use::Default {
            needs.see_settings(key, group.objects);
        }
    }
    needs.see_settings(None, figures.unread);
    if figures.not_looked.is_empty() {
        needs.has_settings();
    }
    Ok(())
}

/// Counts and names the drafts that lie in the store.
async fn look_for_drafts(
    common: &Common,
    store: &dyn Store,
    prefix: &[u8],
    drafts: &mut Drafts,
    tally: &mut Tally,
    progress: &Progress,
) -> Result<(), Failure> {
    let unknown = |error| Failure::from(error).about("the drafts cannot be listed");
    let mut listing = store.drafts(prefix).await.map_err(unknown)?;
    loop {
        let page = listing.next().await.map_err(unknown)?;
        if page.is_empty() {
            return Ok(());
        }
        for line in drafts.see(&page, common.json, tally) {
            progress.line(&line)?;
        }
    }
}
