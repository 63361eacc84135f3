//! Which endpoint is asked next, and when none is.
//!
//! The rules are those of MinIO's client: an endpoint on loopback comes first, else the round begins
//! anywhere; one that gives no answer is left aside for a while and then tried once; if all are left
//! aside, all are tried. One more is ours: when all of them gave no answer, nobody is asked for a moment,
//! since a store of thousands of objects would otherwise wait for each of them.

use std::slice;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use url::{Host, Url};

use super::endpoints::Endpoints;

/// How long an endpoint is left aside; as MinIO has it.
const PARKED: Duration = Duration::from_secs(30);
/// How long nobody is asked after none answered. A call through all its retries takes some seconds, so
/// a run over a store spends about as long waiting as not; and a KES that is back is soon found.
const RESTS: Duration = Duration::from_secs(3);

/// The endpoints of one KES and what is known of them.
pub struct Balance {
    endpoints: Vec<Endpoint>,
    /// Since nobody answered: until when nobody is asked, and what was said.
    resting: Mutex<Option<(Instant, String)>>,
}

/// One endpoint.
pub struct Endpoint {
    url: Url,
    parked: Mutex<Option<Instant>>,
}

impl Balance {
    pub fn new(endpoints: &Endpoints) -> Self {
        Self::of(endpoints.urls())
    }

    /// Each endpoint, and a balance of it alone.
    pub fn alone(&self) -> Vec<(Url, Self)> {
        let urls = self.endpoints.iter().map(|endpoint| &endpoint.url);
        urls.map(|url| (url.clone(), Self::of(slice::from_ref(url))))
            .collect()
    }

    fn of(urls: &[Url]) -> Self {
        let endpoints = urls.iter().map(|url| Endpoint {
            url: url.clone(),
            parked: Mutex::default(),
        });
        Self {
            endpoints: endpoints.collect(),
            resting: Mutex::default(),
        }
    }

    /// The endpoints to ask, one after the other.
    pub fn round(&self) -> Vec<&Endpoint> {
        let on_loopback = self.endpoints.iter().position(Endpoint::is_on_loopback);
        // Where there is no randomness all begin at the first, which serves as well.
        let anywhere = || getrandom::u32().unwrap_or(0) as usize % self.endpoints.len().max(1);
        let (before, from) = self
            .endpoints
            .split_at_checked(on_loopback.unwrap_or_else(anywhere))
            .unwrap_or_default();
        let all = || from.iter().chain(before);
        let now = Instant::now();
        let awake: Vec<_> = all().filter(|endpoint| endpoint.is_due(now)).collect();
        match awake.is_empty() {
            true => all().collect(),
            false => awake,
        }
    }

    /// What was said when nobody answered a moment ago; none if there is somebody to ask.
    pub fn resting(&self) -> Option<String> {
        let mut resting = locked(&self.resting);
        let (until, _) = resting.as_ref()?;
        if *until <= Instant::now() {
            // The others go on resting while one looks.
            let said = resting.take();
            *resting = said.map(|(_, said)| (Instant::now() + RESTS, said));
            return None;
        }
        resting.as_ref().map(|(_, said)| said.clone())
    }

    /// Somebody answered.
    pub fn wake(&self) {
        *locked(&self.resting) = None;
    }

    /// Nobody answered, and this was said.
    pub fn rest(&self, said: &str) {
        *locked(&self.resting) = Some((Instant::now() + RESTS, said.to_owned()));
    }
}

impl Endpoint {
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// It gave no answer.
    pub fn park(&self) {
        *locked(&self.parked) = Some(Instant::now() + PARKED);
    }

    /// It answered.
    pub fn unpark(&self) {
        *locked(&self.parked) = None;
    }

    fn is_due(&self, now: Instant) -> bool {
        let mut parked = locked(&self.parked);
        match *parked {
            None => true,
            Some(until) if until > now => false,
            Some(_) => {
                // One call tries it; the others go on without.
                *parked = Some(now + PARKED);
                true
            }
        }
    }

    fn is_on_loopback(&self) -> bool {
        match self.url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while a lock is held, and what it holds is never half changed.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn balance(endpoints: &str) -> Balance {
        Balance::new(&Endpoints::parse(endpoints).ok().unwrap())
    }

    fn hosts(round: &[&Endpoint]) -> String {
        let hosts = round
            .iter()
            .map(|endpoint| endpoint.url.host_str().unwrap());
        hosts.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn loopback_comes_first_and_the_others_go_round() {
        for (loopback, shown) in [
            ("localhost", "localhost"),
            ("127.0.0.9", "127.0.0.9"),
            ("[::1]", "[::1]"),
        ] {
            let balance = balance(&format!("https://a,https://b,https://{loopback},https://c"));
            assert_eq!(hosts(&balance.round()), format!("{shown} c a b"));
        }
    }

    #[test]
    fn without_loopback_the_round_begins_anywhere() {
        let balance = balance("https://a,https://b,https://c");
        let rounds = ["a b c", "b c a", "c a b"];
        let mut seen = std::collections::BTreeSet::new();
        // Each fails to come once in 200 rounds with a probability of (2/3)^200.
        for _ in 0..200 {
            seen.insert(hosts(&balance.round()));
        }
        assert_eq!(seen.iter().map(String::as_str).collect::<Vec<_>>(), rounds);
    }

    #[test]
    fn a_parked_endpoint_is_left_aside_and_tried_once_after_a_while() {
        let balance = balance("https://localhost,https://a");
        let first = balance.endpoints.first().unwrap();
        first.park();
        assert_eq!(hosts(&balance.round()), "a");
        *locked(&first.parked) = Some(Instant::now());
        assert_eq!(hosts(&balance.round()), "localhost a");
        assert_eq!(hosts(&balance.round()), "a", "only one call tries it");
        first.unpark();
        assert_eq!(hosts(&balance.round()), "localhost a");
    }

    #[test]
    fn if_all_are_parked_all_are_tried() {
        let balance = balance("https://localhost,https://a");
        balance.endpoints.iter().for_each(Endpoint::park);
        assert_eq!(hosts(&balance.round()), "localhost a");
    }

    #[test]
    fn nobody_is_asked_for_a_moment_after_none_answered() {
        let balance = balance("https://a");
        assert_eq!(balance.resting(), None);
        balance.rest("refused");
        assert_eq!(balance.resting().as_deref(), Some("refused"));
        *locked(&balance.resting) = Some((Instant::now(), "refused".into()));
        assert_eq!(balance.resting(), None, "one looks");
        assert_eq!(
            balance.resting().as_deref(),
            Some("refused"),
            "the others rest"
        );
        balance.wake();
        assert_eq!(balance.resting(), None);
    }
}
