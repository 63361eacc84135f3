//! One small object of each encrypted form, and what damage to each of its parts is called.

use std::ops::Range;
use std::sync::Arc;

use iamseal_core::{Cipher, DataKeyEncoding, SealOptions, SealedForm};
use iamseal_tests::backend::{Backend, Native};
use iamseal_tests::keys::Keys;
use iamseal_tests::objects;
use iamseal_tests::service::Service;
use iamseal_tests::vectors::case;

pub const STORE: &str = "store";
pub const PATH: &[u8] = b"config/iam/users/alice/identity.json";
pub const NAME: &str = "my-key";
pub const KEY: [u8; 32] = [7; 32];
pub const PLAINTEXT: &[u8] = b"{\"version\":1}";

/// The size of a tag, which an empty body is.
const TAG: usize = 16;

/// Where a root-credential object has its id.
const ID: usize = 32;

/// What damage to MinIO's metadata can be; the last is the stream's nonce.
const METADATA: &[&str] = &[
    "malformed",
    "unsupported",
    "key: not-found",
    "header-not-authentic",
    "body-not-authentic",
];

/// An object, and the errors that damage to it may have.
pub struct Sample {
    pub name: &'static str,
    pub keys: Keys,
    pub stored: Vec<u8>,
    pub plaintext: Vec<u8>,
    /// By the number of bytes that are left: the error.
    pub cuts: Vec<(Range<usize>, &'static str)>,
    /// By the damaged byte: the errors, of which each is possible.
    pub flips: Vec<(Range<usize>, &'static [&'static str])>,
}

/// Sealing in a form with its defaults.
pub fn options(form: SealedForm) -> SealOptions {
    SealOptions {
        form,
        key: None,
        cipher: None,
        data_key_encoding: None,
    }
}

/// An object of a form under the secret key.
pub fn sealed(form: SealedForm) -> Vec<u8> {
    let native = Native::new(Keys::one(NAME, &KEY), STORE);
    native.seal(PATH, PLAINTEXT, &options(form)).unwrap()
}

/// All samples.
pub fn all() -> Vec<Sample> {
    let secret = Keys::one(NAME, &KEY);
    let remote = Keys::none().remote(NAME, &Arc::new(Service::default()));
    let json = SealOptions {
        cipher: Some(Cipher::Aes256Gcm),
        data_key_encoding: Some(DataKeyEncoding::Json),
        ..options(SealedForm::Minio)
    };
    vec![
        minio("minio, binary data key", &options(SealedForm::Minio)),
        minio("minio, JSON data key", &json),
        compact("compact under a secret key", secret),
        compact("compact under a remote key", remote),
        root_credential(),
    ]
}

fn minio(name: &'static str, options: &SealOptions) -> Sample {
    let keys = Keys::one(NAME, &KEY);
    let native = Native::new(keys.clone(), STORE);
    let stored = native.seal(PATH, PLAINTEXT, options).unwrap();
    let size = stored.len();
    let body = size - objects::split(&stored).1.len();
    Sample {
        name,
        keys,
        stored,
        plaintext: PLAINTEXT.to_vec(),
        cuts: vec![
            (0..1, "empty"),
            (1..body + TAG, "malformed"),
            (body + TAG..size, "body-not-authentic"),
        ],
        flips: vec![
            (0..1, &["unknown-form"]),
            (1..objects::PREFIX, &["malformed"]),
            (objects::PREFIX..ID, METADATA),
            // A byte of text that becomes 2 is the id of a root-credential object.
            (ID..ID + 1, &["malformed", "no-credential"]),
            (ID + 1..body, METADATA),
            (body..size, &["body-not-authentic"]),
        ],
    }
}

fn compact(name: &'static str, keys: Keys) -> Sample {
    const PREFIX: usize = 4;
    const SALT: usize = 32;
    const COMMITMENT: usize = 32;
    let native = Native::new(keys.clone(), STORE);
    let stored = native
        .seal(PATH, PLAINTEXT, &options(SealedForm::Compact))
        .unwrap();
    let size = stored.len();
    let body = size - PLAINTEXT.len() - TAG;
    let names = PREFIX + SALT;
    Sample {
        name,
        keys,
        stored,
        plaintext: PLAINTEXT.to_vec(),
        cuts: vec![
            (0..1, "empty"),
            (1..PREFIX - 1, "unknown-form"),
            (PREFIX - 1..body + TAG, "malformed"),
            (body + TAG..size, "body-not-authentic"),
        ],
        flips: vec![
            (0..PREFIX - 1, &["unknown-form"]),
            (PREFIX - 1..PREFIX, &["unsupported"]),
            (PREFIX..ID, &["header-not-authentic"]),
            (
                ID..ID + 1,
                // Without its marked bit it can be the id of a root-credential object.
                &["header-not-authentic", "malformed", "no-credential"],
            ),
            (ID + 1..names, &["header-not-authentic"]),
            (
                names..body - COMMITMENT,
                &["malformed", "key: not-found", "header-not-authentic"],
            ),
            (body - COMMITMENT..body, &["header-not-authentic"]),
            (body..size, &["body-not-authentic"]),
        ],
    }
}

/// An object of id 2: PBKDF2, since damage is found only after a derivation, and Argon2id takes
/// fifty times as long.
fn root_credential() -> Sample {
    const SHORTEST: usize = 57;
    let case = case("dev-069");
    let stored = case.stored();
    let size = stored.len();
    // What is left of the salt can be text, and text is plaintext: nothing can tell.
    let text = std::str::from_utf8(&stored).unwrap_err().valid_up_to();
    Sample {
        name: "root-credential",
        keys: case.keys(),
        stored,
        plaintext: case.plaintext(),
        cuts: vec![
            (0..1, "empty"),
            (1..text + 1, "ok"),
            (text + 1..SHORTEST, "unknown-form"),
            (SHORTEST..size, "credential-not-authentic"),
        ],
        flips: vec![
            (0..ID, &["credential-not-authentic"]),
            // 2 becomes 0, another derivation, or an id that is none.
            (ID..ID + 1, &["credential-not-authentic", "unknown-form"]),
            (ID + 1..size, &["credential-not-authentic"]),
        ],
    }
}
