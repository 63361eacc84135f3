//! What a run over a store has to say besides its objects, and why a path or prefix is not taken.

mod apply;
mod identities;
mod prepare;

use crate::shown::shown;

pub use self::apply::*;
pub use self::identities::*;
pub use self::prepare::*;

/// MinIO's sign that its configuration was once encrypted (docs/formats/minio.md section 5). It stands
/// outside config/ and is never migrated.
pub const MARKER: &[u8] = b"backend-encrypted";

/// Where all that MinIO encrypts stands. Beside it are its format, its buckets' metadata and that
/// marker, which it reads as they are.
pub const CONFIG: &[u8] = b"config/";

/// What an operator should know of a marker with this content.
pub fn marker(content: &[u8]) -> &'static str {
    match content.trim_ascii() {
        b"encrypted" => {
            "the marker backend-encrypted says that MinIO once encrypted this store with its root \
             credential; it is left alone (RELEASE.2021-05-11 up to 2023-04-20 take it as the order \
             to migrate at their start, later ones ignore it)"
        }
        b"incomplete" => {
            "the marker backend-encrypted says that a migration by an old MinIO was interrupted, so \
             expect objects in several forms; it is left alone"
        }
        _ => "the marker backend-encrypted has unknown content; it is left alone",
    }
}

/// That there was nothing to do: a mistyped prefix must not look like success.
pub fn nothing_there(prefix: &[u8]) -> String {
    let prefix = shown(prefix);
    format!("there is no object whose path begins with {prefix}")
}

/// What is wrong with a prefix and what to do about it, if anything is wrong.
pub fn wrong_prefix(prefix: &[u8]) -> Option<(String, String)> {
    if prefix.starts_with(CONFIG) {
        return None;
    }
    let shown = shown(prefix);
    Some((
        format!(
            "the prefix \"{shown}\" takes in more than config/, which MinIO must find as it is"
        ),
        "begin it with config/".into(),
    ))
}

/// What is wrong with an object's path and what to do about it, if it takes in the folder that is the
/// store: MinIO would look for the object under another context.
pub fn wrong_path(path: &[u8]) -> Option<(String, String)> {
    let mut parts = path.split(|byte| *byte == b'/');
    if !parts.any(|part| part == b".minio.sys") {
        return None;
    }
    let rest = shown(&parts.collect::<Vec<_>>().join(&b'/'));
    let path = shown(path);
    Some((
        format!("{path}: the path takes in .minio.sys"),
        format!("give the path below it: --path {rest}"),
    ))
}

/// That an object passed through unopened.
pub fn passed_through(path: &[u8]) -> String {
    let path = shown(path);
    format!("{path}: it is plaintext and passed through, as in MinIO; --require sealed refuses it")
}

/// That objects were changed while or after a run changed them.
pub fn differ(objects: u64) -> String {
    format!(
        "{} not in the state that the run left: changed by somebody else since",
        count(objects, "object")
    )
}

/// That objects could not be read once more, and why the first could not; the proof is this file.
pub fn unread(objects: u64, why: &str, proof: &str) -> String {
    let objects = count(objects, "object");
    format!("{objects} could not be read again for the proof {proof}: {why}")
}

/// What to do about that. The proof and the store are as they are typed.
pub fn read_again(proof: &str, store: &str) -> String {
    format!("see that the store answers, then compare: iamseal verify-proof {proof} {store}")
}

/// Where the proof of a run is.
pub fn proof(path: &str) -> String {
    format!("what was there and what is there is written down in {path}")
}

/// That others can read a secret.
pub fn open_to_others(file: &str, quoted: &str) -> String {
    format!(
        "{file} holds a secret, and others than its owner can read or write it: chmod 600 {quoted}"
    )
}

/// That others can put keys among those of a KES.
pub fn keys_by_others(folder: &str, quoted: &str) -> String {
    format!("others than its owner can put keys in {folder}: chmod go-w {quoted}")
}

/// That no key was read from a file in KES' folder of keys.
pub fn no_kes_key(file: &str, why: &str) -> String {
    format!("{file} is passed over, {why}; objects that need its key do not open")
}

/// The same of those that are not named.
pub fn more_no_kes_keys(more: usize, folder: &str) -> String {
    format!("{more} more files in {folder} are passed over: no key is read from them")
}

/// That others than their owners can read files of keys beside those that were named.
pub fn more_open_to_others(more: usize, folder: &str) -> String {
    format!("{more} more files hold secrets that others can read or write: chmod -R go= {folder}")
}

/// That variables name files which nobody chose.
pub fn passed_over(variables: &[&str]) -> String {
    let variables = variables.join(" and ");
    format!(
        "{variables}: as the container image sets it, and there is no such file, so it is passed over"
    )
}

/// That variables name files which are not there and need not be.
pub fn absent_files(variables: &[&str]) -> String {
    let variables = variables.join(" and ");
    format!("{variables}: there is no such file, which MinIO passes over, as here")
}

/// That values are in quotes which count.
pub fn in_quotes(variables: &[&str]) -> String {
    let variables = variables.join(" and ");
    format!(
        "{variables}: in quotes, which MinIO takes for a part of the value, as here; a shell removes them, \
         docker run --env-file keeps them"
    )
}

/// That variables are set to nothing.
pub fn set_to_nothing(variables: &[&str]) -> String {
    let variables = variables.join(" and ");
    format!("{variables}: set to nothing, which MinIO takes for not set, as here")
}

/// That a line of a file of credentials holds what its writer may not mean as a part of it.
pub fn odd_credential(file: &str, line: usize, oddity: &str) -> String {
    format!("{file}, line {line}: {oddity}, which is taken for a part of the credential")
}

/// How many of the objects that a note is about are named in it.
pub const NAMED: usize = 3;

/// That objects have further names; the first of them are given.
pub fn other_names(objects: u64, first: &[String]) -> String {
    let named = some_of(objects, first);
    format!(
        "{} with another name (a hard link), which keeps the old bytes when the object is replaced: {named}",
        count(objects, "object")
    )
}

/// That objects will hold plaintext that others can read; the first of them are given.
pub fn open_plaintext(objects: u64, first: &[String]) -> String {
    let named = some_of(objects, first);
    format!(
        "{} will hold plaintext that others than the owner can read, by the file's mode (chmod go-r closes it): \
         {named}",
        count(objects, "object")
    )
}

/// That objects which are not there come back as plaintext.
pub fn comes_back_plaintext(objects: usize) -> String {
    format!(
        "{} not there now, which will be plaintext again, with the mode that it had",
        count(objects, "object")
    )
}

/// So many of these, `1 object` or `2 objects`.
pub fn count(count: impl TryInto<u64>, one: &str) -> String {
    match count.try_into().unwrap_or(u64::MAX) {
        1 => format!("1 {one}"),
        count => format!("{count} {one}s"),
    }
}

fn some_of(objects: u64, first: &[String]) -> String {
    let more = match objects.saturating_sub(first.len() as u64) {
        0 => "",
        _ => ", …",
    };
    format!("{}{more}", first.join(", "))
}

/// How to take a run back.
pub fn undo(command: &str) -> String {
    format!("to take it back: {command}")
}

/// How to go on with what was not done to its end.
pub fn go_on(command: &str) -> String {
    format!("to go on: {command}")
}

/// What is to be done about a server whose objects were set aside.
pub const SET_ASIDE: &str = "\
a server that runs keeps what it has read in memory: start it again; what it writes in the meantime in the place \
of these objects an undo leaves alone";

/// Why no token can be signed anew, and what to do about it.
pub const NO_ROOT_TO_VERIFY: (&str, &str) = (
    "there is no root credential, and only those that one has signed are signed anew",
    "give the root credentials of the time the accounts were made with --root-credentials",
);

/// That there is nothing to sign anew.
pub const NO_TOKEN_OF_A_ROOT: &str = "\
no token of a service account is signed by one of these root credentials";

/// What a server sees of it.
pub const TOKENS_SIGNED: &str = "\
a server that runs keeps what it has read in memory: start it again";

/// That the secret which signed some tokens is not known.
#[must_use]
pub fn signed_by_others(count: usize) -> String {
    format!(
        "tokens of service accounts whose signer is not known: {count}; add the root credential of the time they were \
         made; if its secret is gone, make the accounts again with their secrets, which iamseal cat shows: mc admin user \
         svcacct add ALIAS USER --access-key KEY --secret-key SECRET"
    )
}

/// That tokens of temporary credentials stay as they are.
#[must_use]
pub fn temporary_tokens(count: usize) -> String {
    format!(
        "temporary credentials that a root secret signed: {count}; they are left as they are: under another root \
         secret whoever has one asks for a new one"
    )
}

/// What to do about an object that MinIO's drives do not give back: there is nothing to keep in a journal.
pub fn move_off_drives(path: &[u8]) -> String {
    format!(
        "on every drive move the folder {} out of the system folder (.minio.sys) to a place outside the drive, and \
         keep it: a server then does without it",
        shown(path)
    )
}

/// That a dry run does not need the key that the run needs.
pub const RUN_NEEDS_KEY: &str = "\
the run itself needs a key for what may be plaintext: its journal keeps that sealed under it";

/// What to do where an object cannot be set aside without a key.
pub const KEY_TO_KEEP: &str = "\
give any key, in the variables or with --keys: the journal keeps the object sealed under it, and undo needs it; to \
make one: iamseal keygen my-key";

/// That a command was stopped before its run.
pub const NOT_BEGUN: &str = "the run has not begun: no object is changed";

/// That there is nothing to take back.
pub fn unchanged(run: &str) -> String {
    format!("the run {run} has changed nothing")
}

/// The same of a run that left drafts.
pub fn no_object_changed(run: &str) -> String {
    format!("the run {run} has changed no object")
}

/// That a run could not remove drafts of its own, and the command that does.
pub fn drafts_left(drafts: &[Vec<u8>], sweep: &str) -> String {
    let first = drafts.iter().take(NAMED).map(|draft| shown(draft));
    let named = some_of(drafts.len() as u64, &first.collect::<Vec<_>>());
    format!(
        "{} could not be removed and may hold plaintext: {named}; once no run is under way, to remove what is \
         left: {sweep}",
        count(drafts.len(), "draft")
    )
}

/// That a bucket keeps what was replaced or removed.
pub const OLD_VERSIONS: &str = "\
the bucket keeps versions: what was replaced or removed stays in it, plaintext too if it was, until its \
lifecycle rules remove it; no audit looks at old versions";

/// The same of etcd.
pub const OLD_REVISIONS: &str = "\
etcd keeps earlier revisions: what was replaced or removed stays in it, plaintext too if it was, until \
etcdctl compact and etcdctl defrag; no audit looks at earlier revisions";

/// That an audit tells nothing of what it did not come to.
pub const BROKEN_OFF: &str =
    "Not known: the audit did not come to its end, or to all of the store.";

/// That a key of a service will not open a run's journal.
pub fn no_run_key(name: &str, why: &str) -> String {
    let name = shown(name.as_bytes());
    format!("the key {name} will not open this run's journal and proof: {why}")
}

/// How many drafts of a killed run were removed.
pub fn swept(drafts: u64) -> String {
    format!("removed: {} of a killed run", count(drafts, "draft"))
}

/// What an archive has besides the store in it.
pub fn archive_unread(archive: &str, entries: u64, first: &str) -> String {
    match entries {
        1 => format!("{archive}: 1 entry belongs to no store in it, and is not looked at: {first}"),
        entries => format!(
            "{archive}: {entries} entries belong to no store in it, and are not looked at, such as {first}"
        ),
    }
}

/// Why drafts of a killed run may remain.
pub fn not_swept(why: &str) -> String {
    format!("drafts of a killed run may remain: {why}")
}

/// How many drafts an audit has found.
pub fn drafts(drafts: u64) -> String {
    format!(
        "in the store: {} of a killed run, or of one that is under way, which may hold plaintext; iamseal sweep \
         removes what no run holds",
        count(drafts, "draft")
    )
}

/// Why an audit does not know of drafts.
pub fn drafts_unknown(why: &str) -> String {
    format!("whether drafts of a killed run lie in the store is not known: {why}")
}

/// What to do about a store that cannot be written to safely, or not at all.
pub const UNFIT_STORE: &str = "\
allow these credentials to read, write and delete below the prefix; if the server does not keep to \
If-Match, copy the objects to a folder, migrate them there and put them back while nobody writes";

/// The same of a folder.
pub const NO_EXCHANGE: &str = "\
stop the server and everything else that writes there, then run again with --server-is-stopped";

/// The same of drives.
pub const ALL_DRIVES: &str = "\
give all drives of the server, as drives:/mnt/disk{1...4}; where one is lost, replace it, let a server heal it \
(mc admin heal) and stop that, then run again; or run with --degraded, which writes to the others: until the lost one \
is healed, one more lost drive may lose objects, and old secrets stay on it";

/// The same where it was to be written though drives are missing.
pub const MORE_DRIVES: &str = "\
give all drives that you have; of a set of 4, 6, 8 … one may be missing, of others none; replace what is lost, let a \
server heal it (mc admin heal) and stop that, then run again";

/// What it risks to write to drives of which some are missing.
pub fn degraded(what: &str) -> String {
    format!(
        "this writes to the other drives: {what}. Until a server has healed that drive (mc admin heal -r), one more lost \
         drive of its set may lose objects, and it keeps the old ones, with their secrets. It may come back as it is: \
         it is behind then, and a heal brings it forward"
    )
}

/// That a run is done and stays.
pub const WATCHING: &str = "watching the store; Ctrl-C or SIGTERM ends it";

/// Why a store that is watched cannot be looked at now.
pub fn trouble(why: &str) -> String {
    format!("it goes on when this is over: {why}")
}

/// That it is.
pub const OVER: &str = "it goes on";

/// Why a store is not kept in plaintext, and what to do about it.
pub const WATCH_TO_PLAINTEXT: (&str, &str) = (
    "--watch would lay open all that a server seals later",
    "leave it out: migrate --to plaintext once, before a server without a KMS starts",
);

/// Why drives are not watched, and what to do about it.
pub const WATCH_DRIVES: (&str, &str) = (
    "drives are written only while no server runs, and then nobody changes them",
    "leave out --watch",
);

/// What to do about a store that another process keeps locked.
pub const LOCKED: &str = "let that process go on or end it (lslocks names it), then run again";

/// That keys may be needed by what does not say so.
pub fn silent(objects: u64) -> String {
    format!(
        "Not known: {} not read, or without the name of a key.",
        count(objects, "object")
    )
}

/// The same of root credentials.
pub fn without_user(objects: u64) -> String {
    format!(
        "Not known: {} in the root-credential form not opened, and none says whose credential it needs.",
        count(objects, "object")
    )
}

/// The same where a root secret may have signed what does not open.
pub fn unread_tokens(objects: u64) -> String {
    format!(
        "Not known: {} of service accounts or temporary credentials not opened, and a root secret may have signed \
         the token.",
        count(objects, "object")
    )
}

/// The same where the signature of a token fits no secret that is lent.
pub fn foreign_tokens(tokens: u64) -> String {
    format!(
        "Not known: {} signed neither by its account nor with a root secret that was given.",
        count(tokens, "session token")
    )
}

/// That keys may be needed by files that are exempt.
pub fn unopened(files: u64) -> String {
    format!(
        "Not known: {} encrypted in another way, and not opened, for which a key may be needed.",
        count(files, "exempt file")
    )
}

/// That keys may be needed by what was not looked at.
pub fn narrow(prefix: &[u8]) -> String {
    let prefix = shown(prefix);
    format!("Not known: only what begins with {prefix} was looked at.")
}

/// That a manifest is as it was, or not there.
pub const NOT_SAVED: &str = "the manifest was not saved";

/// What an audit says at its end where a store's notes say that objects may be missing.
pub const NOT_ALL_SEEN: &str = "\
Not all of the store was seen: objects may be missing, or not be those that a server reads. The notes
say why.";

/// What no audit sees of the need for a key (docs/formats/minio.md section 5).
pub const BEYOND_AUDIT: &str = "\
This is about the objects of config/ alone. Before you delete a key: what is in buckets, bucket
metadata, tier-config.bin, backups and the journals of runs may need it too.";

/// The same where tiers and settings of buckets were looked at too.
pub const BEYOND_SETTINGS: &str = "\
This is about config/, tiers and the settings of buckets. Before you delete a key: what is in buckets
(iamseal keys STORE counts it), backups and the journals of runs may need it too.";

/// What a migration leaves under a key, and what stops working without it; the key has no name where none is named.
pub fn stays(key: Option<&str>, what: &str) -> String {
    match key {
        Some(key) => {
            let key = shown(key.as_bytes());
            format!(
                "this is not migrated, and stops working on a server that does not have the key {key}: {what}"
            )
        }
        None => format!(
            "this is not migrated, names no key, and stops working on a server that does not have the one it has \
             now: {what}"
        ),
    }
}

/// That what a migration leaves is not known, and why.
pub fn settings_unknown(why: &str) -> String {
    format!("which tiers and settings of buckets need the old key is not known: {why}")
}

/// That some of it is not known.
pub fn settings_unread(count: u64) -> String {
    format!(
        "{count} of the files of tiers and bucket metadata could not be read: they may need the old key too"
    )
}

/// That a migration did not look at objects in buckets; the store is as it is typed.
pub fn buckets_not_looked_at(store: &str) -> String {
    format!(
        "objects in buckets (SSE-S3, SSE-KMS) are not migrated and were not looked at; which keys they need: \
         iamseal keys {store}"
    )
}

/// That a key was given under another name than that by which objects ask for it.
pub fn misnamed(given: &str, asked: &str, objects: u64) -> String {
    let (given, asked) = (shown(given.as_bytes()), shown(asked.as_bytes()));
    format!(
        "the key that was given as {given} is the one that {} for as {asked}: give it under that name, \
         {asked}:<base64>",
        match objects {
            1 => "1 object asks".to_owned(),
            objects => format!("{objects} objects ask"),
        }
    )
}

/// That keys which were given may be those that objects ask for in vain.
pub fn foreign(objects: u64) -> String {
    format!(
        "Not known: {} under a key that was not given, or has other bytes here: it may have been given under \
         another name.",
        count(objects, "object")
    )
}

/// That a root secret signed session tokens, and which one a server has is not known here.
pub fn signed_by_root(tokens: u64, store: &str) -> String {
    format!(
        "a root secret that was given signed {}: a server with another root secret does not know these accounts. \
         Give the present one as well (MINIO_ROOT_USER, MINIO_ROOT_PASSWORD), or sign the tokens anew: \
         iamseal sign-tokens {store}, with the same options",
        count(tokens, "session token")
    )
}

/// That several keys have one name: what is told of a key by its name is told of all of them.
pub fn keys_of_one_name(name: &str, count: usize) -> String {
    format!(
        "{count} keys are named {}, and a server can have one: audit with each of them alone to see what it opens",
        shown(name.as_bytes())
    )
}

/// That objects are sealed under the environment's key of several of one name.
pub fn key_of_environment(name: &str, count: usize) -> String {
    format!(
        "{count} keys are named {}: that of the environment seals, the others open",
        shown(name.as_bytes())
    )
}

/// That it is not known which key of several of one name is to seal.
pub fn which_key(name: &str, count: usize) -> (String, String) {
    (
        format!(
            "{count} keys are named {}, and which of them is to seal was not said",
            shown(name.as_bytes())
        ),
        "set MINIO_KMS_SECRET_KEY to that one; the others may stay where they are".into(),
    )
}

/// That an archive is not put in the place of what is there.
pub fn not_replaced(file: &str) -> String {
    format!(
        "{file} is left as it was: not all of the identities could be read; give another name to have the others"
    )
}

/// That there is nothing to write an archive of.
pub fn nothing_to_write(file: &str) -> String {
    format!("{file} was not written: none of the identities could be read")
}

/// That objects failed after they were changed, or may have.
pub fn failed_and_changed(objects: u64) -> String {
    format!(
        "{} failed and changed all the same, or perhaps changed, since the store does not tell: undo takes back what \
         changed",
        count(objects, "object")
    )
}

/// That not all of a store could be swept, and why.
pub fn not_all_swept(why: &str) -> String {
    format!("not all drives were swept, so drafts, plaintext perhaps, may lie on the others: {why}")
}

/// A whole key where its name belongs; it is not shown.
pub const KEY_NOT_NAME: (&str, &str) = (
    "--key takes the name of a key, and what was given, which is not shown, is none or holds the key itself",
    "give the name alone, and the key in MINIO_KMS_SECRET_KEY or in a file with --keys",
);

/// Why an option to seal has no use for the compact form, and what to do about it.
pub const COMPACT_OPTIONS: (&str, &str) = (
    "the compact form has one cipher and no data key",
    "leave out --cipher and --data-key, or take --form minio",
);

/// Why an option to seal has no use for RustFS' form, and what to do about it.
pub const RUSTFS_OPTIONS: (&str, &str) = (
    "--to rustfs does not go with --key, --form, --cipher or --data-key",
    "leave them out, or say --to kms",
);

/// Why nothing can be written for RustFS, and what to do about it.
pub const NO_RUSTFS: (&str, &str) = (
    "no key of a RustFS is given to write its form under or to require it",
    "set RUSTFS_IAM_MASTER_KEY as the RustFS has it; if it has none, RUSTFS_ACCESS_KEY and RUSTFS_SECRET_KEY",
);

/// Why an option to seal has no use for plaintext, and what to do about it.
pub const PLAINTEXT_OPTIONS: (&str, &str) = (
    "--to plaintext does not go with --key, --form, --cipher or --data-key",
    "leave them out, or say --to kms",
);

/// Why a component is not taken from a file, and what to do about it.
pub fn untrusted(file: &str) -> (String, String) {
    (
        format!("{file} would be lent your keys, and nothing says that you trust it"),
        format!(
            "see what it is with iamseal plugin inspect {file}, compare the digest with its maker's, \
             and add --plugin-sha256 with it; or add --trust-plugin"
        ),
    )
}

/// What the tests of a component do not show, and how to name the one that passed them.
pub fn tested(digest: &str) -> String {
    format!(
        "note: it does its work; what else it does no test shows. If you trust its maker: \
         --plugin-sha256 {digest}"
    )
}

/// Why there is nothing to trust, and what to do about it.
pub const NO_PLUGIN_TO_TRUST: (&str, &str) = (
    "--plugin-sha256 and --trust-plugin are about the file of --plugin, which is missing",
    "add --plugin FILE, or leave them out for the component that is built in",
);

/// Why a sealed object is not printed on a terminal, and what to do about it.
pub const TERMINAL: (&str, &str) = (
    "a sealed object is binary and standard output is a terminal",
    "send it to a file, or ask for --json",
);

/// Why an object is not printed on a terminal, and what to do about it.
pub const NOT_FOR_A_TERMINAL: (&str, &str) = (
    "the object is not plain text and standard output is a terminal",
    "send it to a file or a pipe, or ask for --json",
);

/// Why identities are not printed on a terminal, and what to do about it.
pub const SECRETS_FOR_A_TERMINAL: (&str, &str) = (
    "the archive holds secrets and standard output is a terminal",
    "give a file with -o, or send it to a file or a pipe",
);

/// Why identities are not printed as lines that should be encrypted, and what to do about it.
pub const LINES_ARE_NOT_ENCRYPTED: (&str, &str) = (
    "--json without -o prints the identities themselves, and --encrypt-to encrypts an archive",
    "give the archive a file with -o, or leave out --json",
);

/// Why plaintext is not edited without any key, and what to do about it.
pub const NO_KEY_TO_KEEP_UNDER: (&str, &str) = (
    "the object is plaintext, and there is no key to keep the old bytes under, so nothing could take the \
     edit back",
    "give any key or root credential that you will have then, such as a fresh one: iamseal keygen my-key",
);

/// Why an object in the root-credential form is not edited, and what to do about it.
pub const ROOT_CREDENTIAL_IS_READ: (&str, &str) = (
    "it is in the root-credential form, which is not written here",
    "migrate it first: iamseal migrate --to kms or --to plaintext, with --prefix for it alone; for a RustFS \
     --to rustfs again afterwards",
);

/// Why an exempt object is not edited.
pub const NOT_OURS: &str = "MinIO reads it without its IAM encryption";

/// That nothing was edited.
pub const NOT_EDITED: &str = "the text is as it was: nothing is written";

/// That somebody has removed the object that was edited, and what to do about it.
pub const REMOVED_MEANWHILE: (&str, &str) = (
    "it was removed by somebody else meanwhile",
    "if it is to be there all the same, bring it back (iamseal undo, or from a backup), then edit it again",
);

/// What to do about an object that was changed while it was edited.
pub const EDIT_AGAIN: &str = "edit it again: it opens as it is now";

/// That a text that is edited is on a disk.
pub const TEXT_ON_DISK: &str = "\
there is no file system in memory (/dev/shm, XDG_RUNTIME_DIR), so the text is in a temporary file on a disk \
while you edit it; it is overwritten at the end, which not every file system does in place";

/// That a text was not written to the store, and where it is; the store and the path are as they are typed.
pub fn text_kept(file: &str, object: &str) -> String {
    format!(
        "your text is kept in {file}, in the open; remove it with its folder when it is stored; when it is right: \
         iamseal edit {object} --from {file}"
    )
}

/// The same, where somebody else has changed the object meanwhile: stored as it is, it would undo that.
pub fn text_kept_beside(file: &str) -> String {
    format!(
        "your text is kept in {file}, in the open; take over from it what you changed, and remove it with its folder"
    )
}

/// Why a folder is not inspected, and what to do instead.
pub fn is_folder(shown: &str) -> (String, &'static str) {
    (
        format!("{shown}: it is a folder, as an object on MinIO's drives is"),
        "give the store, and the object's path in it: iamseal inspect --path config/iam/format.json STORE",
    )
}

/// That objects name more than is looked at.
pub const MORE_NAMED: &str =
    "objects name more policies and members than are looked at: others may be missing too";

/// Why standard input is no object, and what to do about it.
pub fn large_input(allowed: u64) -> (String, &'static str) {
    (
        format!("standard input is larger than an object may be, {allowed} bytes"),
        "the largest IAM and configuration objects are a few MiB: is it one of them?",
    )
}
