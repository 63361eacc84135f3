//! Four drives that iamseal prepares while their server runs, and finishes right at its end.

use std::collections::BTreeSet;

use super::deployment::{key, puts_and_gets};
use super::drives::Server;
use crate::kit::{KEY, OTHER_KEY, run_name};

/// Who comes while it is prepared, and gets another password.
const EVE: (&str, &str) = ("eve", "password-of-eve");
const ALICE: (&str, &str) = ("alice", "another-of-alice");

/// Prepares while it runs and somebody changes users, stops it, and starts it under the new key.
fn at_its_end(old: Option<&'static str>, new: &'static str) {
    let mut server = Server::start(4);
    if let Some(old) = old {
        server.minio.stop();
        server.migrate("kms", &key(old));
        server.minio.restart(&key(old));
    }
    let to = ["--to", "kms", "--json"];
    let prepare = [&to[..], &["--prepare"]].concat();
    let preparing = server.tool("migrate", &prepare, &key(new)).spawn();
    let add = |(user, password): (&str, &str)| {
        server
            .minio
            .admin(&["admin", "user", "add", "t", user, password]);
        let attach = [
            "admin",
            "policy",
            "attach",
            "t",
            "readwrite",
            "--user",
            user,
        ];
        server.minio.mc(
            iamseal_servers::minio::ROOT.0,
            iamseal_servers::minio::ROOT.1,
            &attach,
        );
    };
    add(EVE);
    let run = run_name(&preparing.wait().exits(0));
    add(ALICE);
    server
        .minio
        .admin(&["admin", "user", "rm", "t", "<bob>&co"]);
    // It has seen nothing of it, and works as before.
    server.nothing_to_heal();
    let users = server.users();
    puts_and_gets(&server.minio, EVE);

    let pid = server.minio.id().to_string();
    let finish = [&to[..], &["--finish", &run, "--after-pid", &pid]].concat();
    let mut finishing = server.tool("migrate", &finish, &key(new)).spawn();
    finishing.until_said("waiting for the end");
    server.minio.stop();
    let finished = finishing.wait().exits(0);
    let finished = finished
        .says("changed since, or not prepared at all")
        .says("a server may be started");
    let lines = finished.json_of_objects();
    assert!(
        lines.iter().all(|line| line["outcome"] != "failed"),
        "{finished}"
    );

    server.minio.restart(&key(new));
    assert_eq!(server.users(), users);
    let wanted: BTreeSet<String> = ["alice", "dev/carol", "eve", "zoë 日本"]
        .map(str::to_owned)
        .into();
    assert_eq!(users, wanted);
    for user in [EVE, ALICE, ("zoë 日本", "password-of-zoë")] {
        puts_and_gets(&server.minio, user);
    }
    server.nothing_to_heal();
}

#[test]
fn everybody_logs_in_under_the_new_key_who_was_changed_while_it_was_prepared() {
    at_its_end(Some(KEY), OTHER_KEY);
}

#[test]
fn plaintext_is_sealed_at_the_end_of_its_server() {
    at_its_end(None, KEY);
}
