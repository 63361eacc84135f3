//! What is logged: each matter once, not each time that it is met.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use iamseal::contract::SealedForm;
use iamseal::sealed_store::background::{LEASE, MARKER, Stage};
use iamseal_tests::samples::damaged;
use object_store::ObjectStoreExt as _;
use tracing::subscriber::DefaultGuard;

use super::{Folder, at, ended, keyring, until};

/// What this thread logs, and with it a runtime of one thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn begin() -> (Self, DefaultGuard) {
        let log = Self::default();
        let written = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_writer(move || written.clone())
            .finish();
        (log, tracing::subscriber::set_default(subscriber))
    }

    /// How many lines say this.
    fn count(&self, says: &str) -> usize {
        let log = self.0.lock().unwrap();
        let text = String::from_utf8_lossy(&log);
        text.lines().filter(|line| line.contains(says)).count()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What no server loads is tried again, whether it has a name or not: the store is gone through each time.
#[tokio::test]
async fn what_is_tried_again_and_again_is_warned_of_once_until_the_keys_change() {
    const GROUPS: [&str; 3] = ["0", "1", "2"];
    let (log, _guard) = Log::begin();
    let folder = Folder::new().await;
    let group = |name: &str| format!("config/iam/groups/{name}/members.json");
    for name in GROUPS {
        folder.put(&group(name), b"{\"version\":");
    }
    let store = folder.serving();
    let plan = folder.plan().named_failures(2);
    let migration = store.migrate_in_background(plan).await.unwrap();
    let is_told = |times: usize| {
        assert_eq!(log.count("more objects fail than are named"), times);
        for (name, times) in [("0", times), ("1", times), ("2", 0)] {
            let says = format!("not migrated path=\"{}\"", group(name));
            assert_eq!(log.count(&says), times, "{name}");
        }
    };
    let gone_through_again = async || {
        let before = folder.store.reads();
        // Those with a name are read twice in each turn.
        until(|| folder.store.reads() >= before + 4 * 5).await;
    };
    gone_through_again().await;
    is_told(1);
    migration.change_keys(|| folder.keyring.replace(Arc::new(keyring("later"))));
    gone_through_again().await;
    is_told(2);
    for name in GROUPS {
        let new = "{\"version\":1}".into();
        store.put(&at(&group(name)), new).await.unwrap();
    }
    assert_eq!(ended(&migration).await.left, 0);
    is_told(2);
}

#[tokio::test]
async fn whoever_waits_says_once_that_the_marker_does_not_open() {
    let (log, _guard) = Log::begin();
    let folder = Folder::new().await;
    folder.fill(6).await;
    let path = MARKER;
    let marker = folder
        .sealed(path, "my-minio-key", SealedForm::default())
        .await;
    folder.put(path, &damaged(marker));
    // Of a server that does not renew it: it is looked at until its time is up.
    folder.put(LEASE, b"somebody");
    let store = folder.serving();
    let plan = folder.plan().lease("one", Duration::from_millis(800));
    let migration = store.migrate_in_background(plan).await.unwrap();
    until(|| migration.progress().stage == Stage::Waiting).await;
    let reads = folder.store.reads();
    until(|| folder.store.reads() >= reads + 4).await;
    ended(&migration).await;
    assert_eq!(log.count("the marker does not open"), 1);
}
