//! Genuine objects, and the keys that open them.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::LazyLock;

use iamseal_core::{
    Candidate, Cipher, DataKey, DataKeyEncoding, Form, Key, KeyError, KeyMaker, Keyring, Location,
    Policy, Random, RootCandidate, RootCredential, SealOptions, SealedForm, Secret, Session,
    inspect, seal, unseal,
};
use iamseal_tests::keys::Keys;
use iamseal_tests::service::Service;
use iamseal_tests::vectors::base64;
use iamseal_tests::{compact_vectors, vectors};

use crate::edit::is_minio;
use crate::message_pack::in_message_pack;
use crate::world::{Made, NoRootKey, open};

/// The name of a key that only a key service holds.
pub const REMOTE: &str = "remote-key";

/// Larger ones are left out: they say nothing that these do not, and take their time. Two fragments of
/// the compact form fit.
const LARGEST: usize = 70_000;

/// A genuine object.
pub struct Sample {
    /// The store that it is bound to, if it is bound to one.
    pub store: String,
    /// Where it stands.
    pub path: Vec<u8>,
    /// The object.
    pub stored: Vec<u8>,
    /// What it holds.
    pub plaintext: Vec<u8>,
    /// Its form.
    pub form: Form,
}

struct All {
    keys: Keys,
    samples: Vec<Sample>,
    made: Vec<Made>,
    damaged: Vec<Vec<u8>>,
}

static ALL: LazyLock<All> = LazyLock::new(All::new);

/// All samples, the smallest first.
pub fn all() -> &'static [Sample] {
    &ALL.samples
}

/// The keys of all samples, some of them under one name.
pub fn keys() -> &'static Keys {
    &ALL.keys
}

/// The users and passphrases of all samples.
pub fn passphrases() -> Vec<(String, String)> {
    let credentials = ALL.keys.root_credentials().into_iter();
    let lent = credentials.map(|lent| match lent.key {
        RootCandidate::Passphrase(text) => (lent.user, text.to_string()),
        RootCandidate::Key(never) => match never {},
    });
    lent.collect()
}

/// The samples' data keys that a key service made.
pub fn made() -> &'static [Made] {
    &ALL.made
}

/// The vectors' objects that do not open.
pub fn damaged() -> &'static [Vec<u8>] {
    &ALL.damaged
}

impl All {
    fn new() -> Self {
        let mut all = Self {
            keys: Keys::none(),
            samples: Vec::new(),
            made: Vec::new(),
            damaged: Vec::new(),
        };
        all.take_minio();
        all.take_compact();
        all.take_own();
        all.take_message_pack();
        all.samples.sort_by_key(|sample| sample.stored.len());
        all
    }

    fn take_minio(&mut self) {
        let mut taken = BTreeSet::new();
        for case in vectors::minio() {
            let stored = case.stored();
            if stored.len() > LARGEST || !["kms", "legacy", "auto"].contains(&case.kind.as_str()) {
                continue;
            }
            if case.auto_result != "ok" || stored.is_empty() {
                self.damaged.push(stored);
                continue;
            }
            if case.expect != "ok" {
                // It opens, and the vector does not say to what.
                continue;
            }
            let [key, user, password] = case.keyring();
            let keys = std::mem::take(&mut self.keys);
            self.keys = match key.split_once(':') {
                Some((name, bytes)) if taken.insert(key.to_string()) => {
                    keys.secret(name, &base64(bytes))
                }
                _ if !user.is_empty() && taken.insert(user.to_string()) => {
                    keys.credential(user, password)
                }
                _ => keys,
            };
            self.samples.push(Sample {
                store: String::new(),
                path: case.path(),
                form: inspect(&stored).unwrap().form,
                stored,
                plaintext: case.plaintext(),
            });
        }
    }

    fn take_compact(&mut self) {
        let mut taken = BTreeSet::new();
        for case in compact_vectors::compact() {
            if case.stored.len() > LARGEST {
                continue;
            }
            if case.expect != "ok" {
                self.damaged.push(case.stored);
                continue;
            }
            if taken.insert(case.key.clone()) {
                let (name, bytes) = case.key.rsplit_once(':').unwrap();
                let keys = std::mem::take(&mut self.keys);
                self.keys = keys.secret(name, &base64(bytes));
            }
            self.samples.push(Sample {
                store: case.store,
                path: case.path,
                stored: case.stored,
                plaintext: case.plaintext,
                form: Form::Compact,
            });
        }
        let keys = std::mem::take(&mut self.keys);
        self.keys = keys.remote(REMOTE, &Service::default().into());
    }

    /// One object with its data key in MessagePack, and that it opens.
    fn take_message_pack(&mut self) {
        let mut sealed = self
            .samples
            .iter()
            .filter(|sample| is_minio(&sample.stored));
        let (sample, stored) = sealed
            .find_map(|sample| Some((sample, in_message_pack(&sample.stored)?)))
            .unwrap();
        let location = Location::new(&sample.store, &sample.path).unwrap();
        let recorder = Recorder::new(self.keys.clone(), 0);
        let mut session = Session::default();
        let opened = unseal(&recorder, &mut session, &location, &stored, Policy::Sealed).unwrap();
        assert_eq!(*opened.plaintext, sample.plaintext);
        self.samples.push(Sample {
            store: sample.store.clone(),
            path: sample.path.clone(),
            stored,
            plaintext: sample.plaintext.clone(),
            form: sample.form,
        });
    }

    /// Objects of the core's own making, under keys that the vectors have none of.
    fn take_own(&mut self) {
        let options = |form, cipher, data_key_encoding| SealOptions {
            form,
            key: Some(REMOTE.to_string()),
            cipher,
            data_key_encoding,
        };
        let plaintext = br#"{"version":1,"credentials":{"accessKey":"fuzz"}}"#;
        let path = b"config/iam/users/remote/identity.json";
        for (number, options) in [
            options(SealedForm::Minio, None, None),
            options(
                SealedForm::Minio,
                Some(Cipher::Aes256Gcm),
                Some(DataKeyEncoding::Json),
            ),
            options(SealedForm::Compact, None, None),
        ]
        .into_iter()
        .enumerate()
        {
            let recorder = Recorder::new(self.keys.clone(), number as u8);
            let location = Location::new("fuzz", path).unwrap();
            let mut session = Session::default();
            let stored = seal(&recorder, &mut session, &location, plaintext, &options).unwrap();
            self.made.extend(recorder.made.take());
            self.samples.push(Sample {
                store: "fuzz".to_string(),
                path: path.to_vec(),
                form: inspect(&stored).unwrap().form,
                stored,
                plaintext: plaintext.to_vec(),
            });
        }
    }
}

/// Writes down every data key that is made or opened. What it makes is the same in every process, so
/// that an input means the same.
struct Recorder {
    keys: Keys,
    made: Rc<RefCell<Vec<Made>>>,
    fill: u8,
}

/// A key of a service with what it makes and opens.
struct Recorded {
    key: iamseal_tests::keys::Handle,
    name: String,
    made: Rc<RefCell<Vec<Made>>>,
}

impl Recorder {
    fn new(keys: Keys, fill: u8) -> Self {
        let made = Rc::default();
        Self { keys, made, fill }
    }
}

impl Keyring for Recorder {
    type Key = Recorded;
    type RootKey = NoRootKey;

    fn default_key(&self) -> Option<String> {
        self.keys.default_key()
    }

    fn candidates(&self, name: &str) -> Result<Vec<Candidate<Recorded>>, KeyError> {
        let recorded = |key| Recorded {
            key,
            name: name.to_string(),
            made: Rc::clone(&self.made),
        };
        let candidates = self.keys.candidates(name)?.into_iter();
        let lend = candidates.map(|candidate| match candidate {
            Candidate::Secret(bytes) => Candidate::Secret(bytes),
            Candidate::Local(key) => Candidate::Local(recorded(key)),
            Candidate::Server(key) => Candidate::Server(recorded(key)),
        });
        Ok(lend.collect())
    }

    fn root_credentials(&self) -> Vec<RootCredential<NoRootKey>> {
        Vec::new()
    }
}

impl Key for Recorded {
    fn id(&self) -> u64 {
        self.key.id()
    }

    fn open(&self, ciphertext: &[u8], context: &[u8]) -> Result<Secret, KeyError> {
        let known = open(&*self.made.borrow(), &self.name, ciphertext, context);
        let plaintext = known.or_else(|_| self.key.open(ciphertext, context))?;
        self.made.borrow_mut().push(Made {
            name: self.name.clone(),
            context: context.to_vec(),
            ciphertext: ciphertext.to_vec(),
            plaintext: plaintext.to_vec(),
        });
        Ok(plaintext)
    }
}

impl KeyMaker for Recorder {
    fn make(
        &self,
        key: &Recorded,
        context: &[u8],
        _encoding: DataKeyEncoding,
    ) -> Result<DataKey, KeyError> {
        let made = Made {
            name: key.name.clone(),
            context: context.to_vec(),
            ciphertext: vec![self.fill; 76],
            // Nothing that a keyring that lies would come upon, see `World::open`.
            plaintext: (0..32).map(|at| at * 7 + self.fill).collect(),
        };
        self.made.borrow_mut().push(made.clone());
        Ok(DataKey {
            plaintext: made.plaintext.into(),
            ciphertext: made.ciphertext,
        })
    }
}

impl Random for Recorder {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.fill(self.fill);
    }
}
