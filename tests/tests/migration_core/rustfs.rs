//! Objects as RustFS writes them, made with its own crate (`tests/vectors/rustfs.json`), and what is written for it.

use std::cell::RefCell;
use std::sync::Arc;

use iamseal_core::{
    Candidate, DataKey, DataKeyEncoding, Error, Form, KeyError, KeyMaker, Keyring, Location,
    Policy, Random, RootCredential, Run, SealOptions, SealedForm, Session, Target, Verdict, seal,
};
use iamseal_tests::backend::backends;
use iamseal_tests::keys::{Handle, Keys, NoRootKey};
use iamseal_tests::lent::Lent;
use iamseal_tests::store::MemoryStore;
use iamseal_tests::vectors::base64;
use serde_json::Value;

use crate::plans::{STORE, audit, outcomes, plan, run};
use crate::through::run_through;

/// How many of the cases are streams, the form that is written.
const STREAMS: usize = 11;
const PATH: &[u8] = b"config/iam/users/alice/identity.json";

fn cases() -> Vec<Value> {
    let file = include_str!("../../vectors/rustfs.json");
    let mut file: Value = serde_json::from_str(file).unwrap();
    let cases = file["cases"].take();
    cases.as_array().unwrap().clone()
}

/// A passphrase of user and password, or of a password alone.
fn keys(passphrase: &str) -> Keys {
    let (user, password) = passphrase.split_once(':').unwrap_or(("", passphrase));
    Keys::default().credential(user, password)
}

#[test]
fn both_forms_open_under_each_kind_of_passphrase() {
    let cases = cases();
    // A file that was cut must not pass in silence.
    assert_eq!(cases.len(), 23);
    for case in cases {
        let text = |field: &str| case[field].as_str().unwrap();
        let [stored, plaintext] =
            ["ciphertext_b64", "plaintext_b64"].map(|field| base64(text(field)));
        let what = format!("{} {} {}", text("what"), text("form"), text("key_kind"));
        for backend in backends(&keys(text("key")), "store") {
            let opened = backend.unseal(PATH, &stored, Policy::Compatible).unwrap();
            assert_eq!(*opened.plaintext, plaintext, "{what}");
            assert_eq!(opened.found.form, Form::RootCredential, "{what}");
        }
        for other in [keys("another"), keys("rootadmin:another")] {
            let opened = backends(&other, "store")[0].unseal(PATH, &stored, Policy::Compatible);
            assert_eq!(opened.err(), Some(Error::CredentialNotAuthentic), "{what}");
        }
    }
}

#[test]
fn one_message_opens_whole_or_not_at_all() {
    let is_small = |case: &&Value| case["form"] == "single" && case["what"] == "identity";
    let cases = cases();
    let case = cases.iter().find(is_small).unwrap();
    let stored = base64(case["ciphertext_b64"].as_str().unwrap());
    let backend = &backends(&keys(case["key"].as_str().unwrap()), "store")[0];
    // Byte 32 tells the form.
    for at in (0..stored.len()).filter(|at| *at != 32) {
        let mut damaged = stored.clone();
        damaged[at] ^= 1;
        let opened = backend.unseal(PATH, &damaged, Policy::Compatible);
        assert_eq!(opened.err(), Some(Error::CredentialNotAuthentic), "{at}");
    }
    let cut = &stored[..stored.len() - 1];
    assert!(backend.unseal(PATH, cut, Policy::Compatible).is_err());
}

/// Lends a passphrase, and of randomness only what an object has in it: its salt and its nonce.
struct Dictated {
    lent: Lent,
    random: RefCell<Vec<u8>>,
}

impl Keyring for Dictated {
    type Key = Handle;
    type RootKey = NoRootKey;

    fn default_key(&self) -> Option<String> {
        self.lent.default_key()
    }

    fn candidates(&self, name: &str) -> Result<Vec<Candidate<Handle>>, KeyError> {
        self.lent.candidates(name)
    }

    fn root_credentials(&self) -> Vec<RootCredential<NoRootKey>> {
        self.lent.root_credentials()
    }
}

impl KeyMaker for Dictated {
    fn make(
        &self,
        key: &Handle,
        associated_data: &[u8],
        encoding: DataKeyEncoding,
    ) -> Result<DataKey, KeyError> {
        self.lent.make(key, associated_data, encoding)
    }
}

impl Random for Dictated {
    fn fill(&self, buffer: &mut [u8]) {
        let taken: Vec<u8> = self.random.borrow_mut().drain(..buffer.len()).collect();
        buffer.copy_from_slice(&taken);
    }
}

fn options() -> SealOptions {
    SealOptions {
        form: SealedForm::Rustfs,
        key: None,
        cipher: None,
        data_key_encoding: None,
    }
}

#[test]
fn what_is_written_is_what_rustfs_writes_to_the_byte() {
    let (cases, mut streams) = (cases(), 0);
    for case in cases.iter().filter(|case| case["form"] == "stream") {
        let text = |field: &str| case[field].as_str().unwrap();
        let [stored, plaintext] =
            ["ciphertext_b64", "plaintext_b64"].map(|field| base64(text(field)));
        let lent = Dictated {
            lent: Lent::keys(keys(text("key"))),
            // The salt, and behind the id the nonce.
            random: RefCell::new([&stored[..32], &stored[33..41]].concat()),
        };
        let location = Location::new("", PATH).unwrap();
        let written = seal(
            &lent,
            &mut Session::default(),
            &location,
            &plaintext,
            &options(),
        );
        assert_eq!(
            written.unwrap(),
            stored,
            "{} {}",
            text("what"),
            text("key_kind")
        );
        streams += 1;
    }
    assert_eq!(streams, STREAMS);
}

#[test]
fn it_is_under_the_first_credential_and_for_what_rustfs_reads_alone() {
    let first = || Keys::none().credential("", "master");
    let lent = first().credential("root", "password");
    let others = Keys::none().credential("root", "password");
    let both = Keys::none()
        .credential("root", "password")
        .credential("", "master");
    for backend in backends(&lent, "") {
        let name = backend.name();
        let stored = backend.seal(PATH, b"{}", &options()).unwrap();
        assert_ne!(stored, backend.seal(PATH, b"{}", &options()).unwrap());
        let opened = backend.unseal(PATH, &stored, Policy::Rustfs).unwrap();
        assert_eq!(
            (&*opened.plaintext, opened.found.user.as_deref()),
            (&b"{}"[..], Some(""))
        );
        for policy in [Policy::Sealed, Policy::Current] {
            let refused = backend.unseal(PATH, &stored, policy);
            assert_eq!(
                refused,
                Err(Error::FormRefused(Form::RootCredential)),
                "{name}"
            );
        }
        let refused = backend.unseal(PATH, b"{}", Policy::Rustfs);
        assert_eq!(refused, Err(Error::FormRefused(Form::Plaintext)), "{name}");
        for path in [
            &b"config/config.json"[..],
            b"config/iam",
            b"config/tier-config.bin",
        ] {
            let refused = backend.seal(path, b"{}", &options());
            assert!(
                matches!(refused, Err(Error::Refused(_))),
                "{name}: {refused:?}"
            );
        }
        for other in backends(&others, "") {
            let opened = other.unseal(PATH, &stored, Policy::Rustfs);
            assert_eq!(opened, Err(Error::CredentialNotAuthentic), "{name}");
        }
        for other in backends(&both, "") {
            assert!(other.unseal(PATH, &stored, Policy::Compatible).is_ok());
            let opened = other.unseal(PATH, &stored, Policy::Rustfs);
            assert!(
                matches!(opened, Err(Error::Outdated(_))),
                "{name}: {opened:?}"
            );
        }
    }
    let keyed = SealOptions {
        key: Some("a".into()),
        ..options()
    };
    let without_credential = Keys::one("a", &[7; 32]);
    let native = &backends(&without_credential, "")[0];
    assert!(matches!(
        native.seal(PATH, b"{}", &keyed),
        Err(Error::Refused(_))
    ));
    for backend in backends(&without_credential, "") {
        let refused = backend.seal(PATH, b"{}", &options());
        assert_eq!(refused, Err(Error::NoCredential), "{}", backend.name());
    }
}

/// A store of all forms, under a key and several passphrases.
fn mixed(keys: &Keys) -> Arc<MemoryStore> {
    let store: Arc<MemoryStore> = Arc::default();
    let under_key = SealOptions {
        form: SealedForm::Minio,
        ..options()
    };
    let seal = |path: &str, how: &SealOptions, keys: &Keys| {
        let stored = backends(keys, STORE)[0].seal(path.as_bytes(), b"{}", how);
        store.put(path.as_bytes(), &stored.unwrap());
    };
    store.put(b"config/iam/users/plain/identity.json", b"{}");
    store.put(b"config/iam/users/torn/identity.json", b"{\"cred");
    store.put(b"config/site-replication/state.json", b"{}");
    seal("config/iam/users/sealed/identity.json", &under_key, keys);
    seal("config/config.json", &under_key, keys);
    let old = Keys::none().credential("old", "password");
    seal("config/iam/users/old/identity.json", &options(), &old);
    let present = Keys::none().credential("", "master");
    seal("config/iam/users/there/identity.json", &options(), &present);
    store
}

#[test]
fn a_migration_leaves_what_rustfs_reads_and_touches_nothing_else() {
    let keys = Keys::one("a", &[7; 32])
        .credential("", "master")
        .credential("old", "password");
    let expected = [
        ("config/config.json", "exempt"),
        ("config/iam/users/old/identity.json", "migrated"),
        ("config/iam/users/plain/identity.json", "migrated"),
        ("config/iam/users/sealed/identity.json", "migrated"),
        ("config/iam/users/there/identity.json", "unchanged"),
        ("config/iam/users/torn/identity.json", "not-loadable"),
        ("config/site-replication/state.json", "exempt"),
    ];
    let expected = expected.map(|(path, outcome)| (path.to_owned(), outcome));
    for is_native in [true, false] {
        let (store, plan) = (mixed(&keys), plan(Target::Sealed(options())));
        let steps = match is_native {
            true => run(&keys, &store, plan),
            false => run_through(&keys, &store, &plan).unwrap(),
        };
        assert_eq!(outcomes(&steps), expected.clone().into());
        for finding in audit(&keys, &store, Policy::Rustfs) {
            let path = String::from_utf8(finding.path).unwrap();
            match finding.verdict {
                Verdict::Opens(found) => assert_eq!(found.user.as_deref(), Some(""), "{path}"),
                Verdict::Exempt(_) => assert!(!path.starts_with("config/iam/"), "{path}"),
                Verdict::Fails { error, .. } => {
                    assert_eq!(error, Error::FormRefused(Form::Plaintext), "{path}");
                    assert!(path.contains("torn"), "{path}");
                }
            }
        }
        // Nothing but the passphrase is needed from now on.
        let alone = Keys::none().credential("", "master");
        let again = run(&alone, &store, self::plan(Target::Sealed(options())));
        let unchanged = outcomes(&again)
            .into_values()
            .filter(|it| *it == "unchanged");
        assert_eq!(unchanged.count(), 4);
    }
}

#[test]
fn garbage_keeps_nothing_from_being_verified() {
    // Of garbage so much that only likely credentials are tried, and a likely one beside that which is written
    // under.
    let keys = (0..6).fold(Keys::none().credential("", "master"), |keys, number| {
        keys.credential(&format!("user{number}"), "password")
    });
    let store: Arc<MemoryStore> = Arc::default();
    for number in 0..20_u8 {
        let mut garbage = vec![0x80 | number; 60];
        garbage[32] = 2;
        store.put(format!("config/iam/a/{number}").as_bytes(), &garbage);
    }
    store.put(b"config/iam/b.json", b"{}");
    let steps = run(&keys, &store, plan(Target::Sealed(options())));
    assert_eq!(outcomes(&steps)["config/iam/b.json"], "migrated");
}

#[test]
fn a_migration_without_a_credential_does_not_begin() {
    let (keys, store) = (Keys::one("a", &[7; 32]), Arc::default());
    let begun = Run::new(
        Lent::new(keys.clone(), &store),
        plan(Target::Sealed(options())),
    );
    assert_eq!(begun.err(), Some(Error::NoCredential));
    let through = run_through(&keys, &store, &plan(Target::Sealed(options())));
    assert_eq!(through.err().as_deref(), Some("no-credential"));
}
