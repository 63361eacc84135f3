//! The store in etcd: every call to it can be lost, refused or done without an answer.
//!
//! All worlds are in one etcd whose files are in memory, each below a prefix of its own.

use std::env;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use iamseal::journal::Journals;
use iamseal::keys::Environment;
use iamseal::storage::EtcdStore;
use iamseal::storage::etcd::Address;
use iamseal::storage::etcd::faults::{Fate as CallsFate, Faults};
use iamseal_servers::etcd::{Etcd as Server, Seen};
use iamseal_tests::runtime::wait;
use serde_json::json;
use tempfile::TempDir;

use crate::calls::modes;
use crate::dir::{folder_in_memory, put};
use crate::mode::{Fate, Mode, Point, dead};
use crate::shadow::{Content, Tree};
use crate::world::{Opened, World};

/// Where drafts are, below the prefix.
const DRAFTS: &[u8] = b"iamseal-draft/";

static SERVER: Mutex<Option<Arc<Server>>> = Mutex::new(None);
static WORLDS: AtomicUsize = AtomicUsize::new(0);

/// What is below a prefix, and what it was in the beginning. Its journals are files of a disk that
/// nothing happens to.
pub struct Etcd {
    server: Arc<Server>,
    prefix: String,
    before: Tree,
    journals: TempDir,
}

/// Ends the server, if a world needed it.
pub fn stop() {
    *SERVER.lock().unwrap_or_else(PoisonError::into_inner) = None;
}

fn server() -> Arc<Server> {
    let mut server = SERVER.lock().unwrap();
    let memory = Path::new("/dev/shm");
    let start = || match memory.is_dir() {
        true => Server::start_in(memory),
        false => Server::start_in(&env::temp_dir()),
    };
    Arc::clone(server.get_or_insert_with(|| Arc::new(start())))
}

impl Etcd {
    fn seen(&self) -> impl Iterator<Item = (Vec<u8>, Seen)> {
        let all = self.server.everything(&self.prefix).into_iter();
        all.map(|(key, seen)| (key[self.prefix.len()..].to_vec(), seen))
    }
}

impl World for Etcd {
    const NAME: &'static str = "real_servers::etcd";

    fn modes() -> Vec<Mode> {
        modes()
    }

    fn of(objects: &Tree, journals: &Tree) -> Self {
        let server = server();
        let prefix = format!("{:08}/", WORLDS.fetch_add(1, Ordering::Relaxed));
        let key = |path: &[u8]| [prefix.as_bytes(), path].concat();
        server.put_all(objects.iter().map(|(path, is)| (key(path), &is.bytes)));
        let folder = folder_in_memory();
        put(folder.path(), journals);
        Self {
            server,
            prefix,
            before: objects.clone(),
            journals: folder,
        }
    }

    fn open(&self, point: &Arc<Point>) -> Result<Opened, String> {
        let node = self.server.addresses().remove(0);
        let environment = Environment::new(|_| None).unwrap();
        let address = format!("etcd://{node}/{}", self.prefix);
        let address = Address::parse(&address, &environment).unwrap();
        let watcher = Arc::new(Watcher(Arc::clone(point)));
        let opened = wait(EtcdStore::open_with_faults(address, watcher));
        let store = opened.map_err(|error| error.to_string())?;
        let journals = self.journals.path().to_owned();
        Ok(Opened::new(
            store,
            Arc::new(move || Journals::open(&journals)),
        ))
    }

    fn after(self, _: Mode) -> Vec<Self> {
        vec![self]
    }

    /// Lets the time of the drafts' leases run out. A draft without one would stay for ever.
    fn sweep(&self) {
        let drafts = self.seen().filter(|(path, _)| path.starts_with(DRAFTS));
        let mut leases: Vec<_> = drafts.map(|(_, seen)| seen.lease).collect();
        leases.sort();
        leases.dedup();
        for lease in leases {
            assert!(!lease.is_empty(), "a draft has no lease");
            self.server.ask("lease/revoke", &json!({"ID": lease}));
        }
    }

    fn everything(&self) -> Tree {
        // It has no modes and owners that could change.
        let content = |(path, Seen { value: bytes, .. })| {
            let new = Content {
                bytes: Vec::new(),
                mode: 0,
                owner: 0,
            };
            let before = self.before.get(&path).cloned().unwrap_or(new);
            (path, Content { bytes, ..before })
        };
        self.seen().map(content).collect()
    }
}

impl Drop for Etcd {
    fn drop(&mut self) {
        self.server.delete_all(&self.prefix);
    }
}

struct Watcher(Arc<Point>);

impl Faults for Watcher {
    fn before(&self, changes: bool) -> CallsFate {
        let mode = self.0.mode;
        match self.0.meet(changes || matches!(mode, Mode::Fails(_))) {
            Fate::Goes => return CallsFate::Goes,
            Fate::Dead => return CallsFate::Refused(dead().to_string()),
            Fate::Struck => {}
        }
        let text = mode.reports().map_or_else(dead, |cause| cause.error());
        let text = text.to_string();
        match mode {
            Mode::DoneButFails => CallsFate::AnswerLost(text),
            Mode::FailsFromThere(_) => CallsFate::Lost(text),
            _ => CallsFate::Refused(text),
        }
    }
}
