//! What became of an identity of an archive, and how it is told.

use serde_json::Value;

use crate::arguments::Common;
use crate::identities::Kind;
use crate::report::why::Why;
use crate::report::words;

/// What became of an identity.
pub struct Step {
    pub path: Vec<u8>,
    pub kind: Kind,
    pub name: String,
    pub outcome: &'static str,
    pub failure: Option<Why>,
    /// Whether its object, or that there is none, was looked at.
    pub is_read: bool,
}

pub const CREATED: &str = "created";
pub const REPLACED: &str = "replaced";
pub const WOULD_CREATE: &str = "would-create";
pub const WOULD_REPLACE: &str = "would-replace";
pub const UNCHANGED: &str = "unchanged";
pub const FAILED: &str = "failed";

impl Step {
    pub fn is_written(&self) -> bool {
        self.failure.is_none() && [CREATED, REPLACED].contains(&self.outcome)
    }

    /// A line for what a person wants to see: failures, and what a dry run would do.
    pub fn line(&self, common: &Common) -> Option<String> {
        if common.json {
            let mut fields = words::path_fields(&self.path);
            fields.insert("kind".into(), self.kind.name().into());
            fields.insert("name".into(), self.name.as_str().into());
            fields.insert("outcome".into(), self.outcome.into());
            let error = self.failure.as_ref().map(words::error_json);
            fields.extend(error.map(|error| ("error".to_owned(), error)));
            return Some(words::json_line(&Value::Object(fields)));
        }
        match &self.failure {
            Some(why) => Some(words::failure_lines(self.outcome, why, &self.path)),
            None if [WOULD_CREATE, WOULD_REPLACE].contains(&self.outcome) => {
                Some(words::object_line(self.outcome, "", "", &self.path))
            }
            None => None,
        }
    }
}
