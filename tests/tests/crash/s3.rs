//! A bucket of a real MinIO: every request can go wrong, on its way there or on its way back.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use iamseal::journal::Journals;
use iamseal::storage::s3::{from_environment, with};
use iamseal::storage::{BucketStore, Store as _};
use iamseal_servers::minio::Minio;
use iamseal_tests::runtime::wait;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService,
    ReqwestConnector,
};
use object_store::path::Path;
use object_store::{
    BackoffConfig, ClientOptions, ObjectStore as _, ObjectStoreExt as _, RetryConfig,
};
use tempfile::TempDir;

use crate::dir::{folder_in_memory, put};
use crate::mode::{Cause, Fate, Mode, Point, dead};
use crate::shadow::{Content, Tree};
use crate::workload::PREFIX;
use crate::world::{Opened, World};

const BUCKET: &str = "worlds";
/// Requests at once when a world is made or looked at.
const AT_ONCE: usize = 16;

/// The server of all worlds, started by the first. Each world has a prefix of its own.
static SERVER: Mutex<Option<Minio>> = Mutex::new(None);
static WORLDS: AtomicUsize = AtomicUsize::new(0);

/// Stops the server, if it runs.
pub fn stop() {
    // If it did not start there is none.
    let server = SERVER.lock().map(|mut server| server.take());
    drop(server);
}

/// The variables of the server.
fn variables() -> Vec<(&'static str, String)> {
    let mut server = SERVER.lock().unwrap();
    let server = server.get_or_insert_with(|| {
        let minio = Minio::start_in(folder_in_memory());
        minio.admin(&["mb", &format!("t/{BUCKET}")]);
        minio
    });
    let mut variables = server.aws_variables();
    // Reading them takes longer than most runs here.
    variables.push(("AWS_DISABLE_SYSTEM_CERTIFICATES", "true".into()));
    variables
}

/// A prefix of the bucket, and what was below it in the beginning. Its journals are files of a disk that
/// nothing happens to.
pub struct S3 {
    number: usize,
    before: Tree,
    journals: TempDir,
    builder: AmazonS3Builder,
}

impl S3 {
    fn store(&self, point: &Arc<Point>) -> BucketStore {
        let connector = Cut {
            point: Arc::clone(point),
            is_tried_again: self.number.is_multiple_of(2),
        };
        let url = format!("s3://{BUCKET}/{}", self.number);
        with(&url, self.builder.clone(), connector).unwrap()
    }

    /// The bucket, past the store.
    fn bucket(&self) -> AmazonS3 {
        let builder = self.builder.clone().with_bucket_name(BUCKET);
        builder.build().unwrap()
    }

    fn location(&self, path: &[u8]) -> Path {
        let path = str::from_utf8(path).unwrap();
        Path::parse(format!("{}/{path}", self.number)).unwrap()
    }
}

impl World for S3 {
    const NAME: &'static str = "real_servers::s3";
    // All requests of all runs take a minute and a half, every other one half of that. Runs differ in how
    // their requests fall, so both halves come up.
    fn stride(_: Mode) -> usize {
        2
    }

    fn modes() -> Vec<Mode> {
        vec![
            Mode::Killed,
            Mode::DoneButFails,
            Mode::Fails(Cause::Broken),
            Mode::FailsFromThere(Cause::Broken),
        ]
    }

    fn of(objects: &Tree, journals: &Tree) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let variables = variables().into_iter();
        let variables = variables.map(|(name, value)| (name.into(), value.into()));
        let folder = folder_in_memory();
        put(folder.path(), journals);
        let world = Self {
            number: WORLDS.fetch_add(1, SeqCst),
            before: objects.clone(),
            journals: folder,
            builder: from_environment(variables)
                .unwrap()
                .0
                .with_retry(RetryConfig {
                    backoff: BackoffConfig {
                        init_backoff: Duration::from_millis(1),
                        ..BackoffConfig::default()
                    },
                    ..RetryConfig::default()
                }),
        };
        let bucket = world.bucket();
        let puts = objects.iter().map(|(path, content)| {
            let (location, bytes) = (world.location(path), content.bytes.clone());
            let bucket = &bucket;
            async move { bucket.put(&location, bytes.into()).await }
        });
        let puts: Vec<_> = puts.collect();
        wait(stream::iter(puts).buffered(AT_ONCE).try_collect::<Vec<_>>()).unwrap();
        world
    }

    fn open(&self, point: &Arc<Point>) -> Result<Opened, String> {
        let journals = self.journals.path().to_owned();
        Ok(Opened::new(
            self.store(point),
            Arc::new(move || Journals::open(&journals)),
        ))
    }

    fn after(self, _: Mode) -> Vec<Self> {
        vec![self]
    }

    fn sweep(&self) {
        // No other run is under way, so the drafts that are there are left behind.
        let store = self.store(&Arc::new(Point::never()));
        wait(store.draft_age(Duration::ZERO).sweep(PREFIX)).unwrap();
    }

    fn everything(&self) -> Tree {
        let bucket = self.bucket();
        let prefix = Path::from(self.number.to_string());
        let below = format!("{prefix}/");
        let all = bucket.list(Some(&prefix)).map(|object| {
            let bucket = &bucket;
            async move {
                let location = object?.location;
                let bytes = bucket.get(&location).await?.bytes().await?;
                Ok::<_, object_store::Error>((location, bytes))
            }
        });
        let all: Vec<_> = wait(all.buffered(AT_ONCE).try_collect()).unwrap();
        let content = |(location, bytes): (Path, bytes::Bytes)| {
            let path = location.as_ref().strip_prefix(&below).unwrap().as_bytes();
            // It has no modes and owners that could change.
            let before = self.before.get(path).cloned();
            let bytes = bytes.to_vec();
            let (mode, owner) = before.map_or((0, 0), |before| (before.mode, before.owner));
            let content = Content { bytes, mode, owner };
            (path.to_vec(), content)
        };
        all.into_iter().map(content).collect()
    }
}

/// Sends requests that go wrong at a point.
struct Cut {
    point: Arc<Point>,
    /// Whether a lost answer looks like one of a request that may be sent again.
    is_tried_again: bool,
}

struct CutService {
    client: HttpClient,
    cut: Cut,
}

impl HttpConnector for Cut {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(CutService {
            client: ReqwestConnector::default().connect(options)?,
            cut: Self {
                point: Arc::clone(&self.point),
                ..*self
            },
        }))
    }
}

#[async_trait]
impl HttpService for CutService {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let Cut {
            point,
            is_tried_again,
        } = &self.cut;
        let failed = |error| HttpError::new(HttpErrorKind::Unknown, error);
        let changes = matches!(request.method().as_str(), "PUT" | "POST" | "DELETE");
        let can_happen = changes || matches!(point.mode, Mode::Fails(_) | Mode::FailsFromThere(_));
        match point.meet(can_happen) {
            Fate::Goes => return self.client.execute(request).await,
            Fate::Dead => return Err(failed(dead())),
            Fate::Struck => {}
        }
        let Some(cause) = point.mode.reports() else {
            return Err(failed(dead()));
        };
        if point.mode == Mode::DoneButFails {
            let done = self.client.execute(request).await?;
            assert!(!done.status().is_server_error());
            if *is_tried_again {
                return Err(HttpError::new(HttpErrorKind::Request, cause.error()));
            }
        }
        Err(failed(cause.error()))
    }
}

impl fmt::Debug for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cut")
    }
}

impl fmt::Debug for CutService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CutService")
    }
}
