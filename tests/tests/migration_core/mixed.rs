//! A store with all forms in it, files that are exempt and things that do not open.

use std::sync::Arc;

use iamseal_core::{Cipher, Context, DataKeyEncoding, Form, Found, SealOptions, SealedForm};
use iamseal_tests::backend::{Backend, Native};
use iamseal_tests::keys::Keys;
use iamseal_tests::service::Service;
use iamseal_tests::store::MemoryStore;
use iamseal_tests::vectors::case;

use crate::plans::STORE;

/// The secret keys `a` and `b`.
pub const KEYS: [(&str, [u8; 32]); 2] = [("a", [1; 32]), ("b", [2; 32])];
/// The remote key.
pub const REMOTE: &str = "r";
/// The root credential of `minio.json`'s cases.
pub const USER: &str = "minioadmin";

/// An object that opens.
pub struct Object {
    pub path: String,
    pub plaintext: Vec<u8>,
    pub found: Found,
    pub stored: Vec<u8>,
}

/// The store, its keys and what is in it.
pub struct Mixed {
    pub keys: Keys,
    pub service: Arc<Service>,
    pub store: Arc<MemoryStore>,
    /// What opens, by path.
    pub objects: Vec<Object>,
}

/// Files that are never touched.
pub const EXEMPT: [&str; 2] = [
    "config/site-replication/state.json",
    "config/tier-config.bin",
];

/// What does not open, and why.
pub const BAD: [(&str, &str); 4] = [
    ("config/bad/body.json", "body-not-authentic"),
    ("config/bad/elsewhere.json", "header-not-authentic"),
    ("config/bad/empty.json", "empty"),
    ("config/bad/picture.png", "unknown-form"),
];

impl Mixed {
    pub fn new() -> Self {
        let service = Arc::new(Service::default());
        let keys = secret_keys()
            .remote(REMOTE, &service)
            .credential(USER, "an-older-password")
            .credential(USER, "minioadmin");
        let mut mixed = Self {
            keys,
            service,
            store: Arc::default(),
            objects: Vec::new(),
        };
        mixed.fill();
        mixed
    }

    fn fill(&mut self) {
        self.add(
            "config/config.json",
            b"{\"plain\":1}",
            b"{\"plain\":1}",
            found(Form::Plaintext),
        );
        let credential = case("dev-069");
        self.add(
            "config/history/1.kv",
            &credential.plaintext(),
            &credential.stored(),
            Found {
                user: Some(USER.to_string()),
                ..found(Form::RootCredential)
            },
        );
        for (key, _) in KEYS.into_iter().chain([(REMOTE, [0; 32])]) {
            for form in [SealedForm::Minio, SealedForm::Compact] {
                let path = format!("config/iam/{key}/{form:?}.json");
                self.seal(&path, key, options(form));
            }
        }
        let older = SealOptions {
            cipher: Some(Cipher::Aes256Gcm),
            data_key_encoding: Some(DataKeyEncoding::Json),
            ..options(SealedForm::Minio)
        };
        self.seal("config/iam/a/older.json", "a", older);

        for path in EXEMPT {
            self.store.put(path.as_bytes(), b"\x01\xff not ours");
        }
        let [(body, _), (elsewhere, _), (empty, _), (picture, _)] = BAD;
        let mut damaged = self
            .native()
            .seal(body.as_bytes(), b"{}", &keyed("a"))
            .unwrap();
        *damaged.last_mut().unwrap() ^= 1;
        self.store.put(body.as_bytes(), &damaged);
        let moved = self
            .native()
            .seal(b"config/here", b"{}", &keyed("a"))
            .unwrap();
        self.store.put(elsewhere.as_bytes(), &moved);
        self.store.put(empty.as_bytes(), b"");
        self.store.put(picture.as_bytes(), b"\x89PNG\r\n\x1a\n");
    }

    fn seal(&mut self, path: &str, key: &str, options: SealOptions) {
        let plaintext = format!("{{\"at\":\"{path}\"}}").into_bytes();
        let minio = options.form == SealedForm::Minio;
        let options = SealOptions {
            key: Some(key.to_string()),
            ..options
        };
        let stored = self.native().seal(path.as_bytes(), &plaintext, &options);
        let found = Found {
            key: Some(key.to_string()),
            context: minio.then_some(Context::Joined),
            ..found(if minio { Form::Minio } else { Form::Compact })
        };
        self.add(path, &plaintext, &stored.unwrap(), found);
    }

    fn add(&mut self, path: &str, plaintext: &[u8], stored: &[u8], found: Found) {
        self.store.put(path.as_bytes(), stored);
        self.objects.push(Object {
            path: path.to_string(),
            plaintext: plaintext.to_vec(),
            found,
            stored: stored.to_vec(),
        });
    }

    fn native(&self) -> Native {
        Native::new(self.keys.clone(), STORE)
    }
}

/// The secret keys alone.
pub fn secret_keys() -> Keys {
    let add = |keys: Keys, (name, key): (&str, [u8; 32])| keys.secret(name, &key);
    KEYS.into_iter().fold(Keys::none(), add)
}

/// A form with its defaults under the default key.
pub fn options(form: SealedForm) -> SealOptions {
    SealOptions {
        form,
        key: None,
        cipher: None,
        data_key_encoding: None,
    }
}

fn keyed(key: &str) -> SealOptions {
    SealOptions {
        key: Some(key.to_string()),
        ..options(SealedForm::Minio)
    }
}

fn found(form: Form) -> Found {
    Found {
        form,
        key: None,
        context: None,
        user: None,
    }
}
