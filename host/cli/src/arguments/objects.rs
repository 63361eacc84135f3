//! What the commands take that bring single objects, or the identities in them, out of a store and back.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;
use iamseal::contract::Target;
use iamseal_words::arguments::{Credentials, How, Require, To, Wrong};

use super::{JournalPlace, Writes};
use crate::identities::Kind;

#[derive(Args)]
pub struct Ls {
    /// The store: a folder, etcd://, s3:// or drives:, as audit takes it.
    #[arg(value_name = "STORE")]
    pub store: PathBuf,
    /// Only objects whose path begins with this.
    #[arg(value_name = "PREFIX", default_value = "config/")]
    pub prefix: OsString,
}

#[derive(Args)]
pub struct Keys {
    /// The store: MinIO's drives, drives:/mnt/disk{1...4}, or a drive's folder where it is the only one; or as far
    /// as it goes a folder, etcd:// or s3://, as audit takes it.
    #[arg(value_name = "STORE")]
    pub store: PathBuf,
}

#[derive(Args)]
pub struct Cat {
    /// The store: a folder, etcd://, s3:// or drives:, as audit takes it.
    #[arg(value_name = "STORE")]
    pub store: PathBuf,
    /// The object's path in it, e.g. config/iam/users/alice/identity.json.
    #[arg(value_name = "PATH")]
    pub path: OsString,
    /// The bytes as they are stored. No key is asked for.
    #[arg(long, conflicts_with = "require")]
    pub raw: bool,
    /// Refuse what is not sealed, or not sealed under the present key. Without it plaintext passes
    /// through, as in MinIO.
    #[arg(long, value_enum)]
    pub require: Option<Require>,
}

#[derive(Args)]
pub struct Export {
    /// The store: a folder, etcd://, s3:// or drives:, as audit takes it.
    #[arg(value_name = "STORE")]
    pub store: PathBuf,
    /// The archive, made or replaced as a whole, for its owner alone; standard output if it is missing.
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Encrypt the archive with age to this recipient (age1…), or to those in this file. May be repeated.
    #[arg(long, value_name = "RECIPIENT")]
    pub encrypt_to: Vec<String>,
    #[command(flatten)]
    pub which: Which,
    /// Refuse what is not sealed, or not sealed under the present key.
    #[arg(long, value_enum)]
    pub require: Option<Require>,
    #[command(flatten)]
    pub credentials: Credentials,
}

#[derive(Args)]
pub struct Import {
    /// The store: a folder, etcd://, s3:// or drives:, as audit takes it.
    #[arg(value_name = "STORE")]
    pub store: PathBuf,
    /// The archive.
    #[arg(value_name = "FILE")]
    pub archive: PathBuf,
    #[command(flatten)]
    pub which: Which,
    /// Put the archive's in the place of what is there and another.
    #[arg(long)]
    pub replace: bool,
    /// Sealed under a key, not encrypted at all, or sealed as RustFS reads it.
    #[arg(long, value_enum, default_value = "kms")]
    pub to: To,
    #[command(flatten)]
    pub how: How,
    /// Say what would be done; write nothing.
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub credentials: Credentials,
    #[command(flatten)]
    pub writes: Writes,
    #[command(flatten)]
    pub journal: JournalPlace,
}

impl Import {
    /// What the objects are to become, in the contract's words.
    ///
    /// # Errors
    /// An option that this has no use for.
    pub fn target(&self) -> Result<Target, Wrong> {
        self.how.target(self.to)
    }
}

/// Which identities.
#[derive(Args)]
pub struct Which {
    /// Only these kinds, with commas between them.
    #[arg(long, value_enum, value_delimiter = ',', value_name = "KINDS")]
    pub only: Vec<Kind>,
    /// Only what has such a name: * stands for any text, ? for one character.
    #[arg(long, value_name = "PATTERN")]
    pub name: Option<String>,
}

#[derive(Args)]
pub struct Edit {
    /// The store: a folder, etcd://, s3:// or drives:, as audit takes it.
    #[arg(value_name = "STORE")]
    pub store: PathBuf,
    /// The object's path in it, e.g. config/iam/users/alice/identity.json.
    #[arg(value_name = "PATH")]
    pub path: OsString,
    /// Take the new text from this file, and open no editor.
    #[arg(long, value_name = "FILE")]
    pub from: Option<PathBuf>,
    #[command(flatten)]
    pub writes: Writes,
    #[command(flatten)]
    pub journal: JournalPlace,
}
