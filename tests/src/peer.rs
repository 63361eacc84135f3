//! The second implementation of MinIO's forms, `interop/minio_forms.py`, as a child process.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::runtime::wait;

/// The running peer. It is ended when it is dropped.
pub struct Peer {
    /// Ends the process when it is dropped.
    _process: Child,
    requests: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Peer {
    /// Starts the peer.
    ///
    /// # Panics
    /// If Python was not set up; the message says how.
    pub fn start() -> Self {
        wait(async {
            let mut process = command()
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            Self {
                requests: process.stdin.take().unwrap(),
                answers: BufReader::new(process.stdout.take().unwrap()).lines(),
                _process: process,
            }
        })
    }

    /// Asks the peer. Requests and answers are described in `interop/README.md`.
    ///
    /// # Errors
    /// The peer's own error.
    pub fn ask(&mut self, request: &Value) -> Result<Value, String> {
        let answer = wait(async {
            let line = format!("{request}\n");
            self.requests.write_all(line.as_bytes()).await.unwrap();
            self.answers.next_line().await.unwrap()
        });
        let answer: Value = serde_json::from_str(&answer.expect("the peer ended")).unwrap();
        if answer["ok"] == true {
            return Ok(answer);
        }
        Err(answer["error"].as_str().unwrap().to_string())
    }
}

/// Runs the peer's checks of itself against files of `vectors/`.
pub fn self_check(vectors: &[&str]) -> Output {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors");
    let mut command = command();
    command
        .arg("--self-check")
        .args(vectors.iter().map(|name| folder.join(name)))
        .stdin(Stdio::null());
    wait(async { command.output().await.unwrap() })
}

fn command() -> Command {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = env::var_os("IAMSEAL_PYTHON")
        .map_or_else(|| here.join("../.cache/python/bin/python"), PathBuf::from);
    assert!(
        python.exists(),
        "{} is not there: run `cargo xtask setup`, or name a Python that has \
         tests/interop/requirements.txt in IAMSEAL_PYTHON",
        python.display()
    );
    let mut command = Command::new(python);
    command
        .arg(here.join("interop/minio_forms.py"))
        // The peer must not leave compiled files beside its source.
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .kill_on_drop(true);
    command
}
