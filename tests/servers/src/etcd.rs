//! etcd.

use std::io::Write as _;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::authority::{Authority, Certified};
use crate::process::Running;
use crate::{port, program, succeed};

/// An etcd of one node or of several.
pub struct Etcd {
    nodes: Vec<Node>,
    folder: TempDir,
    tls: Option<(Authority, Certified)>,
}

struct Node {
    running: Option<Running>,
    client: u16,
    peer: u16,
}

impl Etcd {
    /// One node.
    pub fn start() -> Self {
        Self::with(1, false)
    }

    /// One node that talks TLS and wants a certificate of its authority.
    pub fn start_tls() -> Self {
        Self::with(1, true)
    }

    /// Three nodes.
    pub fn cluster() -> Self {
        Self::with(3, false)
    }

    fn with(count: usize, tls: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let tls = tls.then(|| {
            let authority = Authority::new(folder.path());
            let server = authority.certify("etcd");
            (authority, server)
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
        &self.tls.as_ref().unwrap().0
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

    fn etcdctl(&self) -> Command {
        let mut command = program("etcdctl");
        command
            .env("ETCDCTL_API", "3")
            // An election on a loaded machine takes longer than the 5 s that it has otherwise.
            .arg("--command-timeout=60s")
            .arg(format!("--endpoints={}", self.live().join(",")));
        if let Some((authority, client)) = &self.tls {
            command
                .arg("--cacert")
                .arg(authority.certificate())
                .arg("--cert")
                .arg(&client.certificate)
                .arg("--key")
                .arg(&client.key);
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
        if let Some((authority, server)) = &self.tls {
            command
                .arg("--client-cert-auth")
                .arg("--trusted-ca-file")
                .arg(authority.certificate())
                .arg("--cert-file")
                .arg(&server.certificate)
                .arg("--key-file")
                .arg(&server.key);
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

fn log(folder: &Path, name: &str) -> std::path::PathBuf {
    folder.join(format!("{name}.log"))
}
