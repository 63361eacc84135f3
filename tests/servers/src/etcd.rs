//! etcd.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::authority::{Authority, Certified};
use crate::process::Running;
use crate::{port, program, succeed};

/// An etcd of one node or of several.
pub struct Etcd {
    nodes: Vec<Node>,
    folder: TempDir,
    tls: Option<Tls>,
    /// Who administers it, NAME:PASSWORD, if it has users.
    user: Option<String>,
}

struct Tls {
    authority: Authority,
    server: Certified,
    wants_certificates: bool,
}

/// A key as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Its value.
    pub value: Vec<u8>,
    /// The revision of the whole store that wrote it.
    pub revision: String,
    /// The lease that it hangs on; empty: none.
    pub lease: String,
}

/// How many operations etcd takes in one transaction.
const OPERATIONS: usize = 128;

struct Node {
    running: Option<Running>,
    client: u16,
    peer: u16,
}

impl Etcd {
    /// One node.
    pub fn start() -> Self {
        Self::with(1, None, tempfile::tempdir().unwrap())
    }

    /// The same with its files in a folder of this one, such as one in memory.
    pub fn start_in(folder: &Path) -> Self {
        Self::with(1, None, tempfile::tempdir_in(folder).unwrap())
    }

    /// One node that talks TLS and wants a certificate of its authority.
    pub fn start_tls() -> Self {
        Self::with(1, Some(true), tempfile::tempdir().unwrap())
    }

    /// One node that talks TLS and takes whoever comes.
    pub fn start_tls_for_all() -> Self {
        Self::with(1, Some(false), tempfile::tempdir().unwrap())
    }

    /// Three nodes.
    pub fn cluster() -> Self {
        Self::with(3, None, tempfile::tempdir().unwrap())
    }

    fn with(count: usize, wants_certificates: Option<bool>, folder: TempDir) -> Self {
        let tls = wants_certificates.map(|wants_certificates| {
            let authority = Authority::new(folder.path());
            let server = authority.certify("etcd");
            Tls {
                authority,
                server,
                wants_certificates,
            }
        });
        let nodes = (0..count).map(|_| Node {
            running: None,
            client: port::free(),
            peer: port::free(),
        });
        let mut etcd = Self {
            nodes: nodes.collect(),
            folder,
            tls,
            user: None,
        };
        // No node of several answers before most of them are there.
        for index in 0..count {
            etcd.begin(index);
        }
        for index in 0..count {
            etcd.wait_for(index);
        }
        etcd
    }

    /// The address of each node, `127.0.0.1:PORT`.
    pub fn addresses(&self) -> Vec<String> {
        let nodes = self.nodes.iter();
        nodes
            .map(|node| format!("127.0.0.1:{}", node.client))
            .collect()
    }

    /// The endpoints of all nodes as `MINIO_ETCD_ENDPOINTS` takes them.
    pub fn endpoints(&self) -> String {
        let scheme = self.scheme();
        let all = self.addresses().into_iter();
        let all: Vec<_> = all.map(|address| format!("{scheme}://{address}")).collect();
        all.join(",")
    }

    /// The authority whose certificates it takes, if it talks TLS.
    ///
    /// # Panics
    /// If it does not.
    pub fn authority(&self) -> &Authority {
        &self.tls.as_ref().unwrap().authority
    }

    /// Lets only users in: `root`, who may do everything, and those of whom
    /// `etcdctl user add NAME:PASSWORD` is told later.
    ///
    /// # Panics
    /// If etcd refuses it.
    pub fn let_only_users_in(&mut self, password: &str) {
        self.ctl(&["user", "add", &format!("root:{password}")]);
        self.ctl(&["user", "grant-role", "root", "root"]);
        self.ctl(&["auth", "enable"]);
        self.user = Some(format!("root:{password}"));
    }

    /// Kills one node, as a loss of power would.
    pub fn kill(&mut self, index: usize) {
        self.nodes[index].running = None;
    }

    /// Starts a node again that was killed.
    pub fn restart(&mut self, index: usize) {
        self.begin(index);
        self.wait_for(index);
    }

    /// Which node leads.
    ///
    /// # Panics
    /// If none does within a minute.
    pub fn leader(&self) -> usize {
        let begun = Instant::now();
        loop {
            if let Some(leader) = self.find_leader() {
                return leader;
            }
            assert!(begun.elapsed() < Duration::from_secs(60), "no node leads");
        }
    }

    /// None while the nodes elect one.
    fn find_leader(&self) -> Option<usize> {
        let mut status = self.etcdctl();
        let status = status.args(["endpoint", "status", "--write-out=json"]);
        let status: Value = serde_json::from_slice(&status.output().unwrap().stdout).ok()?;
        let is_leader = |one: &&Value| {
            let status = &one["Status"];
            status["leader"] == status["header"]["member_id"]
        };
        let leader = status.as_array()?.iter().find(is_leader)?;
        let port = leader["Endpoint"].as_str()?.rsplit(':').next()?;
        let mut nodes = self.nodes.iter();
        nodes.position(|node| node.client.to_string() == port)
    }

    /// What `etcdctl` prints.
    ///
    /// # Panics
    /// If it does not succeed.
    pub fn ctl(&self, arguments: &[&str]) -> Vec<u8> {
        succeed(self.etcdctl().args(arguments)).stdout
    }

    /// Stores bytes, seen past the program under test.
    ///
    /// # Panics
    /// If etcd refuses it.
    pub fn put(&self, key: &str, value: &[u8]) {
        self.put_with(key, value, &[]);
    }

    /// The same with further options of `etcdctl put`, such as `--lease=ID`.
    ///
    /// # Panics
    /// If etcd refuses it.
    pub fn put_with(&self, key: &str, value: &[u8], options: &[&str]) {
        let mut command = self.etcdctl();
        let mut child = command
            .arg("put")
            .args(options)
            .arg(key)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(value).unwrap();
        assert!(child.wait().unwrap().success(), "{key} cannot be stored");
    }

    /// Everything below a prefix as etcd's own JSON has it: objects with the fields `key` and `value`
    /// (base64), `create_revision`, `mod_revision`, `version` and `lease`.
    ///
    /// # Panics
    /// If etcd does not answer.
    pub fn get(&self, prefix: &str) -> Vec<Value> {
        let printed = self.ctl(&["get", "--prefix", "--write-out=json", "--", prefix]);
        let printed: Value = serde_json::from_slice(&printed).unwrap();
        printed["kvs"].as_array().cloned().unwrap_or_default()
    }

    /// Stores many keys, seen past the program under test. Not with TLS.
    ///
    /// # Panics
    /// If etcd refuses it.
    pub fn put_all<K: AsRef<[u8]>, V: AsRef<[u8]>>(&self, all: impl IntoIterator<Item = (K, V)>) {
        let put = |(key, value): (K, V)| {
            let (key, value) = (STANDARD.encode(key), STANDARD.encode(value));
            json!({"requestPut": {"key": key, "value": value}})
        };
        let all: Vec<_> = all.into_iter().map(put).collect();
        for some in all.chunks(OPERATIONS) {
            self.ask("kv/txn", &json!({"success": some}));
        }
    }

    /// Every key below a prefix. Not with TLS.
    ///
    /// # Panics
    /// If etcd does not answer.
    pub fn everything(&self, prefix: &str) -> BTreeMap<Vec<u8>, Seen> {
        let answer = self.ask("kv/range", &range(prefix));
        let kvs = answer["kvs"].as_array().cloned().unwrap_or_default();
        // The gateway leaves out what is zero or empty.
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let bytes = |value: &Value| STANDARD.decode(text(value)).unwrap();
        let entry = |kv: &Value| {
            let seen = Seen {
                value: bytes(&kv["value"]),
                revision: text(&kv["mod_revision"]),
                lease: text(&kv["lease"]),
            };
            (bytes(&kv["key"]), seen)
        };
        kvs.iter().map(entry).collect()
    }

    /// Removes every key below a prefix. Not with TLS.
    ///
    /// # Panics
    /// If etcd does not answer.
    pub fn delete_all(&self, prefix: &str) {
        self.ask("kv/deleterange", &range(prefix));
    }

    /// The revision of the whole store: it counts what was ever written. Not with TLS.
    ///
    /// # Panics
    /// If etcd does not answer.
    pub fn revision(&self) -> String {
        let answer = self.ask("kv/range", &json!({"key": STANDARD.encode("x")}));
        answer["header"]["revision"].as_str().unwrap().to_owned()
    }

    /// Asks etcd's gateway for JSON. Not with TLS or users.
    ///
    /// # Panics
    /// If etcd does not answer.
    pub fn ask(&self, call: &str, question: &Value) -> Value {
        let node = &self.live()[0];
        let answer = ureq::post(format!("{node}/v3/{call}")).send(question.to_string());
        let text = answer.unwrap().into_body().read_to_vec().unwrap();
        serde_json::from_slice(&text).unwrap()
    }

    fn etcdctl(&self) -> Command {
        let mut command = program("etcdctl");
        command
            .env("ETCDCTL_API", "3")
            // An election on a loaded machine takes longer than the 5 s that it has otherwise.
            .arg("--command-timeout=60s")
            .arg(format!("--endpoints={}", self.live().join(",")));
        if let Some(tls) = &self.tls {
            command
                .arg("--cacert")
                .arg(tls.authority.certificate())
                .arg("--cert")
                .arg(&tls.server.certificate)
                .arg("--key")
                .arg(&tls.server.key);
        }
        if let Some(user) = &self.user {
            command.arg(format!("--user={user}"));
        }
        command
    }

    fn live(&self) -> Vec<String> {
        let scheme = self.scheme();
        let live = self.nodes.iter().filter(|node| node.running.is_some());
        live.map(|node| format!("{scheme}://127.0.0.1:{}", node.client))
            .collect()
    }

    fn begin(&mut self, index: usize) {
        let scheme = self.scheme();
        let name = format!("node-{index}");
        let members: Vec<_> = (0..)
            .zip(&self.nodes)
            .map(|(index, node)| format!("node-{index}=http://127.0.0.1:{}", node.peer))
            .collect();
        let folder = self.folder.path();
        let node = &self.nodes[index];
        let client = format!("{scheme}://127.0.0.1:{}", node.client);
        let peer = format!("http://127.0.0.1:{}", node.peer);
        let mut command = program("etcd");
        command
            .arg("--data-dir")
            .arg(folder.join(&name))
            .args(["--name", &name, "--log-level", "warn", "--logger", "zap"])
            .args(["--listen-client-urls", &client])
            .args(["--advertise-client-urls", &client])
            .args(["--listen-peer-urls", &peer])
            .args(["--initial-advertise-peer-urls", &peer])
            .args(["--initial-cluster", &members.join(",")]);
        if let Some(tls) = &self.tls {
            if tls.wants_certificates {
                command
                    .arg("--client-cert-auth")
                    .arg("--trusted-ca-file")
                    .arg(tls.authority.certificate());
            }
            command
                .arg("--cert-file")
                .arg(&tls.server.certificate)
                .arg("--key-file")
                .arg(&tls.server.key);
        }
        let log = log(folder, &name);
        self.nodes[index].running = Some(Running::begin(&mut command, &log));
    }

    fn wait_for(&mut self, index: usize) {
        let node = &mut self.nodes[index];
        let port = node.client;
        let running = node.running.as_mut().unwrap();
        running.wait_until(|| TcpStream::connect(("127.0.0.1", port)).is_ok());
    }

    fn scheme(&self) -> &'static str {
        match self.tls {
            Some(_) => "https",
            None => "http",
        }
    }
}

/// All keys below a prefix.
fn range(prefix: &str) -> Value {
    let mut end = prefix.as_bytes().to_vec();
    // Of a prefix of text, whose last byte is never the largest.
    match end.last_mut() {
        Some(last) => *last += 1,
        None => end.push(0),
    }
    let first = if prefix.is_empty() { "\0" } else { prefix };
    json!({"key": STANDARD.encode(first), "range_end": STANDARD.encode(end)})
}

fn log(folder: &Path, name: &str) -> std::path::PathBuf {
    folder.join(format!("{name}.log"))
}
