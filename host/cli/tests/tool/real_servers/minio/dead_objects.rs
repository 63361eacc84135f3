//! A server that does not load its users because of one object that nobody can open, until that is set aside.

use super::deployment::{Deployment, key};
use crate::kit::{KEY, OTHER_KEY, tool};

const DEAD: &str = "config/iam/users/mallory/identity.json";
/// What MinIO says whose users cannot all be loaded.
const WAITS: &str = "Unable to initialize IAM sub-system";

#[test]
fn a_server_starts_once_what_it_cannot_open_is_set_aside() {
    let mut deployment = Deployment::start(&key(KEY));
    deployment.fill();
    deployment.minio.stop();
    let lost = tool(["seal", "--path", DEAD]).key(OTHER_KEY);
    let lost = lost.input("{\"version\":1}").ok().stdout;
    deployment.put(DEAD, &lost);
    deployment.restart_in_vain(&key(KEY), WAITS);
    deployment.minio.stop();

    let line = "set-aside --json --failing key-not-found";
    let ended = deployment.tool(line, &key(KEY)).ok();
    let lines = ended.json();
    let plan = &lines[0]["plan"];
    assert_eq!(plan["path"], DEAD);
    assert_eq!(
        plan["loss"],
        "the user mallory and the secret key; what is mallory\'s stays: service accounts, and policies, which the next user of that name gets"
    );
    assert!(!deployment.objects().contains_key(DEAD));
    deployment.restart(&key(KEY));
    deployment.check();
    deployment.minio.stop();

    // And back, byte for byte.
    let run = lines.last().unwrap()["summary"]["run"]["name"].clone();
    let undo = deployment
        .tool("undo", &key(KEY))
        .args([run.as_str().unwrap()]);
    undo.ok();
    assert_eq!(deployment.objects()[DEAD], lost);
}
