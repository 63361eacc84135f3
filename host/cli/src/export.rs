//! `iamseal export`: the identities of a store as an archive that MinIO imports.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, IsTerminal as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use iamseal::contract::{Found, ObjectError, Policy, StorageError};
use iamseal::keys::{Keyring as _, RootCredential};
use iamseal::storage::Store;
use iamseal_age::Recipients;
use iamseal_words::arguments::{is_for_rustfs, policy};
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use crate::arguments::{Common, Export, Which};
use crate::cause::Cause;
use crate::failure::Failure;
use crate::identities::archive::{self, Archive};
use crate::identities::{Kind, Pattern, Place, Refused, Secret, entry, place};
use crate::inside::{is_inside, shows_in};
use crate::interrupt::Interrupt;
use crate::opening::Opening;
use crate::progress::Progress;
use crate::report::why::Why;
use crate::report::{notes, words};
use crate::store::Access;
use crate::tally::{self, Tally};
use crate::{encrypted, keys, output, store, typed};

/// Where all identities stand.
const IAM: &[u8] = b"config/iam/";
/// What became of an identity.
const EXPORTED: &str = "exported";
const LEFT_OUT: &str = "left-out";

pub async fn run(common: &Common, command: &Export) -> Result<ExitCode, Failure> {
    match &command.output {
        None if io::stdout().is_terminal() => return Err(notes::SECRETS_FOR_A_TERMINAL.into()),
        None => {}
        Some(file) => check_place(file, &command.store)?,
    }
    let recipients = encrypted::recipients(&command.encrypt_to)?;
    if recipients.is_some() && common.json && command.output.is_none() {
        return Err(notes::LINES_ARE_NOT_ENCRYPTED.into());
    }
    let keyring = keys::keyring_for(common, is_for_rustfs(command.require))?;
    let roots = keyring.root_credentials();
    let store = store::open_whole(common, &command.store, Access::Read).await?;
    let mut exporting = Exporting {
        common,
        command,
        policy: policy(command.require),
        opening: Opening::with(common, keyring, command.credentials.try_all).await?,
        bytes: 0,
        roots,
        name: command.which.name.as_deref().map(Pattern::from),
        progress: store::progress(common, &*store, IAM).await.on_stderr(),
        archive: Archive::default(),
        recipients,
        tally: Tally::of("identities"),
        failed: 0,
        users: BTreeSet::new(),
        temporary: 0,
    };
    exporting.all(&*store).await?;
    exporting.progress.unnamed()?;
    exporting.progress.finish();
    let is_whole = store::tell(common, &*store).await;
    // From here on no signal ends the process while a half of the archive lies in its folder.
    let interrupt = Interrupt::listen()?;
    if let Some(came) = interrupt.pressed() {
        return Err(came);
    }
    exporting.end(is_whole)
}

/// Refuses a place for the archive that would harm the store or the system.
///
/// # Errors
/// It is in `config/`, or something that is no plain file.
fn check_place(file: &Path, store: &Path) -> Result<(), Failure> {
    let shown = iamseal::shown(file.as_os_str().as_encoded_bytes());
    let is_other = fs::symlink_metadata(file).is_ok_and(|meta| !meta.is_file());
    if is_other {
        return Err(Failure::usage(format!(
            "{shown} is not a plain file, and would be replaced"
        ))
        .with_cure("leave out -o to write to standard output, or give another name"));
    }
    for folder in store::folders(store)? {
        if is_inside(folder_of(file), &folder).unwrap_or(false) {
            return Err(
                Failure::usage(format!("{shown}: the archive would be inside the store"))
                    .with_cure("give a place outside of it"),
            );
        }
    }
    Ok(())
}

fn folder_of(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

/// An export that is under way.
struct Exporting<'a> {
    common: &'a Common,
    command: &'a Export,
    policy: Policy,
    opening: Opening<'a>,
    /// How much the identities hold together that are in the archive.
    bytes: u64,
    roots: Vec<RootCredential>,
    name: Option<Pattern>,
    progress: Progress,
    archive: Archive,
    recipients: Option<Recipients>,
    tally: Tally,
    /// How many identities could not be read.
    failed: u64,
    /// Every user of the store, and those of whom it has policies alone.
    users: BTreeSet<Vec<u8>>,
    /// How many temporary credentials there are.
    temporary: u64,
}

impl Exporting<'_> {
    async fn all(&mut self, store: &dyn Store) -> Result<(), Failure> {
        let mut listing = store.list(IAM, None).await?;
        loop {
            let page = listing.next().await?;
            if page.is_empty() {
                return Ok(());
            }
            for path in &page {
                self.one(store, path).await?;
                self.progress.advance(1);
            }
        }
    }

    async fn one(&mut self, store: &dyn Store, path: &[u8]) -> Result<(), Failure> {
        let Which { only, .. } = &self.command.which;
        let (kind, name) = match place(path) {
            Place::Identity(kind, name) => (kind, name),
            Place::Temporary => {
                self.temporary += 1;
                return Ok(());
            }
            Place::Unknown if only.is_empty() && self.name.is_none() => return self.unknown(path),
            Place::Unknown | Place::Other => return Ok(()),
        };
        if matches!(kind, Kind::Users | Kind::StsuserMappings) {
            self.users.insert(name.to_vec());
        }
        let is_wanted = only.is_empty() || only.contains(&kind);
        let fits = |pattern: &Pattern| pattern.fits(&String::from_utf8_lossy(name));
        if !is_wanted || !self.name.as_ref().is_none_or(fits) {
            return Ok(());
        }
        let Ok(name) = str::from_utf8(name) else {
            return self.left_out(path, &not_text());
        };
        match self.read(store, path, kind, name).await? {
            Read::Gone => Ok(()),
            Read::Unfit(why) => self.left_out(path, &why),
            Read::Entry(found, entry) => self.exported(path, kind, name, &found, entry),
        }
    }

    async fn read(
        &mut self,
        store: &dyn Store,
        path: &[u8],
        kind: Kind,
        name: &str,
    ) -> Result<Read, Failure> {
        let stored = match store.read(path).await {
            Ok(stored) => Zeroizing::new(stored.bytes),
            // Whoever removed it meanwhile does not want it carried.
            Err(StorageError::NotFound) => return Ok(Read::Gone),
            Err(error) => return Ok(Read::Unfit(Why::from(&ObjectError::Storage(error)))),
        };
        let opened = match self.opening.unseal(path, &stored, self.policy).await? {
            Ok(opened) => opened,
            Err(iamseal::Error::Object(error)) => return Ok(Read::Unfit(Why::from(&error))),
            Err(error) => return Err(error.into()),
        };
        self.bytes += opened.plaintext.len() as u64;
        if self.bytes > archive::UNPACKED_BYTES {
            let (message, cure) = notes::ARCHIVE_TOO_LARGE;
            return Err(Failure::new(Cause::Limit, message).with_cure(cure));
        }
        Ok(match entry(kind, name, &opened.plaintext, &self.roots) {
            Ok(entry) => Read::Entry(opened.found, entry),
            Err(why) => Read::Unfit(why),
        })
    }

    fn exported(
        &mut self,
        path: &[u8],
        kind: Kind,
        name: &str,
        found: &Found,
        entry: Secret,
    ) -> Result<(), Failure> {
        self.tally.opened(EXPORTED, found);
        if self.common.json {
            let mut fields = line(path, EXPORTED);
            fields.insert("kind".into(), kind.name().into());
            fields.insert("name".into(), name.into());
            fields.insert("found".into(), words::found_json(found));
            // An archive has it; a pipe gets it here.
            if self.command.output.is_none() {
                fields.insert("entry".into(), entry.0.clone());
            }
            let fields = Secret(Value::Object(fields));
            output::line(&Zeroizing::new(words::json_line(&fields.0)))?;
        }
        self.archive.insert(kind, name.to_owned(), entry);
        Ok(())
    }

    /// What an archive has no place for, or a folder that cannot be read.
    fn unknown(&mut self, path: &[u8]) -> Result<(), Failure> {
        if path.ends_with(b"/") {
            return self.left_out(path, &unreadable());
        }
        self.tally.plain(LEFT_OUT);
        let line = match self.common.json {
            true => {
                let mut fields = line(path, LEFT_OUT);
                fields.insert("reason".into(), notes::NO_PLACE.into());
                return output::line(&words::json_line(&Value::Object(fields)));
            }
            false => words::left_lines(LEFT_OUT, notes::NO_PLACE, path),
        };
        self.progress.object(None, &line)
    }

    fn left_out(&mut self, path: &[u8], why: &Why) -> Result<(), Failure> {
        self.failed += 1;
        self.tally.failed(LEFT_OUT, why.cause);
        if self.common.json {
            let mut fields = line(path, LEFT_OUT);
            fields.insert("error".into(), words::error_json(why));
            return output::line(&words::json_line(&Value::Object(fields)));
        }
        let lines = words::failure_lines(LEFT_OUT, why, path);
        self.progress.object(Some(why.cause), &lines)
    }

    /// Writes the archive, and tells what is in it and what is not.
    fn end(mut self, is_whole: bool) -> Result<ExitCode, Failure> {
        let json = self.common.json;
        if !is_whole {
            self.tally.beside(Cause::Storage);
            output::note(json, notes::NOT_ALL_SEEN);
        }
        if self.tally.is_empty() {
            output::note(json, notes::NO_IDENTITY);
        }
        let archive = match json && self.command.output.is_none() {
            true => None,
            false => Some(self.packed()?),
        };
        match (&self.command.output, &archive) {
            (Some(file), Some(archive)) => {
                tell_left(json, folder_of(file));
                let shown = iamseal::shown(file.as_os_str().as_encoded_bytes());
                let is_cut = self.failed > 0 || !is_whole;
                let has_any = Kind::ALL
                    .iter()
                    .any(|kind| self.archive.of(*kind).count() > 0);
                if is_cut && !has_any {
                    output::note(json, &notes::nothing_to_write(&shown));
                } else if is_cut && file.exists() {
                    output::note(json, &notes::not_replaced(&shown));
                } else {
                    let store = store::folders(&self.command.store)?;
                    write_private(file, archive, &store)
                        .map_err(|error| Failure::from(error).about(shown))?;
                }
            }
            (None, Some(archive)) => output::bytes(archive)?,
            (_, None) => {}
        }
        let secrets = [Kind::Users, Kind::Svcaccts].map(|kind| self.archive.of(kind).count());
        if secrets != [0, 0] && self.recipients.is_none() {
            output::note(json, &notes::holds_secrets(secrets));
        }
        if self.temporary > 0 {
            output::note(json, &notes::temporary(self.temporary));
        }
        self.tell_parents();
        let groups = self.archive.of(Kind::Groups);
        let disabled = groups.filter(|(_, entry)| entry.get("status") == Some(&"disabled".into()));
        let disabled = disabled.map(|(name, _)| name.to_owned()).collect();
        self.tell_of(&disabled, notes::disabled_groups);
        let refused = Refused::of(&self.archive);
        self.tell_of(&refused.short, notes::import_ends_at_short);
        self.tell_of(&refused.without_policy, notes::import_ends_at_mapping);
        self.tell_of(&refused.without_member, notes::groups_left_out);
        self.tell_of(&refused.without_statement, notes::policies_removed);
        let code = self.tally.exit_code();
        if json {
            let all_seen = (!is_whole).then(|| ("all_seen", false.into()));
            output::summary(&self.tally.summary("outcome", false, all_seen))?;
        } else {
            let table = self.tally.table(tally::IS);
            match self.command.output {
                Some(_) => output::summary(&table)?,
                None => output::complain(&table),
            }
        }
        Ok(code.into())
    }

    /// The archive as it is written.
    fn packed(&self) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let zip = self.archive.zip().map_err(Failure::from)?;
        match &self.recipients {
            None => Ok(zip),
            Some(recipients) => {
                let encrypted = recipients.encrypt(&zip).map_err(Failure::other)?;
                Ok(Zeroizing::new(encrypted))
            }
        }
    }

    /// Says which service accounts another server will have no parent for.
    fn tell_parents(&self) {
        let accounts = self.archive.of(Kind::Svcaccts);
        let parents = accounts.filter_map(|(_, entry)| entry.get("parent")?.as_str());
        let strangers = parents.filter(|parent| !self.users.contains(parent.as_bytes()));
        let strangers = strangers.map(str::to_owned).collect();
        self.tell_of(&strangers, notes::parents);
    }

    /// Says something of names, if there are any.
    fn tell_of(&self, names: &BTreeSet<String>, note: fn(u64, &[String]) -> String) {
        if names.is_empty() {
            return;
        }
        let first = names.iter().take(notes::NAMED);
        let first: Vec<_> = first.map(|name| iamseal::shown(name.as_bytes())).collect();
        output::note(self.common.json, &note(names.len() as u64, &first));
    }
}

/// What an object came to.
enum Read {
    Gone,
    Entry(Found, Secret),
    Unfit(Why),
}

fn line(path: &[u8], outcome: &str) -> Map<String, Value> {
    let mut fields = words::path_fields(path);
    fields.insert("outcome".into(), json!(outcome));
    fields
}

fn unreadable() -> Why {
    Why {
        cause: Cause::Storage,
        message: "the folder cannot be read".into(),
        cure: Some("see with iamseal audit what is wrong with it".into()),
        opens_at: None,
    }
}

fn not_text() -> Why {
    Why {
        cause: Cause::Malformed,
        message: "its name is not text, and an archive is".into(),
        cure: Some("make it again under another name".into()),
        opens_at: None,
    }
}

/// How a file is called that is not an archive yet.
const UNFINISHED: &str = ".iamseal-export-";

/// Names what exports that were killed have left beside the archive.
fn tell_left(json: bool, folder: &Path) {
    let names = fs::read_dir(folder).into_iter().flatten().flatten();
    let names = names.map(|entry| entry.file_name());
    let left = names.filter(|name| name.as_bytes().starts_with(UNFINISHED.as_bytes()));
    for name in left.take(notes::NAMED) {
        let quoted = typed::quoted(folder.join(name).as_os_str());
        output::note(json, &notes::left_by_export(&quoted));
    }
}

/// Writes a file for its owner alone: wholly, or not at all, and not where the store shows it too.
fn write_private(file: &Path, bytes: &[u8], store: &[PathBuf]) -> io::Result<()> {
    let folder = folder_of(file);
    // For its owner alone is how they are made.
    let mut new = tempfile::Builder::new()
        .prefix(UNFINISHED)
        .tempfile_in(folder)?;
    if store.iter().any(|store| shows_in(new.path(), store)) {
        return Err(io::Error::other("the archive would be inside the store"));
    }
    new.write_all(bytes)?;
    new.as_file().sync_all()?;
    new.persist(file).map_err(|error| error.error)?;
    File::open(folder)?.sync_all()
}
