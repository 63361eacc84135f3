//! The component in hosts that are not Rust: the examples in `embeddings/`, each driven by a process of
//! `hosts/` that answers requests. The component's bytes are those that the crate embeds.
//!
//! Bytes are standard base64. `do` is `unseal`, with `stored` and `policy`, answered by `plaintext` and
//! `found`; or `seal`, with `plaintext` and `form`, answered by `stored`. Both have `path` and `store`
//! and `lend`: `key` (`NAME:BASE64`, handed to the example's own keyring), or else `server` (the name of
//! a key of which a handle is lent that opens nothing); `credentials`, pairs of user and password. An
//! `error` is a case of the contract's, or begins with `trap: `.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::conversation::Conversation;
use crate::peer::python;
use crate::runtime::wait;

/// A running host. It is ended when it is dropped.
pub struct OtherHost {
    conversation: Conversation,
    /// The interpreter, and what the example is started with to work from the command line.
    example: Vec<OsString>,
    _component: TempDir,
}

impl OtherHost {
    /// Python with its package `wasmtime`.
    ///
    /// # Panics
    /// If Python was not set up; the message says how.
    pub fn python() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let component = component(&folder);
        let mut command = python();
        command
            .arg(in_workspace("tests/hosts/python_host.py"))
            .arg(in_workspace("embeddings/python"))
            .arg(&component);
        Self {
            example: vec![
                command.as_std().get_program().to_owned(),
                in_workspace("embeddings/python/iamseal.py").into(),
                component.into(),
            ],
            conversation: Conversation::start(command),
            _component: folder,
        }
    }

    /// Node.js with what the package `@bytecodealliance/jco-transpile` makes of the component.
    ///
    /// # Panics
    /// If Node was not set up; the message says how.
    pub fn node() -> Self {
        let folder = tempfile::tempdir().unwrap();
        transpile(&component(&folder), folder.path());
        // Some keep what they have on their path as links.
        let link = folder.path().join("through-a-link.js");
        let example = fs::canonicalize(in_workspace("embeddings/node/iamseal.js")).unwrap();
        symlink(example, &link).unwrap();
        let mut command = node();
        command
            .arg(in_workspace("tests/hosts/node_host.mjs"))
            .arg(in_workspace("embeddings/node"))
            .arg(folder.path());
        Self {
            example: vec![
                command.as_std().get_program().to_owned(),
                link.into(),
                folder.path().into(),
            ],
            conversation: Conversation::start(command),
            _component: folder,
        }
    }

    /// Runs the example as its user does, with what it reads.
    pub fn command_line(&self, key: &str, action: &str, path: &str, input: &[u8]) -> Output {
        let [program, arguments @ ..] = &self.example[..] else {
            panic!("no program");
        };
        let mut command = Command::new(program);
        command
            .args(arguments)
            .args([action, path])
            .env("MINIO_KMS_SECRET_KEY", key)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        wait(async {
            let mut process = command.spawn().unwrap();
            let mut stdin = process.stdin.take().unwrap();
            // One that ends early, for want of a key, does not read.
            let _ = stdin.write_all(input).await;
            drop(stdin);
            process.wait_with_output().await.unwrap()
        })
    }

    /// Asks the host.
    ///
    /// # Errors
    /// The component's error, or what went wrong in the host.
    pub fn ask(&mut self, request: &Value) -> Result<Value, String> {
        self.conversation.ask(request)
    }
}

/// The embedded component as a file.
fn component(folder: &TempDir) -> PathBuf {
    let file = folder.path().join("component.wasm");
    fs::write(&file, iamseal_component::PLUGIN).unwrap();
    file
}

/// Runs the example's own `transpile.js`.
fn transpile(component: &Path, folder: &Path) {
    let packages = in_workspace("embeddings/node/node_modules");
    assert!(
        packages.exists(),
        "{} is not there: run `cargo xtask setup`",
        packages.display()
    );
    // What jco writes are modules, which Node must be told outside of the example's folder.
    fs::write(folder.join("package.json"), r#"{"type": "module"}"#).unwrap();
    let mut command = node();
    command
        .arg(in_workspace("embeddings/node/transpile.js"))
        .arg(component)
        .arg(folder)
        .kill_on_drop(true);
    let output = wait(async { command.output().await.unwrap() });
    assert!(output.status.success(), "{output:?}");
}

fn node() -> Command {
    Command::new(env::var_os("IAMSEAL_NODE").unwrap_or_else(|| "node".into()))
}

fn in_workspace(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}
