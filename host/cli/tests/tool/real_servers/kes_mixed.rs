//! A store under several keys at once, and how many calls each form costs.

use std::sync::Arc;

use iamseal::contract::{Form, KeyError, Policy};
use iamseal::keys::kes::{Authorities, Endpoints, Identity};
use iamseal::keys::{
    Kes as Client, Key, Keyring, MixedKeyring, RootCredential, StaticKey, StaticKeyring,
};
use iamseal::{Auditor, Plugin};
use iamseal_servers::kes::{Identity as Person, Kes};

use super::kes::{KEY, audit, cause, kes, migrate};
use super::kes_outage::many;
use crate::kit::audit::findings;
use crate::kit::store::Store;
use crate::kit::{
    CREDENTIAL, KEY as STATIC, KEY_NAME, KEY_WITH_OTHER_BYTES, ROOT_SEALED, tool, with,
};

const PATHS: [&str; 3] = [
    "config/iam/users/in-kes/identity.json",
    "config/iam/users/static/identity.json",
    "config/iam/users/compact/identity.json",
];

/// An object of each kind that needs a key.
fn mixed(kes: &Kes) -> Store {
    let seal =
        |path: &str, further: &[&str]| tool(["seal", "--path", path]).args(further).input("{}");
    let [in_kes, of_static, compact] = PATHS;
    let store = Store::of([
        (
            in_kes,
            seal(in_kes, &[]).env(kes.variables(KEY)).ok().stdout,
        ),
        (of_static, seal(of_static, &[]).key(STATIC).ok().stdout),
        (
            compact,
            seal(compact, &["--form", "compact"])
                .env(kes.variables(KEY))
                .ok()
                .stdout,
        ),
    ]);
    store.put("config/config.json", ROOT_SEALED);
    store
}

#[test]
fn all_kinds_of_keys_are_lent_together() {
    let kes = kes();
    let store = mixed(&kes);
    let lent = |line: &str| {
        let tool = tool(with(line, store.root())).env(kes.variables(KEY));
        tool.env(CREDENTIAL).file("--keys", STATIC)
    };
    let (opened, _) = findings(&lent("audit --json").ok());
    let forms: Vec<_> = opened
        .values()
        .map(|line| line["found"]["form"].clone())
        .collect();
    for form in ["minio", "compact", "root-credential"] {
        assert!(forms.contains(&form.into()), "{form}");
    }
    assert_eq!(opened[PATHS[1]]["found"]["key"], KEY_NAME);
    lent("migrate --json --to kms").ok();
    audit(&store, &kes).ok();
}

#[test]
fn a_static_key_that_does_not_open_is_not_told_as_missing() {
    let mut kes = kes();
    let store = mixed(&kes);
    let audit = |kes: &Kes, who: &Person| {
        let path = store.root();
        let audit = tool(with("audit --json --prefix config/iam/users/static/", path));
        audit.env(kes.variables_of(who, KEY))
    };
    let may_all = Person {
        api_key: kes.admin().api_key.clone(),
        identity: kes.admin().identity.clone(),
    };
    let may_one = Person::new();
    let allowed = format!("    allow: [/v1/key/decrypt/{KEY}]");
    let identities = format!("    identities: [{}]", may_one.identity);
    kes.configure(&format!("  some:\n{allowed}\n{identities}"));
    kes.restart();
    for (who, without) in [(may_all, "key-not-found"), (may_one, "key-denied")] {
        assert_eq!(cause(&audit(&kes, &who).run()), without);
        let ended = audit(&kes, &who).file("--keys", KEY_WITH_OTHER_BYTES).run();
        assert_eq!(cause(&ended), "header-not-authentic");
    }
}

#[test]
fn under_the_same_name_kes_comes_first_and_the_old_key_still_opens() {
    let kes = Kes::start();
    kes.create_key(KEY_NAME);
    let store = Store::new();
    let path = PATHS[0];
    let sealed = tool(["seal", "--path", path]).key(STATIC).input("{}").ok();
    store.put(path, &sealed.stdout);
    let run = |line: &str| {
        let tool = tool(with(line, store.root())).env(kes.variables(KEY_NAME));
        tool.file("--keys", STATIC)
    };
    run("audit --json").ok();
    run("audit --json --require current").run().exits(22);
    run("migrate --json --to kms").ok();
    let alone = tool(with("audit --json --require current", store.root()));
    alone.env(kes.variables(KEY_NAME)).ok();
}

/// Objects that have been opened once cost the calls that opened their seeds, whatever their number: the
/// plugin keeps a seed as long as its instance, and an audit has one.
#[test]
fn many_compact_objects_cost_one_call_to_open() {
    let kes = kes();
    let calls = |run: &dyn Fn()| {
        let before = kes.answered();
        run();
        kes.answered() - before
    };
    let count = 3000;
    for jobs in ["1", "2"] {
        let store = many(count);
        let migration = || {
            let run = migrate(&store, &kes).args(["--form", "compact", "--jobs", jobs]);
            run.ok();
        };
        // Each worker makes a seed and sees that it opens, and the run has a key for its journal.
        let workers: u64 = jobs.parse().unwrap();
        assert_eq!(calls(&migration), 2 * workers + 1);
        let looked = calls(&|| {
            let (opened, _) = findings(&audit(&store, &kes).ok());
            assert_eq!(opened.len(), count);
        });
        assert_eq!(looked, workers, "a call for each seed");
    }
    // MinIO's form has a data key for each object.
    let store = many(10);
    migrate(&store, &kes).ok();
    assert_eq!(calls(&|| drop(audit(&store, &kes).ok())), 10);
}

#[test]
fn a_proof_made_under_kes_outlives_it() {
    let mut kes = kes();
    let store = many(3);
    let journals = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let migrate = migrate(&store, &kes).file("--keys", STATIC);
    let migrate = migrate.args(["--journal".as_ref(), journals.path().as_os_str()]);
    let summary = migrate.ok().json().pop().unwrap()["summary"].clone();
    let proof = summary["run"]["proof"].as_str().unwrap().to_owned();
    let verify = || tool(["verify-proof", "--json", &proof]);
    verify().env(kes.variables(KEY)).ok();
    kes.stop();
    verify().key(STATIC).ok();
    let away = verify().env(kes.variables(KEY)).run().exits(5);
    assert!(away.stdout.is_empty(), "{away}");
    // And the journal is followed, as far as what it has to open lets it.
    let run = summary["run"]["name"].as_str().unwrap();
    let undo = tool(with("undo --json --dry-run", store.root())).key(STATIC);
    let undo = undo.args([
        run.as_ref(),
        "--journal".as_ref(),
        journals.path().as_os_str(),
    ]);
    let ended = undo.run().exits(4);
    assert_eq!(ended.json().len(), 4, "{ended}");
}

#[test]
fn a_run_whose_only_key_is_not_to_be_had_does_not_begin() {
    let kes = kes();
    let store = many(3);
    let before = store.seen();
    let migrate = tool(with("migrate --json --to kms", store.root()));
    let migrate = migrate.env(kes.variables("another-key"));
    let ended = migrate.run().exits(4);
    assert!(
        ended.stdout.is_empty() && ended.stderr.contains("run's key"),
        "{ended}"
    );
    assert_eq!(store.seen(), before);
    // With another one it does, and says which will not open its journal.
    let back = tool(with("migrate --to plaintext", store.root()));
    let back = back
        .env(kes.variables("another-key"))
        .file("--keys", STATIC);
    assert!(
        back.ok()
            .stderr
            .contains("the key another-key will not open")
    );
}

fn client(kes: &Kes) -> Client {
    let endpoints = Endpoints::parse(&kes.endpoint()).unwrap();
    let identity = Identity::of_api_key(&kes.admin().api_key).unwrap();
    let authorities = Authorities::of_path(&kes.authority().certificate()).unwrap();
    Client::new(&endpoints, identity, &authorities).unwrap()
}

/// The same for a server that opens one object after the other, many at once, through more instances than
/// one and through more calls than an instance lives for.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_asks_once_too() {
    let kes = kes();
    let [_, _, path] = PATHS;
    let stored = mixed(&kes).get(path);
    let keyring = MixedKeyring::default().kes(client(&kes), KEY).unwrap();
    let auditor: Auditor = Plugin::builder()
        .component(iamseal_component::AUDITOR)
        .keyring(Arc::new(keyring))
        .load_auditor()
        .await
        .unwrap();
    let before = kes.answered();
    let workers = (0..4).map(|_| {
        let (auditor, stored) = (auditor.clone(), stored.clone());
        tokio::spawn(async move {
            for _ in 0..6000 {
                let opened = auditor
                    .unseal(path.as_bytes(), &stored, Policy::Sealed)
                    .await;
                assert_eq!(*opened.unwrap().plaintext, b"{}");
            }
        })
    });
    for worker in workers.collect::<Vec<_>>() {
        worker.await.unwrap();
    }
    assert_eq!(kes.answered() - before, 1);
}

/// A keyring whose root credentials nobody may ask for.
struct Guarded(MixedKeyring);

impl Keyring for Guarded {
    fn default_key(&self) -> Option<String> {
        self.0.default_key()
    }

    fn candidates(&self, name: &str) -> Result<Vec<Key>, KeyError> {
        self.0.candidates(name)
    }

    fn root_credentials(&self) -> Vec<RootCredential> {
        panic!("Argon2id was to be tried")
    }
}

/// Root credentials are lent to all, and asked for by none that has another form, not even by one that
/// does not open.
#[tokio::test]
async fn root_credentials_are_for_objects_in_their_form_alone() {
    let kes = kes();
    let store = mixed(&kes);
    let client = client(&kes);
    let statics = StaticKeyring::new().key(StaticKey::parse(STATIC).unwrap());
    let keyring = MixedKeyring::new(statics).kes(client, KEY).unwrap();
    let auditor: Auditor = Plugin::builder()
        .component(iamseal_component::AUDITOR)
        .keyring(Arc::new(Guarded(keyring)))
        .load_auditor()
        .await
        .unwrap();
    for (path, form) in PATHS
        .into_iter()
        .zip([Form::Minio, Form::Minio, Form::Compact])
    {
        let stored = store.get(path);
        let path = path.as_bytes();
        let opened = auditor
            .unseal(path, &stored, Policy::Compatible)
            .await
            .unwrap();
        assert_eq!(opened.found.form, form);
        let elsewhere = auditor.unseal(b"config/elsewhere", &stored, Policy::Compatible);
        assert!(elsewhere.await.is_err());
    }
}
