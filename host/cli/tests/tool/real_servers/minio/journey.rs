//! From one key to the next, with MinIO started again after each step.

use iamseal_servers::kes::Kes;

use super::deployment::{Deployment, key};
use crate::kit::{KEY, KEY_NAME, OTHER_KEY, tool};

#[test]
fn from_plaintext_through_keys_and_kes_back_to_plaintext() {
    let mut deployment = Deployment::start(&[]);
    deployment.fill();
    deployment.check();
    let all = deployment.objects().len() as u64;
    deployment.minio.stop();
    assert_eq!(
        deployment.forms(&[]),
        [("plaintext".to_owned(), all)].into()
    );
    let sealed = [("minio".to_owned(), all)].into();

    // To a static key.
    deployment.migrate("--to kms", None, &key(OTHER_KEY));
    assert_eq!(deployment.forms(&key(OTHER_KEY)), sealed);
    deployment.restart(&key(OTHER_KEY));
    deployment.check();
    deployment.minio.stop();

    // To another, and with another root credential from then on.
    deployment.migrate("--to kms", Some(OTHER_KEY), &key(KEY));
    assert_eq!(deployment.forms(&key(KEY)), sealed);
    deployment
        .minio
        .set_root("other-root", "password-of-other-root");
    deployment.restart(&key(KEY));
    deployment.begin_session();
    deployment.check();
    let all = deployment.objects().len() as u64;
    let sealed = [("minio".to_owned(), all)].into();

    // The same key in KES: nothing has to be migrated.
    let kes = Kes::start();
    let imported = kes.variables(KEY_NAME);
    tool(["kes", "import", KEY_NAME])
        .env(imported.clone())
        .key(KEY)
        .ok();
    deployment.restart(&imported);
    deployment.check();
    deployment.minio.stop();
    assert_eq!(deployment.forms(&imported), sealed);

    // To a key that KES made itself.
    kes.create_key("kes-key");
    let made = kes.variables("kes-key");
    deployment.migrate("--to kms", Some(KEY), &made);
    assert_eq!(deployment.forms(&made), sealed);
    deployment.restart(&made);
    deployment.check();
    deployment.minio.stop();

    // And out of KES.
    deployment.migrate("--to plaintext", None, &made);
    let plain = [("plaintext".to_owned(), all)].into();
    assert_eq!(deployment.forms(&[]), plain);
    deployment.restart(&[]);
    deployment.check();
}
