//! What became of an account, and how it is told.

use serde_json::Value;

use crate::arguments::Common;
use crate::report::why::Why;
use crate::report::words;

pub const SIGNED: &str = "signed";
pub const WOULD_SIGN: &str = "would-sign";
pub const FAILED: &str = "failed";

/// What became of an account.
pub struct Step {
    pub path: Vec<u8>,
    pub outcome: &'static str,
    pub failure: Option<Why>,
    /// Whether its object was looked at by the run.
    pub is_read: bool,
}

impl Step {
    pub fn new(path: Vec<u8>, outcome: &'static str) -> Self {
        Self {
            path,
            outcome,
            failure: None,
            is_read: true,
        }
    }

    pub fn failed(path: Vec<u8>, why: Why) -> Self {
        Self {
            path,
            outcome: FAILED,
            failure: Some(why),
            is_read: false,
        }
    }

    /// A line for what a person wants to see: failures, and what a dry run would do.
    pub fn line(&self, common: &Common) -> Option<String> {
        if common.json {
            let mut fields = words::path_fields(&self.path);
            fields.insert("outcome".into(), self.outcome.into());
            let error = self.failure.as_ref().map(words::error_json);
            fields.extend(error.map(|error| ("error".to_owned(), error)));
            return Some(words::json_line(&Value::Object(fields)));
        }
        match &self.failure {
            Some(why) => Some(words::failure_lines(self.outcome, why, &self.path)),
            None if self.outcome == WOULD_SIGN => {
                Some(words::object_line(self.outcome, "", "", &self.path))
            }
            None => None,
        }
    }
}
