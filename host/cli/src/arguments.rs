//! What the command line takes. What the command component takes too is in `iamseal_words::arguments`.

mod objects;

use std::ffi::OsString;
use std::fmt;
use std::num::NonZeroU32;
use std::ops::Deref;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::{Arc, OnceLock};

use clap::{Args, Parser, Subcommand};
use iamseal::contract;
use iamseal_words::arguments as shared;
pub use iamseal_words::arguments::{Seal, Where};

pub use self::objects::{Cat, Edit, Export, Import, Keys, Ls, Which};
use zeroize::Zeroizing;

use crate::cause::{Cause, exit_codes};
use crate::failure::Failure;
use crate::report::notes;
use crate::typed::Typed;

/// Opens, seals, audits and migrates the IAM and configuration objects of MinIO and of servers that
/// keep them as MinIO does.
#[derive(Parser)]
#[command(name = "iamseal", version, about, max_term_width = 100, after_help = after_help())]
pub struct Arguments {
    #[command(flatten)]
    pub common: Common,
    #[command(subcommand)]
    pub command: Command,
}

const AFTER_HELP: &str = "\
Keys come from the variables that MinIO reads (MINIO_KMS_SECRET_KEY, MINIO_KMS_SECRET_KEY_FILE,
MINIO_KMS_KES_*, MINIO_ROOT_USER, MINIO_ROOT_PASSWORD, their _FILE and _OLD forms,
MINIO_CONFIG_ENV_FILE), from --keys, --kes-store and --root-credentials. No secret is ever an argument.

Examples:
  iamseal demo
  (umask 077; iamseal keygen my-key > my-key.secret)
  MINIO_KMS_SECRET_KEY_FILE=my-key.secret iamseal audit /data/.minio.sys
  MINIO_KMS_SECRET_KEY_FILE=my-key.secret iamseal migrate /data/.minio.sys --to kms --dry-run

Exit codes:
";

fn after_help() -> String {
    format!("{AFTER_HELP}{}", exit_codes(Cause::ALL))
}

/// What every command takes.
#[derive(Args, Clone)]
pub struct Common {
    #[command(flatten)]
    pub shared: shared::Common,
    /// The folder in which a KES kept its keys (keystore: fs: path:), for one that no longer runs: all of them are
    /// lent, and no KES is asked.
    #[arg(long, global = true, value_name = "FOLDER")]
    pub kes_store: Option<PathBuf>,
    /// A file of age identities, as age-keygen makes it: for files of --keys and --root-credentials and archives
    /// that are encrypted with age. May be repeated.
    #[arg(long = "identity", global = true, value_name = "FILE")]
    pub identities: Vec<PathBuf>,
    /// What is in them, once they were read.
    #[arg(skip)]
    pub identity_texts: Arc<OnceLock<Vec<Zeroizing<String>>>>,
    /// Name every object that failed and every draft; otherwise the first ten of each cause are named,
    /// and the others counted.
    #[arg(long, global = true)]
    pub verbose: bool,
    /// Another plugin component than the one that is built in. It is lent your keys, so it goes with
    /// --plugin-sha256 or --trust-plugin.
    #[arg(long, global = true, value_name = "FILE")]
    pub plugin: Option<PathBuf>,
    /// The SHA-256 of that component's file, 64 hexadecimal digits; any other file is refused.
    #[arg(long, global = true, value_name = "HEX")]
    pub plugin_sha256: Option<Sha256>,
    /// Take that component whatever it is.
    #[arg(long, global = true)]
    pub trust_plugin: bool,
    /// All that was typed, for commands that are printed.
    #[arg(skip)]
    pub typed: Typed,
}

impl Deref for Common {
    type Target = shared::Common;

    fn deref(&self) -> &Self::Target {
        &self.shared
    }
}

impl Common {
    /// Refuses a component from a file that nobody has said to be trusted: its tests show that it does
    /// its work, and not what else it does with the keys that it is lent.
    ///
    /// # Errors
    /// What is missing: the digest, or the component that there is one of. `names_file`: the command
    /// itself names a component.
    pub fn check_trust(&self, names_file: bool) -> Result<(), Failure> {
        let is_trusted = self.plugin_sha256.is_some() || self.trust_plugin;
        match (&self.plugin, is_trusted) {
            (Some(file), false) => Err(notes::untrusted(&file.display().to_string()).into()),
            (None, true) if !names_file => Err(notes::NO_PLUGIN_TO_TRUST.into()),
            _ => Ok(()),
        }
    }
}

/// A SHA-256 in hexadecimal digits.
#[derive(Clone)]
pub struct Sha256(String);

impl Sha256 {
    pub fn digits(&self) -> &str {
        &self.0
    }
}

impl FromStr for Sha256 {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            true => Ok(Self(text.to_owned())),
            false => Err("not a SHA-256: 64 hexadecimal digits"),
        }
    }
}

#[derive(Subcommand)]
pub enum Command {
    /// Print NAME:BASE64, a fresh 256-bit key for MINIO_KMS_SECRET_KEY.
    #[command(after_help = "Example:\n  \
        (umask 077; iamseal keygen my-key > my-key.secret)")]
    Keygen(Keygen),
    /// Seal standard input to standard output.
    #[command(after_help = "Example:\n  \
        iamseal seal --path config/iam/users/alice/identity.json < identity.json > sealed")]
    Seal(Seal),
    /// Open an object, from standard input or of a store, to standard output. On failure nothing is printed
    /// there.
    #[command(after_help = "Example:\n  \
        iamseal unseal --path config/config.json --require current \
        < /data/.minio.sys/config/config.json\n  \
        iamseal unseal --path config/config.json 'drives:/mnt/disk{1...4}'")]
    Unseal(Unseal),
    /// Describe an object without any key: form, key name, cipher, sizes.
    #[command(after_help = "Example:\n  \
        iamseal inspect /data/.minio.sys/config/config.json")]
    Inspect(Inspect),
    /// Print the paths of a store's objects.
    #[command(after_help = "Examples:\n  \
        iamseal ls /data/.minio.sys\n  \
        iamseal ls 'drives:/mnt/disk{1...4}' config/iam/users/")]
    Ls(Ls),
    /// Print an object of a store, opened.
    #[command(after_help = "Examples:\n  \
        iamseal cat /data/.minio.sys config/iam/policies/readers/policy.json\n  \
        iamseal cat etcd://127.0.0.1:2379/ config/config.json --raw > config.sealed")]
    Cat(Cat),
    /// Say of each object in a store what it is and whether it opens, or why not. Changes nothing.
    #[command(after_help = "Examples:\n  \
        iamseal audit /data/.minio.sys --keys old.keys --root-credentials old.credentials\n  \
        iamseal audit /data/.minio.sys --keys old.keys --require current\n  \
        iamseal audit 'drives:/mnt/disk{1...4}' --keys old.keys\n  \
        iamseal audit /data/.minio.sys --manifest /backup/iamseal-manifest --at-least-epoch 7")]
    Audit(Audit),
    /// Say which keys everything in a store needs, by what names them. Takes no key, and changes nothing.
    ///
    /// Objects of IAM and configuration, tiers, the replication targets and default encryption of buckets; and on
    /// MinIO's drives every version of every object in buckets, with SSE-S3 and SSE-KMS. Their data is not read.
    /// What was not looked at or not read is named: as long as anything is, no key is said not to be needed.
    #[command(after_help = "Examples:\n  \
        iamseal keys 'drives:/mnt/disk{1...4}'\n  \
        iamseal keys /data/.minio.sys")]
    Keys(Keys),
    /// Write down, sealed, what a store holds, so that an audit sees what was rolled back, swapped,
    /// changed, added or removed.
    ///
    /// A manifest that is there already is brought up to what the store holds now: audit the store with
    /// it first. Exempt files are recorded too, since nothing else tells whether they were changed. No
    /// object is touched.
    #[command(after_help = "Example:\n  \
        iamseal manifest /data/.minio.sys --manifest /data/.minio.sys/iamseal-manifest")]
    Manifest(Manifest),
    /// Bring every object of a store to one form and key.
    ///
    /// Each new object is made durable beside the old one, read back and opened before it takes its
    /// place, and a journal keeps what takes it back: see undo. Whatever does not open is reported and
    /// left alone. Running it again is harmless.
    #[command(after_help = "Examples:\n  \
        iamseal migrate /data/.minio.sys --to kms --dry-run\n  \
        iamseal migrate /data/.minio.sys --to kms --key new-key --keys both.keys\n  \
        iamseal migrate s3://bucket/prefix --to kms --shard 1/3 --jobs 8\n  \
        iamseal migrate 'drives:/mnt/disk{1...4}' --to kms --key new-key --keys both.keys\n  \
        iamseal migrate 'drives:/mnt/disk{1...4}' --to kms --key new-key --keys both.keys --prepare\n  \
        iamseal migrate 'drives:/mnt/disk{1...4}' --to kms --key new-key --keys both.keys \
        --finish 20261123T203010Z --after-pid 4711\n  \
        iamseal migrate /data/.minio.sys --to plaintext --keys all.keys\n  \
        iamseal migrate etcd://127.0.0.1:2379/ --to kms --watch")]
    Migrate(Migrate),
    /// Take a run back: every object becomes what it was before, byte for byte.
    ///
    /// What somebody else has changed since is reported and left alone. It needs any key or credential
    /// that the run was lent, to see that the journal is what the run wrote; and where objects were
    /// plaintext before, the keys that the run sealed with. It has a journal of its own.
    #[command(after_help = "Examples:\n  \
        iamseal undo /data/.minio.sys 20261123T203010Z --dry-run\n  \
        iamseal undo /data/.minio.sys 20261123T203010Z\n  \
        iamseal undo /data/.minio.sys 20261123T203010Z --from /full/journals --journal /other/journals")]
    Undo(UndoRun),
    /// Move objects out of the server's way, into a journal that undo brings them back from.
    ///
    /// For a server that does not start, or does not do its work, because of objects that nobody can open or
    /// repair. Before it begins it names each of them and what the server does without while it is not there;
    /// with --dry-run that is all it does. Each is removed only as it was then. Exempt files are
    /// taken only if they are named.
    #[command(after_help = "Examples:\n  \
        iamseal set-aside /data/.minio.sys --failing key-not-found --dry-run\n  \
        iamseal set-aside /data/.minio.sys --failing body-not-authentic --failing malformed\n  \
        iamseal set-aside /data/.minio.sys config/iam/users/alice/identity.json")]
    SetAside(SetAside),
    /// Sign the tokens of service accounts that a root secret signed with the accounts' own secrets.
    ///
    /// Older servers signed them with the secret of the root, and no server knows such an account once that
    /// is changed; what today's servers make does not need it. Give the root credentials of the time they
    /// were made. All else in the objects stays, and so do their forms and keys. Temporary credentials are
    /// left: a server signs them with its root secret, and they expire.
    #[command(after_help = "Examples:\n  \
        iamseal sign-tokens /data/.minio.sys --root-credentials old.credentials --dry-run\n  \
        iamseal sign-tokens etcd://127.0.0.1:2379 --root-credentials old.credentials")]
    SignTokens(SignTokens),
    /// Write the identities of a store into an archive as mc admin cluster iam export makes it, which mc
    /// admin cluster iam import takes. No server is needed.
    ///
    /// Users, groups, policies, service accounts, and who has which policies. What does not open is named
    /// and left out. The archive holds their secrets in the open. With --json and without -o each identity
    /// is one line.
    #[command(after_help = "Examples:\n  \
        iamseal export /data/.minio.sys -o iam.zip\n  \
        iamseal export 'drives:/mnt/disk{1...4}' --only users,policies --name 'dev-*' -o dev.zip")]
    Export(Export),
    /// Make objects of the identities in an archive of mc admin cluster iam export, or of export.
    ///
    /// Each is sealed under the present key, and made only if there is none; one that holds the same
    /// already is left as it is. With --replace another one gives way. A run with a journal writes, and undo
    /// takes it back.
    #[command(after_help = "Examples:\n  \
        iamseal import /data/.minio.sys iam.zip --dry-run\n  \
        iamseal import 'drives:/mnt/disk{1...4}' iam.zip --only users,policies\n  \
        iamseal import etcd://127.0.0.1:2379/ iam.zip --replace --name 'dev-*'")]
    Import(Import),
    /// Open an object in $VISUAL or $EDITOR, and seal it again as it was.
    ///
    /// The text is in a file for you alone, in memory where there is a place for that, and wiped at the end.
    /// What is not valid at its path is not written. What somebody else has changed meanwhile is not
    /// overwritten: your text is kept and named. A run with a journal writes, and undo takes it back.
    #[command(after_help = "Examples:\n  \
        iamseal edit /data/.minio.sys config/iam/policies/readers/policy.json\n  \
        iamseal edit etcd://127.0.0.1:2379/ config/iam/groups/team/members.json --from members.json")]
    Edit(Edit),
    /// Remove the drafts that killed runs left behind: new bytes, plaintext perhaps, that never became
    /// an object.
    ///
    /// Those that a run which is under way holds stay, and so do those in etcd and in buckets that are so
    /// new that one may hold them. migrate and undo sweep too before they begin.
    #[command(after_help = "Examples:\n  \
        iamseal sweep /data/.minio.sys --dry-run\n  \
        iamseal sweep s3://bucket/prefix --no-run-under-way")]
    Sweep(Sweep),
    /// Name the runs that can be taken back.
    #[command(after_help = "Example:\n  \
        iamseal runs")]
    Runs(Runs),
    /// Say whether the proof of a run is what the run wrote, and whether a store still is what it says.
    ///
    /// Any key that the run was lent tells; a root credential too, if the run's journal lies beside the
    /// proof. Without one it counts what the proof says and ends with code 4: nothing was verified.
    #[command(after_help = "Examples:\n  \
        iamseal verify-proof 20261123T203010Z.proof --keys my-key.secret\n  \
        iamseal verify-proof 20261123T203010Z.proof /data/.minio.sys --keys my-key.secret")]
    VerifyProof(VerifyProof),
    /// Bring what runs have done to copies of drives onto the drives themselves, host by host.
    #[command(
        subcommand,
        after_help = "Example:\n  \
        iamseal drives apply 20261123T203010Z --from '/root/copies/host1-disk{1...4}' --to '/mnt/disk{1...4}'"
    )]
    Drives(DrivesCommand),
    /// Look at a KES, and bring a key into it.
    #[command(
        subcommand,
        after_help = "Example:\n  \
        iamseal kes status"
    )]
    Kes(KesCommand),
    /// Say whether a plugin component is fit to be loaded.
    #[command(
        subcommand,
        after_help = "Example:\n  \
        iamseal plugin test iamseal.wasm"
    )]
    Plugin(PluginCommand),
    /// Show it on a sample store: all forms, audited, migrated, audited again.
    #[command(after_help = "Example:\n  \
        iamseal demo sample")]
    Demo(Demo),
}

#[derive(Subcommand)]
pub enum DrivesCommand {
    /// Put onto the drives of this host what runs have written to their copies.
    ///
    /// For a deployment of several hosts: all servers are stopped, .minio.sys of every drive is copied to one host,
    /// the run writes the copies, and then this is done on every host. Each drive finds its copy by its
    /// format.json. An object is put there only while the drive has what the copy had before the run; what
    /// somebody else has changed since is reported and left alone. Running it again is harmless, and finishes
    /// what was killed. No server may be started before all drives of all hosts are done.
    #[command(after_help = "Examples:\n  \
        iamseal drives apply 20261123T203010Z --from '/root/copies/host1-disk{1...4}' --to '/mnt/disk{1...4}' \
        --keys old.keys --dry-run\n  \
        iamseal drives apply 20261123T203010Z --from '/root/copies/host1-disk{1...4}' --to '/mnt/disk{1...4}' \
        --trust-journal --journal /root/journals")]
    Apply(ApplyRun),
}

#[derive(Args)]
pub struct ApplyRun {
    /// The run's name, as migrate and runs print it. Of several, all that wrote the copies since they were made.
    #[arg(value_name = "RUN", required = true)]
    pub runs: Vec<String>,
    /// The copies as they are after the run, in MinIO's pattern: folders that have .minio.sys in them, or are one.
    /// Those of other hosts may be among them.
    #[arg(long, value_name = "COPIES", required = true, num_args = 1..)]
    pub from: Vec<PathBuf>,
    /// The drives of this host, in MinIO's pattern.
    #[arg(long, value_name = "DRIVES", required = true, num_args = 1..)]
    pub to: Vec<PathBuf>,
    /// Compare, and say what would be put there; write nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Follow the journal though no key shows that the run wrote it: whoever could write to it, or to the copies,
    /// decides what the drives get.
    #[arg(long)]
    pub trust_journal: bool,
    /// Promise that no server of the deployment runs, on any host. The drives are not watched for one then, which
    /// takes 35 seconds.
    #[arg(long)]
    pub server_is_stopped: bool,
    #[command(flatten)]
    pub journal: JournalPlace,
}

#[derive(Subcommand)]
pub enum KesCommand {
    /// Ask each endpoint of MINIO_KMS_KES_ENDPOINT whether it answers, and whether the key of
    /// MINIO_KMS_KES_KEY_NAME is there and may be used. Changes nothing.
    #[command(after_help = "Example:\n  \
        iamseal kes status")]
    Status,
    /// Give KES a static key, so that it opens what the key sealed; then see that it does.
    ///
    /// The key is the one of this name in MINIO_KMS_SECRET_KEY, MINIO_KMS_SECRET_KEY_FILE or a file of
    /// --keys. A key that KES has is left as it is. `kes key create` of KES itself would make a random
    /// key, which opens nothing of what is there.
    #[command(after_help = "Example:\n  \
        iamseal kes import my-key --keys my-key.secret")]
    Import(KesImport),
}

#[derive(Args)]
pub struct KesImport {
    /// The key's name, which it has in KES too.
    pub name: String,
}

#[derive(Subcommand)]
pub enum PluginCommand {
    /// Say which component it is, what it imports and exports, and which world it fits. It is not run.
    #[command(after_help = "Example:\n  \
        iamseal plugin inspect iamseal.wasm")]
    Inspect(PluginFile),
    /// Let it open objects whose plaintext is known, refuse what was changed, seal and open again.
    #[command(after_help = "Example:\n  \
        iamseal plugin test iamseal.wasm")]
    Test(PluginFile),
}

#[derive(Args)]
pub struct PluginFile {
    /// A component in WebAssembly's binary format.
    pub file: PathBuf,
}

#[derive(Args)]
pub struct Keygen {
    /// The key's name: any text without a colon.
    pub name: String,
}

#[derive(Args)]
pub struct Unseal {
    #[command(flatten)]
    pub shared: shared::Unseal,
    /// The store that has the object; standard input if it is missing.
    #[arg(value_name = "STORE")]
    pub store: Option<PathBuf>,
}

#[derive(Args)]
pub struct Inspect {
    /// The object, or with --path the store that has it; standard input if it is missing.
    pub file: Option<PathBuf>,
    /// The object's path in a store, e.g. config/iam/users/alice/identity.json.
    #[arg(long, requires = "file")]
    pub path: Option<OsString>,
}

#[derive(Args)]
pub struct Audit {
    #[command(flatten)]
    pub shared: shared::Audit,
    #[command(flatten)]
    pub against: Against,
}

/// What an audit compares with.
#[derive(Args, Default)]
pub struct Against {
    /// Report what is not as in this manifest as a failure. iamseal manifest makes one.
    #[arg(long, value_name = "FILE")]
    pub manifest: Option<PathBuf>,
    /// Refuse a manifest of an epoch before this one: it was put back.
    #[arg(long, value_name = "EPOCH", requires = "manifest")]
    pub at_least_epoch: Option<u64>,
}

#[derive(Args)]
pub struct Manifest {
    #[command(flatten)]
    pub place: Where,
    /// The manifest, made if it is not there. Not in config/, which the server reads.
    #[arg(long, value_name = "FILE")]
    pub manifest: PathBuf,
    /// Refuse a manifest of an epoch before this one, or none: it was put back or removed.
    #[arg(long, value_name = "EPOCH")]
    pub at_least_epoch: Option<u64>,
    /// The key to seal it under, one of those that are given; else the one of MINIO_KMS_SECRET_KEY.
    #[arg(long, value_name = "NAME")]
    pub key: Option<String>,
}

#[derive(Args)]
pub struct Migrate {
    #[command(flatten)]
    pub shared: shared::Migrate,
    /// How many objects to work on at once; as many as there are cores if it is missing.
    #[arg(long, value_name = "N")]
    pub jobs: Option<NonZeroU32>,
    /// Only share I of N of the objects, I from 1 to N, so that N runs, on as many machines if need be,
    /// work on one store side by side.
    #[arg(long, value_name = "I/N")]
    pub shard: Option<ShardOf>,
    /// Stay when all is done, and do the same with what is written in another form or under another key later,
    /// until Ctrl-C or SIGTERM. etcd tells of changes; folders and buckets are looked at every 5 s.
    #[arg(long, conflicts_with = "dry_run")]
    pub watch: bool,
    /// On MinIO's drives do the slow part while a server still runs, and change nothing: every object is read, sealed
    /// and opened, into a journal outside of the drives. --finish writes it once the server was stopped.
    #[arg(long, conflicts_with_all = ["dry_run", "watch", "shard", "finish"])]
    pub prepare: bool,
    /// Write what this run has prepared, now that no server runs. What has changed since is read and sealed anew.
    #[arg(long, value_name = "RUN", conflicts_with_all = ["dry_run", "watch", "shard"])]
    pub finish: Option<String>,
    /// Wait for the end of this process, the only server of the deployment, in place of watching the drives for 35
    /// seconds. To be run before the server is stopped.
    #[arg(
        long,
        value_name = "PID",
        requires = "finish",
        conflicts_with = "server_is_stopped"
    )]
    pub after_pid: Option<u32>,
    #[command(flatten)]
    pub writes: Writes,
    #[command(flatten)]
    pub journal: JournalPlace,
}

/// Which share of the objects.
#[derive(Clone, Copy)]
pub struct ShardOf(contract::Shard);

impl ShardOf {
    /// The same in the contract's words, which count from 0 on.
    pub fn shard(self) -> contract::Shard {
        self.0
    }
}

impl FromStr for ShardOf {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = text.split_once('/');
        let number = |text: &str| text.parse::<u32>().ok();
        let parts = parts.and_then(|(number_of, count)| Some((number(number_of)?, number(count)?)));
        match parts {
            Some((number, count)) if (1..=count).contains(&number) => Ok(Self(contract::Shard {
                index: number - 1,
                count,
            })),
            _ => Err("not I/N with I from 1 to N, such as 1/3"),
        }
    }
}

impl fmt::Display for ShardOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let contract::Shard { index, count } = self.0;
        write!(f, "{}/{count}", index.saturating_add(1))
    }
}

/// What is promised of a store that is written to, for every command that writes to one.
#[derive(Args, Clone, Copy, Default)]
pub struct Writes {
    /// Promise that no server and nobody else writes to the store meanwhile. Needed for a folder whose
    /// file system cannot exchange two files, and to remove objects from a bucket. MinIO's drives are not watched for a server then, which
    /// takes 35 seconds. Elsewhere a server may run.
    #[arg(long)]
    pub server_is_stopped: bool,
    /// Write to MinIO's drives though one of a set is missing, of sets of 4, 6, 8 … drives. A server heals it
    /// with what was written. Until then one more lost drive may lose objects, and the missing one has the old secrets.
    #[arg(long)]
    pub degraded: bool,
}

/// Where journals are kept, for `runs` and every command that writes to a store.
#[derive(Args, Clone)]
pub struct JournalPlace {
    /// The folder for the journals of runs, outside the store. [default: iamseal in XDG_STATE_HOME,
    /// which is ~/.local/state unless it is set]
    #[arg(long, value_name = "FOLDER")]
    pub journal: Option<PathBuf>,
    /// Whether the run can still be taken back when the command has ended.
    #[arg(skip = true)]
    pub is_kept: bool,
}

#[derive(Args)]
pub struct SetAside {
    /// The store: a folder, etcd, a bucket or MinIO's drives, as audit takes it.
    #[arg(value_name = "STORE")]
    pub store: PathBuf,
    /// The objects' paths in it, e.g. config/iam/users/alice/identity.json.
    #[arg(value_name = "PATH", required_unless_present = "failing")]
    pub paths: Vec<OsString>,
    /// All objects that an audit with these keys finds failing for this cause, by its name in JSON. May be
    /// given several times.
    #[arg(long, value_name = "CAUSE")]
    pub failing: Vec<OfCause>,
    /// Say what would be set aside, and what is lost with it; write nothing.
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub credentials: shared::Credentials,
    #[command(flatten)]
    pub writes: Writes,
    #[command(flatten)]
    pub journal: JournalPlace,
}

#[derive(Args)]
pub struct SignTokens {
    /// The store: a folder, etcd, a bucket or MinIO's drives, as audit takes it.
    #[arg(value_name = "STORE")]
    pub store: PathBuf,
    /// Say which tokens would be signed anew; write nothing.
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub credentials: shared::Credentials,
    #[command(flatten)]
    pub writes: Writes,
    #[command(flatten)]
    pub journal: JournalPlace,
}

/// A cause by its name.
#[derive(Clone, Copy)]
pub struct OfCause(pub Cause);

impl FromStr for OfCause {
    type Err = &'static str;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let unknown = "no cause that an audit tells, such as key-not-found or body-not-authentic";
        Cause::named(name).map(Self).ok_or(unknown)
    }
}

#[derive(Args)]
pub struct UndoRun {
    /// The store that the run changed.
    #[arg(value_name = "STORE")]
    pub store: PathBuf,
    /// The run's name, as migrate and runs print it.
    #[arg(value_name = "RUN")]
    pub run: String,
    /// Say what would be taken back; write nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// The folder that the run's journal is in, where that is not the one for new journals: their disk
    /// may be full.
    #[arg(long, value_name = "FOLDER")]
    pub from: Option<PathBuf>,
    /// Follow the journal even if nothing shows that the run wrote it: where a line is damaged or no key
    /// of the run is left. Objects that cannot be compared with it are left alone.
    #[arg(long)]
    pub trust_journal: bool,
    #[command(flatten)]
    pub writes: Writes,
    #[command(flatten)]
    pub journal: JournalPlace,
}

#[derive(Args)]
pub struct Sweep {
    #[command(flatten)]
    pub place: Where,
    /// Say what would be removed; remove nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// You know that no run is under way on this store: drafts in etcd and in buckets go whatever their
    /// age. If one is, it fails on their objects and leaves them as they were.
    #[arg(long)]
    pub no_run_under_way: bool,
    /// Promise that no server runs on MinIO's drives: they are not watched for one then, which takes 35 seconds.
    #[arg(long)]
    pub server_is_stopped: bool,
}

#[derive(Args)]
pub struct VerifyProof {
    /// The proof, RUN.proof in the folder of journals, or a copy.
    pub file: PathBuf,
    /// The store that the run changed, to compare with.
    #[arg(value_name = "STORE")]
    pub store: Option<PathBuf>,
}

#[derive(Args)]
pub struct Runs {
    #[command(flatten)]
    pub journal: JournalPlace,
}

#[derive(Args)]
pub struct Demo {
    /// Make the sample store in this new folder and leave it there; else it is made and removed.
    pub folder: Option<PathBuf>,
}
