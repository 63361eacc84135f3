//! Files with secrets that age encrypts: keys, credentials and archives.

use std::fs::File;
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use iamseal::keys::{self as lent, KeysError};
use iamseal_age::{AgeError, Recipients};
use iamseal_words::keys::is_encrypted;
use iamseal_words::limits::KEYS_FILE_BYTES;
use zeroize::Zeroizing;

use crate::arguments::Common;
use crate::cause::Cause;
use crate::failure::Failure;
use crate::{keys, typed};

/// How many bytes age may add to a file, its recipients among them; as text a file is a third longer besides.
const ADDED_BYTES: usize = 1 << 20;

/// How much of a file shows whether it is encrypted.
const BEGINNING_BYTES: u64 = 64;

/// Whether others than its owner can read or replace the secrets of a file. Those of one that is encrypted they cannot
/// read, but anybody can encrypt others to the same recipient.
pub fn is_open_to_others(file: &Path) -> bool {
    let is_open = lent::is_open_to_others(file);
    // A pipe is not: what is open is read again below.
    if !is_open || lent::is_writable_by_others(file) {
        return is_open;
    }
    let mut beginning = Vec::new();
    let read = File::open(file)
        .and_then(|opened| opened.take(BEGINNING_BYTES).read_to_end(&mut beginning));
    read.is_err() || !is_encrypted(&beginning)
}

/// The text of a file of keys or credentials, encrypted or not. It is read once, so it may be a pipe.
///
/// # Errors
/// It cannot be read, or does not open.
pub fn keys_text(common: &Common, file: &Path) -> Result<Zeroizing<String>, Failure> {
    let bytes = read(file, KEYS_FILE_BYTES * 4 / 3 + ADDED_BYTES)?;
    let bytes = contents(common, file, bytes, KEYS_FILE_BYTES)?;
    Ok(lent::text(file, &bytes)?)
}

/// What a file holds: what is encrypted in it, or its own bytes.
///
/// # Errors
/// It does not open.
pub fn contents(
    common: &Common,
    file: &Path,
    bytes: Zeroizing<Vec<u8>>,
    limit: usize,
) -> Result<Zeroizing<Vec<u8>>, Failure> {
    match is_encrypted(&bytes) {
        true => opened(common, file, &bytes, limit),
        false => Ok(bytes),
    }
}

/// Whom an archive is encrypted to; none, if nobody is named.
///
/// # Errors
/// A text that is neither a recipient nor a file of recipients.
pub fn recipients(given: &[String]) -> Result<Option<Recipients>, Failure> {
    let mut recipients = Recipients::default();
    for text in given {
        let added = match text.starts_with("age1") {
            true => recipients.add(text),
            false => recipients.add_all(&recipients_file(Path::new(text))?),
        };
        added.map_err(|error| match error {
            AgeError::NotBuiltIn => Failure::usage(error).with_cure(
                "leave out --encrypt-to, and pipe the archive: iamseal export … | age -r age1… > FILE",
            ),
            error => Failure::usage(format!("--encrypt-to {}: {error}", iamseal::shown(text.as_bytes())))
                .with_cure("give the public key that age-keygen prints, or a file of such, one a line"),
        })?;
    }
    Ok((!given.is_empty()).then_some(recipients))
}

fn recipients_file(file: &Path) -> Result<Zeroizing<String>, Failure> {
    keys::is_no_secret("--encrypt-to", file)?;
    Ok(lent::text(file, &read(file, KEYS_FILE_BYTES)?)?)
}

fn opened(
    common: &Common,
    file: &Path,
    bytes: &[u8],
    limit: usize,
) -> Result<Zeroizing<Vec<u8>>, Failure> {
    iamseal_age::open(bytes, identities(common)?, limit).map_err(|error| {
        let quoted = typed::quoted(file.as_os_str());
        let cure = match error {
            AgeError::NotBuiltIn => {
                format!("give a pipe in its place: <(age -d -i IDENTITY {quoted})")
            }
            AgeError::Passphrase => format!("give a pipe in its place: <(age -d {quoted})"),
            AgeError::NoIdentity | AgeError::NoMatch => {
                "give the file that age-keygen made with --identity FILE".into()
            }
            AgeError::Identity { .. } => "correct the file of --identity".into(),
            _ => "encrypt it anew".into(),
        };
        let cause = match error {
            AgeError::TooLarge { .. } => Cause::Limit,
            _ => Cause::Usage,
        };
        about(file, Failure::new(cause, error)).with_cure(cure)
    })
}

/// The texts of the files of identities, which may be pipes.
fn identities(common: &Common) -> Result<&[Zeroizing<String>], Failure> {
    if let Some(read) = common.identity_texts.get() {
        return Ok(read);
    }
    let text = |file: &PathBuf| {
        keys::is_no_secret("--identity", file)?;
        Ok(lent::text(file, &read(file, KEYS_FILE_BYTES)?)?)
    };
    let texts = common.identities.iter().map(text);
    let texts = texts.collect::<Result<Vec<_>, Failure>>()?;
    Ok(common.identity_texts.get_or_init(|| texts))
}

/// Reads a whole file into memory that is wiped.
fn read(file: &Path, limit: usize) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let mut bytes = Zeroizing::new(Vec::new());
    let reading = File::open(file).and_then(|opened| {
        let about = opened.metadata()?;
        // A buffer that grew would leave copies of the secrets behind. A pipe has no size.
        let size = match about.is_file() {
            true => about.len().min(limit as u64) as usize,
            false => limit,
        };
        bytes.reserve_exact(size + 1);
        opened.take(limit as u64 + 1).read_to_end(&mut bytes)
    });
    let read = reading.map_err(|cause| KeysError::Unreadable {
        path: file.into(),
        cause,
    })?;
    match read > limit {
        true => Err(KeysError::FileTooLarge { path: file.into() }.into()),
        false => Ok(bytes),
    }
}

fn about(file: &Path, failure: Failure) -> Failure {
    failure.about(iamseal::shown(file.as_os_str().as_bytes()))
}
