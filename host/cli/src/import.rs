//! `iamseal import`: the identities of an archive as objects of a store.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read as _;
use std::num::NonZeroU32;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::SystemTime;

use iamseal::Plugin;
use iamseal::contract::{ObjectError, Policy, SealedForm, StorageError, Target};
use iamseal::keys::{Keyring as _, RootCredential};
use iamseal::storage::{Change, Storage};
use iamseal_words::arguments::To;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::arguments::{Common, Import};
use crate::cause::Cause;
use crate::failure::Failure;
use crate::identities::archive::Archive;
use crate::identities::{Kind, Pattern, entry, is_alike, object, path};
use crate::interrupt::Interrupt;
use crate::loadable::Loadable;
use crate::opening::Opening;
use crate::put::Put;
use crate::report::notes;
use crate::report::why::Why;
use crate::run::{self, On, Run};
use crate::steps::{Step, Telling, write};
use crate::store::Access;
use crate::tally::Tally;
use crate::{encrypted, keys, load, output, standing, store, workers};

/// What became of an identity.
const CREATED: &str = "created";
const REPLACED: &str = "replaced";
const WOULD_CREATE: &str = "would-create";
const WOULD_REPLACE: &str = "would-replace";
const UNCHANGED: &str = "unchanged";

/// How large an archive may be: that of some ten thousand identities has a few MiB.
const ARCHIVE_BYTES: u64 = 64 << 20;

/// How many parts a path may have: names with slashes in them become folders, one in the other.
const PARTS: usize = 64;

pub async fn run(common: &Common, command: &Import) -> Result<ExitCode, Failure> {
    let archive = read(common, &command.archive)?;
    let open = encrypted::is_open_to_others(&command.archive);
    keys::tell_open(common, open.then(|| command.archive.clone()));
    let target = command.target()?;
    let access = Access::of(command.writes, command.dry_run);
    let keyring = keys::keyring_for(common, command.to == To::Rustfs)?;
    keys::to_seal(common, &keyring, &target)?;
    let store = store::open_whole(common, &command.store, access).await?;
    let plugin = load::builder(common, Arc::new(keyring.clone()))
        .load()
        .await?;
    let identities = wanted(&archive, command);
    if identities.is_empty() {
        output::note(common.json, notes::NO_IDENTITY_IN_IT);
    }
    let paths: BTreeSet<_> = identities.iter().map(Identity::path).collect();
    let to_plaintext = matches!(target, Target::Plaintext);
    let replaces = |path: &[u8]| {
        let is_replaced = command.replace && paths.contains(path);
        is_replaced.then_some(to_plaintext)
    };
    let new = match to_plaintext {
        true => &paths,
        false => &BTreeSet::new(),
    };
    standing::tell_of_new(common, &*store, notes::CONFIG, replaces, new).await;
    let mut interrupt = Interrupt::listen()?;
    let on = On {
        store: store.clone(),
        given: &command.store,
    };
    let mut common = common.clone();
    if command
        .store
        .as_os_str()
        .as_bytes()
        .starts_with(store::BUCKET.as_bytes())
    {
        // An undo of it removes, which a bucket does only where nobody else writes.
        common.typed.promise_stopped();
    }
    let common = &common;
    let run = match command.dry_run {
        true => None,
        false => {
            let work = (notes::CONFIG, "import");
            let place = &command.journal;
            Some(run::start(common, &keyring, place, &on, work, &mut interrupt).await?)
        }
    };
    let storage: Arc<dyn Storage> = match &run {
        Some(run) => run.store(),
        None => store.clone(),
    };
    let mut importing = Importing {
        plugin: &plugin,
        opening: Opening::with(common, keyring.clone(), command.credentials.try_all).await?,
        loadable: Loadable::new(common, &keyring).await?,
        storage: &*storage,
        run: run.as_ref(),
        roots: keyring.root_credentials(),
        target,
        is_replacing: command.replace,
        now: humantime::format_rfc3339_seconds(SystemTime::now()).to_string(),
    };
    let tally = Tally::of("identities");
    let mut telling = Telling::new(common, run.as_ref(), identities.len(), tally);
    let batch = workers::batch(NonZeroU32::MIN).min(store::batch(&command.store));
    for batch in identities.chunks(batch.max(1) as usize) {
        // A batch is never dropped midway: Ctrl-C is answered between two.
        if !telling.goes_on(interrupt.pressed()) {
            break;
        }
        match importing.batch(batch).await {
            Ok(steps) => telling.batch(&steps).await,
            Err(failure) => drop(telling.goes_on(Some(failure))),
        }
    }
    let (tally, stopped) = telling.end();
    run::finish(common, &on, run, tally, stopped, &mut interrupt).await
}

/// Reads an archive.
fn read(common: &Common, file: &Path) -> Result<Archive, Failure> {
    let shown = iamseal::shown(file.as_os_str().as_bytes());
    let mut bytes = Zeroizing::new(Vec::new());
    File::open(file)
        .and_then(|opened| opened.take(ARCHIVE_BYTES + 1).read_to_end(&mut bytes))
        .map_err(|error| Failure::from(error).about(&shown))?;
    if bytes.len() as u64 > ARCHIVE_BYTES {
        return Err(Failure::new(
            Cause::Limit,
            format!("{shown}: larger than 64 MiB"),
        ));
    }
    let bytes = encrypted::contents(common, file, bytes, ARCHIVE_BYTES as usize)?;
    Archive::read(&bytes).map_err(|why| {
        Failure::new(
            Cause::Malformed,
            format!("{shown}: not an archive of identities: {why}"),
        )
        .with_cure("give one that iamseal export or mc admin cluster iam export has made")
    })
}

/// An identity of the archive.
struct Identity<'a> {
    kind: Kind,
    name: &'a str,
    entry: &'a Value,
}

impl Identity<'_> {
    /// Where its object stands.
    fn path(&self) -> Vec<u8> {
        path(self.kind, self.name)
    }
}

fn wanted<'a>(archive: &'a Archive, command: &Import) -> Vec<Identity<'a>> {
    let only = &command.which.only;
    let pattern = command.which.name.as_deref().map(Pattern::from);
    let kinds = Kind::ALL.into_iter();
    let kinds = kinds.filter(|kind| only.is_empty() || only.contains(kind));
    let all = kinds.flat_map(|kind| {
        let entries = archive.of(kind);
        entries.map(move |(name, entry)| Identity { kind, name, entry })
    });
    all.filter(|identity| {
        let pattern = pattern.as_ref();
        pattern.is_none_or(|pattern| pattern.fits(identity.name))
    })
    .collect()
}

/// An import that is under way.
struct Importing<'a> {
    plugin: &'a Plugin,
    opening: Opening<'a>,
    loadable: Loadable,
    storage: &'a dyn Storage,
    /// None of a dry run.
    run: Option<&'a Run>,
    roots: Vec<RootCredential>,
    target: Target,
    is_replacing: bool,
    now: String,
}

impl Importing<'_> {
    async fn batch(&mut self, identities: &[Identity<'_>]) -> Result<Vec<Step>, Failure> {
        let (mut steps, mut prepared) = (Vec::new(), Vec::new());
        for identity in identities {
            let mut step = Step::new(identity.path(), UNCHANGED);
            step.is_read = false;
            step.about
                .insert("kind".into(), identity.kind.name().into());
            step.about.insert("name".into(), identity.name.into());
            match self.prepare(identity, &mut step).await {
                Ok(None) => {}
                Ok(Some(put)) => prepared.push((steps.len(), put)),
                Err(Unfit::Identity(why)) => step = step.failed(why),
                Err(Unfit::All(failure)) => return Err(failure),
            }
            steps.push(step);
        }
        let opener = self.plugin.reader();
        Ok(write(self.run, opener, &self.loadable, prepared, steps).await)
    }

    /// What is to be written; none if the store has it.
    async fn prepare(
        &mut self,
        identity: &Identity<'_>,
        step: &mut Step,
    ) -> Result<Option<Put>, Unfit> {
        let Identity { kind, name, entry } = *identity;
        let path = &step.path;
        let is_plain = |part: &[u8]| !matches!(part, b"" | b"." | b"..");
        let parts = path.split(|byte| *byte == b'/');
        if parts.clone().count() > PARTS || !parts.clone().all(is_plain) {
            return Err(malformed("nothing can stand under its name"));
        }
        let plaintext = object(kind, name, entry, &self.now).map_err(malformed)?;
        let there = match self.storage.read(path).await {
            Ok(stored) => Some((stored.version, Zeroizing::new(stored.bytes))),
            Err(StorageError::NotFound) => None,
            Err(error) => return Err(Unfit::Identity(Why::from(&ObjectError::Storage(error)))),
        };
        step.is_read = true;
        let expected = match there {
            None => None,
            Some((version, bytes)) => {
                match self.is_same(identity, path, &bytes, &plaintext).await? {
                    Ok(true) => return Ok(None),
                    _ if self.is_replacing => Some(version),
                    Ok(false) => return Err(Unfit::Identity(is_there())),
                    Err(why) => return Err(Unfit::Identity(why)),
                }
            }
        };
        step.outcome = match (self.run.is_some(), expected.is_some()) {
            (true, false) => CREATED,
            (true, true) => REPLACED,
            (false, false) => WOULD_CREATE,
            (false, true) => WOULD_REPLACE,
        };
        let bytes = match &self.target {
            Target::Plaintext => plaintext.to_vec(),
            Target::Sealed(how) => match self.plugin.seal(path, &plaintext, how).await {
                Ok(bytes) => bytes,
                Err(iamseal::Error::Object(error)) => return Err(Unfit::All(failure(error))),
                Err(error) => return Err(Unfit::All(error.into())),
            },
        };
        let policy = match &self.target {
            Target::Plaintext => Policy::Compatible,
            Target::Sealed(how) if how.form == SealedForm::Rustfs => Policy::Rustfs,
            Target::Sealed(_) => Policy::Sealed,
        };
        Ok(Some(Put {
            change: Change::put(path.clone(), expected, bytes),
            plaintext,
            policy,
        }))
    }

    /// Whether an object holds what is made of the archive's entry, whatever its form and times; or why that is not known
    /// of one that was not tried with every root credential.
    async fn is_same(
        &mut self,
        identity: &Identity<'_>,
        path: &[u8],
        stored: &[u8],
        new: &[u8],
    ) -> Result<Result<bool, Why>, Unfit> {
        let opened = self.opening.unseal(path, stored, Policy::Compatible).await;
        let opened = match opened.map_err(Unfit::All)? {
            Ok(opened) => opened,
            Err(iamseal::Error::Object(error @ ObjectError::CredentialUntried(_))) => {
                return Ok(Err(Why::from(&error)));
            }
            Err(_) => return Ok(Ok(false)),
        };
        let Identity { kind, name, .. } = *identity;
        let there = entry(kind, name, &opened.plaintext, &self.roots);
        let new = entry(kind, name, new, &self.roots);
        Ok(Ok(there.is_ok_and(|there| {
            new.is_ok_and(|new| is_alike(&there.0, &new.0))
        })))
    }
}

/// Why an identity is not written.
enum Unfit {
    Identity(Why),
    /// No other can be, either.
    All(Failure),
}

fn malformed(why: impl std::fmt::Display) -> Unfit {
    Unfit::Identity(Why {
        cause: Cause::Malformed,
        message: format!("what the archive has of it is none: {why}"),
        cure: Some("correct it in the archive, or make it by hand".into()),
        opens_at: None,
    })
}

fn is_there() -> Why {
    Why {
        cause: Cause::Conflict,
        message: "there is one already, and it is another; it was left as it is".into(),
        cure: Some("--replace puts that of the archive in its place".into()),
        opens_at: None,
    }
}

fn failure(error: ObjectError) -> Failure {
    iamseal::Error::Object(error).into()
}
