//! MinIO with its IAM in etcd, filled by its own client.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Output;

use iamseal_servers::etcd::Etcd;
use iamseal_servers::minio::{Minio, Session};
use serde_json::Value;
use tempfile::TempDir;

use crate::kit::audit::findings;
use crate::kit::{Tool, tool, with};

/// What the keys of IAM stand below: not empty, so that it is seen to be no part of an object's path.
const PREFIX: &str = "tenant/";
/// A neighbour's keys, which begin as ours do but for the slash.
const NEIGHBOURS: [&str; 3] = [
    "tenant/configuration/x",
    "tenant/config",
    "tenant2/config/iam/y",
];

/// Names as people have them.
pub const USERS: [(&str, &str); 5] = [
    ("alice", "password-of-alice"),
    ("zoë 日本", "password-of-zoë"),
    ("dev/carol", "password-of-carol"),
    ("<bob>&co", "password-of-bob"),
    ("eve smith", "password-of-eve"),
];
const GROUPS: [&str; 3] = ["team", "ops/grüppe", "<all>&more"];
pub const POLICIES: [&str; 3] = ["everything", "pö/licy", "<read>&write"];
const SERVICE_ACCOUNT: (&str, &str) = ("SERVICEOFALICE", "password-of-service");

pub const BUCKET: &str = "bucket";
const EVERYTHING: &str = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
    "Action": ["s3:*"], "Resource": ["arn:aws:s3:::*"]}]}"#;

/// MinIO, its etcd, and a place for journals.
pub struct Deployment {
    pub etcd: Etcd,
    pub minio: Minio,
    folder: TempDir,
    session: Option<Session>,
}

impl Deployment {
    /// An empty one that has this KMS.
    pub fn start(kms: &[(&'static str, String)]) -> Self {
        let etcd = Etcd::start();
        for neighbour in NEIGHBOURS {
            etcd.put(neighbour, b"{\"not\":\"ours\"}");
        }
        let minio = Minio::start(&variables(&etcd, kms));
        Self {
            etcd,
            minio,
            folder: tempfile::tempdir().unwrap(),
            session: None,
        }
    }

    /// Starts MinIO again with this KMS.
    pub fn restart(&mut self, kms: &[(&'static str, String)]) {
        let variables = variables(&self.etcd, kms);
        self.minio.restart(&variables);
    }

    /// Starts MinIO again, until it says that it cannot load its users.
    pub fn restart_in_vain(&mut self, kms: &[(&'static str, String)], says: &str) {
        let variables = variables(&self.etcd, kms);
        self.minio.restart_in_vain(&variables, says);
    }

    /// Puts an object into etcd, past MinIO.
    pub fn put(&self, path: &str, bytes: &[u8]) {
        self.etcd.put(&format!("{PREFIX}{path}"), bytes);
    }

    /// Makes users, groups, policies, a service account and temporary credentials.
    pub fn fill(&mut self) {
        let policy = self.folder.path().join("policy.json");
        fs::write(&policy, EVERYTHING).unwrap();
        let policy = policy.to_str().unwrap();
        self.admin(&["mb", &format!("t/{BUCKET}")]);
        for (user, password) in USERS {
            self.admin(&["admin", "user", "add", "t", user, password]);
        }
        for name in POLICIES {
            self.admin(&["admin", "policy", "create", "t", name, policy]);
        }
        for group in GROUPS {
            self.admin(&["admin", "group", "add", "t", group, USERS[1].0]);
        }
        for (user, policy) in [(USERS[0].0, POLICIES[0]), (USERS[1].0, POLICIES[1])] {
            self.admin(&["admin", "policy", "attach", "t", policy, "--user", user]);
        }
        self.admin(&[
            "admin",
            "policy",
            "attach",
            "t",
            POLICIES[2],
            "--group",
            GROUPS[1],
        ]);
        let (key, secret) = SERVICE_ACCOUNT;
        let account = ["admin", "user", "svcacct", "add", "t", USERS[0].0];
        let options = ["--access-key", key, "--secret-key", secret];
        self.admin(&[&account[..], &options[..]].concat());
        self.begin_session();
    }

    /// Makes temporary credentials. They end with the root credential, whose key signs them.
    pub fn begin_session(&mut self) {
        self.session = Some(self.minio.assume_role(USERS[0].0, USERS[0].1));
    }

    /// Everything that was made is there, and who could use the server can.
    #[track_caller]
    pub fn check(&self) {
        let users = lines(&self.admin(&["admin", "user", "list", "t"]));
        let users: BTreeMap<_, _> = users
            .iter()
            .map(|user| (text(&user["accessKey"]), text(&user["policyName"])))
            .collect();
        let mut expected: BTreeMap<_, _> = USERS.iter().map(|user| (user.0, "")).collect();
        expected.insert(USERS[0].0, POLICIES[0]);
        expected.insert(USERS[1].0, POLICIES[1]);
        assert_eq!(users, expected);

        let groups = lines(&self.admin(&["admin", "group", "list", "t"]));
        let groups: BTreeSet<_> = list(&groups[0]["groups"]);
        assert_eq!(groups, BTreeSet::from(GROUPS));
        let members = lines(&self.admin(&["admin", "group", "info", "t", GROUPS[1]]));
        assert_eq!(list(&members[0]["members"]), BTreeSet::from([USERS[1].0]));
        assert_eq!(text(&members[0]["groupPolicy"]), POLICIES[2]);

        let policies = lines(&self.admin(&["admin", "policy", "list", "t"]));
        let policies: BTreeSet<_> = policies.iter().map(|line| text(&line["policy"])).collect();
        assert!(
            policies.is_superset(&BTreeSet::from(POLICIES)),
            "{policies:?}"
        );

        let Session {
            user,
            password,
            token,
        } = self.session.as_ref().unwrap();
        for (user, password) in [
            USERS[0],
            SERVICE_ACCOUNT,
            (user, &*format!("{password}:{token}")),
        ] {
            puts_and_gets(&self.minio, (user, password));
        }
        self.neighbours_are_untouched();
    }

    #[track_caller]
    fn neighbours_are_untouched(&self) {
        for neighbour in NEIGHBOURS {
            let found = self.etcd.get(neighbour);
            let exact = found.iter().find(|found| found["version"] == 1);
            assert!(exact.is_some(), "{neighbour}: {found:?}");
        }
    }

    /// The store as the tool takes it.
    pub fn store(&self) -> String {
        format!("etcd://{}/{PREFIX}", self.etcd.addresses().join(","))
    }

    /// A run of the tool that ends with the store, with these variables and its journals in a folder
    /// of the test's.
    pub fn tool(&self, line: &str, variables: &[(&'static str, String)]) -> Tool {
        tool(with(line, self.store()))
            .env([("XDG_STATE_HOME", self.folder.path())])
            .env(variables.to_vec())
    }

    /// Where its journals are, as `XDG_STATE_HOME`.
    pub fn journals(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// Migrates; every object opens, and ends as what was asked for.
    #[track_caller]
    pub fn migrate(&self, line: &str, keys: Option<&str>, variables: &[(&'static str, String)]) {
        let mut run = self.tool(&format!("migrate --json {line}"), variables);
        if let Some(keys) = keys {
            run = run.file("--keys", keys);
        }
        let ended = run.ok();
        let counts = counts(&ended.json().pop().unwrap()["summary"], "outcome");
        let done = ["migrated", "unchanged"];
        assert!(
            counts.keys().all(|outcome| done.contains(&&**outcome)),
            "{counts:?}"
        );
        assert!(counts.values().sum::<u64>() > 0);
    }

    /// Every object opens with these keys, and how many are of which form.
    #[track_caller]
    pub fn forms(&self, variables: &[(&'static str, String)]) -> BTreeMap<String, u64> {
        let ended = self.tool("audit --json", variables).ok();
        let (findings, summary) = findings(&ended);
        assert_eq!(summary["objects"], findings.len());
        let mut forms = BTreeMap::new();
        for finding in findings.values() {
            assert_eq!(finding["verdict"], "opens", "{finding}");
            let form = text(&finding["found"]["form"]).to_owned();
            *forms.entry(form).or_default() += 1;
        }
        forms
    }

    /// The objects of IAM as etcd has them: path and bytes.
    pub fn objects(&self) -> BTreeMap<String, Vec<u8>> {
        let found = self.etcd.get(&format!("{PREFIX}config/"));
        let decode = |value: &Value| iamseal_tests::samples::decode(text(value));
        let objects = found.iter().map(|found| {
            let key = String::from_utf8(decode(&found["key"])).unwrap();
            let path = key.strip_prefix(PREFIX).unwrap().to_owned();
            (path, decode(&found["value"]))
        });
        objects.collect()
    }

    fn admin(&self, arguments: &[&str]) -> Output {
        self.minio.admin(arguments)
    }
}

fn variables(etcd: &Etcd, kms: &[(&'static str, String)]) -> Vec<(&'static str, String)> {
    let mut variables = kms.to_vec();
    variables.push(("MINIO_ETCD_ENDPOINTS", etcd.endpoints()));
    variables.push(("MINIO_ETCD_PATH_PREFIX", PREFIX.to_owned()));
    variables
}

/// A static key as MinIO and iamseal read it.
pub fn key(key: &str) -> Vec<(&'static str, String)> {
    vec![("MINIO_KMS_SECRET_KEY", key.to_owned())]
}

fn counts(summary: &Value, of: &str) -> BTreeMap<String, u64> {
    let counts = summary["counts"].as_array().unwrap().iter();
    counts
        .map(|count| {
            (
                text(&count[of]).to_owned(),
                count["objects"].as_u64().unwrap(),
            )
        })
        .collect()
}

fn lines(output: &Output) -> Vec<Value> {
    let text = str::from_utf8(&output.stdout).unwrap();
    let lines = text.lines().map(serde_json::from_str);
    lines.map(Result::unwrap).collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn list(values: &Value) -> BTreeSet<&str> {
    values.as_array().into_iter().flatten().map(text).collect()
}

/// This user puts an object and gets it.
#[track_caller]
pub fn puts_and_gets(minio: &Minio, (user, password): (&str, &str)) {
    let content = format!("put by {user}");
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(&file, &content).unwrap();
    let place = format!("t/{BUCKET}/object-of-{user}");
    let put = minio.mc(
        user,
        password,
        &["cp", file.path().to_str().unwrap(), &place],
    );
    assert!(put.status.success(), "{put:?}");
    let got = minio.mc(user, password, &["cat", &place]);
    assert_eq!(String::from_utf8_lossy(&got.stdout), content, "{got:?}");
}
