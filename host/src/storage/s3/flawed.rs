//! A bucket in memory whose server is not what it should be, for tests.

use std::fmt;
use std::sync::Mutex;

use async_trait::async_trait;
use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, ObjectStoreExt as _, PutMode, PutMultipartOptions, PutOptions, PutPayload,
    PutResult, Result,
};

use super::place::DRAFTS;

/// What is wrong with it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Flaw {
    None,
    /// It takes a put whose condition is about an object that is gone.
    BringsBack,
    /// It does not let objects be removed.
    Keeps,
    /// Nor be written.
    OnlyReads,
    /// It says nothing to whoever removes an object.
    Hangs,
    /// Somebody removes so many drafts as soon as they are made.
    Sweeps(usize),
    /// Somebody removes each draft as soon as a second put for it was refused.
    SweepsLate,
}

#[derive(Debug)]
pub struct Flawed {
    objects: InMemory,
    flaw: Mutex<Flaw>,
}

impl Flawed {
    pub fn new(flaw: Flaw) -> Self {
        Self {
            objects: InMemory::new(),
            flaw: Mutex::new(flaw),
        }
    }

    pub fn set(&self, flaw: Flaw) {
        *self.flaw.lock().unwrap() = flaw;
    }

    fn flaw(&self) -> Flaw {
        *self.flaw.lock().unwrap()
    }
}

impl fmt::Display for Flawed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.flaw())
    }
}

#[async_trait]
impl ObjectStore for Flawed {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        mut options: PutOptions,
    ) -> Result<PutResult> {
        match self.flaw() {
            Flaw::BringsBack if self.objects.head(location).await.is_err() => {
                options.mode = PutMode::Overwrite;
            }
            Flaw::OnlyReads => return Err(denied(location)),
            _ => {}
        }
        let put = self.objects.put_opts(location, payload, options).await;
        if self.flaw() == Flaw::SweepsLate && put.is_err() {
            self.objects.delete(location).await?;
        }
        let put = put?;
        if let Flaw::Sweeps(left @ 1..) = self.flaw()
            && location.as_ref().contains(DRAFTS)
        {
            self.set(Flaw::Sweeps(left - 1));
            self.objects.delete(location).await?;
        }
        Ok(put)
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.objects.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.objects.get_opts(location, options).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        match self.flaw() {
            Flaw::Keeps | Flaw::OnlyReads => {
                let kept = locations.map(|location| Err(denied(&location?)));
                kept.boxed()
            }
            Flaw::Hangs => stream::pending().boxed(),
            _ => self.objects.delete_stream(locations),
        }
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.objects.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.objects.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.objects.copy_opts(from, to, options).await
    }
}

fn denied(location: &Path) -> Error {
    Error::PermissionDenied {
        path: location.to_string(),
        source: "<Error><Code>AccessDenied</Code><Message>Access Denied.</Message></Error>".into(),
    }
}
