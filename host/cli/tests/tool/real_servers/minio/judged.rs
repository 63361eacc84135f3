//! What an audit says of objects that open, and what a server does with them (docs/formats/minio.md
//! section 14).

use std::path::Path;
use std::time::{Duration, Instant};

use iamseal::CompileCache;
use iamseal::storage::{Change, DriveStore, Replacement, Storage as _, StorageWriter as _};
use iamseal_servers::minio::Minio;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::deployment::{Deployment, key};
use crate::kit::audit::findings;
use crate::kit::{KEY, tool};

/// What a server says that loads no identity at all.
const NOTHING: &str = "Unable to initialize IAM sub-system";

const USER: &str = "config/iam/users/judged/identity.json";
const GROUP: &str = "config/iam/groups/judged/members.json";
const POLICY: &str = "config/iam/policies/judged/policy.json";
const MAPPING: &str = "config/iam/policydb/users/judged.json";

fn users(deployment: &Deployment) -> Vec<(String, String)> {
    let list = deployment.minio.admin(&["admin", "user", "list", "t"]);
    let lines = String::from_utf8(list.stdout).unwrap();
    let lines = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    let text = |line: &Value, field: &str| line[field].as_str().unwrap().to_owned();
    lines
        .map(|line: Value| (text(&line, "accessKey"), text(&line, "userStatus")))
        .collect()
}

#[test]
fn for_an_object_that_it_does_not_load_a_server_loads_nothing_until_it_is_set_aside() {
    let mut deployment = Deployment::start(&[]);
    let alice = json!({"version": 1, "credentials": {"accessKey": "alice", "secretKey": "password-of-alice",
        "status": "on"}});
    let good = "config/iam/users/alice/identity.json";
    deployment.put(good, alice.to_string().as_bytes());
    for (path, text) in [
        (USER, r#"{"version":1,"credentials":{"acce"#),
        (
            USER,
            r#"{"version":1,"credentials":{"secretKey":12345678}}"#,
        ),
        (
            USER,
            r#"{"version":1,"credentials":{"expiration":"yesterday"}}"#,
        ),
        (
            GROUP,
            r#"{"version":1,"status":"enabled","members":"alice"}"#,
        ),
        (POLICY, r#"{"Version":1,"Policy":{}}x"#),
        (MAPPING, r#"{"version":1,"policy":["readwrite"]}"#),
    ] {
        deployment.put(path, text.as_bytes());
        deployment.restart_in_vain(&[], NOTHING);
        let ended = deployment.tool("audit --json", &[]).run().exits(31);
        let (found, _) = findings(&ended);
        assert_eq!(
            found[path]["error"]["cause"], "not-loadable",
            "{path}: {text}"
        );
        assert_eq!(found[good]["verdict"], "opens", "{path}: {text}");

        // It goes into the journal, sealed.
        let aside = deployment.tool("set-aside --json --failing not-loadable", &key(KEY));
        aside.ok();
        deployment.restart(&[]);
        assert_eq!(
            users(&deployment),
            [("alice".into(), "enabled".into())],
            "{path}: {text}"
        );
    }
}

#[test]
fn what_an_audit_warns_of_is_loaded_and_nobody_logs_in() {
    let mut deployment = Deployment::start(&[]);
    let identities = [
        ("none", "{}"),
        (
            "short",
            r#"{"version":1,"credentials":{"secretKey":"short","status":"on"}}"#,
        ),
        (
            "ab",
            r#"{"version":1,"credentials":{"secretKey":"longenough","status":"on"}}"#,
        ),
    ];
    let good = [
        (
            "later",
            r#"{"version":2,"credentials":{"secretKey":"longenough","status":"on"}}"#,
        ),
        (
            "small",
            r#"{"version":1,"credentials":{"secretkey":"longenough","status":"on"}}"#,
        ),
        (
            "cased",
            r#"{"version":1,"credentials":{"SecretKey":"longenough","status":"on"}}"#,
        ),
    ];
    let path = |name: &str| format!("config/iam/users/{name}/identity.json");
    for (name, text) in identities.iter().chain(&good) {
        deployment.put(&path(name), text.as_bytes());
    }
    deployment.restart(&[]);
    let (found, _) = findings(&deployment.tool("audit --json", &[]).ok());
    let users = users(&deployment);
    for (name, _) in identities {
        let warnings = &found[&*path(name)]["warnings"];
        assert!(
            warnings[0]
                .as_str()
                .unwrap()
                .contains("nobody logs in with it"),
            "{name}"
        );
        assert!(
            users.contains(&(name.into(), "disabled".into())),
            "{name}: {users:?}"
        );
    }
    for (name, _) in good {
        assert!(found[&*path(name)]["warnings"].is_null(), "{name}");
        assert!(
            users.contains(&(name.into(), "enabled".into())),
            "{name}: {users:?}"
        );
    }
}

/// How long a server may take to write its configuration: a second or two, on a machine with nothing else to do.
const WRITTEN: Duration = Duration::from_secs(60);

/// Whoever lets a server start over it loses it.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_writes_its_defaults_over_a_configuration_that_it_cannot_read() {
    const CONFIG: &str = "config/config.json";
    let mut minio = Minio::start(&[]);
    let drive = minio.drive();
    for text in [&br#"{"region":{"_":[{"key""#[..], b"[]"] {
        minio.stop();
        write(&drive, CONFIG, text).await;
        let store = drive.to_str().unwrap();
        let ended = tool(["audit", "--json", store]).run().exits(31);
        let (found, _) = findings(&ended);
        assert_eq!(found[CONFIG]["error"]["cause"], "not-loadable");
        minio.restart(&[]);
        // It serves before it has written them.
        let begun = Instant::now();
        loop {
            let now = tool(["cat", store, CONFIG]).run();
            let now: Option<Value> = serde_json::from_slice(&now.stdout).ok();
            if now
                .as_ref()
                .is_some_and(|now| now["region"]["_"].is_array())
            {
                break;
            }
            assert!(begun.elapsed() < WRITTEN, "{now:?}");
            sleep(Duration::from_millis(200)).await;
        }
        minio.stop();
    }
}

/// Puts bytes in the place of an object of a drive, whatever they are.
async fn write(drive: &Path, path: &str, bytes: &[u8]) {
    let component = iamseal_component::DRIVE_STORE_WRITER;
    let drives = vec![drive.to_owned()];
    let opened = DriveStore::open_to_write(component, drives, CompileCache::Off).await;
    let store = opened.unwrap();
    let new = Replacement {
        path: path.into(),
        expected: store.read(path.as_bytes()).await.unwrap().version,
        bytes: bytes.to_vec(),
    };
    let draft = store
        .stage(vec![Change::Replace(new)])
        .await
        .remove(0)
        .unwrap();
    store.commit(vec![draft]).await.remove(0).unwrap();
}
