//! What is done to a store while it goes wrong.

use std::sync::LazyLock;

use iamseal::MigrationPlan;
use iamseal_core::{
    Cipher, DataKeyEncoding, Error, Form, Found, Plan, Run, SealOptions, SealedForm, Step, Target,
};
use iamseal_tests::backend::{Backend, Native};
use iamseal_tests::bridge::Bridge;
use iamseal_tests::component::builder;
use iamseal_tests::convert::{step, target};
use iamseal_tests::errors::from_contract;
use iamseal_tests::keys::Keys;
use iamseal_tests::runtime::wait;
use iamseal_tests::vectors::case;

use crate::journaled;
use crate::prepared;
use crate::shadow::{Content, SELF, Tree};
use crate::world::OpenJournals;

pub const PREFIX: &[u8] = b"config/";
pub const STORE: &str = "store";
/// Several batches in several folders.
pub const BATCH: u32 = 3;
/// More calls than any run here needs; a run that has not ended then never does.
const CALLS: usize = 100;

/// What is done to a store.
pub struct Workload {
    pub name: &'static str,
    /// The store before it.
    pub before: fn() -> &'static Sample,
    /// Does it.
    pub run: fn(Process) -> Report,
    /// Whether an object is what it makes of it.
    pub is_done: fn(&Found) -> bool,
    /// Whether what was done of it can be taken back by its journal, wherever it ended.
    pub is_taken_back: bool,
}

/// What a process has.
#[derive(Clone)]
pub struct Process {
    pub lent: Bridge,
    pub journals: OpenJournals,
}

/// What a run said before it ended.
pub struct Report {
    pub steps: Vec<Step>,
    /// Why it ended early.
    pub ended: Option<Error>,
}

/// A store.
pub struct Sample {
    pub objects: Vec<Object>,
    /// All files, those included that are none of our business.
    pub tree: Tree,
    /// The journals of the runs that made it.
    pub journals: Tree,
}

/// An object that opens.
pub struct Object {
    pub path: Vec<u8>,
    pub plaintext: Vec<u8>,
    pub stored: Vec<u8>,
    /// What it opens as.
    pub found: Found,
}

/// One line each.
pub const WORKLOADS: [Workload; 8] = [
    Workload {
        name: "plaintext to sealed",
        before: || &PLAIN,
        run: |process| migrate(process.lent, sealed(SealedForm::Minio, "a")),
        is_done: |found| is(found, Form::Minio, Some("a")),
        is_taken_back: false,
    },
    Workload {
        name: "all forms to another key",
        before: || &MIXED,
        run: |process| migrate(process.lent, sealed(SealedForm::Compact, "b")),
        is_done: |found| is(found, Form::Compact, Some("b")),
        is_taken_back: false,
    },
    Workload {
        name: "sealed to plaintext",
        before: || &SEALED,
        run: |process| migrate(process.lent, Target::Plaintext),
        is_done: |found| is(found, Form::Plaintext, None),
        is_taken_back: false,
    },
    Workload {
        name: "key to key in the component",
        before: || &SEALED,
        run: |process| migrate_in_component(process.lent, sealed(SealedForm::Minio, "b")),
        is_done: |found| is(found, Form::Minio, Some("b")),
        is_taken_back: false,
    },
    Workload {
        name: "all forms to another key with a journal",
        before: || &MIXED,
        run: |process| journaled::migrate(process, sealed(SealedForm::Compact, "b")),
        is_done: |found| is(found, Form::Compact, Some("b")),
        is_taken_back: true,
    },
    Workload {
        name: "key to key, prepared and finished",
        before: || &SEALED,
        run: |process| prepared::migrate(process, &sealed(SealedForm::Minio, "b")),
        is_done: |found| is(found, Form::Minio, Some("b")),
        is_taken_back: true,
    },
    Workload {
        name: "undo, to plaintext",
        before: || &SEALED_BY_A_RUN,
        run: journaled::undo,
        is_done: |found| is(found, Form::Plaintext, None),
        is_taken_back: false,
    },
    Workload {
        name: "undo, to sealed",
        before: || &RESEALED_BY_A_RUN,
        run: journaled::undo,
        is_done: |found| is(found, Form::Minio, Some("a")),
        is_taken_back: false,
    },
];

/// The keys and credentials of all samples.
pub fn keys() -> Keys {
    let keys = Keys::none().secret("a", &[1; 32]).secret("b", &[2; 32]);
    keys.credential("minioadmin", "minioadmin")
}

static PLAIN: LazyLock<Sample> = LazyLock::new(|| {
    let objects = PATHS.map(|path| (path, None));
    Sample::of(objects)
});

static SEALED: LazyLock<Sample> = LazyLock::new(|| {
    let objects = PATHS.map(|path| (path, Some(options(SealedForm::Minio, "a"))));
    Sample::of(objects)
});

/// The same, sealed by a run whose journal is there.
static SEALED_BY_A_RUN: LazyLock<Sample> =
    LazyLock::new(|| journaled::sample(&PLAIN, sealed(SealedForm::Minio, "a")));

static RESEALED_BY_A_RUN: LazyLock<Sample> =
    LazyLock::new(|| journaled::sample(&SEALED, sealed(SealedForm::Compact, "b")));

static MIXED: LazyLock<Sample> = LazyLock::new(|| {
    let older = SealOptions {
        cipher: Some(Cipher::Aes256Gcm),
        data_key_encoding: Some(DataKeyEncoding::Json),
        ..options(SealedForm::Minio, "a")
    };
    let mut forms = [
        None,
        Some(options(SealedForm::Minio, "a")),
        Some(options(SealedForm::Minio, "b")),
        Some(options(SealedForm::Compact, "a")),
        Some(options(SealedForm::Compact, "b")),
        Some(older),
        None,
        Some(options(SealedForm::Minio, "a")),
    ]
    .into_iter();
    let mut sample = Sample::of(PATHS.map(|path| (path, forms.next().unwrap())));
    // The one derivation that takes no 60 ms.
    let credential = case("dev-069");
    sample.add(
        b"config/iam/users/older/identity.json",
        &credential.plaintext(),
        &credential.stored(),
    );
    sample
});

/// Objects in three folders.
const PATHS: [&str; 8] = [
    "config/config.json",
    "config/iam/format.json",
    "config/iam/policies/read.json",
    "config/iam/policies/write.json",
    "config/iam/users/alice/identity.json",
    "config/iam/users/alice/policy.json",
    "config/iam/users/alice/uid=bob smith,ou=people.json",
    "config/iam/users/alice/zoë.json",
];

/// What stands beside the objects and has to stay as it is: outside the prefix, exempt, no object
/// that opens.
const FOREIGN: [(&str, &[u8]); 4] = [
    ("format.json", b"{\"version\":\"1\"}"),
    (".iamseal-0123456789abcdef.tmp", b"outside the prefix"),
    ("config/tier-config.bin", b"\x01\x00not ours"),
    ("config/iam/picture.png", b"\x89PNG\r\n\x1a\n"),
];

impl Sample {
    fn of(objects: [(&str, Option<SealOptions>); 8]) -> Self {
        let mut sample = Self {
            objects: Vec::new(),
            tree: Tree::new(),
            journals: Tree::new(),
        };
        let native = Native::new(keys(), STORE);
        for (path, options) in objects {
            let plaintext = format!("{{\"at\":\"{path}\"}}").into_bytes();
            let stored = match options {
                Some(options) => native.seal(path.as_bytes(), &plaintext, &options).unwrap(),
                None => plaintext.clone(),
            };
            sample.add(path.as_bytes(), &plaintext, &stored);
        }
        for (path, bytes) in FOREIGN {
            sample.tree.insert(path.into(), content(bytes));
        }
        sample
    }

    pub fn add(&mut self, path: &[u8], plaintext: &[u8], stored: &[u8]) {
        let native = Native::new(keys(), STORE);
        let opened = native.unseal(path, stored, iamseal_core::Policy::Compatible);
        self.tree.insert(path.to_vec(), content(stored));
        self.objects.push(Object {
            path: path.to_vec(),
            plaintext: plaintext.to_vec(),
            stored: stored.to_vec(),
            found: opened.unwrap().found,
        });
    }
}

/// A file with a mode that is not the one that a new file gets, and as far as the system lets us
/// give it away with another owner.
fn content(bytes: &[u8]) -> Content {
    let (root, nobody) = (0, 65534);
    Content {
        bytes: bytes.to_vec(),
        mode: 0o640,
        owner: if *SELF == root { nobody } else { *SELF },
    }
}

fn sealed(form: SealedForm, key: &str) -> Target {
    Target::Sealed(options(form, key))
}

fn options(form: SealedForm, key: &str) -> SealOptions {
    SealOptions {
        form,
        key: Some(key.to_string()),
        cipher: None,
        data_key_encoding: None,
    }
}

fn is(found: &Found, form: Form, key: Option<&str>) -> bool {
    found.form == form && found.key.as_deref() == key
}

fn migrate(lent: Bridge, target: Target) -> Report {
    let mut run = begin(lent, target);
    Report::of(|| run.next(BATCH))
}

pub fn begin(lent: Bridge, target: Target) -> Run<Bridge> {
    let plan = Plan {
        store: STORE.to_string(),
        prefix: PREFIX.to_vec(),
        start_after: None,
        shard: None,
        target,
        dry_run: false,
        try_all_credentials: false,
        not_loadable_too: false,
    };
    Run::new(lent, plan).unwrap()
}

fn migrate_in_component(lent: Bridge, to: Target) -> Report {
    let Bridge {
        keys,
        storage,
        writer,
    } = lent;
    let plan = MigrationPlan {
        prefix: PREFIX.to_vec(),
        target: target(&to),
        ..MigrationPlan::default()
    };
    let builder = builder(&keys, STORE)
        .storage(storage)
        .storage_writer(writer);
    let plugin = wait(builder.load()).unwrap();
    let mut run = wait(plugin.migrate(&plan)).unwrap();
    Report::of(|| match wait(run.next(BATCH)) {
        Ok(steps) => Ok(steps.into_iter().map(step).collect()),
        Err(iamseal::Error::Object(error)) => Err(from_contract(error)),
        Err(other) => panic!("{other}"),
    })
}

impl Report {
    pub fn of(mut next: impl FnMut() -> Result<Vec<Step>, Error>) -> Self {
        let mut steps = Vec::new();
        for _ in 0..CALLS {
            match next() {
                Ok(batch) if batch.is_empty() => return Self { steps, ended: None },
                Ok(batch) => steps.extend(batch),
                Err(error) => {
                    let ended = Some(error);
                    return Self { steps, ended };
                }
            }
        }
        panic!("the run does not end");
    }
}
