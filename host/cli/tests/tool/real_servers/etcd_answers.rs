//! Answers of etcd that are lost: what was done is learnt, never done twice and never denied.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use iamseal::contract::StorageError;
use iamseal::keys::Environment;
use iamseal::storage::etcd::Address;
use iamseal::storage::etcd::faults::{Fate, Faults};
use iamseal::storage::{
    EtcdStore, Replacement, Storage as _, StorageWriter as _, Store as _, Version,
};
use iamseal_servers::etcd::Etcd;
use tokio::runtime::Runtime;

use super::etcd_sample::{PREFIX, address, drafts, fill};

const PATH: &str = "config/iam/format.json";

/// Loses the answer to the first try of every call that changes something, and does something before
/// each second one.
struct Losing {
    etcd: Arc<Etcd>,
    tries: AtomicUsize,
    before_second: fn(&Etcd, usize),
}

impl Faults for Losing {
    fn before(&self, changes: bool) -> Fate {
        if !changes {
            return Fate::Goes;
        }
        let tried = self.tries.fetch_add(1, Ordering::SeqCst);
        if tried.is_multiple_of(2) {
            return Fate::AnswerLost("the answer is lost".into());
        }
        (self.before_second)(&self.etcd, tried / 2);
        Fate::Goes
    }
}

/// Replaces one object, and says what came of it and which version is there.
fn replace(
    etcd: &Arc<Etcd>,
    before_second: fn(&Etcd, usize),
) -> (Result<Option<Version>, StorageError>, Version) {
    let losing = Arc::new(Losing {
        etcd: Arc::clone(etcd),
        tries: AtomicUsize::new(0),
        before_second,
    });
    let environment = Environment::new(|_| None).unwrap();
    let address = Address::parse(&address(etcd), &environment).unwrap();
    Runtime::new().unwrap().block_on(async {
        let store = EtcdStore::open_with_faults(address, losing.clone())
            .await
            .unwrap();
        let expected = store.read(PATH.as_bytes()).await.unwrap().version;
        let replacement = Replacement {
            path: PATH.into(),
            expected,
            bytes: b"new".to_vec(),
        };
        let draft = store
            .stage(vec![replacement.into()])
            .await
            .remove(0)
            .unwrap();
        let committed = store.commit(vec![draft]).await.remove(0);
        // A lease, a draft, the commit, the lease's end: each was tried twice.
        assert_eq!(losing.tries.load(Ordering::SeqCst), 8);
        (
            committed,
            store.read(PATH.as_bytes()).await.unwrap().version,
        )
    })
}

fn value(etcd: &Etcd) -> Vec<u8> {
    let everything = etcd.everything(PREFIX);
    everything[format!("{PREFIX}{PATH}").as_bytes()]
        .value
        .clone()
}

#[test]
fn ones_own_write_is_no_conflict() {
    let etcd = Arc::new(Etcd::start());
    fill(&etcd);
    let (committed, there) = replace(&etcd, |_, _| {});
    assert_eq!(committed.unwrap(), Some(there));
    assert_eq!(value(&etcd), b"new");
    assert!(drafts(&etcd).is_empty());
}

#[test]
fn what_somebody_wrote_meanwhile_is_kept() {
    let etcd = Arc::new(Etcd::start());
    fill(&etcd);
    let (committed, _) = replace(&etcd, |etcd, call| {
        let is_commit = call == 2;
        if is_commit {
            etcd.put(&format!("{PREFIX}{PATH}"), b"theirs");
        }
    });
    assert_eq!(committed, Err(StorageError::Conflict));
    assert_eq!(value(&etcd), b"theirs");
    assert!(drafts(&etcd).is_empty());
}

/// Loses nothing.
struct Nobody;

impl Faults for Nobody {
    fn before(&self, _: bool) -> Fate {
        Fate::Goes
    }
}

#[test]
fn a_draft_that_could_not_be_removed_is_known_until_it_is() {
    let mut etcd = Etcd::start();
    fill(&etcd);
    let environment = Environment::new(|_| None).unwrap();
    let address = Address::parse(&address(&etcd), &environment).unwrap();
    Runtime::new().unwrap().block_on(async {
        // Nobody waits long in a store that is watched.
        let store = EtcdStore::open_with_faults(address, Arc::new(Nobody));
        let store = store.await.unwrap();
        let expected = store.read(PATH.as_bytes()).await.unwrap().version;
        let replacement = Replacement {
            path: PATH.into(),
            expected,
            bytes: b"new".to_vec(),
        };
        let draft = store
            .stage(vec![replacement.into()])
            .await
            .remove(0)
            .unwrap();
        let made = drafts(&etcd);
        etcd.kill(0);
        assert!(store.commit(vec![draft]).await.remove(0).is_err());
        let left = store.abandoned().await;
        assert_eq!(left.len(), 1);
        let left = [PREFIX.as_bytes(), &*left[0]].concat();
        etcd.restart(0);
        assert!(made.into_keys().eq([left]), "another draft is told of");
        assert_eq!(store.abandoned().await, [b""; 0]);
        assert!(drafts(&etcd).is_empty());
    });
}
