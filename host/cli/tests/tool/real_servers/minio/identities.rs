//! Identities carried out of one MinIO and into another, and edited while one runs.

use std::ffi::OsStr;
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use iamseal_servers::etcd::Etcd;
use iamseal_servers::minio::{Minio, ROOT};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::deployment::{BUCKET, Deployment, POLICIES, USERS, key, puts_and_gets};
use crate::kit::identities::archive;
use crate::kit::store::Store;
use crate::kit::{KEY, OTHER_KEY, Tool, tool, with};

/// The policies that every server has, stored nowhere.
const BUILT_IN: [&str; 5] = [
    "consoleAdmin",
    "diagnostics",
    "readonly",
    "readwrite",
    "writeonly",
];
/// Users with policies of their own.
const NAMED: [(&str, &str); 3] = [
    ("alice", "password-of-alice"),
    ("dev/carol", "password-of-carol"),
    ("zo\u{eb} \u{65e5}\u{672c}", "password-of-zo\u{eb}"),
];
const DISABLED: (&str, &str) = ("eve", "password-of-eve");
/// Service accounts: the parent, the access key and the secret.
const ACCOUNTS: [(&str, &str, &str); 3] = [
    ("alice", "ALICEINHERITS", "secret-of-service-1"),
    ("dev/carol", "CAROLHASHEROWN", "secret-of-service-2"),
    (ROOT.0, "ROOTSOWNACCOUNT", "secret-of-service-3"),
];
/// How long a server may take to see a change of etcd.
const PATIENCE: Duration = Duration::from_secs(60);

/// A policy with all that policies have, and sets of several.
fn policy() -> Value {
    json!({"ID": "x", "Version": "2012-10-17", "Statement": [
        {"Sid": "list", "Effect": "Allow", "Action": ["s3:ListBucket"],
            "Resource": [format!("arn:aws:s3:::{BUCKET}")],
            "Condition": {"StringLike": {"s3:prefix": ["*", "<b>&c"]}}},
        {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
            "Resource": [format!("arn:aws:s3:::{BUCKET}/*"), "arn:aws:s3:::other/*"]}]})
}

fn fill(minio: &Minio, folder: &TempDir) {
    let file = folder.path().join("policy.json");
    fs::write(&file, policy().to_string()).unwrap();
    let file = file.to_str().unwrap();
    minio.admin(&["mb", &format!("t/{BUCKET}")]);
    for name in ["everything", "<read>&write"] {
        minio.admin(&["admin", "policy", "create", "t", name, file]);
    }
    for (user, password) in NAMED.into_iter().chain([DISABLED]) {
        minio.admin(&["admin", "user", "add", "t", user, password]);
    }
    minio.admin(&["admin", "user", "disable", "t", DISABLED.0]);
    let attach = |policies: &[&str], to: &[&str]| {
        let begin = ["admin", "policy", "attach", "t"];
        minio.admin(&[&begin[..], policies, to].concat());
    };
    attach(&["everything"], &["--user", NAMED[0].0]);
    attach(&["<read>&write", "readwrite"], &["--user", NAMED[1].0]);
    let [alice, .., zoe] = NAMED;
    minio.admin(&["admin", "group", "add", "t", "team", zoe.0, alice.0]);
    // Whoever is in a disabled group may do nothing.
    let disabled = "ops/gr\u{fc}ppe";
    minio.admin(&["admin", "group", "add", "t", disabled, DISABLED.0]);
    minio.admin(&["admin", "group", "disable", "t", disabled]);
    attach(&["everything"], &["--group", "team"]);
    for (parent, access, secret) in ACCOUNTS {
        let begin = ["admin", "user", "svcacct", "add", "t", parent];
        let keys = ["--access-key", access, "--secret-key", secret];
        let own = [
            "--policy",
            file,
            "--name",
            "own-name",
            "--description",
            "d<e>s",
        ];
        let own = if access == ACCOUNTS[1].1 {
            &own[..]
        } else {
            &[]
        };
        minio.admin(&[&begin[..], &keys[..], own].concat());
    }
    // Written anew, which adds to its object.
    minio.admin(&["admin", "user", "svcacct", "disable", "t", ACCOUNTS[0].1]);
    minio.admin(&["admin", "user", "svcacct", "enable", "t", ACCOUNTS[0].1]);
    minio.assume_role(NAMED[0].0, NAMED[0].1);
}

/// What the server itself exports, without what every server has.
fn exported(minio: &Minio, folder: &TempDir) -> Value {
    let file = folder.path().join("theirs.zip");
    let file = file.to_str().unwrap();
    minio.admin(&["admin", "cluster", "iam", "export", "t", "--output", file]);
    let mut archive = json!(archive(&fs::read(file).unwrap()));
    let policies = archive["policies"].as_object_mut().unwrap();
    for name in BUILT_IN {
        policies.remove(name).unwrap();
    }
    sets(archive)
}

/// The same with lists in order: a server writes its sets in any.
fn sets(value: Value) -> Value {
    match value {
        Value::Array(values) => {
            let mut values: Vec<Value> = values.into_iter().map(sets).collect();
            values.sort_by_key(Value::to_string);
            Value::Array(values)
        }
        Value::Object(fields) => {
            let fields = fields.into_iter();
            Value::Object(fields.map(|(name, value)| (name, sets(value))).collect())
        }
        other => other,
    }
}

struct Server {
    minio: Minio,
    folder: TempDir,
}

impl Server {
    fn start(drives: usize, variables: &[(&str, String)]) -> Self {
        let server = Self {
            minio: Minio::start_on(drives, variables),
            folder: tempfile::tempdir().unwrap(),
        };
        fill(&server.minio, &server.folder);
        server
    }

    fn run(&self, arguments: &[&str]) -> Tool {
        tool(arguments)
            .env([("XDG_STATE_HOME", self.folder.path())])
            .file("--keys", &format!("{KEY}\n{OTHER_KEY}\n"))
    }
}

#[test]
fn an_archive_made_offline_is_what_the_server_exports() {
    let mut server = Server::start(4, &key(KEY));
    let theirs = exported(&server.minio, &server.folder);
    server.minio.stop();
    let store = format!("drives:{}", server.minio.drives());
    let ours = |mixture: &str| {
        let ended = server.run(&["export", &store]).ok();
        let ended = ended
            .says("1 temporary credentials are not carried")
            .says(ROOT.0);
        assert_eq!(sets(json!(archive(&ended.stdout))), theirs, "{mixture}");
    };
    ours("as the server wrote it");
    // Each kind in another form, and one under another key.
    for (prefix, how) in [
        ("config/iam/users/", "--to plaintext"),
        ("config/iam/service-accounts/", "--to kms --form compact"),
        ("config/iam/policydb/", "--to kms --key other-key"),
        (
            "config/iam/groups/",
            "--to kms --cipher aes-256-gcm --data-key json",
        ),
    ] {
        let arguments = ["migrate", &store, "--server-is-stopped", "--prefix", prefix];
        let migrate = server.run(&arguments).args(how.split(' '));
        migrate.key(KEY).ok();
    }
    ours("in a mixture of forms");
}

#[test]
fn another_server_lets_everybody_in_with_the_old_secrets() {
    let mut server = Server::start(1, &[]);
    let theirs = exported(&server.minio, &server.folder);
    server.minio.stop();
    let zip = server.folder.path().join("iam.zip");
    let zip = zip.to_str().unwrap();
    let store = server.minio.drive();
    server
        .run(&["export", store.to_str().unwrap(), "-o", zip])
        .ok();

    let mut other = Minio::start(&[]);
    other.set_root("another-root", "another-password");
    other.restart(&key(OTHER_KEY));
    other.admin(&["mb", &format!("t/{BUCKET}")]);
    let imported = other.admin(&["admin", "cluster", "iam", "import", "t", zip]);
    let imported: Value = serde_json::from_slice(&imported.stdout).unwrap();
    assert_eq!(imported["failed"], json!({}), "{imported}");
    for (user, password) in NAMED {
        let session = other.assume_role(user, password);
        let password = format!("{}:{}", session.password, session.token);
        puts_and_gets(&other, (&session.user, &password));
    }
    for (_, access, secret) in &ACCOUNTS[..2] {
        puts_and_gets(&other, (access, secret));
    }
    let denied = other.mc(DISABLED.0, DISABLED.1, &["ls", "t"]);
    assert!(!denied.status.success());
    let wrong = other.mc(NAMED[0].0, "another-password", &["ls", "t"]);
    assert!(!wrong.status.success());
    // What it exports then is the same, but for what an import makes anew.
    let again = exported(&other, &server.folder);
    assert_eq!(theirs["groups"]["ops/gr\u{fc}ppe"]["status"], "disabled");
    let [theirs, again] = [theirs, again].map(without_what_is_made_anew);
    assert_eq!(again, theirs);
}

#[test]
fn what_a_server_does_not_take_of_an_archive_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let zip = folder.path().join("iam.zip");
    let import = [
        "admin",
        "cluster",
        "iam",
        "import",
        "t",
        zip.to_str().unwrap(),
    ];
    let minio = Minio::start(&[]);
    let alice =
        json!({"version": 1, "credentials": {"secretKey": "password-of-alice", "status": "on"}});
    let alice = ("config/iam/users/alice/identity.json", alice.to_string());
    let group = r#"{"version":1,"status":"enabled","members":["alice","ghost"]}"#;
    let store = Store::of([
        alice.clone(),
        ("config/iam/groups/team/members.json", group.to_owned()),
        (
            "config/iam/policies/none/policy.json",
            r#"{"Statement":[]}"#.to_owned(),
        ),
    ]);
    let export = |store: &Store| {
        tool(with("export", store.root())).args([OsStr::new("-o"), zip.as_os_str()])
    };
    export(&store)
        .ok()
        .says("1 group with members who are not in the archive")
        .says("a server removes when it imports them: 1: none");
    let imported: Value = serde_json::from_slice(&minio.admin(&import).stdout).unwrap();
    assert_eq!(
        imported["failed"]["groups"][0]["name"], "team",
        "{imported}"
    );
    assert_eq!(
        imported["removed"]["policies"],
        json!(["none"]),
        "{imported}"
    );

    let mapping = r#"{"version":1,"policy":"gone"}"#.to_owned();
    let store = Store::of([alice, ("config/iam/policydb/users/alice.json", mapping)]);
    let note = "1 user or group whose policies the archive does not hold";
    export(&store).ok().says(note).says(": alice");
    let imported = minio.mc(ROOT.0, ROOT.1, &import);
    assert!(imported.stdout.is_empty(), "{imported:?}");
    let info = minio.admin(&["admin", "user", "info", "t", "alice"]).stdout;
    let info: Value = serde_json::from_slice(&info).unwrap();
    assert!(info["policyName"].is_null(), "{info}");

    let short = r#"{"version":1,"credentials":{"secretKey":"short"}}"#.to_owned();
    let store = Store::of([("config/iam/users/bob/identity.json", short)]);
    export(&store)
        .ok()
        .says("1 user with a name under 3 bytes or a secret key under 8");
    let imported = minio.mc(ROOT.0, ROOT.1, &import);
    assert!(imported.stdout.is_empty(), "{imported:?}");
}

#[test]
fn what_was_imported_without_a_server_lets_everybody_in() {
    let server = Server::start(1, &[]);
    let theirs = exported(&server.minio, &server.folder);
    let zip = server.folder.path().join("theirs.zip");
    let zip = zip.to_str().unwrap();
    let etcd = Etcd::start();
    let store = format!("etcd://{}/", etcd.addresses().join(","));
    // What a server begins a store with: one that is empty is taken for a wrong prefix.
    etcd.put("config/iam/format.json", b"{\"version\":1}");
    server.run(&["import", &store, zip]).key(KEY).ok();
    let mut variables = key(KEY);
    variables.push(("MINIO_ETCD_ENDPOINTS", etcd.endpoints()));
    let other = Minio::start(&variables);
    other.admin(&["mb", &format!("t/{BUCKET}")]);
    for (user, password) in NAMED {
        let session = other.assume_role(user, password);
        let password = format!("{}:{}", session.password, session.token);
        puts_and_gets(&other, (&session.user, &password));
    }
    for (_, access, secret) in ACCOUNTS {
        puts_and_gets(&other, (access, secret));
    }
    assert_eq!(exported(&other, &server.folder), theirs);
}

fn without_what_is_made_anew(mut archive: Value) -> Value {
    for (kind, fields) in [
        // A server enables every group that it imports.
        ("groups", ["updatedAt", "status"]),
        ("user_mappings", ["updatedAt", "version"]),
        ("group_mappings", ["updatedAt", "version"]),
    ] {
        for entry in archive[kind].as_object_mut().unwrap().values_mut() {
            let entry = entry.as_object_mut().unwrap();
            for field in fields {
                entry.remove(field).unwrap();
            }
        }
    }
    // The account's own policy, whose sets are in any order inside of texts.
    for entry in archive["svcaccts"].as_object_mut().unwrap().values_mut() {
        let claims = entry["claims"].as_object_mut().unwrap();
        claims.retain(|name, _| !name.starts_with("sessionPolicy"));
    }
    archive
}

#[test]
fn a_policy_is_edited_in_etcd_while_the_server_runs() {
    let mut deployment = Deployment::start(&key(KEY));
    deployment.fill();
    deployment.check();
    let path = format!("config/iam/policies/{}/policy.json", POLICIES[0]);
    let before = deployment.objects();
    let editor = "f() { sed -i 's/s3:\\*/s3:GetObject/' \"$1\"; }; f";
    let edit = deployment.tool("edit", &key(KEY)).args([&path]);
    edit.env([("EDITOR", editor)]).ok();
    let may_put = |deployment: &Deployment| {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(&file, "put").unwrap();
        let to = format!("t/{BUCKET}/file");
        let put = ["cp", file.path().to_str().unwrap(), &to];
        let (user, password) = USERS[0];
        deployment.minio.mc(user, password, &put).status.success()
    };
    let start = Instant::now();
    while may_put(&deployment) {
        assert!(start.elapsed() < PATIENCE, "the server does not see it");
        thread::sleep(Duration::from_millis(100));
    }
    // It is what the server reads when it starts, too.
    deployment.restart(&key(KEY));
    assert!(!may_put(&deployment));
    let runs = tool(["runs", "--json"])
        .env([("XDG_STATE_HOME", deployment.journals())])
        .ok();
    let runs = runs.json();
    let run = runs[0]["run"].as_str().unwrap();
    deployment.tool("undo", &key(KEY)).args([run]).ok();
    assert_eq!(deployment.objects()[&path], before[&path]);
    deployment.restart(&key(KEY));
    deployment.check();
}
