//! The component that is built in, lent keys and a store that answer nonsense: it ends with an error
//! about the object or the listing, never with a trap, and the next call works.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use iamseal::contract::{
    KeyError, ObjectError, Outcome, Policy, SealOptions, SealedForm, StorageError, Target, Verdict,
};
use iamseal::keys::{DataKey, Key, Keyring, RootCredential, ServerKey, StaticKey, StaticKeyring};
use iamseal::storage::{Change, Cursor, Draft, Storage, StorageWriter, Stored, Version};
use iamseal::{AuditScope, Error, MigrationPlan, Plugin, PluginBuilder};
use zeroize::Zeroizing;

const PATH: &[u8] = b"config/iam/users/alice/identity.json";
const NAME: &str = "a-key";

/// Sizes where something may be taken for granted: none, one off, and far too many.
const SIZES: [usize; 7] = [0, 1, 16, 31, 33, 64, 1 << 20];

fn builder() -> PluginBuilder {
    Plugin::builder().component(iamseal_component::PLUGIN)
}

/// A keyring whose key is in a server, which answers what was put in before.
#[derive(Clone)]
struct Keys {
    /// How many keys of the host's own there are instead.
    local: Option<usize>,
    generated: Result<(usize, usize), KeyError>,
    decrypted: Result<usize, KeyError>,
    credentials: usize,
}

impl Default for Keys {
    fn default() -> Self {
        Self {
            local: None,
            generated: Ok((32, 76)),
            decrypted: Ok(32),
            credentials: 0,
        }
    }
}

impl Keyring for Keys {
    fn default_key(&self) -> Option<String> {
        Some(NAME.to_owned())
    }

    fn candidates(&self, _name: &str) -> Result<Vec<Key>, KeyError> {
        let local = |_| Key::local(Zeroizing::new([7; 32]));
        Ok(match self.local {
            None => vec![Key::server(self.clone())],
            Some(count) => (0..count).map(local).collect(),
        })
    }

    fn root_credentials(&self) -> Vec<RootCredential> {
        let credential = |_| RootCredential {
            user: String::new(),
            password: Zeroizing::new(String::new()),
        };
        (0..self.credentials).map(credential).collect()
    }
}

#[async_trait::async_trait]
impl ServerKey for Keys {
    async fn open(
        &self,
        _ciphertext: &[u8],
        _associated_data: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let size = self.decrypted.clone()?;
        Ok(Zeroizing::new(vec![7; size]))
    }

    async fn make(&self, _associated_data: &[u8]) -> Result<DataKey, KeyError> {
        let (plaintext, ciphertext) = self.generated.clone()?;
        Ok(DataKey {
            plaintext: Zeroizing::new(vec![7; plaintext]),
            ciphertext: vec![8; ciphertext],
        })
    }
}

async fn plugin(keys: Keys) -> Plugin {
    builder().keyring(Arc::new(keys)).load().await.unwrap()
}

fn options(form: SealedForm) -> SealOptions {
    SealOptions {
        form,
        ..SealOptions::default()
    }
}

/// An error about the object, which is what it has to be; whether the plugin goes on working.
async fn refuses<T>(plugin: &Plugin, answer: Result<T, Error>) -> ObjectError {
    let passed = plugin.unseal(PATH, b"{}", Policy::Compatible).await;
    assert_eq!(*passed.unwrap().plaintext, b"{}");
    match answer {
        Err(Error::Object(error)) => error,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("nonsense was taken for good"),
    }
}

#[tokio::test]
async fn a_data_key_of_another_size_seals_nothing() {
    for form in [SealedForm::default(), SealedForm::Compact] {
        for size in SIZES {
            let generated = Ok((size, 76));
            let keys = Keys {
                generated,
                decrypted: Ok(size),
                ..Keys::default()
            };
            let plugin = plugin(keys).await;
            let sealed = plugin.seal(PATH, b"{}", &options(form)).await;
            let error = refuses(&plugin, sealed).await;
            assert!(matches!(error, ObjectError::Key(_)), "{size}: {error:?}");
        }
    }
}

#[tokio::test]
async fn a_data_key_that_opens_as_another_size_opens_nothing() {
    for form in [SealedForm::default(), SealedForm::Compact] {
        let sealed = plugin(Keys::default()).await;
        let sealed = sealed.seal(PATH, b"{}", &options(form)).await.unwrap();
        for size in SIZES {
            let decrypted = Ok(size);
            let plugin = plugin(Keys {
                decrypted,
                ..Keys::default()
            })
            .await;
            let opened = plugin.unseal(PATH, &sealed, Policy::Sealed).await;
            let error = refuses(&plugin, opened).await;
            // In MinIO's form another cipher could want another size, so the object may be damaged.
            let told = matches!(error, ObjectError::Key(_) | ObjectError::Malformed(_));
            assert!(told, "{size}: {error:?}");
        }
    }
}

#[tokio::test]
async fn no_candidate_or_thousands_open_nothing() {
    let sealed = plugin(Keys::default()).await;
    let sealed = sealed
        .seal(PATH, b"{}", &options(SealedForm::default()))
        .await
        .unwrap();
    for local in [0, 1, 2000] {
        let plugin = plugin(Keys {
            local: Some(local),
            ..Keys::default()
        })
        .await;
        let opened = plugin.unseal(PATH, &sealed, Policy::Sealed).await;
        refuses(&plugin, opened).await;
    }
}

#[tokio::test]
async fn every_error_of_a_key_service_is_passed_on() {
    let sealed = plugin(Keys::default()).await;
    let sealed = sealed
        .seal(PATH, b"{}", &options(SealedForm::default()))
        .await
        .unwrap();
    let long = "x".repeat(1 << 20);
    for error in [
        KeyError::NotFound,
        KeyError::Denied(long.clone()),
        KeyError::Unavailable("\u{1b}[2J".to_owned()),
        KeyError::Other(long),
    ] {
        let keys = Keys {
            generated: Err(error.clone()),
            decrypted: Err(error.clone()),
            ..Keys::default()
        };
        let plugin = plugin(keys).await;
        let answer = plugin
            .seal(PATH, b"{}", &options(SealedForm::default()))
            .await;
        let said = answer.as_ref().unwrap_err().to_string();
        assert!(
            said.len() < 1000 && !said.contains(char::is_control),
            "{said}"
        );
        for answer in [
            answer.map(drop),
            plugin.unseal(PATH, &sealed, Policy::Sealed).await.map(drop),
        ] {
            let ObjectError::Key(failure) = refuses(&plugin, answer).await else {
                panic!("not an error of the key");
            };
            assert_eq!((failure.key.as_str(), failure.error), (NAME, error.clone()));
        }
    }
}

/// Pages of a listing.
type Pages = Vec<Vec<Vec<u8>>>;

/// A store whose every answer was put in before.
#[derive(Default)]
struct Answers {
    pages: Pages,
    read: Option<Result<(usize, usize), StorageError>>,
    /// Size of what a draft reads back as; none: as it was staged.
    read_back: Option<usize>,
    /// Results of staging and committing beyond those asked for, or fewer.
    more: isize,
    committed: Mutex<usize>,
}

struct Listing(VecDeque<Vec<Vec<u8>>>);

#[async_trait::async_trait]
impl Cursor for Listing {
    async fn next(&mut self) -> Result<Vec<Vec<u8>>, StorageError> {
        Ok(self.0.pop_front().unwrap_or_default())
    }
}

#[async_trait::async_trait]
impl Storage for Answers {
    async fn list(
        &self,
        _prefix: &[u8],
        _start_after: Option<&[u8]>,
    ) -> Result<Box<dyn Cursor>, StorageError> {
        Ok(Box::new(Listing(self.pages.clone().into())))
    }

    async fn read(&self, _path: &[u8]) -> Result<Stored, StorageError> {
        let (size, version) = self.read.clone().unwrap_or(Ok((2, 8)))?;
        Ok(Stored {
            bytes: b"{}".iter().copied().cycle().take(size).collect(),
            version: vec![1; version],
        })
    }
}

struct Made(Vec<u8>);

#[async_trait::async_trait]
impl Draft for Made {
    async fn read_back(&mut self) -> Result<Vec<u8>, StorageError> {
        Ok(self.0.clone())
    }

    fn into_any(self: Box<Self>) -> Box<dyn std::any::Any + Send> {
        self
    }
}

#[async_trait::async_trait]
impl StorageWriter for Answers {
    async fn stage(&self, changes: Vec<Change>) -> Vec<Result<Box<dyn Draft>, StorageError>> {
        let count = changes.len().saturating_add_signed(self.more);
        let made = changes.into_iter().cycle_to(count).map(|bytes| {
            let bytes = self.read_back.map_or(bytes, |size| vec![0; size]);
            Ok(Box::new(Made(bytes)) as Box<dyn Draft>)
        });
        made.collect()
    }

    async fn commit(
        &self,
        drafts: Vec<Box<dyn Draft>>,
    ) -> Vec<Result<Option<Version>, StorageError>> {
        *self.committed.lock().unwrap() += drafts.len();
        let count = drafts.len().saturating_add_signed(self.more);
        (0..count).map(|_| Ok(Some(vec![2; 8]))).collect()
    }
}

/// The bytes of changes, the first again and again if more are wanted than there are.
trait CycleTo {
    fn cycle_to(self, count: usize) -> impl Iterator<Item = Vec<u8>>;
}

impl<I: Iterator<Item = Change>> CycleTo for I {
    fn cycle_to(self, count: usize) -> impl Iterator<Item = Vec<u8>> {
        let bytes = |change: Change| change.bytes().unwrap_or_default().to_vec();
        let all: Vec<_> = self.map(bytes).collect();
        let first = all.first().cloned().unwrap_or_default();
        all.into_iter().chain(std::iter::repeat(first)).take(count)
    }
}

/// What a migration to the key of a keyring says of each object, up to its end or first error.
async fn migrate(answers: Answers) -> (Result<Vec<Outcome>, Error>, usize) {
    let keyring = StaticKeyring::new().key(StaticKey::generate(NAME).unwrap());
    let keyring = Arc::new(keyring.default_key(NAME).unwrap());
    let answers = Arc::new(answers);
    let plugin = builder()
        .keyring(keyring)
        .storage(answers.clone())
        .storage_writer(answers.clone())
        .load()
        .await
        .unwrap();
    let plan = MigrationPlan {
        prefix: b"config/".to_vec(),
        target: Target::Sealed(SealOptions::default()),
        ..MigrationPlan::default()
    };
    let mut migration = plugin.migrate(&plan).await.unwrap();
    let mut outcomes = Vec::new();
    let ended = loop {
        match migration.next(16).await {
            Ok(steps) if steps.is_empty() => break Ok(outcomes),
            Ok(steps) => outcomes.extend(steps.into_iter().map(|step| step.outcome)),
            Err(error) => break Err(error),
        }
    };
    drop(migration);
    let passed = plugin.unseal(PATH, b"{}", Policy::Compatible).await;
    assert_eq!(*passed.unwrap().plaintext, b"{}");
    let committed = *answers.committed.lock().unwrap();
    (ended, committed)
}

fn page(paths: &[&[u8]]) -> Vec<Vec<u8>> {
    paths.iter().map(|path| path.to_vec()).collect()
}

#[tokio::test]
async fn a_listing_of_nonsense_ends_the_run_or_fails_the_object() {
    let long = [b"config/".as_slice(), &[b'x'; 1 << 20]].concat();
    for pages in [
        vec![page(&[b""])],
        vec![page(&[b"elsewhere"])],
        vec![page(&[b"config/b", b"config/a"])],
        vec![page(&[b"config/a", b"config/a"])],
        vec![page(&[b"config/b"]), page(&[b"config/a"])],
        vec![page(&[b"config/../../etc/passwd"])],
        vec![page(&[b"config/\xff\x00\n"])],
        vec![page(&[b"config/a/"])],
        vec![page(&[&long])],
    ] {
        let shown: Vec<_> = pages.iter().flatten().map(|path| path.len()).collect();
        let (ended, _) = migrate(Answers {
            pages,
            ..Answers::default()
        })
        .await;
        match ended {
            // Odd names are taken; those that climb are not.
            Ok(outcomes) => assert!(!outcomes.is_empty(), "{shown:?}"),
            Err(Error::Object(_) | Error::Contract { .. }) => {}
            Err(other) => panic!("{shown:?}: {other}"),
        }
    }
}

#[tokio::test]
async fn an_object_of_nonsense_fails_alone() {
    let pages = || vec![page(&[b"config/a", b"config/b"])];
    for read in [
        Err(StorageError::NotFound),
        Err(StorageError::Other("x".repeat(1 << 20))),
        Ok((0, 0)),
        Ok((1 << 20, 0)),
    ] {
        let read = Some(read);
        let (ended, _) = migrate(Answers {
            pages: pages(),
            read,
            ..Answers::default()
        })
        .await;
        assert!(ended.unwrap().len() <= 2);
    }
    // More than the host hands over: the limit says so, and nothing was written.
    let read = Some(Ok((17 << 20, 8)));
    let (ended, committed) = migrate(Answers {
        pages: pages(),
        read,
        ..Answers::default()
    })
    .await;
    let failed = |outcome: &Outcome| matches!(outcome, Outcome::Failed(_));
    assert!(ended.is_err() || ended.unwrap().iter().all(failed));
    assert_eq!(committed, 0);
}

#[tokio::test]
async fn a_draft_that_reads_back_as_nonsense_is_not_committed() {
    for size in [0, 1, 300, 1 << 20] {
        let answers = Answers {
            pages: vec![page(&[b"config/a", b"config/b"])],
            read_back: Some(size),
            ..Answers::default()
        };
        let (ended, committed) = migrate(answers).await;
        let outcomes = ended.unwrap();
        let failed = |outcome: &Outcome| matches!(outcome, Outcome::Failed(_));
        assert!(
            outcomes.len() == 2 && outcomes.iter().all(failed),
            "{outcomes:?}"
        );
        assert_eq!(committed, 0);
    }
}

#[tokio::test]
async fn a_writer_that_answers_for_more_or_fewer_is_believed_for_what_was_asked() {
    for more in [-2, -1, 1, 1000] {
        let answers = Answers {
            pages: vec![page(&[b"config/a", b"config/b"])],
            more,
            ..Answers::default()
        };
        let (ended, committed) = migrate(answers).await;
        let outcomes = ended.unwrap();
        let migrated = |outcome: &&Outcome| matches!(outcome, Outcome::Migrated(_));
        // Staging left out as many, and of the drafts that remained committing did again.
        let least = 2_usize.saturating_add_signed(2 * more.min(0));
        let done = outcomes.iter().filter(migrated).count();
        assert_eq!((outcomes.len(), done), (2, least), "{more}");
        assert!(committed <= 2);
    }
}

#[tokio::test]
async fn a_thousand_root_credentials_reach_the_time_limit_and_no_further() {
    let keys = Keys {
        credentials: 1000,
        ..Keys::default()
    };
    let mut limits = iamseal::Limits::default();
    limits.guest_time = std::time::Duration::from_millis(300);
    let builder = builder().keyring(Arc::new(keys)).limits(limits);
    let plugin = builder.load().await.unwrap();
    // The shape of the root-credential form: salt, the id of Argon2id, nonce, and a body.
    let mut object = vec![0x81; 32];
    object.push(0);
    object.extend([0x81; 200]);
    let answer = plugin.unseal(PATH, &object, Policy::Compatible).await;
    assert!(matches!(answer, Err(Error::Limit { .. })));
    let passed = plugin.unseal(PATH, b"{}", Policy::Compatible).await;
    assert_eq!(*passed.unwrap().plaintext, b"{}");
}

#[tokio::test]
async fn an_audit_of_a_store_that_answers_nonsense_ends() {
    let answers = Answers {
        pages: vec![page(&[b"config/a", b"config/b"]), page(&[b"config/a"])],
        read: Some(Ok((0, 0))),
        ..Answers::default()
    };
    let plugin = builder().storage(Arc::new(answers)).load().await.unwrap();
    let mut audit = plugin.audit(&AuditScope::default()).await.unwrap();
    let first = audit.next(2).await.unwrap();
    let empty = |verdict: &Verdict| matches!(verdict, Verdict::Fails(failure) if failure.error == ObjectError::Empty);
    assert!(first.iter().all(|finding| empty(&finding.verdict)));
    assert!(audit.next(2).await.is_err(), "it went backwards");
}
