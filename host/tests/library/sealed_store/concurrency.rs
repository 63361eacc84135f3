//! Many at once.

use std::sync::Arc;

use iamseal::SealedStore;
use object_store::local::LocalFileSystem;
use object_store::{Error, ObjectStore, ObjectStoreExt as _, PutMode, PutOptions, UpdateVersion};
use tokio::task::JoinSet;

use super::{get, in_memory, slot, user};

const WRITERS: u8 = 8;
const ROUNDS: u64 = 25;

/// Adds one to a number, again and again until nobody was faster.
pub async fn count_up(store: &impl ObjectStore) {
    loop {
        let result = store.get(&user("counter")).await.unwrap();
        let version = UpdateVersion {
            e_tag: result.meta.e_tag.clone(),
            version: result.meta.version.clone(),
        };
        let text = result.bytes().await.unwrap();
        let number: u64 = std::str::from_utf8(&text).unwrap().parse().unwrap();
        let payload = (number + 1).to_string().into();
        let options = PutOptions::from(PutMode::Update(version));
        match store.put_opts(&user("counter"), payload, options).await {
            Ok(_) => return,
            Err(Error::Precondition { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_update_is_lost() {
    let store = Arc::new(in_memory().await);
    store.put(&user("counter"), "0".into()).await.unwrap();
    let mut writers = JoinSet::new();
    for _ in 0..WRITERS {
        let store = Arc::clone(&store);
        writers.spawn(async move {
            for _ in 0..ROUNDS {
                count_up(&store).await;
            }
        });
    }
    writers.join_all().await;
    let counted = get(&store, &user("counter")).await;
    let expected = (u64::from(WRITERS) * ROUNDS).to_string();
    assert_eq!(counted, expected.as_bytes());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_create_one_does_and_every_reader_sees_one_whole_object() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let files = LocalFileSystem::new_with_prefix(folder.path()).unwrap();
    let store = Arc::new(SealedStore::new(files, slot().await));
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let store = Arc::clone(&store);
        writers.spawn(async move {
            let whole = || vec![writer; 2000];
            let created = store
                .put_opts(&user("new"), whole().into(), PutMode::Create.into())
                .await;
            for _ in 0..ROUNDS {
                store.put(&user("shared"), whole().into()).await.unwrap();
                let read = get(&store, &user("shared")).await;
                assert_eq!(read, [read[0]; 2000]);
            }
            match created {
                Ok(_) => Some(writer),
                Err(Error::AlreadyExists { .. }) => None,
                Err(error) => panic!("{error}"),
            }
        });
    }
    let created: Vec<_> = writers.join_all().await.into_iter().flatten().collect();
    assert_eq!(created.len(), 1);
    assert_eq!(get(&store, &user("new")).await, [created[0]; 2000]);
}
