//! The contract's types. `wit/` is their specification, and says more of each.

mod generated;

use std::fmt::{self, Display, Formatter};

use crate::describe::{describe, describe_key, describe_storage};

/// How an object is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Not encrypted.
    Plaintext,
    /// Encrypted with the root credential.
    RootCredential,
    /// MinIO's sealed form.
    Minio,
    /// iamseal's own sealed form.
    Compact,
}

/// The cipher of an object's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cipher {
    /// AES-256-GCM.
    Aes256Gcm,
    /// AES-128-GCM.
    Aes128Gcm,
    /// ChaCha20-Poly1305.
    Chacha20Poly1305,
    /// XChaCha20-Poly1305.
    Xchacha20Poly1305,
}

/// The ciphers of a body that are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WrittenCipher {
    /// AES-256-GCM.
    Aes256Gcm,
    /// ChaCha20-Poly1305.
    Chacha20Poly1305,
}

/// How the encrypted data key inside a sealed object is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataKeyEncoding {
    /// Ciphertext, tag, iv, nonce.
    Binary,
    /// A JSON object.
    Json,
    /// A MessagePack array.
    MessagePack,
}

/// The encodings that are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WrittenEncoding {
    /// Ciphertext, tag, iv, nonce.
    Binary,
    /// A JSON object.
    Json,
}

/// How a key is made of a root credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyDerivation {
    /// Argon2id.
    Argon2id,
    /// PBKDF2.
    Pbkdf2,
}

/// What MinIO binds a data key to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Context {
    /// `.minio.sys` joined with the cleaned path.
    Joined,
    /// The path alone, not cleaned.
    Bare,
}

/// What an object turned out to be when it was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its form.
    pub form: Form,
    /// The key that opened it; none for plaintext and root-credential.
    pub key: Option<String>,
    /// What its data key was bound to; only for MinIO's sealed form.
    pub context: Option<Context>,
    /// The user name of the root credential that opened it; only for root-credential.
    pub user: Option<String>,
}

/// Which forms may be opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Policy {
    /// Whatever MinIO opens: plaintext and root-credential objects too.
    #[default]
    Compatible,
    /// Only the sealed forms.
    Sealed,
    /// Only what a migration to the present key leaves.
    Current,
    /// Only what a migration to [`SealedForm::Rustfs`] leaves.
    Rustfs,
}

/// What can be seen of an object without any key. None of it is authenticated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// Its form.
    pub form: Form,
    /// The size of the stored object in bytes.
    pub size: u64,
    /// The size of what it holds in bytes; of the root-credential form, if its body is a stream.
    pub plaintext_size: u64,
    /// The name of the key it asks for; none for plaintext and root-credential.
    pub key: Option<String>,
    /// The cipher of its body; none for plaintext.
    pub cipher: Option<Cipher>,
    /// How its data key is written down; none where there is none.
    pub data_key_encoding: Option<DataKeyEncoding>,
    /// How its key is made of the root credential; only for root-credential.
    pub key_derivation: Option<KeyDerivation>,
}

/// How to seal. The default is MinIO's form under the keyring's default key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SealOptions {
    /// The sealed form.
    pub form: SealedForm,
    /// The key to seal under; none: the keyring's default key. [`SealedForm::Rustfs`] takes none.
    pub key: Option<String>,
}

/// The sealed form to write. The default is MinIO's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SealedForm {
    /// Readable by MinIO.
    Minio(MinioOptions),
    /// For stores that MinIO need not read.
    Compact,
    /// What RustFS reads, under the first root credential of the keyring; objects below `config/iam/` alone.
    Rustfs,
}

impl Default for SealedForm {
    fn default() -> Self {
        Self::Minio(MinioOptions::default())
    }
}

/// How to write MinIO's form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MinioOptions {
    /// The cipher of the body; none: ChaCha20-Poly1305.
    pub cipher: Option<WrittenCipher>,
    /// How a data key under a key of the host's own is written down; none: binary.
    pub data_key_encoding: Option<WrittenEncoding>,
}

/// One object of an audit, and its verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Where it stands.
    pub path: Vec<u8>,
    /// The stored size in bytes; none if it was not read.
    pub size: Option<u64>,
    /// The name of the key that it asks for. Nothing vouches for it unless the object opens.
    pub key: Option<String>,
    /// What became of it.
    pub verdict: Verdict,
    /// What it holds, if it opens.
    pub content: Content,
}

/// What an object that opens holds, as far as an audit looks at it. Of one that does not open all is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Content {
    /// What is wrong with it.
    pub faults: Vec<Fault>,
    /// The objects that it names: a mapping's policies, a group's members.
    pub names: Vec<Vec<u8>>,
    /// Whose secret key signed the session token that it holds; none if it holds none.
    pub signer: Option<Signer>,
}

/// Something that is wrong with an object that opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// No server loads the object. Else one does, but not as whoever wrote it will have meant.
    pub is_error: bool,
    /// For people.
    pub text: String,
}

/// Whose secret key signed a session token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signer {
    /// The account's own.
    Account,
    /// That of the first root credential that is lent, the present one; its user.
    PresentRoot(String),
    /// That of another root credential that is lent; its user. A server with the present one does not know
    /// the account.
    EarlierRoot(String),
    /// None of those that are lent.
    Unknown,
}

/// What an audit says of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It opens.
    Opens(Found),
    /// It is exempt; the text says why.
    Exempt(String),
    /// It does not open, and this is why.
    Fails(Failure),
}

/// Why an object does not open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What unsealing says of it.
    pub error: ObjectError,
    /// Why that is so; none if the error says it all or nothing more is known.
    pub reason: Option<Reason>,
}

/// What the rest of the store tells of an object whose header is not authentic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Its key opens nothing else here either.
    OtherKeyBytes,
    /// It opens at this path: it was copied or moved from there.
    OtherPath(Vec<u8>),
    /// Its key opens other objects, and several that name it open nowhere.
    EarlierKey,
    /// Its key opens other objects, and it alone opens nowhere.
    DamagedDataKey,
}

/// One object of a migration, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Where it stands.
    pub path: Vec<u8>,
    /// What became of it.
    pub outcome: Outcome,
    /// How often the object was taken again, because another writer had changed it.
    pub retries: u32,
}

/// What became of an object of a migration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It already is what the plan asks for.
    Unchanged(Found),
    /// It was this and is now the target.
    Migrated(Found),
    /// The same without the writing, in a dry run.
    WouldMigrate(Found),
    /// It is exempt; the text says why.
    Exempt(String),
    /// It failed, and this is why. It was not touched, unless the error says that it was replaced.
    Failed(ObjectError),
}

/// What the objects of a migration are to become.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Not encrypted.
    Plaintext,
    /// Sealed like this.
    Sealed(SealOptions),
}

/// One worker's share of the objects: those whose paths fall to `index` of `count`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// From 0 to `count` - 1.
    pub index: u32,
    /// How many shares there are.
    pub count: u32,
}

/// Why an object was not sealed, opened or migrated. It displays as [`describe`] says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ObjectError {
    /// The object has no bytes at all.
    Empty,
    /// Not plaintext and not the shape of any form.
    UnknownForm(String),
    /// The shape of a known form, but damaged or truncated.
    Malformed(String),
    /// A known form with a part that is not known.
    Unsupported(String),
    /// The path, or what would be written, is not allowed.
    Refused(String),
    /// The policy does not let objects of this form be opened.
    FormRefused(Form),
    /// The object opens, but not as [`Policy::Current`] or [`Policy::Rustfs`] wants it.
    Outdated(String),
    /// No key was named and the keyring has no default.
    NoKey,
    /// The keyring could not serve the key that the object needs.
    Key(KeyFailure),
    /// None of the keys of this name opens the object at this path.
    HeaderNotAuthentic(String),
    /// The object is in the root-credential form, or is to be, and no root credential is lent.
    NoCredential,
    /// No root credential that was lent opens the object.
    CredentialNotAuthentic,
    /// None of the root credentials that were tried opens the object, and not all were.
    CredentialUntried(Tries),
    /// The right key or credential is there, but the body was changed.
    BodyNotAuthentic,
    /// All of the body that is there is authentic, but its end is missing.
    CutShort,
    /// The object is plaintext that no server loads; the text says why. Only in a migration, which does not seal
    /// it: an audit says it in [`Content::faults`].
    NotLoadable(String),
    /// The store failed.
    Storage(StorageError),
    /// Anything else. The text is for people.
    Other(String),
}

/// Why the keyring did not do what it was asked. It displays as [`describe_key`] says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyError {
    /// There is no key of that name.
    NotFound,
    /// The key service refused this caller.
    Denied(String),
    /// The key service gave no answer.
    Unavailable(String),
    /// The key exists, but it does not open this data key in this context.
    NotAuthentic,
    /// Anything else. The text is for people.
    Other(String),
}

/// A [`KeyError`] with the name of the key it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyFailure {
    /// The key's name.
    pub key: String,
    /// What is wrong with it.
    pub error: KeyError,
}

/// Why the store did not do what it was asked. It displays as [`describe_storage`] says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StorageError {
    /// There is no such object, or not any more.
    NotFound,
    /// The object is not the version that was read.
    Conflict,
    /// The object is larger than the host hands over.
    TooLarge(SizeLimit),
    /// The host does not touch such a thing.
    Refused(String),
    /// Anything else. The text is for people.
    Other(String),
}

/// A size over a bound, both in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SizeLimit {
    /// The size.
    pub asked: u64,
    /// The bound.
    pub allowed: u64,
}

/// How many of the root credentials that are lent were tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tries {
    /// Those that were.
    pub tried: u32,
    /// All of them.
    pub lent: u32,
}

impl Display for ObjectError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&describe(self))
    }
}

impl std::error::Error for ObjectError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Key(failure) => Some(&failure.error),
            Self::Storage(error) => Some(error),
            _ => None,
        }
    }
}

impl Display for KeyError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&describe_key(self))
    }
}

impl std::error::Error for KeyError {}

impl Display for StorageError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&describe_storage(self))
    }
}

impl std::error::Error for StorageError {}
