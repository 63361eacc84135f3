//! MinIO at work while iamseal migrates its store.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use serde_json::Value;

use super::deployment::{Deployment, key};
use crate::kit::{KEY, tool, with};

/// Users that are changed all the time.
const USERS: usize = 12;
/// How often each is changed.
const ROUNDS: usize = 6;

#[test]
fn the_last_change_of_each_user_is_what_is_stored() {
    let deployment = Deployment::start(&key(KEY));
    let is_over = AtomicBool::new(false);
    let mut runs = 0;
    thread::scope(|scope| {
        let changing = scope.spawn(|| {
            for round in 0..ROUNDS {
                for user in 0..USERS {
                    let (user, password) = (name(user), password(user, round));
                    let add = ["admin", "user", "add", "t", &user, &password];
                    deployment.minio.admin(&add);
                }
            }
            is_over.store(true, Ordering::Relaxed);
        });
        // Each asks for another cipher than the one before, so that each has everything to write.
        let ciphers = ["aes-256-gcm", "chacha20-poly1305"].into_iter().cycle();
        for cipher in ciphers {
            let line = format!("migrate --json --to kms --cipher {cipher}");
            // An object may be somebody else's three times in a row: that is a conflict, and said.
            let ended = deployment.tool(&line, &key(KEY)).run();
            assert!([Some(0), Some(14)].contains(&ended.code), "{ended}");
            runs += 1;
            if is_over.load(Ordering::Relaxed) || changing.is_finished() {
                break;
            }
        }
        changing.join().unwrap();
    });
    assert!(runs > 2, "{runs} runs are too few to meet any change");

    let objects = deployment.objects();
    for user in 0..USERS {
        let path = format!("config/iam/users/{}/identity.json", name(user));
        let opened = tool(with("unseal --path", &path))
            .env(key(KEY))
            .input(objects[&path].clone())
            .ok();
        let opened: Value = serde_json::from_slice(&opened.stdout).unwrap();
        let last = password(user, ROUNDS - 1);
        assert_eq!(opened["credentials"]["secretKey"], last, "{path}");
    }
}

fn name(user: usize) -> String {
    format!("user-{user}")
}

fn password(user: usize, round: usize) -> String {
    format!("password-{round}-of-user-{user}")
}
