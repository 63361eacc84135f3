//! A run that has ended, and what a test expects of it.

use std::fmt;

use serde_json::Value;

/// A run that has ended.
#[derive(Debug)]
pub struct Ended {
    /// None if a signal ended it.
    pub code: Option<i32>,
    pub stdout: Vec<u8>,
    pub stderr: String,
}

impl Ended {
    /// It ended with this code.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self}");
        self
    }

    /// It failed with this code, printed nothing on standard output, and one error on standard error.
    #[track_caller]
    pub fn fails(self, code: i32) -> Self {
        let ended = self.exits(code);
        assert!(ended.stdout.is_empty(), "{ended}");
        let errors = ended.stderr.matches("error: ").count();
        assert_eq!(errors, 1, "{ended}");
        ended
    }

    /// Standard error has this in it.
    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        assert!(self.stderr.contains(text), "not said: {text}\n{self}");
        self
    }

    /// Standard output is text and has this in it.
    #[track_caller]
    pub fn prints(self, text: &str) -> Self {
        assert!(self.text().contains(text), "not printed: {text}\n{self}");
        self
    }

    /// Standard error is empty.
    #[track_caller]
    pub fn says_nothing(self) -> Self {
        assert_eq!(self.stderr, "", "{self}");
        self
    }

    /// Standard output as text.
    #[track_caller]
    pub fn text(&self) -> &str {
        str::from_utf8(&self.stdout).unwrap()
    }

    /// Standard output as one JSON object per line.
    #[track_caller]
    pub fn json(&self) -> Vec<Value> {
        json_lines(self.text())
    }

    /// The same without the drafts that an audit has found.
    #[track_caller]
    pub fn json_of_objects(&self) -> Vec<Value> {
        let mut lines = self.json();
        lines.retain(|line| line.get("draft").is_none());
        lines
    }

    /// The paths of the drafts that an audit has found.
    #[track_caller]
    pub fn drafts(&self) -> Vec<String> {
        let lines = self.json().into_iter();
        let path = |line: Value| Some(line.get("draft")?["path"].as_str().unwrap().to_owned());
        lines.filter_map(path).collect()
    }

    /// Standard error as one JSON object per line.
    #[track_caller]
    pub fn errors(&self) -> Vec<Value> {
        json_lines(&self.stderr)
    }

    /// The command's own error, of what it says in JSON.
    #[track_caller]
    pub fn error(&self) -> Value {
        let mut lines = self.errors().into_iter();
        lines.find_map(|line| line.get("error").cloned()).unwrap()
    }
}

/// The name of the run that has ended, of what it says in JSON.
#[track_caller]
pub fn run_name(ended: &Ended) -> String {
    let summary = ended.json().pop().unwrap();
    let name = summary["summary"]["run"]["name"].as_str();
    name.unwrap().to_owned()
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stdout = String::from_utf8_lossy(&self.stdout);
        write!(f, "code {:?}\n{stdout}\n{}", self.code, self.stderr)
    }
}

#[track_caller]
fn json_lines(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| match serde_json::from_str(line) {
            Ok(value @ Value::Object(_)) => value,
            other => panic!("no JSON object: {line}: {other:?}"),
        })
        .collect()
}
