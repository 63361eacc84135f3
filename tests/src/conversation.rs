//! A child process that reads one JSON request per line and answers each with one JSON line, with
//! `"ok": true` or with `"ok": false` and an `error`.

use std::process::Stdio;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::runtime::wait;

/// The running process. It is ended when it is dropped.
pub struct Conversation {
    /// Ends the process when it is dropped.
    _process: Child,
    requests: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Conversation {
    /// Starts the process.
    ///
    /// # Panics
    /// If it does not start.
    pub fn start(mut command: Command) -> Self {
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        wait(async {
            let mut process = command.spawn().unwrap();
            Self {
                requests: process.stdin.take().unwrap(),
                answers: BufReader::new(process.stdout.take().unwrap()).lines(),
                _process: process,
            }
        })
    }

    /// Asks the process.
    ///
    /// # Errors
    /// Its own error.
    pub fn ask(&mut self, request: &Value) -> Result<Value, String> {
        let answer = wait(async {
            let line = format!("{request}\n");
            self.requests.write_all(line.as_bytes()).await.unwrap();
            self.answers.next_line().await.unwrap()
        });
        let answer: Value = serde_json::from_str(&answer.expect("the process ended")).unwrap();
        if answer["ok"] == true {
            return Ok(answer);
        }
        Err(answer["error"].as_str().unwrap().to_string())
    }
}
