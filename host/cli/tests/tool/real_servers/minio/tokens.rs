//! A service account whose token a root secret signed, before and after that secret is changed.

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use iamseal_data_key::sign;
use iamseal_servers::minio::ROOT;
use serde_json::Value;

use super::deployment::{BUCKET, Deployment, key, puts_and_gets};
use crate::kit::{KEY, tool, with};

const USER: (&str, &str) = ("alice", "password-of-alice");
const ACCOUNT: (&str, &str) = ("SERVICEOFALICE", "password-of-service");
const PATH: &str = "config/iam/service-accounts/SERVICEOFALICE/identity.json";
const LATER: (&str, &str) = ("root-user", "root-password-2");

/// Puts the account's object back with a token as older servers made it, which the root secret signed.
fn sign_with_root(deployment: &Deployment) {
    let open = tool(with("unseal --path", PATH)).key(KEY);
    let opened = open.input(deployment.objects()[PATH].clone()).ok().stdout;
    let mut account: Value = serde_json::from_slice(&opened).unwrap();
    let token = account["credentials"]["sessionToken"].as_str().unwrap();
    let (message, _) = token.rsplit_once('.').unwrap();
    let signature = sign(ROOT.1.as_bytes(), message.as_bytes()).unwrap();
    let token = format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature));
    account["credentials"]["sessionToken"] = token.into();
    let seal = tool(with("seal --path", PATH)).key(KEY);
    let sealed = seal.input(account.to_string()).ok().stdout;
    deployment.put(PATH, &sealed);
}

/// Whether the account may read its bucket.
fn works(deployment: &Deployment) -> bool {
    let list = ["ls", &format!("t/{BUCKET}")];
    let listed = deployment.minio.mc(ACCOUNT.0, ACCOUNT.1, &list);
    listed.status.success()
}

#[test]
fn an_account_that_the_earlier_root_signed_works_again() {
    let mut deployment = Deployment::start(&key(KEY));
    let folder = tempfile::tempdir().unwrap();
    let policy = folder.path().join("policy.json");
    let everything = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
        "Action": ["s3:*"], "Resource": ["arn:aws:s3:::*"]}]}"#;
    fs::write(&policy, everything).unwrap();
    let policy = policy.to_str().unwrap();
    deployment.minio.admin(&["mb", &format!("t/{BUCKET}")]);
    for line in [
        &["admin", "user", "add", "t", USER.0, USER.1][..],
        &["admin", "policy", "create", "t", "everything", policy],
        &[
            "admin",
            "policy",
            "attach",
            "t",
            "everything",
            "--user",
            USER.0,
        ],
        &[
            "admin",
            "user",
            "svcacct",
            "add",
            "t",
            USER.0,
            "--access-key",
            ACCOUNT.0,
            "--secret-key",
            ACCOUNT.1,
        ],
    ] {
        deployment.minio.admin(line);
    }
    deployment.minio.stop();
    sign_with_root(&deployment);
    deployment.restart(&key(KEY));
    assert!(works(&deployment), "the present root secret signed it");

    deployment.minio.set_root(LATER.0, LATER.1);
    deployment.restart(&key(KEY));
    assert!(!works(&deployment), "an earlier root secret signed it");
    deployment.minio.stop();

    let sign = deployment.tool("sign-tokens --json", &key(KEY));
    let earlier = format!("{}:{}\n", ROOT.0, ROOT.1);
    let ended = sign.file("--root-credentials", &earlier).ok();
    let first = &ended.json()[0];
    assert_eq!(
        (&first["path"], &first["outcome"]),
        (&PATH.into(), &"signed".into())
    );
    deployment.restart(&key(KEY));
    puts_and_gets(&deployment.minio, ACCOUNT);
}
