//! One request to KES: to one endpoint or, if that does not answer, to the next.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client as Http, Method};
use rustls::{ClientConfig, version};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use url::Url;
use zeroize::Zeroizing;

use super::answer::{Answer, MAX_ANSWER};
use super::balance::Balance;
use super::{Authorities, Endpoints, Identity, KesError};
use crate::awake::Stretch;
use crate::contract::KeyError;
use crate::network;

/// How long a call may take with all its retries; KES itself gives up after as long.
const DEADLINE: Duration = Duration::from_secs(15);
/// How long one of several endpoints may take, so that there is time left for another.
const TRY: Duration = Duration::from_secs(5);
/// How often an endpoint is asked again that does not answer, and how long it is given: 200 ms and up to
/// 800 ms more, so that many callers do not come back at once. As MinIO has it.
const RETRIES: u32 = 2;
const PAUSE: u64 = 200;
const FURTHER: u64 = 800;
/// How many calls are under way at once. A few workers need one each; Go's HTTP/2 server takes 250 on
/// a connection.
const AT_ONCE: usize = 64;
/// How many endpoints an error tells of.
const TOLD: usize = 3;

/// What is asked.
pub struct Request {
    pub method: Method,
    /// What follows the endpoint, one after the other. Whatever a path cannot hold is escaped.
    pub path: Vec<String>,
    /// JSON; nothing where there is no body. It is wiped when the last try has ended.
    pub body: Option<Bytes>,
}

/// A connection to each endpoint, used for all calls.
pub struct Client {
    http: Http,
    pub balance: Balance,
    at_once: Semaphore,
    /// Who asks.
    pub identity: String,
}

/// Why an endpoint gave no answer.
struct Silence {
    said: String,
    /// Whether it may be over in a moment.
    may_pass: bool,
}

impl Client {
    pub fn new(
        endpoints: &Endpoints,
        identity: Identity,
        authorities: &Authorities,
    ) -> Result<Self, KesError> {
        let name = identity.name().to_owned();
        let (chain, key) = identity.into_pair();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = authorities.verifier(provider.clone())?;
        let mut tls = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&version::TLS13, &version::TLS12])
            .map_err(|error| KesError::Start(error.to_string()))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_client_auth_cert(chain, key)
            .map_err(|error| KesError::Pair {
                cause: error.to_string(),
            })?;
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let http = network::client()
            .tls_backend_preconfigured(tls)
            .https_only(true)
            .connect_timeout(TRY)
            .build()
            .map_err(|error| KesError::Start(words(&error)))?;
        Ok(Self {
            http,
            balance: Balance::new(endpoints),
            at_once: Semaphore::new(AT_ONCE),
            identity: name,
        })
    }

    /// Each endpoint, and a client that asks it alone over the same connection.
    pub fn each(&self) -> Vec<(Url, Self)> {
        let endpoints = self.balance.alone().into_iter();
        endpoints
            .map(|(url, balance)| {
                let alone = Self {
                    http: self.http.clone(),
                    balance,
                    at_once: Semaphore::new(AT_ONCE),
                    identity: self.identity.clone(),
                };
                (url, alone)
            })
            .collect()
    }

    /// The answer of the first endpoint that gives one, whatever it says.
    ///
    /// # Errors
    /// [`KeyError::Unavailable`].
    pub async fn ask(&self, request: &Request) -> Result<Answer, KeyError> {
        // Nobody closes the semaphore. To wait in its queue says nothing of KES.
        let _permit = self.at_once.acquire().await;
        if let Some(said) = self.balance.resting() {
            return Err(KeyError::Unavailable(said));
        }
        let mut stretch = Stretch::begin();
        let said = loop {
            match self.ask_in_time(request).await {
                Ok(answer) if answer.status != 503 => {
                    self.balance.wake();
                    return Ok(answer);
                }
                Ok(answer) => {
                    self.balance.rest(&answer.said());
                    return Ok(answer);
                }
                // The time went by while this process was stopped, and KES may have hung up meanwhile.
                Err(_) if stretch.had_stop().await => stretch = Stretch::begin(),
                Err(said) => break said,
            }
        };
        self.balance.rest(&said);
        Err(KeyError::Unavailable(said))
    }

    async fn ask_in_time(&self, request: &Request) -> Result<Answer, String> {
        match timeout(DEADLINE, self.ask_round(request)).await {
            Ok(asked) => asked,
            Err(_elapsed) => Err(format!("no answer within {} s", DEADLINE.as_secs())),
        }
    }

    async fn ask_round(&self, request: &Request) -> Result<Answer, String> {
        let round = self.balance.round();
        let time = if round.len() > 1 { TRY } else { DEADLINE };
        let mut failed = None;
        let mut silences = Vec::new();
        for endpoint in round {
            match self.ask_one(endpoint.url(), request, time).await {
                Ok(answer) if !answer.is_of_a_failing_server() => {
                    endpoint.unpark();
                    return Ok(answer);
                }
                Ok(answer) => failed = Some(answer),
                Err(silence) => {
                    let said = format!("{}: {}", shown(endpoint.url()), silence.said);
                    silences.push(said);
                }
            }
            endpoint.park();
        }
        silences.truncate(TOLD);
        failed.ok_or_else(|| silences.join("; "))
    }

    async fn ask_one(
        &self,
        endpoint: &Url,
        request: &Request,
        time: Duration,
    ) -> Result<Answer, Silence> {
        let mut retries = 0;
        loop {
            let answer = self.send(endpoint, request, time).await;
            let may_pass = match &answer {
                Ok(answer) => answer.status == 503,
                Err(silence) => silence.may_pass,
            };
            if retries == RETRIES || !may_pass {
                return answer;
            }
            retries += 1;
            let further = u64::from(getrandom::u32().unwrap_or(0)) % FURTHER;
            sleep(Duration::from_millis(PAUSE + further)).await;
        }
    }

    async fn send(
        &self,
        endpoint: &Url,
        request: &Request,
        time: Duration,
    ) -> Result<Answer, Silence> {
        let mut url = endpoint.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(&request.path);
        }
        let mut sending = self.http.request(request.method.clone(), url).timeout(time);
        if let Some(body) = &request.body {
            sending = sending
                .header(CONTENT_TYPE, "application/json")
                .body(body.clone());
        }
        let mut response = sending.send().await?;
        let status = response.status().as_u16();
        // A buffer that grew would leave copies of a data key behind. Answers with one are shorter.
        let mut body = Zeroizing::new(Vec::with_capacity(4096));
        let mut is_whole = true;
        while let Some(part) = response.chunk().await? {
            if body.len() + part.len() > MAX_ANSWER {
                is_whole = false;
                break;
            }
            body.extend_from_slice(&part);
        }
        Ok(Answer {
            status,
            body,
            is_whole,
        })
    }
}

impl From<reqwest::Error> for Silence {
    fn from(error: reqwest::Error) -> Self {
        let is_of_tls = causes(&error).any(|cause| cause.is::<rustls::Error>());
        Self {
            said: match error.is_timeout() {
                true => "no answer in time".to_owned(),
                false => words(&error),
            },
            // Neither a certificate nor an endpoint that takes seconds to answer gets better at once.
            may_pass: !is_of_tls && !error.is_timeout(),
        }
    }
}

/// An endpoint for people.
pub fn shown(endpoint: &Url) -> &str {
    endpoint.as_str().trim_end_matches('/')
}

/// What went wrong, without the address, which is told apart. The innermost causes say most.
fn words(error: &reqwest::Error) -> String {
    let mut words: Vec<String> = Vec::new();
    for cause in causes(error).skip(1) {
        let said = cause.to_string();
        // Some errors repeat what is within them.
        words.retain(|before| !said.contains(before.as_str()) && !before.contains(&said));
        words.push(said);
    }
    match words.is_empty() {
        true => error.to_string(),
        false => words.join(": "),
    }
}

fn causes<'a>(
    error: &'a reqwest::Error,
) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    let mut next = Some(error as &(dyn std::error::Error + 'static));
    std::iter::from_fn(move || {
        let cause = next?;
        next = match cause.downcast_ref::<std::io::Error>() {
            // What is in an I/O error is not its source.
            Some(error) => error
                .get_ref()
                .map(|inner| inner as &(dyn std::error::Error + 'static)),
            None => cause.source(),
        };
        Some(cause)
    })
}
