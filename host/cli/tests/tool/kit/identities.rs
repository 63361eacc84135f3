//! Objects of identities as MinIO writes them, and archives of them.

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _};

use serde_json::{Value, json};

use super::store::Store;
use super::{KEY, tool, with};

/// What MinIO wrote for a service account of alice with the secret `alicesvcsecret1`.
pub const ALICES_TOKEN: &str = "eyJhbGciOiJIUzUxMiIsInR5cCI6IkpXVCJ9.\
    eyJhY2Nlc3NLZXkiOiJBTElDRVNWQyIsInBhcmVudCI6ImFsaWNlIiwic2EtcG9saWN5IjoiaW5oZXJpdGVkLXBvbGljeSJ9.\
    j3P7Anl36sc0I8gt-qLOkstu0t3iG20aRDcTvfmRMTJwPeXkMyokBpn_o90eI3FbNEO2VfxPqyklr0Y3oegaqQ";

pub const ALICE: &str = "config/iam/users/alice/identity.json";
pub const CAROL: &str = "config/iam/users/dev/carol/identity.json";
pub const POLICY: &str = "config/iam/policies/readers/policy.json";
pub const TEAM: &str = "config/iam/groups/team/members.json";
pub const ACCOUNT: &str = "config/iam/service-accounts/ALICESVC/identity.json";
pub const ALICES_POLICY: &str = "config/iam/policydb/users/alice.json";
pub const TEAMS_POLICY: &str = "config/iam/policydb/groups/team.json";
pub const LDAP_POLICY: &str = "config/iam/policydb/sts-users/uid=x,dc=org.json";
pub const TEMPORARY: &str = "config/iam/sts/TEMPORARY/identity.json";

/// Objects of each kind, by their paths.
pub fn objects() -> Vec<(&'static str, Value)> {
    let time = "2026-11-29T17:48:23.626617068Z";
    let user = |name: &str, secret: &str, status: &str| {
        json!({"version": 1, "updatedAt": time, "credentials": {"accessKey": name,
            "secretKey": secret, "expiration": "0001-01-01T00:00:00Z", "status": status}})
    };
    let policy = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
        "Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::data/*"]}]});
    let mapping = |policy: &str| json!({"version": 0, "policy": policy, "updatedAt": time});
    vec![
        ("config/config.json", json!({"region": {}})),
        ("config/iam/format.json", json!({"version": 1})),
        (ALICE, user("alice", "password-of-alice", "on")),
        (CAROL, user("dev/carol", "password-of-carol", "off")),
        (
            POLICY,
            json!({"Version": 1, "Policy": policy, "CreateDate": time, "UpdateDate": time}),
        ),
        (
            TEAM,
            json!({"version": 1, "status": "enabled", "members": ["alice"], "updatedAt": time}),
        ),
        (
            ACCOUNT,
            json!({"version": 1, "updatedAt": time, "credentials": {"accessKey": "ALICESVC",
                "secretKey": "alicesvcsecret1", "sessionToken": ALICES_TOKEN, "parentUser": "alice",
                "expiration": "1970-01-01T00:00:00Z", "status": "on"}}),
        ),
        (ALICES_POLICY, mapping("readers")),
        (TEAMS_POLICY, mapping("readers,writeonly")),
        (LDAP_POLICY, mapping("readers")),
        (TEMPORARY, user("TEMPORARY", "password-of-temporary", "on")),
    ]
}

/// A store of these, every second one sealed, every third one compact.
pub fn mixed() -> Store {
    let objects = objects().into_iter().enumerate();
    Store::of(objects.map(|(number, (path, object))| {
        let form = match number % 3 {
            0 => return (path, object.to_string().into_bytes()),
            1 => "minio",
            _ => "compact",
        };
        let line = format!("seal --form {form} --path");
        let sealed = tool(with(&line, path)).key(KEY).input(object.to_string());
        (path, sealed.ok().stdout)
    }))
}

/// What each file of an archive has, by its name without folder and ending.
#[track_caller]
pub fn archive(zip: &[u8]) -> BTreeMap<String, Value> {
    let mut zip = zip::ZipArchive::new(Cursor::new(zip)).unwrap();
    let read = (0..zip.len()).map(|number| {
        let mut file = zip.by_index(number).unwrap();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        let name = file.name().unwrap();
        let name = name.strip_prefix("iam-assets/").unwrap();
        let name = name.strip_suffix(".json").unwrap().to_owned();
        (name, serde_json::from_str(&text).unwrap())
    });
    read.collect()
}
