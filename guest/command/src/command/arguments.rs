//! What the command line takes: of the commands of the native tool those that make sense here.

use std::path::PathBuf;

use clap::{Args, CommandFactory as _, Parser, Subcommand};
use iamseal_words::arguments::{self as shared, Audit, Common, Seal, Unseal};
use iamseal_words::report::cause::{Cause, exit_codes};

use super::failure::Failure;

/// Opens, seals, audits and migrates the IAM and configuration objects of MinIO and of servers that
/// keep them as MinIO does.
#[derive(Parser)]
#[command(
    name = "iamseal",
    version = VERSION,
    about,
    max_term_width = 100,
    after_help = after_help()
)]
pub struct Arguments {
    #[command(flatten)]
    pub common: Common,
    #[command(subcommand)]
    pub command: Command,
}

const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (component)");

const AFTER_HELP: &str = "\
Keys come from the variables MINIO_KMS_SECRET_KEY, MINIO_KMS_MASTER_KEY, MINIO_ROOT_USER and
MINIO_ROOT_PASSWORD (and their _OLD forms), from --keys and from --root-credentials. Write
--env MINIO_KMS_SECRET_KEY without a value: the value of a secret does not belong on a command line.

Stores and files are looked for below the folders that --dir names:

  wasmtime run --dir FOLDER::/store --env MINIO_KMS_SECRET_KEY iamseal-command.wasm audit /store

Exit codes:
";

/// What cannot be here: another plugin, manifests, journals, signals.
const NEVER: [Cause; 11] = [
    Cause::Plugin,
    Cause::OlderCopy,
    Cause::CopiedFrom,
    Cause::ChangedSince,
    Cause::NotRecorded,
    Cause::Missing,
    Cause::Manifest,
    Cause::Journal,
    Cause::HungUp,
    Cause::Interrupted,
    Cause::Terminated,
];

fn after_help() -> String {
    let here = Cause::ALL
        .into_iter()
        .filter(|cause| !NEVER.contains(cause));
    // The last is what the wasmtime CLI makes of a trap.
    format!(
        "{AFTER_HELP}{}\n  134  the component trapped",
        exit_codes(here)
    )
}

#[derive(Subcommand)]
pub enum Command {
    /// Seal standard input to standard output.
    Seal(Seal),
    /// Open an object from standard input to standard output. On failure nothing is printed there.
    Unseal(Unseal),
    /// Describe an object without any key: form, key name, cipher, sizes.
    Inspect(Inspect),
    /// Say of each object in a store what it is and whether it opens, or why not. Changes nothing.
    Audit(Audit),
    /// Bring every object of a store to one form and key.
    ///
    /// Each new object is made durable beside the old one, read back and opened before it takes its
    /// place. Whatever does not open is reported and left alone. Running it again is harmless. WASI has no
    /// locks, owners, modes and access control lists: new objects belong to the user who runs this, with the
    /// modes that the umask leaves. Run it as the server's user, with umask 077.
    Migrate(Migrate),
}

#[derive(Args)]
pub struct Inspect {
    /// The object; standard input if it is missing.
    pub file: Option<PathBuf>,
}

#[derive(Args)]
pub struct Migrate {
    #[command(flatten)]
    pub shared: shared::Migrate,
    /// Needed to write: no other program writes to the store meanwhile.
    #[arg(long)]
    server_is_stopped: bool,
    /// Needed to write: new objects get this user's owner and modes.
    #[arg(long)]
    modes_are_lost: bool,
}

impl Migrate {
    /// Whether it is to be written.
    ///
    /// # Errors
    /// It is, and the operator has not said what that takes.
    pub fn writes(&self) -> Result<bool, Failure> {
        if self.shared.dry_run {
            return Ok(false);
        }
        if !(self.server_is_stopped && self.modes_are_lost) {
            return Err(Failure::usage(
                "through WASI other writers cannot be kept out, and no owner, mode or access control \
                 list can be kept",
            )
            .with_cure(
                "stop the server and add --server-is-stopped --modes-are-lost, or take the native tool",
            ));
        }
        Ok(true)
    }
}

/// The command line. Its stores are folders, and drives to be read.
pub fn command() -> clap::Command {
    let folder = "The store: the folder that holds config/, for MinIO a copy of .minio.sys; or to be read \
                  alone MinIO's drives, as drives:/name/disk{1...4}, or the folder of one";
    ["audit", "migrate"]
        .into_iter()
        .fold(Arguments::command(), |command, name| {
            command.mut_subcommand(name, |command| {
                command.mut_arg("store", |store| store.help(folder).long_help(folder))
            })
        })
}
