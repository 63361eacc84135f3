//! Shares, and being told to wait or to end.

use std::time::{Duration, Instant};

use iamseal::contract::Policy;
use iamseal::sealed_store::background::{Share, Stage};

use super::{Folder, content, ended, is_first, until};

#[tokio::test]
async fn it_takes_no_more_than_its_share() {
    let folder = Folder::new().await;
    folder.fill(60).await;
    let share = Share {
        objects: 60,
        ..Share::default()
    };
    let begun = Instant::now();
    let store = folder.serving();
    let plan = folder.plan().share(share);
    let migration = store.migrate_in_background(plan).await.unwrap();
    ended(&migration).await;
    assert!(
        begun.elapsed() >= Duration::from_millis(950),
        "{:?}",
        begun.elapsed()
    );
}

#[tokio::test]
async fn it_pauses_goes_on_and_stops() {
    let folder = Folder::new().await;
    let paths = folder.fill(90).await;
    let share = Share {
        objects: 100,
        in_flight: 5,
        ..Share::ALL
    };
    let store = folder.serving();
    let plan = folder.plan().share(share);
    let migration = store.migrate_in_background(plan.clone()).await.unwrap();
    until(|| migration.progress().done >= 10).await;
    migration.pause();
    until(|| migration.progress().stage == Stage::Paused).await;
    let paused = migration.progress().done;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(migration.progress().done, paused);
    assert!(migration.progress().to_string().starts_with("paused at "));
    migration.resume();
    until(|| migration.progress().done >= paused + 10).await;
    let stopped = migration.stop().await;
    assert_eq!(stopped.stage, Stage::Stopped);
    assert!(stopped.done < 90, "{stopped:?}");
    assert_eq!(store.present_policy(), Policy::Compatible);
    all_open(&folder, &paths).await;

    // Dropped at any time, it leaves whole objects and nothing else.
    for pause in [0, 1, 3, 10, 30, 100] {
        let migration = store.migrate_in_background(folder.plan().share(Share::ALL));
        let migration = migration.await.unwrap();
        tokio::time::sleep(Duration::from_millis(pause)).await;
        drop(migration);
        all_open(&folder, &paths).await;
        let taken = || store_is_free(&folder);
        until(taken).await;
        for path in paths.iter().step_by(7) {
            folder.put(path, &content(path));
        }
        if store.present_policy() == Policy::Current {
            return;
        }
    }
}

/// No draft is left in the folders.
fn store_is_free(folder: &Folder) -> bool {
    let files = |folder: &std::path::Path| -> Vec<_> {
        std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap())
            .collect()
    };
    let folders = files(&folder.file("config/documents"));
    let mut names = folders.iter().flat_map(|folder| files(&folder.path()));
    names.all(|file| !file.file_name().to_string_lossy().starts_with(".iamseal"))
}

async fn all_open(folder: &Folder, paths: &[String]) {
    for path in paths {
        let stored = folder.stored(path);
        let opened = folder
            .plugin
            .unseal(path.as_bytes(), &stored, Policy::Compatible);
        assert!(is_first(path, &opened.await.unwrap().plaintext), "{path}");
    }
}
