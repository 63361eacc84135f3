//! What MinIO itself writes.

use iamseal_servers::kes::Kes;
use serde_json::Value;

use super::deployment::{Deployment, key};
use crate::kit::{KEY, KEY_NAME, tool, with};

#[test]
fn everything_that_minio_writes_under_a_static_key_opens() {
    everything_opens(&key(KEY), KEY_NAME);
}

#[test]
fn everything_that_minio_writes_under_kes_opens() {
    let kes = Kes::start();
    everything_opens(&kes.variables("kes-key"), "kes-key");
}

/// MinIO fills its store under this KMS; each object is known, opens, and holds what is text.
fn everything_opens(kms: &[(&'static str, String)], name: &str) {
    let mut deployment = Deployment::start(kms);
    deployment.fill();
    deployment.check();
    let objects = deployment.objects();
    let forms = deployment.forms(kms);
    assert_eq!(forms, [("minio".to_owned(), objects.len() as u64)].into());
    for (path, stored) in objects {
        let opened = tool(with("unseal --require current --path", &path))
            .env(kms.to_vec())
            .input(stored.clone())
            .ok();
        let opened: Value = serde_json::from_slice(&opened.stdout).unwrap();
        assert!(opened.is_object(), "{path}: {opened}");
        let described = tool(["inspect", "--json"]).input(stored).ok().json();
        assert_eq!(described[0]["key"], name, "{path}");
    }
}
