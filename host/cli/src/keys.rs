//! The keys that the environment and the options give.

use std::collections::BTreeSet;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, Once, PoisonError};

use iamseal::contract::{KeyError, KeyFailure, ObjectError, SealedForm, Target};
use iamseal::keys::root_credential::{self, RootCredentialError};
use iamseal::keys::static_key::StaticKeyError;
use iamseal::keys::{
    Environment, GivenPath, KesStore, Keyring as _, KeysError, MixedKeyring, StaticKeyring,
};

use crate::arguments::Common;
use crate::cause::Cause;
use crate::failure::Failure;
use crate::report::notes;
use crate::{encrypted, output, typed};

/// Everything that is lent to the plugin.
pub fn keyring(common: &Common) -> Result<MixedKeyring, Failure> {
    let environment = Environment::of_process()?;
    let mut keyring = match kes_store(common)? {
        None => environment.keyring()?,
        Some(store) => environment.keyring_of_kes_store(&store)?.into(),
    };
    for file in &common.keys {
        is_no_secret("--keys", file)?;
        keyring = keyring.keys_text(file, &encrypted::keys_text(common, file)?)?;
    }
    for file in &common.root_credentials {
        is_no_secret("--root-credentials", file)?;
        let text = encrypted::keys_text(common, file)?;
        tell_odd(common, file, &text);
        keyring = keyring.root_credentials_text(file, &text)?;
    }
    let files = common.keys.iter().chain(&common.root_credentials);
    warn(common, &environment, files.chain(&common.identities));
    Ok(keyring)
}

/// The same; if something is to be written for RustFS or as it reads it, its credentials come first.
///
/// # Errors
/// As above, and that there is nothing to write under.
pub fn keyring_for(common: &Common, is_for_rustfs: bool) -> Result<MixedKeyring, Failure> {
    let keyring = keyring(common)?;
    if !is_for_rustfs {
        return Ok(keyring);
    }
    let credentials = Environment::of_process()?.rustfs()?;
    let credentials = credentials.ok_or_else(|| Failure::from(notes::NO_RUSTFS))?;
    Ok(keyring.root_credentials_first(credentials))
}

/// The keys of the folder of `--kes-store`. What is no key there is told, and whose files others can read.
fn kes_store(common: &Common) -> Result<Option<KesStore>, Failure> {
    let Some(folder) = &common.kes_store else {
        return Ok(None);
    };
    is_no_secret("--kes-store", folder)?;
    let store = KesStore::read(folder)?;
    static TOLD: Once = Once::new();
    TOLD.call_once(|| {
        let (passed_over, open) = (store.passed_over(), store.open_to_others());
        for (file, why) in passed_over.iter().take(notes::NAMED) {
            let shown = iamseal::shown(file.as_os_str().as_bytes());
            output::note(common.json, &notes::no_kes_key(&shown, &why.to_string()));
        }
        let quoted = typed::quoted(folder.as_os_str());
        if store.is_writable_by_others() {
            let shown = iamseal::shown(folder.as_os_str().as_bytes());
            output::note(common.json, &notes::keys_by_others(&shown, &quoted));
        }
        if let Some(more @ 1..) = passed_over.len().checked_sub(notes::NAMED) {
            output::note(common.json, &notes::more_no_kes_keys(more, &quoted));
        }
        tell_open(common, open.iter().take(notes::NAMED).cloned());
        if let Some(more @ 1..) = open.len().checked_sub(notes::NAMED) {
            output::note(common.json, &notes::more_open_to_others(more, &quoted));
        }
    });
    Ok(Some(store))
}

/// Refuses what may be a secret where the name of its file belongs, without showing it.
pub fn is_no_secret(option: &str, file: &Path) -> Result<(), Failure> {
    if !GivenPath::from(file).is_hidden() {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "{option} takes a file, and there is none of the name that was given, which is not shown: it may be \
         a secret"
    ))
    .with_cure("check the name of the file; a secret itself belongs in a file that only you can read"))
}

/// Whether there is anything that can keep a secret.
pub fn has_any(keyring: &MixedKeyring) -> bool {
    keyring.key_names().next().is_some() || !keyring.root_credentials().is_empty()
}

/// The names that several keys have, and how many.
pub fn of_one_name(keyring: &MixedKeyring) -> Vec<(String, usize)> {
    let count = |name: &str| keyring.candidates(name).map_or(0, |keys| keys.len());
    let names = keyring
        .key_names()
        .map(|name| (name.to_owned(), count(name)));
    names.filter(|(_, count)| *count > 1).collect()
}

/// Sees which key objects are to be sealed under, before a store is opened.
///
/// # Errors
/// It was not given, or several of that name were, and none of them by the environment.
pub fn to_seal(common: &Common, keyring: &MixedKeyring, target: &Target) -> Result<(), Failure> {
    let Target::Sealed(how) = target else {
        return Ok(());
    };
    // Without a name and a default the plugin says what is missing.
    let named = how.key.clone().or_else(|| keyring.default_key());
    let (SealedForm::Minio(_) | SealedForm::Compact, Some(name)) = (how.form, named) else {
        return Ok(());
    };
    match keyring.candidates(&name) {
        Err(error @ KeyError::NotFound) => {
            let failure = KeyFailure { key: name, error };
            Err(iamseal::Error::Object(ObjectError::Key(failure)).into())
        }
        Ok(keys) if keys.len() > 1 => {
            let count = keys.len();
            if keyring.default_key().as_ref() != Some(&name) {
                return Err(notes::which_key(&name, count).into());
            }
            output::note(common.json, &notes::key_of_environment(&name, count));
            Ok(())
        }
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Says which files with secrets others than their owners can read or write: those that the environment names
/// and these.
pub fn warn<'a>(
    common: &Common,
    environment: &Environment,
    files: impl IntoIterator<Item = &'a PathBuf>,
) {
    static OF_IMAGE: Once = Once::new();
    static IN_QUOTES: Once = Once::new();
    static EMPTY: Once = Once::new();
    static ABSENT: Once = Once::new();
    for (told, variables, note) in [
        (
            &OF_IMAGE,
            environment.passed_over(),
            notes::passed_over as fn(&[&str]) -> String,
        ),
        (&IN_QUOTES, environment.quoted(), notes::in_quotes),
        (&EMPTY, environment.empty(), notes::set_to_nothing),
        (&ABSENT, environment.absent(), notes::absent_files),
    ] {
        if !variables.is_empty() {
            told.call_once(|| output::note(common.json, &note(&variables)));
        }
    }
    let given = files
        .into_iter()
        .filter(|file| encrypted::is_open_to_others(file));
    tell_open(common, given.cloned().chain(environment.open_to_others()));
}

/// Says that others than their owners can read or write these files with secrets, once of each.
pub fn tell_open(common: &Common, open: impl IntoIterator<Item = PathBuf>) {
    // A file may be read for the keys and for the store.
    static TOLD: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
    let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
    for file in open {
        if !told.insert(file.clone()) {
            continue;
        }
        let shown = iamseal::shown(file.as_os_str().as_bytes());
        let quoted = typed::quoted(file.as_os_str());
        output::note(common.json, &notes::open_to_others(&shown, &quoted));
    }
}

/// Says which credentials of a file may not be what whoever wrote it means.
fn tell_odd(common: &Common, file: &Path, text: &str) {
    let shown = iamseal::shown(file.as_os_str().as_bytes());
    for (line, oddity) in root_credential::odd_lines(text).take(notes::NAMED) {
        output::note(common.json, &notes::odd_credential(&shown, line, oddity));
    }
}

/// The static keys alone, from the same places, even where the environment describes a KES too.
pub fn beside_kes(common: &Common) -> Result<StaticKeyring, Failure> {
    let environment = Environment::of_process()?;
    let mut keyring = environment.keyring_beside_kes()?;
    if let Some(store) = kes_store(common)? {
        keyring = keyring.kes_store(&store);
    }
    for file in &common.keys {
        is_no_secret("--keys", file)?;
        keyring = keyring.keys_text(file, &encrypted::keys_text(common, file)?)?;
    }
    let files = common.keys.iter().chain(&common.identities);
    warn(common, &environment, files);
    Ok(keyring)
}

impl From<KeysError> for Failure {
    fn from(error: KeysError) -> Self {
        let failure = Self::new(Cause::Usage, &error);
        failure.with_cure(error.cure())
    }
}

impl From<StaticKeyError> for Failure {
    fn from(error: StaticKeyError) -> Self {
        let failure = Self::new(Cause::Usage, &error);
        failure.with_cure(error.cure())
    }
}

impl From<RootCredentialError> for Failure {
    fn from(error: RootCredentialError) -> Self {
        let failure = Self::new(Cause::Usage, &error);
        failure.with_cure(error.cure())
    }
}
