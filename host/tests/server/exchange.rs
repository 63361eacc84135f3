//! The plugin is exchanged while clients are at work: none of them notices.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use iamseal::contract::{Form, Policy, Verdict};
use iamseal::keys::{StaticKey, StaticKeyring};
use iamseal::storage::DirStore;
use iamseal::{AuditScope, Plugin};
use rustix::process::Signal;

use crate::client::{Answer, Client};
use crate::edition;
use crate::running::{KEY, Server, digest};

const CLIENTS: usize = 6;
/// What a client does at least, at most, in rounds of some six requests. Between the two it goes on until
/// the last exchange was made.
const ROUNDS: std::ops::Range<usize> = 100..5_000;
const EXCHANGES: u64 = 12;

/// Stands in every document, so that it would be seen in a file that is not sealed.
const MARK: &str = "this must not be seen";

#[test]
fn under_load_no_request_fails_while_the_plugin_is_exchanged() {
    let mut server = Server::start();
    let exchanged = AtomicBool::new(false);
    let rounds = AtomicUsize::new(0);
    let counted = thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|number| {
                let worker = Worker::new(number, server.client());
                let (exchanged, rounds) = (&exchanged, &rounds);
                scope.spawn(move || worker.work(exchanged, rounds))
            })
            .collect();
        // A panic here must not leave the clients at work.
        let stop = StopWith(&exchanged);
        exchange(&mut server, &rounds);
        drop(stop);
        let counts = clients.into_iter().map(|client| client.join().unwrap());
        counts.fold(BTreeMap::new(), |mut all, counts| {
            for (status, count) in counts {
                *all.entry(status).or_insert(0) += count;
            }
            all
        })
    });

    // It counted what the clients counted, and no call of the plugin failed.
    let metrics = server.client().metrics();
    for (status, count) in &counted {
        let label = format!("status=\"{status}\"");
        assert_eq!(
            metrics.sum("http_requests_total", &[&label]),
            *count,
            "{status}"
        );
    }
    let answered: u64 = counted.values().sum();
    assert_eq!(metrics.sum("http_requests_total", &[]), answered);
    assert!(answered > 3000, "{counted:?}");
    println!("{answered} requests during {EXCHANGES} exchanges: {counted:?}");
    let calls = |labels: &[&str]| metrics.sum("iamseal_calls_total", labels);
    // Half of the puts come after one that was refused before anything was sealed.
    assert_eq!(
        calls(&["call=\"seal\""]),
        counted[&204] - deletions(&counted)
    );
    assert_eq!(calls(&["call=\"unseal\""]), counted[&200]);
    assert_eq!(calls(&["outcome=\"ok\""]), calls(&[]));
    let durations = metrics.sum("iamseal_call_duration_seconds_count", &[]);
    assert_eq!(durations, calls(&[]));

    server.end();
    assert_eq!(sealed(&server.files.store()), CLIENTS + 1);
}

/// Each round that deletes ends with the only 404 of the round.
fn deletions(counted: &BTreeMap<u16, u64>) -> u64 {
    counted[&404]
}

struct StopWith<'a>(&'a AtomicBool);

impl Drop for StopWith<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Exchanges the plugin a dozen times, tries to with an unfit one, and takes the last one back.
fn exchange(server: &mut Server, rounds: &AtomicUsize) {
    let swaps = |server: &Server, outcome: &str| {
        let label = format!("outcome=\"{outcome}\"");
        server
            .client()
            .metrics()
            .sum("plugin_swaps_total", &[&label])
    };
    let busy = |server: &mut Server| {
        let before = rounds.load(Ordering::Relaxed);
        server.until("clients at work", |_| {
            rounds.load(Ordering::Relaxed) >= before + CLIENTS
        });
    };
    for count in 1..=EXCHANGES {
        server.files.put_plugin(&edition((count % 2) as u8));
        server.signal(Signal::HUP);
        server.until("exchange", |server| swaps(server, "swapped") == count);
        assert_eq!(serving(server), digest(&edition((count % 2) as u8)));
        busy(server);
    }
    let whole = edition(1);
    // The last does its work, and nobody has named it.
    let unfit = [
        whole[..whole.len() / 2].to_vec(),
        b"(component)".to_vec(),
        edition(2),
    ];
    for (count, unfit) in (1..).zip(unfit) {
        server.files.put_plugin(&unfit);
        server.signal(Signal::HUP);
        server.until("refusal", |server| swaps(server, "refused") == count);
        assert_eq!(serving(server), digest(&edition(0)));
        busy(server);
    }
    for says in ["cut short", "is not the component that was named"] {
        assert!(server.log().contains(says), "{}", server.log());
    }
    server.signal(Signal::USR1);
    server.until("roll-back", |server| swaps(server, "rolled-back") == 1);
    assert_eq!(serving(server), digest(&edition(1)));
    busy(server);
    assert_eq!(swaps(server, "swapped"), EXCHANGES);
}

/// The digest of the plugin that serves, which is one.
fn serving(server: &Server) -> String {
    let metrics = server.client().metrics();
    assert_eq!(metrics.sum("plugin_info", &[]), 1);
    let digests = [0, 1].map(|number| digest(&edition(number)));
    let serves = |digest: &String| metrics.sum("plugin_info", &[digest]) == 1;
    digests.into_iter().find(serves).unwrap()
}

/// One client, and what it was answered.
struct Worker {
    number: usize,
    client: Client,
    answers: BTreeMap<u16, u64>,
}

impl Worker {
    fn new(number: usize, client: Client) -> Self {
        let answers = BTreeMap::new();
        Self {
            number,
            client,
            answers,
        }
    }

    fn work(mut self, exchanged: &AtomicBool, rounds: &AtomicUsize) -> BTreeMap<u16, u64> {
        for round in 0..ROUNDS.end {
            if round >= ROUNDS.start && exchanged.load(Ordering::Relaxed) {
                break;
            }
            self.round(round);
            rounds.fetch_add(1, Ordering::Relaxed);
        }
        self.answers
    }

    /// Writes and reads a document of its own and one that all share.
    fn round(&mut self, round: usize) {
        let path = format!("config/iam/users/user-{}/identity.json", self.number);
        // From a few bytes up to more than one fragment of a sealed object.
        let size = [10, 500, 3000, 70_000][round % 4];
        let content = format!("{MARK} {} {round} {}", self.number, "x".repeat(size));

        let put = self.expect(204, |client| client.put(&path, content.as_bytes()));
        let got = self.expect(200, |client| client.get(&path));
        assert_eq!(got.text(), content);
        assert_eq!(got.tag, put.tag);

        let known = [("If-Match", put.tag())];
        let next = self.expect(204, |client| client.put_if(&path, MARK.as_bytes(), &known));
        assert_ne!(next.tag, put.tag);
        self.expect(412, |client| client.put_if(&path, b"stale", &known));
        let got = self.expect(200, |client| client.get(&path));
        assert_eq!((got.text().as_str(), &got.tag), (MARK, &next.tag));

        let shared = format!(
            "{MARK} {}",
            char::from(b'a' + self.number as u8)
                .to_string()
                .repeat(2000)
        );
        self.expect(204, |client| {
            client.put("config/config.json", shared.as_bytes())
        });
        let got = self.expect(200, |client| client.get("config/config.json"));
        let last = *got.content.last().unwrap();
        assert!(got.content.ends_with(&[last; 2000]), "it is torn");

        if round.is_multiple_of(10) {
            let gone = "config/iam/gone-".to_owned() + &self.number.to_string();
            self.expect(204, |client| client.put(&gone, MARK.as_bytes()));
            self.expect(204, |client| client.delete(&gone));
            self.expect(404, |client| client.get(&gone));
        }
    }

    #[track_caller]
    fn expect(&mut self, status: u16, request: impl FnOnce(&Client) -> Answer) -> Answer {
        *self.answers.entry(status).or_insert(0) += 1;
        request(&self.client).with(status)
    }
}

/// How many documents there are in a folder. All of them are sealed, and nothing else is there.
fn sealed(store: &Path) -> usize {
    let files = files(store);
    for file in &files {
        let bytes = fs::read(file).unwrap();
        let seen = bytes
            .windows(MARK.len())
            .any(|window| window == MARK.as_bytes());
        assert!(!seen, "{}", file.display());
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let opening = runtime.block_on(opening(store));
    assert_eq!(opening, files.len());
    opening
}

/// All files in a folder and below.
pub fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| match path.is_dir() {
            true => files(&path),
            false => vec![path],
        })
        .collect()
}

async fn opening(store: &Path) -> usize {
    let keyring = StaticKeyring::new().key(StaticKey::parse(KEY).unwrap());
    let auditor = Plugin::builder()
        .component(iamseal_component::PLUGIN)
        .keyring(Arc::new(keyring))
        .storage(Arc::new(DirStore::open(store).unwrap()))
        .load()
        .await
        .unwrap();
    let scope = AuditScope {
        policy: Policy::Sealed,
        ..AuditScope::default()
    };
    let mut audit = auditor.audit(&scope).await.unwrap();
    let findings = audit.next(256).await.unwrap();
    for finding in &findings {
        let opens = matches!(&finding.verdict, Verdict::Opens(found) if found.form == Form::Minio);
        assert!(opens, "{finding:?}");
    }
    findings.len()
}
