//! S3's answers, before `object_store` reads them: no key may become another, none may be so large that
//! it fills the memory, and a server that gives none is not waited for again and again.
//!
//! `object_store` gives a listing up at the first key that its paths cannot hold, drops a `/` at the end
//! of a key, and the space around it. Such keys are replaced by others that say what they are, and are
//! told again by [`key`].

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::TryStreamExt as _;
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService,
};
use quick_xml::escape::unescape;

use crate::awake::{Moment, Stretch};

use super::open::RETRY;
use super::place::location;
use super::read::is_kept;

/// How the key begins that stands for one which cannot be told: what follows is that one in hexadecimal.
const ODD: &str = "iamseal-odd-key/";

/// The largest answer in bytes that is not an object: a page of 1000 of the longest keys, each byte of
/// which XML may write as six, is half of it.
const ANSWER_BYTES: usize = 16 << 20;

/// How long a server that was silent for as long as a request is tried again is not asked at all. Short, so
/// that one which is back is soon used.
const REST: Duration = Duration::from_secs(3);

/// The key that a listing means by what it says.
pub(super) fn key(listed: &str) -> Cow<'_, str> {
    let odd = listed.strip_prefix(ODD).and_then(decode);
    match odd {
        Some(odd) if is_odd(&odd) => odd.into(),
        _ => listed.into(),
    }
}

/// Connects as the one inside does, and looks after what is answered.
#[derive(Debug)]
pub(super) struct Connector<C> {
    pub inner: C,
    /// Set once a removal was answered with the version that stands for it: what was removed stays as an older
    /// one.
    pub keeps_versions: Arc<AtomicBool>,
}

/// That an object has tags, among what comes with its answer.
#[derive(Clone, Copy)]
pub(super) struct Tagged;

/// What a server does with an object besides keeping it: how it encrypts it and how long it holds it, as its headers
/// say. A put without these headers makes an object as the bucket has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Kept(Vec<(&'static str, String)>);

/// Those headers. Until when an object is held is another time for each.
const KEPT: [&str; 4] = [
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-object-lock-legal-hold",
    "x-amz-object-lock-mode",
];

impl Kept {
    fn of(answer: &HttpResponse) -> Self {
        let present = KEPT.iter().filter_map(|name| {
            let value = header(answer, name).filter(|value| *value != "OFF")?;
            Some((*name, value.to_owned()))
        });
        Self(present.collect())
    }

    /// The first header that another object has otherwise.
    pub fn lost_in(&self, other: &Self) -> Option<&'static str> {
        let lost = self.0.iter().find(|kept| !other.0.contains(kept));
        lost.map(|(name, _)| *name)
    }
}

#[derive(Debug)]
struct Service {
    client: HttpClient,
    keeps_versions: Arc<AtomicBool>,
    silence: Mutex<Option<Silence>>,
}

/// When the first and the last request failed of those since the last that was answered.
#[derive(Debug, Clone, Copy)]
struct Silence {
    first: Moment,
    last: Moment,
}

impl<C: HttpConnector> HttpConnector for Connector<C> {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let client = self.inner.connect(options)?;
        Ok(HttpClient::new(Service {
            client,
            keeps_versions: Arc::clone(&self.keeps_versions),
            silence: Mutex::default(),
        }))
    }
}

#[async_trait]
impl HttpService for Service {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let query = request.uri().query().unwrap_or_default();
        let is_listing = query.split('&').any(|part| part == "list-type=2");
        let is_put = request.method() == "PUT";
        let is_removal = request.method() == "DELETE";
        if self.rests() {
            let silent = std::io::Error::other("the server gives no answer");
            return Err(HttpError::new(HttpErrorKind::Unknown, silent));
        }
        let stretch = Stretch::begin();
        let mut answer = self.client.execute(request.clone()).await;
        // The time went by while this process was stopped, and the server may have hung up meanwhile. What
        // came of a put is looked up in the bucket in any case.
        if answer.is_err() && stretch.had_stop().await {
            answer = self.client.execute(request).await;
        }
        let is_silent = self.is_silent(answer.is_err());
        let answer = answer.map_err(|error| match error.kind() {
            // Else each of a batch's requests would wait as long as the first one did.
            _ if is_silent => HttpError::new(HttpErrorKind::Unknown, error),
            // `object_store` holds it unsafe to send a conditional put again, which all puts here are; but
            // what became of one is looked up in the bucket afterwards. A server that refuses a put unread
            // and hangs up, as MinIO does, loses its answer every now and then.
            HttpErrorKind::Interrupted | HttpErrorKind::Timeout if is_put => {
                HttpError::new(HttpErrorKind::Request, error)
            }
            _ => error,
        })?;
        if is_redirect(answer.status().as_u16()) {
            return Err(HttpError::new(HttpErrorKind::Unknown, redirect(&answer)));
        }
        let is_success = answer.status().is_success();
        if is_success && is_removal && header(&answer, "x-amz-version-id").is_some_and(is_kept) {
            self.keeps_versions.store(true, Ordering::Relaxed);
        }
        if is_success && !is_listing {
            let is_tagged =
                header(&answer, "x-amz-tagging-count").is_some_and(|count| count != "0");
            let kept = Kept::of(&answer);
            let mut answer = answer;
            answer.extensions_mut().insert(kept);
            if is_tagged {
                answer.extensions_mut().insert(Tagged);
            }
            return Ok(answer);
        }
        let (mut head, body) = answer.into_parts();
        let mut parts = body.bytes_stream();
        let mut body = Vec::new();
        while let Some(part) = parts.try_next().await? {
            if body.len() + part.len() > ANSWER_BYTES {
                let large = std::io::Error::other("the answer is too large");
                return Err(HttpError::new(HttpErrorKind::Decode, large));
            }
            body.extend_from_slice(&part);
        }
        if is_success && let Ok(text) = str::from_utf8(&body) {
            body = told(text).into_bytes();
        }
        head.headers.remove("content-length");
        Ok(HttpResponse::from_parts(head, Bytes::from(body).into()))
    }
}

fn header<'a>(answer: &'a HttpResponse, name: &str) -> Option<&'a str> {
    answer.headers().get(name)?.to_str().ok()
}

/// Whether an answer sends whoever asked to another place. 304 is an answer of its own.
fn is_redirect(status: u16) -> bool {
    (300..400).contains(&status) && status != 304
}

/// What is said of an answer that sends us on, to where neither the credentials nor the objects are to go.
fn redirect(answer: &HttpResponse) -> std::io::Error {
    let status = answer.status().as_u16();
    let region = answer.headers().get("x-amz-bucket-region");
    // The server's own words are not told but for what can be a region.
    let region = region.and_then(|region| region.to_str().ok());
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let region = region.filter(|region| region.len() < 64 && region.bytes().all(is_part));
    let region = region.map_or_else(String::new, |region| {
        format!("; it says that the bucket is in the region {region}")
    });
    std::io::Error::other(format!(
        "it sends us to another place ({status}), which is not followed{region}"
    ))
}

impl Service {
    /// Whether the server was silent for so long that it is not asked again yet.
    fn rests(&self) -> bool {
        let silence = *self.silence.lock().unwrap_or_else(PoisonError::into_inner);
        silence.is_some_and(|silence| {
            silence.first.elapsed() >= RETRY && silence.last.elapsed() < REST
        })
    }

    /// Whether nothing was answered for as long as a request is tried again.
    fn is_silent(&self, has_failed: bool) -> bool {
        // Whoever panicked left no half-done change.
        let silence = self.silence.lock();
        let mut silence = silence.unwrap_or_else(PoisonError::into_inner);
        if !has_failed {
            *silence = None;
            return false;
        }
        let last = Moment::now();
        let first = silence.map_or(last, |silence| silence.first);
        *silence = Some(Silence { first, last });
        first.elapsed() >= RETRY
    }
}

/// A page of a listing with its odd keys told otherwise.
fn told(page: &str) -> String {
    const BEGIN: &str = "<Key>";
    let mut told = String::with_capacity(page.len());
    let mut rest = page;
    while let Some((before, after)) = rest.split_once(BEGIN) {
        told.push_str(before);
        told.push_str(BEGIN);
        let (written, after) = after.split_once('<').unwrap_or((after, ""));
        match unescape(written) {
            Ok(key) if is_odd(&key) => told.push_str(&encode(&key)),
            _ => told.push_str(written),
        }
        // What was split at.
        told.push('<');
        rest = after;
    }
    told.push_str(rest);
    told
}

/// Whether `object_store` would read a key as another one or not at all.
fn is_odd(key: &str) -> bool {
    location(key).is_err() || key.trim() != key || key.starts_with(ODD)
}

fn encode(key: &str) -> String {
    let digits = key.bytes().map(|byte| format!("{byte:02x}"));
    ODD.chars()
        .chain(digits.collect::<String>().chars())
        .collect()
}

fn decode(digits: &str) -> Option<String> {
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    let byte = |pair: &[u8; 2]| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok();
    let bytes: Option<Vec<u8>> = pairs.iter().map(byte).collect();
    rest.is_empty().then(|| String::from_utf8(bytes?).ok())?
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::super::open::{from_environment, with};
    use super::*;
    use crate::contract::StorageError;
    use crate::storage::Storage as _;

    /// The keys of a page, by its number.
    type Keys = fn(u32) -> Vec<String>;

    /// A server that answers each listing with these keys and a next page.
    #[derive(Debug)]
    struct Endless {
        keys: Keys,
        page: Mutex<u32>,
    }

    #[derive(Debug)]
    struct Serving(Keys);

    impl HttpConnector for Serving {
        fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
            let (keys, page) = (self.0, Mutex::new(0));
            Ok(HttpClient::new(Endless { keys, page }))
        }
    }

    #[async_trait]
    impl HttpService for Endless {
        async fn call(&self, _: HttpRequest) -> Result<HttpResponse, HttpError> {
            tokio::time::sleep(Duration::from_millis(1)).await;
            let page = {
                let mut page = self.page.lock().unwrap();
                *page += 1;
                *page
            };
            let mut body = "<ListBucketResult>".to_owned();
            for key in (self.keys)(page) {
                let size = u8::from(!key.ends_with('/'));
                write!(
                    body,
                    "<Contents><Key>{key}</Key><Size>{size}</Size>\
                     <LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents>"
                )
                .unwrap();
            }
            write!(
                body,
                "<NextContinuationToken>{page}</NextContinuationToken></ListBucketResult>"
            )
            .unwrap();
            Ok(HttpResponse::new(Bytes::from(body).into()))
        }
    }

    /// How a listing of `p/config/` ends.
    async fn end(keys: Keys) -> StorageError {
        let variables = [("AWS_ACCESS_KEY_ID", "a"), ("AWS_SECRET_ACCESS_KEY", "b")];
        let variables = variables.map(|(name, value)| (name.into(), value.into()));
        let (builder, _) = from_environment(variables).unwrap();
        let store = with("s3://b/p", builder, Serving(keys)).unwrap();
        let store = store.with(|bucket| bucket.listing = Duration::from_millis(200));
        let mut cursor = store.list(b"config/", None).await.unwrap();
        let listing = async {
            loop {
                match cursor.next().await {
                    Ok(page) => assert!(!page.is_empty(), "it has come to an end"),
                    Err(error) => return error,
                }
            }
        };
        let patience = Duration::from_secs(20);
        tokio::time::timeout(patience, listing)
            .await
            .expect("it goes on")
    }

    #[tokio::test]
    async fn a_listing_that_goes_on_for_ever_ends() {
        let keys: [(Keys, &str); 6] = [
            (
                |_| Vec::new(),
                "it has listed nothing of what was asked for",
            ),
            // Folders as consoles make them are passed over.
            (
                |page| vec![format!("p/config/{page:09}/")],
                "it has listed nothing of what was asked for",
            ),
            (
                |page| vec![format!("p/conf/{page:09}")],
                "were not asked for",
            ),
            (|page| vec![format!("q/{page:09}")], "were not asked for"),
            (|_| vec!["p/config/a".into()], "in their order"),
            (
                |page| vec![format!("p/config/{:09}", 1_000_000 - page)],
                "in their order",
            ),
        ];
        for (keys, told) in keys {
            let StorageError::Other(text) = end(keys).await else {
                panic!("another error");
            };
            assert!(text.contains(told), "{text}");
        }
    }

    fn listed(written: &str) -> String {
        let page = format!("<A><Key>{written}</Key><Size>1</Size></A><Key>b</Key>");
        let told = told(&page);
        assert!(
            told.ends_with("</Key><Size>1</Size></A><Key>b</Key>"),
            "{told}"
        );
        let (_, rest) = told.split_once("<Key>").unwrap();
        rest.split_once('<').unwrap().0.to_owned()
    }

    #[test]
    fn odd_keys_come_back_as_they_are() {
        for (written, is) in [
            ("a//b", "a//b"),
            ("a/", "a/"),
            (" a", " a"),
            ("a&#xA;b", "a\nb"),
            ("a/../&lt;b&gt;", "a/../<b>"),
            ("iamseal-odd-key/61", "iamseal-odd-key/61"),
            ("\u{fffd}", "\u{fffd}"),
        ] {
            let listed = listed(written);
            assert!(location(&listed).is_ok(), "{listed}");
            assert_eq!(key(&listed), is);
        }
    }

    #[test]
    fn other_keys_are_left_alone() {
        for written in ["a/b", "a&lt;b&amp;", "zoë", "&unknown;"] {
            assert_eq!(listed(written), written);
        }
        for plain in [
            "a/b",
            "iamseal-odd-key/61",
            "iamseal-odd-key/6",
            "iamseal-odd-key/zz",
        ] {
            assert_eq!(key(plain), plain);
        }
    }
}
