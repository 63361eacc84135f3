//! What an audit says of the drafts that lie in a store.

use serde_json::{Map, Value};

use super::cause::Cause;
use super::tally::Tally;
use super::why::Why;
use super::words;

/// How many are named to people one by one, and of the objects that fail for one cause: enough to see whose
/// they are. In JSON all are.
pub const NAMED: u64 = 10;

/// The drafts that an audit has found.
pub struct Drafts {
    /// Whether they are failures: of what is not sealed nothing may lie about.
    are_failures: bool,
    /// Whether people too are told of each.
    is_verbose: bool,
    count: u64,
}

impl Drafts {
    /// None yet. They are failures where the audit requires something.
    pub fn new(are_failures: bool, is_verbose: bool) -> Self {
        Self {
            are_failures,
            is_verbose,
            count: 0,
        }
    }

    /// How many were found.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Counts those of a page of their listing, and returns what is to be printed of them. A folder that
    /// could not be read, with a `/` at its end, is told of with the objects.
    pub fn see(&mut self, page: &[Vec<u8>], json: bool, tally: &mut Tally) -> Vec<String> {
        let mut lines = Vec::new();
        for path in page.iter().filter(|path| !path.ends_with(b"/")) {
            self.count += 1;
            if self.are_failures {
                tally.beside(Cause::Drafts);
            }
            if json {
                lines.push(self.json_line(path));
            } else if self.is_verbose || self.count <= NAMED {
                lines.push(self.text_line(path));
            }
        }
        lines
    }

    /// The field of the summary, if there are any.
    pub fn json(&self) -> Option<(&'static str, Value)> {
        (self.count > 0).then(|| ("drafts", self.count.into()))
    }

    fn json_line(&self, path: &[u8]) -> String {
        let mut line = Map::new();
        line.insert("draft".into(), Value::Object(words::path_fields(path)));
        if self.are_failures {
            line.insert("error".into(), words::error_json(&why()));
        }
        words::json_line(&Value::Object(line))
    }

    fn text_line(&self, path: &[u8]) -> String {
        match self.are_failures {
            true => words::failure_lines("draft", &why(), path),
            false => words::object_line("draft", "", "", path),
        }
    }
}

fn why() -> Why {
    Why {
        cause: Cause::Drafts,
        message: "a run that was killed left it behind, or one that is under way holds it: it may \
                  hold plaintext"
            .into(),
        cure: Some("iamseal sweep removes it, if no run holds it".into()),
        opens_at: None,
    }
}
