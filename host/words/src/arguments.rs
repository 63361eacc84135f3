//! What the command lines of the tool and of the command component take alike. Each help text is
//! written here once; what only one of them takes stands there. Nothing here is a group of clap's: a command
//! that takes more is a struct of the same name, and the names of groups are unique.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{ArgMatches, Args, ValueEnum};

use crate::contract::{self, MinioOptions, Policy, SealOptions, Target};
use crate::contract::{WrittenCipher, WrittenEncoding};
use crate::keys::given::{holds_key, without_keys};
use crate::report::notes;
use crate::shown::shown;

/// Why arguments do not go together, and what to do about it.
pub type Wrong = (&'static str, &'static str);

/// What every command takes.
#[derive(Args, Clone)]
#[group(skip)]
pub struct Common {
    /// Print one JSON object per line instead of text.
    #[arg(long, global = true)]
    pub json: bool,
    /// A file of further keys, one NAME:BASE64 per line: to read with, and to seal under if --key
    /// names one. May be repeated.
    #[arg(long, global = true, value_name = "FILE")]
    pub keys: Vec<PathBuf>,
    /// A file of further root credentials to read with, one USER:PASSWORD per line; of RustFS also
    /// :PASSPHRASE. May be repeated.
    #[arg(long, global = true, value_name = "FILE")]
    pub root_credentials: Vec<PathBuf>,
    /// The name that compact objects are bound to, so that they open in this store alone.
    #[arg(long, global = true, value_name = "NAME", default_value = "")]
    pub store_name: String,
}

/// What `seal` takes.
#[derive(Args)]
#[group(skip)]
pub struct Seal {
    /// The object's path below .minio.sys, e.g. config/iam/users/alice/identity.json.
    #[arg(long)]
    pub path: OsString,
    /// How.
    #[command(flatten)]
    pub how: How,
}

/// What `unseal` takes.
#[derive(Args)]
#[group(skip)]
pub struct Unseal {
    /// The object's path below .minio.sys, e.g. config/iam/users/alice/identity.json.
    #[arg(long)]
    pub path: OsString,
    /// Refuse what is not sealed, or not sealed under the present key. Without it plaintext passes
    /// through, as in MinIO.
    #[arg(long, value_enum)]
    pub require: Option<Require>,
}

/// What `audit` takes.
#[derive(Args)]
#[group(skip)]
pub struct Audit {
    /// What is audited.
    #[command(flatten)]
    pub place: Where,
    /// Report what is not sealed, or not sealed under the present key, as a failure.
    #[arg(long, value_enum)]
    pub require: Option<Require>,
    /// How far root credentials are tried.
    #[command(flatten)]
    pub credentials: Credentials,
}

/// What `migrate` takes.
#[derive(Args)]
#[group(skip)]
pub struct Migrate {
    /// What is migrated.
    #[command(flatten)]
    pub place: Where,
    /// Sealed under a key, not encrypted at all, or sealed as RustFS reads it.
    #[arg(long, value_enum)]
    pub to: To,
    /// How it is sealed.
    #[command(flatten)]
    pub how: How,
    /// Open everything and say what would be done; write nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Seal plaintext that no server loads too, such as truncated JSON; without it such objects stay and fail.
    #[arg(long)]
    pub not_loadable_too: bool,
    /// How far root credentials are tried.
    #[command(flatten)]
    pub credentials: Credentials,
}

/// How to seal, for `seal` and `migrate`.
#[derive(Args)]
#[group(skip)]
pub struct How {
    /// The key to seal under, one of those that are given; else the one of MINIO_KMS_SECRET_KEY.
    #[arg(long, value_name = "NAME")]
    pub key: Option<String>,
    /// The sealed form: MinIO's, the default, or iamseal's own, which MinIO cannot read.
    #[arg(long, value_enum)]
    pub form: Option<SealedForm>,
    /// The cipher of the body. MinIO reads both; the default is chacha20-poly1305.
    #[arg(long, value_enum)]
    pub cipher: Option<Cipher>,
    /// How the data key is written down: json is what servers before RELEASE.2024-05-10 read.
    #[arg(long, value_enum)]
    pub data_key: Option<DataKeyEncoding>,
}

/// Which objects, for `audit`, `migrate` and their like.
#[derive(Args)]
#[group(skip)]
pub struct Where {
    /// The store: the folder that holds config/, for MinIO a copy of .minio.sys; or
    /// etcd://HOST:PORT[,HOST:PORT...]/PREFIX; or s3://BUCKET/PREFIX; or MinIO's drives,
    /// while no server runs on them: drives:/mnt/disk{1...4}, or a drive's folder where it is the only one;
    /// or to be read alone a tar, tar.gz or zip of drives or of such a folder.
    #[arg(value_name = "STORE")]
    pub store: PathBuf,
    /// Only objects whose path begins with this, which itself begins with config/.
    #[arg(long, default_value = "config/")]
    pub prefix: OsString,
}

/// How far root credentials are tried, where many objects are opened.
#[derive(Args, Default)]
#[group(skip)]
pub struct Credentials {
    /// Try every root credential on every object, however many objects none has opened: some 50 ms
    /// each. Without it the likely ones alone are tried after a while.
    #[arg(long = "try-all-credentials")]
    pub try_all: bool,
}

/// What objects become.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum To {
    #[allow(missing_docs)] // It would stand in the help.
    Kms,
    #[allow(missing_docs)]
    Plaintext,
    /// What RustFS reads, under RUSTFS_IAM_MASTER_KEY or its root credential; config/iam/ alone.
    Rustfs,
}

/// What objects have to be.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Require {
    /// MinIO's sealed form or the compact form, under any key that is given.
    Sealed,
    /// Sealed as migrate --to kms leaves it: under the key of MINIO_KMS_SECRET_KEY as it is now.
    Current,
    /// Sealed as migrate --to rustfs leaves it: under RUSTFS_IAM_MASTER_KEY or RustFS' root credential.
    Rustfs,
}

/// The sealed forms.
#[allow(missing_docs)]
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SealedForm {
    Minio,
    Compact,
}

/// The ciphers that are written.
#[allow(missing_docs)]
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Cipher {
    #[value(name = "aes-256-gcm")]
    Aes256Gcm,
    #[value(name = "chacha20-poly1305")]
    ChaCha20Poly1305,
}

/// The encodings of data keys that are written.
#[allow(missing_docs)]
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DataKeyEncoding {
    Binary,
    Json,
}

impl How {
    /// The same in the contract's words.
    ///
    /// # Errors
    /// An option that the form has no use for.
    pub fn options(&self) -> Result<SealOptions, Wrong> {
        let form = match self.form {
            None | Some(SealedForm::Minio) => contract::SealedForm::Minio(MinioOptions {
                cipher: self.cipher.map(|cipher| match cipher {
                    Cipher::Aes256Gcm => WrittenCipher::Aes256Gcm,
                    Cipher::ChaCha20Poly1305 => WrittenCipher::Chacha20Poly1305,
                }),
                data_key_encoding: self.data_key.map(|encoding| match encoding {
                    DataKeyEncoding::Binary => WrittenEncoding::Binary,
                    DataKeyEncoding::Json => WrittenEncoding::Json,
                }),
            }),
            Some(SealedForm::Compact)
                if self.data_key.is_some() || self.cipher == Some(Cipher::Aes256Gcm) =>
            {
                return Err(notes::COMPACT_OPTIONS);
            }
            Some(SealedForm::Compact) => contract::SealedForm::Compact,
        };
        let key = self.key.clone();
        // No name has a colon in it.
        if key
            .as_ref()
            .is_some_and(|key| key.contains(':') || holds_key(key))
        {
            return Err(notes::KEY_NOT_NAME);
        }
        Ok(SealOptions { form, key })
    }

    /// What objects are to become that are sealed like this or not at all, in the contract's words.
    ///
    /// # Errors
    /// An option that this has no use for.
    pub fn target(&self, to: To) -> Result<Target, Wrong> {
        match to {
            To::Plaintext => match self.is_given() {
                false => Ok(Target::Plaintext),
                true => Err(notes::PLAINTEXT_OPTIONS),
            },
            To::Kms => self.options().map(Target::Sealed),
            To::Rustfs => match self.is_given() {
                false => Ok(Target::Sealed(SealOptions {
                    form: contract::SealedForm::Rustfs,
                    key: None,
                })),
                true => Err(notes::RUSTFS_OPTIONS),
            },
        }
    }

    /// Whether any option is given: whoever gave one means a KMS.
    fn is_given(&self) -> bool {
        self.key.is_some()
            || self.form.is_some()
            || self.cipher.is_some()
            || self.data_key.is_some()
    }
}

impl Migrate {
    /// What the objects are to become, in the contract's words.
    ///
    /// # Errors
    /// An option that this has no use for.
    pub fn target(&self) -> Result<Target, Wrong> {
        self.how.target(self.to)
    }
}

/// The policy that `--require` asks for.
pub fn policy(require: Option<Require>) -> Policy {
    match require {
        None => Policy::Compatible,
        Some(Require::Sealed) => Policy::Sealed,
        Some(Require::Current) => Policy::Current,
        Some(Require::Rustfs) => Policy::Rustfs,
    }
}

/// Whether `--require` asks for what RustFS reads, so that its credentials come first.
pub fn is_for_rustfs(require: Option<Require>) -> bool {
    require == Some(Require::Rustfs)
}

/// Reads a command line, the program's name included.
///
/// # Errors
/// What is wrong with it, or the help that was asked for. It cannot drive a terminal, where it quotes the
/// command line.
pub fn matches(command: &clap::Command, line: &[OsString]) -> Result<ArgMatches, clap::Error> {
    let read = command.clone().try_get_matches_from(line);
    read.map_err(|error| {
        if !error.use_stderr() {
            return error;
        }
        let shown = line
            .iter()
            .map(|word| without_keys(&shown(word.as_encoded_bytes())));
        let again = command.clone().try_get_matches_from(shown);
        again.err().unwrap_or(error)
    })
}

/// The message of such an error where the answer is wanted in JSON; none otherwise, and if it is no
/// failure.
pub fn message_for_json(error: &clap::Error, line: &[OsString]) -> Option<String> {
    // What cannot be read whole still says in what form the answer is wanted.
    let mut options = line.iter().take_while(|word| *word != "--");
    if !error.use_stderr() || !options.any(|word| word == "--json") {
        return None;
    }
    let text = error.render().to_string();
    // What follows the first paragraph is the usage, which is no part of the message.
    let (message, _) = text.split_once("\n\n").unwrap_or((&text, ""));
    Some(match error.kind() {
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => "the command is missing".to_owned(),
        _ => message.trim_start_matches("error: ").replace('\n', " "),
    })
}
