//! The exit codes and causes.

use super::{literal, table};
use crate::cause::Cause;

/// The tables, by the names of their sections.
pub fn tables() -> Vec<(&'static str, String)> {
    let mut causes = Cause::ALL.to_vec();
    causes.sort_by_key(|cause| cause.exit_code());
    let done = ["0", "", "All was done.", ""].map(String::from).to_vec();
    let rows = causes.into_iter().map(|cause| {
        let (meaning, cure) = meaning(cause);
        let code = cause.exit_code().to_string();
        vec![code, literal(cause.name()), meaning.into(), cure.into()]
    });
    let header = ["code", "cause", "meaning", "what to do"];
    vec![("exit codes", table(&header, [done].into_iter().chain(rows)))]
}

/// What a cause means, and what to do about it.
fn meaning(cause: Cause) -> (&'static str, &'static str) {
    match cause {
        Cause::Other => ("Any other failure.", "The message says what failed."),
        Cause::Usage => (
            "Wrong usage or configuration: an option, a variable or a file of keys. Nothing was done.",
            "Correct what the message names.",
        ),
        Cause::Several => (
            "Objects failed for several causes. An exit code alone: no message has this cause.",
            "See the objects.",
        ),
        Cause::KeyNotFound => (
            "The key that is needed was not given, or no key at all.",
            "Give it in `MINIO_KMS_SECRET_KEY` or with `--keys`.",
        ),
        Cause::KeyUnavailable => (
            "The key service gave no answer.",
            "See that it answers, then run again.",
        ),
        Cause::KeyDenied => (
            "The key service refused the caller.",
            "Allow this identity to use the key.",
        ),
        Cause::HeaderNotAuthentic => (
            "No key of that name opens the object here: other key bytes, another path or store, or a \
             damaged header. Of one object alone cryptography cannot tell these apart; an audit often \
             can, and then says 19, 20 or 21.",
            "Audit the whole store; add other keys of that name.",
        ),
        Cause::Credential => (
            "The object is in the root-credential form, and the credential is missing or another one.",
            "Give it in `MINIO_ROOT_USER` and `MINIO_ROOT_PASSWORD` or with `--root-credentials`.",
        ),
        Cause::CredentialUntried => (
            "The object is in the root-credential form and was not tried with every root credential, \
             since too many objects before it opened with none. It may be whole.",
            "Remove what nothing opens, or insist with `--try-all-credentials`.",
        ),
        Cause::BodyNotAuthentic => (
            "The right key is there, and the body is damaged.",
            "Restore the object.",
        ),
        Cause::Malformed => (
            "Damaged, cut short or empty: not the whole shape of its form.",
            "Restore the object.",
        ),
        Cause::UnknownForm => (
            "Neither plaintext nor a form that is known, or one with a part that is not supported.",
            "Restore the object; of MinIO's drives give the drives themselves.",
        ),
        Cause::Refused => (
            "Its path, or the store, does not let it be touched: a symbolic link, a device, a path out \
             of the store, an exempt file; drives are missing, or a server runs on them; or a bucket's server \
             denies access.",
            "Look at what is there.",
        ),
        Cause::Storage => (
            "The store, a journal or standard input or output failed.",
            "The message has the system's words.",
        ),
        Cause::Conflict => (
            "Changed by somebody else meanwhile; theirs was kept.",
            "Run again; after an undo, see what was done since.",
        ),
        Cause::Limit => (
            "A limit of the tool was reached: the size of an object, or time or memory of the plugin.",
            "The message names the limit.",
        ),
        Cause::Plugin => (
            "The plugin is unfit or failed.",
            "Leave out `--plugin`, or give one for this version.",
        ),
        Cause::CutShort => (
            "All that is there is authentic, and the end is missing.",
            "Restore the object.",
        ),
        Cause::FormRefused => (
            "Not in a form that `--require` takes: not sealed, or for `--require rustfs` not as RustFS reads it.",
            "Migrate it, if you trust whoever wrote it.",
        ),
        Cause::OtherKeyBytes => (
            "The key of that name opens no object here: it has other bytes.",
            "Find the key of the time it was written.",
        ),
        Cause::OtherPath => (
            "The object belongs at another path, which is named: copied, moved or swapped.",
            "Restore the object that belongs here.",
        ),
        Cause::EarlierKey => (
            "Several objects name a key that opens others: most likely an earlier key of the same name.",
            "Lend the earlier key too.",
        ),
        Cause::DamagedDataKey => (
            "Its key opens other objects, but not this one.",
            "Restore the object.",
        ),
        Cause::NotLoadable => (
            "It opens, and no server loads it: it is not what its path wants. For one such object below \
             `config/iam/` a server loads no identity at all; over `config/config.json` it writes its defaults.",
            "Mend it (`iamseal edit`), restore it from a backup, or move it out of the way (`iamseal set-aside`).",
        ),
        Cause::Outdated => (
            "Sealed under an earlier key or context, and `--require current` was given; or under another root credential than `--require rustfs` asks for.",
            "Migrate it, if you trust whoever wrote it.",
        ),
        Cause::OlderCopy => (
            "By the manifest it was rolled back.",
            "Restore the newest copy.",
        ),
        Cause::CopiedFrom => (
            "By the manifest it has the bytes of another path, which is named.",
            "Restore the object that belongs here.",
        ),
        Cause::ChangedSince => (
            "By the manifest it was changed.",
            "Find out who changed it.",
        ),
        Cause::NotRecorded => ("The manifest does not have it.", "Find out who made it."),
        Cause::Missing => ("The manifest has it and the store does not.", "Restore it."),
        Cause::Manifest => (
            "The manifest is gone, does not open, or is older than asked for.",
            "Restore the newest manifest.",
        ),
        Cause::Drafts => (
            "Drafts lie in the store and may hold plaintext: `--require` was given, or a run could not remove its own.",
            "Run `iamseal sweep`; if drafts stay, wait for the end of the run that holds them.",
        ),
        Cause::Journal => (
            "A journal or a proof is not what the run wrote, or nothing tells that it is.",
            "Restore it from a backup.",
        ),
        Cause::HungUp => (
            "SIGHUP: the terminal is gone. What was reported is done, all else is as it was.",
            "Run again.",
        ),
        Cause::Interrupted => (
            "Ctrl-C. What was reported is done, all else is as it was.",
            "Run again.",
        ),
        Cause::ClosedPipe => (
            "Nobody reads the output. No message has this cause; the summary is on standard error.",
            "Run again.",
        ),
        Cause::Terminated => (
            "SIGTERM, SIGQUIT, or SIGXCPU (`ulimit -t`). What was reported is done, all else is as it was.",
            "Run again.",
        ),
    }
}
