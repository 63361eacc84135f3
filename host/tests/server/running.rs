//! The server as a process, and the folder that it serves.

use std::fs;
use std::io::{BufRead as _, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};
use tempfile::TempDir;

use crate::client::Client;
use crate::edition;

/// The server's key. It is no secret.
pub const KEY: &str = "my-minio-key:rDHTF3saS+WLQAGZnULu9cZHAzOOWiDBSORoXgorNsM=";
/// How long anything may take before it counts as hanging; a start takes a second.
pub const PATIENCE: Duration = Duration::from_secs(120);
/// How often it is looked at.
const PAUSE: Duration = Duration::from_millis(5);

/// A server that runs. It is killed with the value, if it still runs then.
pub struct Server {
    process: Child,
    log: Arc<Mutex<String>>,
    address: String,
    pub files: Files,
}

/// A store in a folder, and a plugin beside it.
pub struct Files {
    folder: TempDir,
}

/// A new folder in memory, if there is room for one: what a killed process leaves is there as it is on a disk, and tens
/// of thousands of syncs cost nothing.
pub fn folder_in_memory() -> TempDir {
    let memory = Path::new("/dev/shm");
    let parent = match memory.is_dir() {
        true => memory,
        false => Path::new(env!("CARGO_TARGET_TMPDIR")),
    };
    tempfile::tempdir_in(parent).unwrap()
}

impl Files {
    pub fn new() -> Self {
        Self::of(tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap())
    }

    pub fn in_memory() -> Self {
        Self::of(folder_in_memory())
    }

    fn of(folder: TempDir) -> Self {
        let files = Self { folder };
        fs::create_dir(files.store()).unwrap();
        files.put_plugin(&edition(0));
        files
    }

    /// The folder that holds `config/`.
    pub fn store(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    pub fn plugin(&self) -> PathBuf {
        self.folder.path().join("iamseal.wasm")
    }

    /// Puts these bytes in the place of the plugin's file, all at once.
    pub fn put_plugin(&self, bytes: &[u8]) {
        let new = self.folder.path().join("new.wasm");
        fs::write(&new, bytes).unwrap();
        fs::rename(new, self.plugin()).unwrap();
    }
}

/// The example as Cargo built it: it builds examples together with the tests of a package, but not
/// if it is asked for one test file alone.
fn program() -> PathBuf {
    let this = std::env::current_exe().unwrap(); // <target>/<profile>/deps/server-…
    let profile = this.parent().and_then(Path::parent).unwrap();
    let program = profile.join("examples").join("server");
    assert!(
        program.is_file(),
        "{} is not there: `cargo build --package iamseal --example server` makes it",
        program.display()
    );
    program
}

/// The server that is to serve these files. All servers share the cache of compiled code, because
/// compiling the component takes a second.
pub fn command(files: &Files, arguments: &[&str]) -> Command {
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let mut command = Command::new(program());
    command
        .args(["--listen", "127.0.0.1:0", "--plugin"])
        .arg(files.plugin())
        .args([0, 1].map(|number| format!("--plugin-sha256={}", digest(&edition(number)))))
        .args(arguments)
        .env_clear()
        .env("HOME", scratch)
        .env("XDG_CACHE_HOME", scratch.join("cache"))
        .env("MINIO_KMS_SECRET_KEY", KEY)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// The SHA-256 of a plugin's bytes.
pub fn digest(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// The file of MinIO's variables beside a folder.
pub fn variables_of(files: &Files) -> PathBuf {
    files.plugin().with_file_name("config.env")
}

impl Server {
    /// One that keeps its documents in a folder.
    pub fn start() -> Self {
        Self::serving(Files::new(), &[])
    }

    /// One that serves this folder.
    pub fn serving(files: Files, arguments: &[&str]) -> Self {
        let store = files.store();
        let arguments = [&["--folder", store.to_str().unwrap()], arguments].concat();
        Self::running(command(&files, &arguments), files)
    }

    /// One that was begun with this command.
    pub fn running(mut command: Command, files: Files) -> Self {
        let mut process = command.spawn().unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let logged = Arc::clone(&log);
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let mut log = logged.lock().unwrap();
                log.push_str(&line);
                log.push('\n');
            }
        });
        let (send, receive) = mpsc::channel();
        let mut stdout = BufReader::new(process.stdout.take().unwrap());
        thread::spawn(move || {
            let mut address = String::new();
            stdout.read_line(&mut address).unwrap();
            send.send(address.trim().to_owned()).ok();
            stdout.read_to_end(&mut Vec::new()).ok();
        });
        let mut server = Self {
            process,
            log,
            address: String::new(),
            files,
        };
        server.address = receive.recv_timeout(PATIENCE).unwrap();
        assert!(!server.address.is_empty(), "{}", server.log());
        server
    }

    /// Where it listens.
    pub fn address(&self) -> &str {
        &self.address
    }

    pub fn client(&self) -> Client {
        Client::of(&self.address)
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    pub fn signal(&self, signal: Signal) {
        rustix::process::kill_process(Pid::from_child(&self.process), signal).unwrap();
    }

    /// Waits until something holds.
    #[track_caller]
    pub fn until(&mut self, what: &str, holds: impl Fn(&Self) -> bool) {
        let start = Instant::now();
        while !holds(self) {
            let ended = self.process.try_wait().unwrap();
            assert!(ended.is_none(), "it ended before {what}:\n{}", self.log());
            let hangs = start.elapsed() > PATIENCE;
            assert!(!hangs, "no {what} after {PATIENCE:?}:\n{}", self.log());
            thread::sleep(PAUSE);
        }
    }

    /// Waits for its end, and returns its exit code.
    #[track_caller]
    pub fn wait(&mut self) -> Option<i32> {
        let start = Instant::now();
        loop {
            if let Some(status) = self.process.try_wait().unwrap() {
                return status.code();
            }
            assert!(start.elapsed() < PATIENCE, "it hangs:\n{}", self.log());
            thread::sleep(PAUSE);
        }
    }

    /// Kills it at once, and takes its files.
    pub fn kill(&mut self) -> Files {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        std::mem::replace(&mut self.files, Files::new())
    }

    /// Tells it to end, and waits until it has.
    #[track_caller]
    pub fn end(&mut self) {
        self.signal(Signal::TERM);
        assert_eq!(self.wait(), Some(0), "{}", self.log());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It fails if the process has ended, which is what is wanted.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
