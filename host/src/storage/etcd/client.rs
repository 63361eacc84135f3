//! Calls to etcd: which node, how long, how often, as whom.
//!
//! A call whose answer is lost, because a node died, the leader changed or the time ran out, is made
//! again, at the next node, until one answers or the patience has run out. So every call that is made
//! here must be harmless when it is made twice, and whoever makes it hears that an answer was lost
//! before. After that the store answers for a while that there is no answer without asking, so that
//! a run over many objects ends soon and not after as many waits.

use std::future::ready;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::stream::{self, StreamExt as _};
use prost::Message;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::Channel;
use tonic::{Code, Request, Status, Streaming};
use tonic_prost::ProstCodec;
use zeroize::Zeroize as _;

use super::address::{Address, User};
use super::connect::{channels, deepest, is_about_tls};
use super::faults::{Fate, Watch};
use super::messages::{AuthenticateRequest, AuthenticateResponse, WatchRequest, WatchResponse};
use super::open_error::OpenError;
use crate::awake::Moment;
use crate::describe::line;

/// How much larger than an object an answer may be: its key, and what is said about it.
const ENVELOPE: usize = 64 << 10;
/// How often a token may turn out to be no longer valid within one call: once because its time is
/// over, and once more because somebody changes the users meanwhile.
const RENEWALS: u32 = 2;
/// Of pauses between two tries, so that a new leader, some 2 s after the old one, is found soon.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// A call of etcd's API.
#[derive(Clone, Copy)]
pub(super) struct Call {
    path: &'static str,
    changes: bool,
}

/// Reads keys.
pub(super) const RANGE: Call = Call::new("/etcdserverpb.KV/Range", false);
/// Writes a key.
pub(super) const PUT: Call = Call::new("/etcdserverpb.KV/Put", true);
/// Writes or deletes several keys if something holds.
pub(super) const TXN: Call = Call::new("/etcdserverpb.KV/Txn", true);
/// Begins a lease.
pub(super) const LEASE_GRANT: Call = Call::new("/etcdserverpb.Lease/LeaseGrant", true);
/// Ends a lease and deletes its keys.
pub(super) const LEASE_REVOKE: Call = Call::new("/etcdserverpb.Lease/LeaseRevoke", true);
/// Says how long a lease has left.
pub(super) const LEASE_TIME: Call = Call::new("/etcdserverpb.Lease/LeaseTimeToLive", false);
/// Tells of changes, for as long as it is listened to.
const WATCH: Call = Call::new("/etcdserverpb.Watch/Watch", false);
const AUTHENTICATE: Call = Call::new("/etcdserverpb.Auth/Authenticate", false);

/// How long the store tries.
#[derive(Clone, Copy)]
pub(super) struct Patience {
    /// One try. Longer than a healthy etcd takes for anything, also while it elects a leader, since
    /// a node without one says so at once.
    pub attempt: Duration,
    /// All tries of a call: some elections of a cluster that is far apart, and well below the
    /// deadline of a plugin's call, 60 s.
    pub call: Duration,
    /// The first pause between two tries.
    pub pause: Duration,
    /// How long nobody is asked after a call ran out of patience.
    pub rest: Duration,
}

impl Patience {
    /// For tests of what happens when it runs out.
    pub const SHORT: Self = Self {
        attempt: Duration::from_secs(4),
        call: Duration::from_millis(5),
        pause: Duration::from_millis(1),
        rest: Duration::ZERO,
    };
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            attempt: Duration::from_secs(4),
            call: Duration::from_secs(12),
            pause: Duration::from_millis(100),
            rest: Duration::from_secs(5),
        }
    }
}

/// What came of a call.
pub(super) struct Answered<T> {
    pub result: Result<T, Unable>,
    /// Whether an answer was lost before this one, so that the call may have been done before.
    pub was_lost: bool,
}

/// Why a call was not done.
#[derive(Debug, Clone)]
pub(super) enum Unable {
    /// etcd's own words.
    Refused(Code, String),
    /// Nobody says whether it was done.
    NoAnswer(String),
    /// Of two that make a connection one does not take the other's certificate.
    Tls(String),
}

impl Unable {
    /// Whether the answer was larger than one may be.
    pub fn is_too_large(&self) -> bool {
        matches!(self, Self::Refused(Code::OutOfRange, text) if text.contains("message length"))
    }
}

/// A connection to each node.
pub(super) struct Client {
    nodes: Vec<Channel>,
    /// The number of the node that answered last, modulo their count.
    node: AtomicUsize,
    user: Option<User>,
    token: Mutex<Option<MetadataValue<Ascii>>>,
    /// Until when nobody is asked, and why.
    rests: Mutex<Option<(Instant, String)>>,
    answer_bytes: usize,
    pub patience: Patience,
    pub watch: Watch,
}

impl Call {
    const fn new(path: &'static str, changes: bool) -> Self {
        Self { path, changes }
    }
}

impl Client {
    /// Connects when the first call is made.
    pub fn new(address: Address, object_bytes: usize) -> Result<Self, OpenError> {
        Ok(Self {
            nodes: channels(&address)?,
            node: AtomicUsize::new(0),
            user: address.user,
            token: Mutex::new(None),
            rests: Mutex::new(None),
            answer_bytes: object_bytes + ENVELOPE,
            patience: Patience::default(),
            watch: Watch::default(),
        })
    }

    /// Makes a call.
    pub async fn call<Q, A>(&self, call: Call, request: &Q) -> Answered<A>
    where
        Q: Message + Clone + 'static,
        A: Message + Default + 'static,
    {
        let mut was_lost = false;
        let result = self.until_answered(call, request, &mut was_lost).await;
        Answered { result, was_lost }
    }

    async fn until_answered<Q, A>(
        &self,
        call: Call,
        request: &Q,
        was_lost: &mut bool,
    ) -> Result<A, Unable>
    where
        Q: Message + Clone + 'static,
        A: Message + Default + 'static,
    {
        // After a rest one try tells whether somebody is there again.
        let is_probe = match &*held(&self.rests) {
            Some((until, why)) if Instant::now() < *until => {
                return Err(Unable::NoAnswer(why.clone()));
            }
            rests => rests.is_some(),
        };
        let begun = Moment::now();
        let mut pause = self.patience.pause;
        let mut renewals = 0;
        let mut refusals = 0;
        // However slow the first try was, and if the process was stopped in it, a second one tells what
        // came of it.
        let mut is_first = true;
        loop {
            let why = match self.attempt_as_user(call, request).await {
                Ok(answer) => {
                    *held(&self.rests) = None;
                    return Ok(answer);
                }
                Err(Unable::Refused(code, text))
                    if is_about_token(code, &text) && renewals < RENEWALS =>
                {
                    renewals += 1;
                    *held(&self.token) = None;
                    continue;
                }
                // One node's certificate may be bad and the others' not.
                Err(Unable::Tls(_)) if refusals + 1 < self.nodes.len() => {
                    refusals += 1;
                    *was_lost = true;
                    self.node.fetch_add(1, Ordering::Relaxed);
                    continue;
                }
                Err(Unable::NoAnswer(why)) => why,
                Err(other) => {
                    // Whoever refuses is there.
                    *held(&self.rests) = None;
                    return Err(other);
                }
            };
            *was_lost = true;
            self.node.fetch_add(1, Ordering::Relaxed);
            let is_over = !is_first && begun.elapsed() + pause > self.patience.call;
            if is_probe || is_over {
                let seconds = begun.elapsed().as_secs();
                let why = format!("etcd gave no answer for {seconds} s: {why}");
                let until = Instant::now() + self.patience.rest;
                *held(&self.rests) = Some((until, why.clone()));
                return Err(Unable::NoAnswer(why));
            }
            is_first = false;
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Begins to be told of changes, by one node. Nothing is tried again: whoever listens looks at the store itself
    /// too, by [`Self::call`], which finds the node that answers and gets a new token.
    pub async fn watch(&self, request: WatchRequest) -> Result<Streaming<WatchResponse>, Unable> {
        let begun = self.watch_as_user(request).await;
        if let Err(Unable::Refused(code, text)) = &begun
            && is_about_token(*code, text)
        {
            *held(&self.token) = None;
        }
        begun
    }

    async fn watch_as_user(
        &self,
        request: WatchRequest,
    ) -> Result<Streaming<WatchResponse>, Unable> {
        let token = self.token().await?;
        // The stream of requests stays open: its end would be that of the watch.
        let requests = stream::once(ready(request)).chain(stream::pending());
        let (mut grpc, request) = self.to_node(requests, token)?;
        let begun = async {
            let ready = grpc.ready().await;
            ready.map_err(|error| Status::from_error(error.into()))?;
            let path = PathAndQuery::from_static(WATCH.path);
            let codec = ProstCodec::<WatchRequest, WatchResponse>::default();
            grpc.streaming(request, path, codec).await
        };
        match tokio::time::timeout(self.patience.attempt, begun).await {
            Ok(Ok(answer)) => Ok(answer.into_inner()),
            Ok(Err(status)) => Err(Unable::from(&status)),
            Err(_) => Err(Unable::NoAnswer("it takes too long".into())),
        }
    }

    async fn attempt_as_user<Q, A>(&self, call: Call, request: &Q) -> Result<A, Unable>
    where
        Q: Message + Clone + 'static,
        A: Message + Default + 'static,
    {
        let token = self.token().await?;
        self.attempt(call, request, token).await
    }

    /// The token to show, if there is a user.
    async fn token(&self) -> Result<Option<MetadataValue<Ascii>>, Unable> {
        let Some(user) = &self.user else {
            return Ok(None);
        };
        if let Some(token) = held(&self.token).clone() {
            return Ok(Some(token));
        }
        let mut request = AuthenticateRequest {
            name: user.name.clone(),
            password: user.password.as_str().to_owned(),
        };
        let answer = self.attempt(AUTHENTICATE, &request, None).await;
        request.password.zeroize();
        let AuthenticateResponse { token } = match answer {
            // etcd without users takes whoever comes, as its own client does.
            Err(Unable::Refused(_, text)) if text.contains("authentication is not enabled") => {
                return Ok(None);
            }
            other => other?,
        };
        let token = MetadataValue::try_from(token);
        let mut token =
            token.map_err(|_| Unable::Refused(Code::Internal, "a token that is no text".into()))?;
        token.set_sensitive(true);
        *held(&self.token) = Some(token.clone());
        Ok(Some(token))
    }

    /// Makes a call once.
    async fn attempt<Q, A>(
        &self,
        call: Call,
        request: &Q,
        token: Option<MetadataValue<Ascii>>,
    ) -> Result<A, Unable>
    where
        Q: Message + Clone + 'static,
        A: Message + Default + 'static,
    {
        match self.watch.before(call.changes) {
            Fate::Goes => self.send(call, request, token).await,
            Fate::Refused(text) => Err(Unable::Refused(Code::FailedPrecondition, text)),
            Fate::Lost(text) => Err(Unable::NoAnswer(text)),
            Fate::AnswerLost(text) => {
                let _lost: Result<A, _> = self.send(call, request, token).await;
                Err(Unable::NoAnswer(text))
            }
        }
    }

    async fn send<Q, A>(
        &self,
        call: Call,
        request: &Q,
        token: Option<MetadataValue<Ascii>>,
    ) -> Result<A, Unable>
    where
        Q: Message + Clone + 'static,
        A: Message + Default + 'static,
    {
        let (mut grpc, request) = self.to_node(request.clone(), token)?;
        let answer = async {
            let ready = grpc.ready().await;
            ready.map_err(|error| Status::from_error(error.into()))?;
            let path = PathAndQuery::from_static(call.path);
            grpc.unary(request, path, ProstCodec::<Q, A>::default())
                .await
        };
        match tokio::time::timeout(self.patience.attempt, answer).await {
            Ok(Ok(answer)) => Ok(answer.into_inner()),
            Ok(Err(status)) => Err(Unable::from(&status)),
            Err(_) => Err(Unable::NoAnswer("it takes too long".into())),
        }
    }

    /// The node that is asked now, and what it is asked.
    fn to_node<T>(
        &self,
        message: T,
        token: Option<MetadataValue<Ascii>>,
    ) -> Result<(Grpc<Channel>, Request<T>), Unable> {
        let number = self.node.load(Ordering::Relaxed) % self.nodes.len().max(1);
        let Some(node) = self.nodes.get(number) else {
            return Err(Unable::NoAnswer("there is no node".into()));
        };
        let mut request = Request::new(message);
        // A node that is cut off says so, and does not wait until it is not.
        let has_leader = MetadataValue::from_static("true");
        request.metadata_mut().insert("hasleader", has_leader);
        if let Some(token) = token {
            request.metadata_mut().insert("token", token);
        }
        let grpc = Grpc::new(node.clone()).max_decoding_message_size(self.answer_bytes);
        Ok((grpc, request))
    }
}

impl From<&Status> for Unable {
    fn from(status: &Status) -> Self {
        if is_about_tls(status) {
            return Self::Tls(line(&deepest(status)));
        }
        let text = line(status.message());
        let is_refused = match status.code() {
            Code::ResourceExhausted => !text.contains("too many requests"),
            Code::InvalidArgument
            | Code::NotFound
            | Code::AlreadyExists
            | Code::PermissionDenied
            | Code::FailedPrecondition
            | Code::OutOfRange
            | Code::Unimplemented
            | Code::Unauthenticated => true,
            _ => false,
        };
        match is_refused {
            true => Self::Refused(status.code(), text),
            false => Self::NoAnswer(line(&deepest(status))),
        }
    }
}

/// Whether another token would do: its time is over, the node that gave it was started again, or
/// somebody has changed the users since.
fn is_about_token(code: Code, text: &str) -> bool {
    code == Code::Unauthenticated || text.contains("revision of auth store is old")
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Whoever panicked left no half-done change.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
