//! The real binary in a clean environment, and folders to point it at.

#![allow(dead_code)] // No test file uses all of it.

pub mod audit;
pub mod component;
pub mod disk;
pub mod drives;
mod ended;
pub mod identities;
pub mod migration;
pub mod store;

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{Read, Write as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::io::ioctl_fionread;
use rustix::process::{Pid, Signal};
use tempfile::NamedTempFile;

pub use ended::{Ended, run_name};

/// Two static keys and their names. They are no secret: the first is that of the vectors.
pub const KEY: &str = "my-minio-key:rDHTF3saS+WLQAGZnULu9cZHAzOOWiDBSORoXgorNsM=";
pub const KEY_NAME: &str = "my-minio-key";
pub const OTHER_KEY: &str = "other-key:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
/// Other bytes under the name of [`KEY`].
pub const KEY_WITH_OTHER_BYTES: &str = "my-minio-key:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
/// The root credential of the vectors.
/// A configuration that CREDENTIAL sealed, bound to no path.
pub const ROOT_SEALED: &[u8] = include_bytes!("../../../src/demo/root-credential-aes.bin");
/// A group that is sealed under KEY in the bare context of its path.
pub const BARE: (&str, &[u8]) = (
    "config/iam/groups/grün\u{2028}sep\u{2029}/members.json",
    include_bytes!("../../../src/demo/bare-context.bin"),
);

pub const CREDENTIAL: [(&str, &str); 2] = [
    ("MINIO_ROOT_USER", "minioadmin"),
    ("MINIO_ROOT_PASSWORD", "minioadmin"),
];

/// How long a run may take before it counts as hanging; a whole migration takes seconds.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often a run is looked at.
const PAUSE: Duration = Duration::from_millis(2);

/// A run of the tool that has not begun.
pub struct Tool {
    command: Command,
    input: Stdin,
    files: Vec<NamedTempFile>,
    /// The program's file, open until it runs.
    program: Option<File>,
}

/// Lets nobody else read a file, as one with secrets should be.
pub fn only_mine(file: &Path) {
    fs::set_permissions(file, fs::Permissions::from_mode(0o600)).unwrap();
}

enum Stdin {
    Bytes(Vec<u8>),
    From(Stdio),
}

/// The tool with these arguments and nothing of this process's environment. All tests share the
/// cache of compiled code, because compiling the component takes a second.
pub fn tool<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Tool {
    let mut command = Command::new(env!("CARGO_BIN_EXE_iamseal"));
    command.args(arguments);
    program(command)
}

/// Another program in the same clean environment.
fn program(mut command: Command) -> Tool {
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR"));
    command
        .env_clear()
        .env("HOME", scratch)
        .env("XDG_CACHE_HOME", scratch.join("cache"));
    Tool {
        command,
        input: Stdin::Bytes(Vec::new()),
        files: Vec::new(),
        program: None,
    }
}

impl Tool {
    /// Sets variables.
    pub fn env<V: AsRef<OsStr>>(
        mut self,
        variables: impl IntoIterator<Item = (&'static str, V)>,
    ) -> Self {
        self.command.envs(variables);
        self
    }

    /// The key for new objects.
    pub fn key(self, key: &str) -> Self {
        self.env([("MINIO_KMS_SECRET_KEY", key)])
    }

    /// Further arguments.
    pub fn args<A: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.command.args(arguments);
        self
    }

    /// An option that takes a file, which is removed when the run has ended.
    pub fn file(mut self, option: &str, content: &str) -> Self {
        let file = NamedTempFile::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        fs::write(&file, content).unwrap();
        self.command.arg(option).arg(file.path());
        self.files.push(file);
        self
    }

    /// What is to come from standard input.
    pub fn input(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.input = Stdin::Bytes(bytes.into());
        self
    }

    /// Where standard input is to come from.
    pub fn input_from(mut self, input: impl Into<Stdio>) -> Self {
        self.input = Stdin::From(input.into());
        self
    }

    /// Runs it from a shell that does this first, such as `ulimit -n 32`.
    pub fn after(self, shell: &str) -> Self {
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", &format!("{shell}; exec \"$0\" \"$@\"")])
            .arg(self.command.get_program());
        self.replace(command)
    }

    /// Runs it as another user. Its file may lie where that user may not go, so it is started by
    /// its open file.
    pub fn by_user(mut self, user: u32) -> Self {
        let program = File::open(self.command.get_program()).unwrap();
        let path = format!("/proc/self/fd/{}", program.as_raw_fd());
        let mut command = Command::new(path);
        command.uid(user).gid(user);
        self.program = Some(program);
        self.replace(command)
    }

    /// Hands the arguments and the environment over to a command that comes to the tool in the end.
    fn replace(mut self, mut command: Command) -> Self {
        let environment = self.command.get_envs();
        command
            .args(self.command.get_args())
            .env_clear()
            .envs(environment.map(|(name, value)| (name, value.unwrap())));
        self.command = command;
        self
    }

    /// Runs it to its end.
    pub fn run(self) -> Ended {
        self.spawn().wait()
    }

    /// Runs it; it must succeed.
    #[track_caller]
    pub fn ok(self) -> Ended {
        self.run().exits(0)
    }

    /// The command itself, for a test that handles its pipes otherwise.
    pub fn command(self) -> Command {
        self.command
    }

    /// Begins to run it.
    pub fn spawn(self) -> Running {
        let mut running = self.spawn_unread();
        running.read();
        running
    }

    /// Begins to run it, and reads nothing of what it prints before it is waited for. If it prints
    /// more than a pipe holds, it cannot come to its end meanwhile.
    pub fn spawn_unread(self) -> Running {
        let Self {
            mut command,
            input,
            files,
            program: _program,
        } = self;
        let (stdin, bytes) = match input {
            Stdin::Bytes(bytes) => (Stdio::piped(), bytes),
            Stdin::From(from) => (from, Vec::new()),
        };
        let mut child = command
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        if let Some(mut stdin) = child.stdin.take() {
            // A tool that stops early does not read all of it.
            thread::spawn(move || stdin.write_all(&bytes).ok());
        }
        Running {
            stdout: Stdout::Unread(child.stdout.take().unwrap()),
            stderr: Said::by(child.stderr.take().unwrap()),
            process: Process(child),
            killed: false,
            _files: files,
        }
    }
}

enum Stdout {
    Unread(ChildStdout),
    Read(JoinHandle<Vec<u8>>),
    Closed,
}

/// A run that is under way.
pub struct Running {
    process: Process,
    stdout: Stdout,
    stderr: Said,
    killed: bool,
    _files: Vec<NamedTempFile>,
}

/// A process that does not outlive the test, however that ends.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It fails if the process has ended, which is what is wanted.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Running {
    /// Kills it with SIGKILL, if it still runs.
    pub fn kill(&mut self) {
        self.process.0.kill().unwrap();
        self.killed = true;
    }

    /// Sends it what Ctrl-C sends.
    pub fn interrupt(&self) {
        self.signal(Signal::INT);
    }

    pub fn signal(&self, signal: Signal) {
        rustix::process::kill_process(Pid::from_child(&self.process.0), signal).unwrap();
    }

    /// Closes the pipe that it prints to.
    pub fn close(&mut self) {
        self.stdout = Stdout::Closed;
    }

    fn read(&mut self) {
        self.stdout = match std::mem::replace(&mut self.stdout, Stdout::Closed) {
            Stdout::Unread(stdout) => Stdout::Read(collect(stdout)),
            other => other,
        };
    }

    /// Waits until it has printed something, of one that is not read.
    #[track_caller]
    pub fn until_output(&mut self) {
        self.until("output", |running| match &running.stdout {
            Stdout::Unread(stdout) => ioctl_fionread(stdout).unwrap() > 0,
            _ => panic!("it is read"),
        });
    }

    /// Waits until it has said this on standard error.
    #[track_caller]
    pub fn until_said(&mut self, text: &str) {
        self.until(text, |running| running.stderr.has(text));
    }

    /// Waits until something holds.
    #[track_caller]
    pub fn until(&mut self, what: &str, holds: impl Fn(&Self) -> bool) {
        let start = Instant::now();
        while !holds(self) {
            let still_runs = self.process.0.try_wait().unwrap().is_none();
            assert!(still_runs, "it ended before {what}");
            assert!(start.elapsed() < PATIENCE, "no {what} after {PATIENCE:?}");
            thread::sleep(PAUSE);
        }
    }

    /// Stops it where something holds: it stands still while that is looked at, and goes on if not.
    #[track_caller]
    pub fn until_stopped(&mut self, what: &str, holds: impl Fn() -> bool) {
        self.until(what, |running| {
            running.signal(Signal::STOP);
            let is_there = holds();
            if !is_there {
                running.signal(Signal::CONT);
            }
            is_there
        });
    }

    /// Waits for its end. A run that hangs fails the test.
    #[track_caller]
    pub fn wait(mut self) -> Ended {
        self.read();
        let start = Instant::now();
        let status = loop {
            if let Some(status) = self.process.0.try_wait().unwrap() {
                break status;
            }
            assert!(start.elapsed() < PATIENCE, "it hangs");
            thread::sleep(PAUSE);
        };
        let ended = Ended {
            code: status.code(),
            stdout: match self.stdout {
                Stdout::Read(collecting) => collecting.join().unwrap(),
                _ => Vec::new(),
            },
            stderr: self.stderr.all(),
        };
        assert!(status.code().is_some() || self.killed, "{status}");
        let panicked = ended.stderr.contains("panicked at");
        assert!(!panicked, "{}", ended.stderr);
        ended
    }
}

fn collect(mut from: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        from.read_to_end(&mut bytes).unwrap();
        bytes
    })
}

/// What is said on standard error, while it is said.
struct Said {
    so_far: Arc<Mutex<Vec<u8>>>,
    collecting: JoinHandle<()>,
}

impl Said {
    fn by(mut from: impl Read + Send + 'static) -> Self {
        let so_far = Arc::new(Mutex::new(Vec::new()));
        let into = Arc::clone(&so_far);
        let collecting = thread::spawn(move || {
            let mut part = [0; 4096];
            loop {
                match from.read(&mut part).unwrap() {
                    0 => return,
                    count => into.lock().unwrap().extend(&part[..count]),
                }
            }
        });
        Self { so_far, collecting }
    }

    fn has(&self, text: &str) -> bool {
        String::from_utf8_lossy(&self.so_far.lock().unwrap()).contains(text)
    }

    fn all(self) -> String {
        self.collecting.join().unwrap();
        String::from_utf8(std::mem::take(&mut *self.so_far.lock().unwrap())).unwrap()
    }
}

/// The arguments of a command line without spaces in any of them, with a store or file at its end.
pub fn with(line: &str, last: impl AsRef<OsStr>) -> Vec<OsString> {
    let words = line.split(' ').map(OsString::from);
    words.chain([last.as_ref().to_owned()]).collect()
}
