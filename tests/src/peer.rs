//! The second implementation of MinIO's forms, `interop/minio_forms.py`, as a child process.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use serde_json::Value;
use tokio::process::Command;

use crate::conversation::Conversation;
use crate::runtime::wait;

/// The running peer. It is ended when it is dropped.
pub struct Peer(Conversation);

impl Peer {
    /// Starts the peer.
    ///
    /// # Panics
    /// If Python was not set up; the message says how.
    pub fn start() -> Self {
        Self(Conversation::start(command()))
    }

    /// Asks the peer. Requests and answers are described in `interop/README.md`.
    ///
    /// # Errors
    /// The peer's own error.
    pub fn ask(&mut self, request: &Value) -> Result<Value, String> {
        self.0.ask(request)
    }
}

/// Runs the peer's checks of itself against files of `vectors/`.
pub fn self_check(vectors: &[&str]) -> Output {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors");
    let mut command = command();
    command
        .arg("--self-check")
        .args(vectors.iter().map(|name| folder.join(name)))
        .stdin(Stdio::null())
        .kill_on_drop(true);
    wait(async { command.output().await.unwrap() })
}

/// The Python that has what the tests need.
///
/// # Panics
/// If Python was not set up; the message says how.
pub fn python() -> Command {
    let python = env::var_os("IAMSEAL_PYTHON").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../.cache/python/bin/python"),
        PathBuf::from,
    );
    assert!(
        python.exists(),
        "{} is not there: run `cargo xtask setup`, or name a Python that has \
         tests/interop/requirements.txt and embeddings/python/requirements.txt in IAMSEAL_PYTHON",
        python.display()
    );
    let mut command = Command::new(python);
    // It must not leave compiled files beside the source.
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

fn command() -> Command {
    let mut command = python();
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("interop/minio_forms.py"));
    command
}
