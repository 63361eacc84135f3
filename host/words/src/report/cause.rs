//! The causes of failure: their names in JSON, their exit codes and what to do about each.

use std::collections::BTreeMap;

use crate::contract::{Form, KeyError, ObjectError, StorageError};

/// Why something failed, as far as a caller acts on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// Any other failure.
    Other,
    /// Wrong usage or configuration.
    Usage,
    /// Objects failed for several causes; an exit code alone.
    Several,
    /// The key that is needed was not given, or no key at all.
    KeyNotFound,
    /// The key service gave no answer.
    KeyUnavailable,
    /// The key service refused the caller.
    KeyDenied,
    /// No key of that name opens the object here.
    HeaderNotAuthentic,
    /// The key of that name opens no object here.
    OtherKeyBytes,
    /// The object belongs at another path.
    OtherPath,
    /// Several objects name a key that opens others: most likely an earlier key of the same name.
    EarlierKey,
    /// Its key opens other objects, but not this one.
    DamagedDataKey,
    /// By the manifest it was rolled back.
    OlderCopy,
    /// By the manifest it has the bytes of another path.
    CopiedFrom,
    /// By the manifest it was changed.
    ChangedSince,
    /// The manifest does not have it.
    NotRecorded,
    /// The manifest has it and the store does not.
    Missing,
    /// The manifest is gone, does not open, or is older than asked for.
    Manifest,
    /// Drafts lie in the store.
    Drafts,
    /// A journal or a proof is not what the run wrote.
    Journal,
    /// The root credential is missing or another one.
    Credential,
    /// Not every root credential was tried.
    CredentialUntried,
    /// The right key is there, and the body is damaged.
    BodyNotAuthentic,
    /// Damaged, truncated or empty.
    Malformed,
    /// All that is there is authentic, and the end is missing.
    CutShort,
    /// Neither plaintext nor a form that is known.
    UnknownForm,
    /// Its path, or the store, does not let it be touched.
    Refused,
    /// Not sealed, where only sealed objects may be opened.
    FormRefused,
    /// It opens, and no server loads it.
    NotLoadable,
    /// Sealed under an earlier key or context.
    Outdated,
    /// The store, a file, or standard input or output failed.
    Storage,
    /// Another writer changed it.
    Conflict,
    /// A limit was reached.
    Limit,
    /// The plugin is unfit or failed.
    Plugin,
    /// SIGHUP.
    HungUp,
    /// SIGINT.
    Interrupted,
    /// Standard output was closed.
    ClosedPipe,
    /// SIGTERM, SIGQUIT or SIGXCPU.
    Terminated,
}

impl Cause {
    /// All of them.
    pub const ALL: [Self; 37] = [
        Self::Other,
        Self::Usage,
        Self::Several,
        Self::KeyNotFound,
        Self::KeyUnavailable,
        Self::KeyDenied,
        Self::HeaderNotAuthentic,
        Self::OtherKeyBytes,
        Self::OtherPath,
        Self::EarlierKey,
        Self::DamagedDataKey,
        Self::OlderCopy,
        Self::CopiedFrom,
        Self::ChangedSince,
        Self::NotRecorded,
        Self::Missing,
        Self::Manifest,
        Self::Drafts,
        Self::Journal,
        Self::Credential,
        Self::CredentialUntried,
        Self::BodyNotAuthentic,
        Self::Malformed,
        Self::CutShort,
        Self::UnknownForm,
        Self::Refused,
        Self::FormRefused,
        Self::NotLoadable,
        Self::Outdated,
        Self::Storage,
        Self::Conflict,
        Self::Limit,
        Self::Plugin,
        Self::HungUp,
        Self::Interrupted,
        Self::ClosedPipe,
        Self::Terminated,
    ];

    /// The exit code. `docs/operators.md` and `docs/reference.md` say more of each.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Other => 1,
            Self::Usage => 2, // clap's own
            Self::Several => 3,
            Self::KeyNotFound => 4,
            Self::KeyUnavailable => 5,
            Self::KeyDenied => 6,
            Self::HeaderNotAuthentic => 7,
            Self::Credential => 8,
            Self::BodyNotAuthentic => 9,
            Self::Malformed => 10,
            Self::UnknownForm => 11,
            Self::Refused => 12,
            Self::Storage => 13,
            Self::Conflict => 14,
            Self::Limit => 15,
            Self::Plugin => 16,
            Self::CutShort => 17,
            Self::FormRefused => 18,
            Self::OtherKeyBytes => 19,
            Self::OtherPath => 20,
            Self::DamagedDataKey => 21,
            Self::Outdated => 22,
            Self::OlderCopy => 23,
            Self::CopiedFrom | Self::ChangedSince | Self::NotRecorded => 24,
            Self::Missing => 25,
            Self::Manifest => 26,
            Self::Drafts => 27,
            Self::CredentialUntried => 28,
            Self::Journal => 29,
            Self::EarlierKey => 30,
            Self::NotLoadable => 31,
            Self::HungUp => 129,      // 128 + SIGHUP
            Self::Interrupted => 130, // 128 + SIGINT, as shells have it
            Self::ClosedPipe => 141,  // 128 + SIGPIPE
            Self::Terminated => 143,  // 128 + SIGTERM
        }
    }

    /// What the exit code means, in a few words.
    pub fn brief(self) -> &'static str {
        match self {
            Self::Other => "any other failure",
            Self::Usage => "wrong usage or configuration",
            Self::Several => "objects failed, several causes",
            Self::KeyNotFound => "no such key, or no key",
            Self::KeyUnavailable => "key service unreachable",
            Self::KeyDenied => "key service denied",
            Self::HeaderNotAuthentic => "header not authentic",
            Self::Credential => "root credential missing or wrong",
            Self::BodyNotAuthentic => "body not authentic (damaged)",
            Self::Malformed => "damaged, cut short or empty",
            Self::UnknownForm => "unknown or unsupported form",
            Self::Refused => "refused by its path or the store",
            Self::Storage => "storage failed",
            Self::Conflict => "changed by somebody else meanwhile",
            Self::Limit => "a limit was reached",
            Self::Plugin => "the plugin is unfit or failed",
            Self::CutShort => "cut short",
            Self::FormRefused => "not in a form that --require takes",
            Self::OtherKeyBytes => "other key bytes",
            Self::OtherPath => "it belongs at another path",
            Self::EarlierKey => "most likely an earlier key of the same name",
            Self::DamagedDataKey => "damaged data key",
            Self::NotLoadable => "it opens, and no server loads it",
            Self::Outdated => "outdated for what --require asks",
            Self::OlderCopy => "older copy, by the manifest",
            Self::CopiedFrom | Self::ChangedSince | Self::NotRecorded => {
                "not as the manifest records it"
            }
            Self::Missing => "in the manifest and missing",
            Self::Manifest => "the manifest does not open, or is too old",
            Self::Drafts => "drafts lie in the store, and --require was given",
            Self::CredentialUntried => "not tried with every root credential",
            Self::Journal => "a journal or proof is not what the run wrote",
            Self::HungUp => "hung up",
            Self::Interrupted => "interrupted",
            Self::ClosedPipe => "nobody reads the output",
            Self::Terminated => "terminated",
        }
    }

    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Other => "other",
            Self::Usage => "usage",
            Self::Several => "several",
            Self::KeyNotFound => "key-not-found",
            Self::KeyUnavailable => "key-unavailable",
            Self::KeyDenied => "key-denied",
            Self::HeaderNotAuthentic => "header-not-authentic",
            Self::OtherKeyBytes => "other-key-bytes",
            Self::OtherPath => "other-path",
            Self::EarlierKey => "earlier-key",
            Self::DamagedDataKey => "damaged-data-key",
            Self::OlderCopy => "older-copy",
            Self::CopiedFrom => "copied-from",
            Self::ChangedSince => "changed-since",
            Self::NotRecorded => "not-recorded",
            Self::Missing => "missing",
            Self::Manifest => "manifest",
            Self::Drafts => "drafts",
            Self::Journal => "journal",
            Self::Credential => "credential",
            Self::CredentialUntried => "credential-untried",
            Self::BodyNotAuthentic => "body-not-authentic",
            Self::Malformed => "malformed",
            Self::CutShort => "cut-short",
            Self::UnknownForm => "unknown-form",
            Self::Refused => "refused",
            Self::FormRefused => "form-refused",
            Self::NotLoadable => "not-loadable",
            Self::Outdated => "outdated",
            Self::Storage => "storage",
            Self::Conflict => "conflict",
            Self::Limit => "limit",
            Self::Plugin => "plugin",
            Self::HungUp => "hung-up",
            Self::Interrupted => "interrupted",
            Self::ClosedPipe => "closed-pipe",
            Self::Terminated => "terminated",
        }
    }

    /// The cause of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.name() == name)
    }

    /// The cause of an object's error.
    pub fn of(error: &ObjectError) -> Self {
        match error {
            ObjectError::Empty | ObjectError::Malformed(_) => Self::Malformed,
            ObjectError::UnknownForm(_) | ObjectError::Unsupported(_) => Self::UnknownForm,
            ObjectError::Refused(_) => Self::Refused,
            ObjectError::FormRefused(_) => Self::FormRefused,
            ObjectError::Outdated(_) => Self::Outdated,
            ObjectError::NotLoadable(_) => Self::NotLoadable,
            ObjectError::NoKey => Self::KeyNotFound,
            ObjectError::Key(failure) => Self::of_key(&failure.error),
            ObjectError::HeaderNotAuthentic(_) => Self::HeaderNotAuthentic,
            ObjectError::NoCredential | ObjectError::CredentialNotAuthentic => Self::Credential,
            ObjectError::CredentialUntried(_) => Self::CredentialUntried,
            ObjectError::BodyNotAuthentic => Self::BodyNotAuthentic,
            ObjectError::CutShort => Self::CutShort,
            ObjectError::Storage(StorageError::Conflict) => Self::Conflict,
            ObjectError::Storage(StorageError::TooLarge(_)) => Self::Limit,
            ObjectError::Storage(StorageError::Refused(_)) => Self::Refused,
            ObjectError::Storage(_) => Self::Storage,
            ObjectError::Other(_) => Self::Other,
        }
    }

    /// The cause of a keyring's error.
    pub fn of_key(error: &KeyError) -> Self {
        match error {
            KeyError::NotFound => Self::KeyNotFound,
            KeyError::Denied(_) => Self::KeyDenied,
            KeyError::Unavailable(_) => Self::KeyUnavailable,
            KeyError::NotAuthentic => Self::HeaderNotAuthentic,
            KeyError::Other(_) => Self::Other,
        }
    }
}

/// The exit codes of these causes, for a help text: a line each, in order.
pub fn exit_codes(causes: impl IntoIterator<Item = Cause>) -> String {
    let brief = |cause: Cause| (cause.exit_code(), cause.brief());
    let codes: BTreeMap<u8, &str> = causes.into_iter().map(brief).chain([(0, "done")]).collect();
    let lines: Vec<String> = codes
        .into_iter()
        .map(|(code, brief)| format!("  {code:>3}  {brief}"))
        .collect();
    lines.join("\n")
}

/// What the plugin says of a drive's metadata.
const XL_META: &str = "it is an xl.meta file of a MinIO drive, not an object";

/// How a folder's refusal begins to replace an object whose permissions it cannot keep. The contract has
/// one case for all refusals.
const PERMISSIONS: &str = "the permissions of ";

/// How it ends where something else than an object is at its path.
const NO_OBJECT: [&str; 5] = [
    " is a symbolic link",
    " is a named pipe",
    " is a socket",
    " is a device",
    " is not a plain file",
];

/// How it ends where a folder is at its path: of what is in it nothing may be wrong.
const FOLDER: &str = " is a folder";

/// How a bucket's refusal begins of a key that is none of its paths.
const NAMELESS: &str = "no request can name the key ";

/// How a server's store begins where the server lets these credentials not do what they have to.
const DENIED: &str = "access is denied: ";

/// What a store of drives says where an object is lost on too many of them.
const TOO_FEW: &str = " are needed";

/// How it begins where the new bytes of an object are gone before they were put in its place.
const DRAFT_GONE: &str = "its draft is gone";

/// What an operator can do about an object's error, if there is anything to say.
pub fn cure(error: &ObjectError) -> Option<String> {
    let text = match error {
        ObjectError::Empty => {
            "MinIO takes an empty object for absent: restore it from a backup, or remove it if it \
             never held anything"
                .into()
        }
        ObjectError::Malformed(_) | ObjectError::BodyNotAuthentic | ObjectError::CutShort => {
            "restore the object from a backup or from another drive".into()
        }
        ObjectError::UnknownForm(text) if text == XL_META => {
            "give the drive that it is on, which is the folder that has .minio.sys in it".into()
        }
        ObjectError::UnknownForm(_) => {
            "if it was an object of config/, restore it from a backup; tier-config.bin and what is in \
             buckets MinIO encrypts in another way"
                .into()
        }
        ObjectError::Unsupported(_) | ObjectError::Other(_) => return None,
        ObjectError::Refused(_) => return None,
        ObjectError::FormRefused(Form::Minio | Form::Compact) => {
            "run iamseal migrate --to rustfs; leave out --require to open it as it is".into()
        }
        ObjectError::FormRefused(_) => {
            "if you trust whoever wrote it, seal it with iamseal migrate --to kms (for a RustFS --to \
             rustfs); leave out --require to open it as it is"
                .into()
        }
        ObjectError::Outdated(_) => {
            "if you trust whoever wrote it, run iamseal migrate --to kms (with --form compact for \
             compact objects; for a RustFS --to rustfs); leave out --require to open it as it is"
                .into()
        }
        ObjectError::NotLoadable(_) => {
            "mend it (iamseal edit), restore it from a backup, or move it out of the way (iamseal set-aside); \
             migrate seals it as it is with --not-loadable-too"
                .into()
        }
        ObjectError::NoKey => {
            "set MINIO_KMS_SECRET_KEY=<name>:<base64> (iamseal keygen makes one); to seal, --key can \
             name a key of --keys instead"
                .into()
        }
        ObjectError::Key(failure) => match &failure.error {
            KeyError::NotFound => format!(
                "give the key {:?} in MINIO_KMS_SECRET_KEY or in a file with --keys, or use a KES that has it",
                failure.key
            ),
            KeyError::Denied(_) => "allow this identity to use the key in the key service".into(),
            KeyError::Unavailable(_) => "see that the key service answers, then run again".into(),
            KeyError::NotAuthentic | KeyError::Other(_) => return None,
        },
        ObjectError::HeaderNotAuthentic(key) => format!(
            "iamseal audit of the whole store tells another key, a moved object and damage apart: add other keys \
             named {key:?} with --keys, check --path and, for a compact object, --store-name"
        ),
        ObjectError::NoCredential => {
            "set MINIO_ROOT_USER and MINIO_ROOT_PASSWORD, or give old ones with --root-credentials"
                .into()
        }
        ObjectError::CredentialNotAuthentic => {
            "add the root credential of the time it was written with --root-credentials; if none \
             fits, and none of RustFS' secrets alone, as :SECRET, the object is damaged"
                .into()
        }
        ObjectError::CredentialUntried(_) => {
            "remove the objects that nothing opens, or insist with --try-all-credentials, which takes \
             some 50 ms for each object and credential"
                .into()
        }
        ObjectError::Storage(StorageError::Conflict) => {
            "nothing was lost: run again when fewer others write to it".into()
        }
        ObjectError::Storage(StorageError::NotFound) => "check the path".into(),
        ObjectError::Storage(StorageError::Refused(text) | StorageError::Other(text))
            if text.starts_with(DENIED) =>
        {
            "see that these credentials are right and have not expired, and allow them to list, read, \
             write and delete all that is below the store's prefix, iamseal-draft/ included"
                .into()
        }
        ObjectError::Storage(StorageError::Other(text)) if text.starts_with(DRAFT_GONE) => {
            "run it again; while a run is under way, sweep without --no-run-under-way".into()
        }
        ObjectError::Storage(StorageError::Refused(text)) if text.starts_with(NAMELESS) => {
            "give it another name, or remove it if the server does not need it".into()
        }
        ObjectError::Storage(StorageError::Refused(text)) if text.starts_with(PERMISSIONS) => {
            "run it as root, or as the object's owner where only root may give a file away; what root \
             cannot keep either has to be taken off the object (setfattr -x, setfacl -b)"
                .into()
        }
        ObjectError::Storage(StorageError::Refused(text)) if text.ends_with(FOLDER) => {
            "name an object in it, as iamseal ls lists them".into()
        }
        ObjectError::Storage(StorageError::Refused(text))
            if NO_OBJECT.iter().any(|end| text.ends_with(end)) =>
        {
            "put a plain file in its place, or remove it if the server does not need it".into()
        }
        ObjectError::Storage(StorageError::Other(text)) if text.contains(TOO_FEW) => {
            "give all drives of the set; if they are all there, restore it from a backup, or on every drive move its \
             folder out of config/ and keep it: a server then does without it"
                .into()
        }
        // Of what is refused for another reason nothing is to be removed.
        ObjectError::Storage(_) => return None,
    };
    Some(text)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn all_are_all_and_each_has_a_name_of_its_own() {
        let all: BTreeSet<Cause> = Cause::ALL.into();
        assert_eq!(all.len(), Cause::ALL.len());
        assert_eq!(all.last().map(|last| *last as usize + 1), Some(all.len()));
        let names: BTreeSet<_> = all.iter().map(|cause| cause.name()).collect();
        assert_eq!(names.len(), all.len());
    }

    #[test]
    fn causes_that_share_an_exit_code_share_what_is_said_of_it() {
        for one in Cause::ALL {
            for other in Cause::ALL {
                let same = one.exit_code() == other.exit_code();
                assert_eq!(same, one.brief() == other.brief(), "{one:?} {other:?}");
            }
        }
    }
}
