//! How many objects of a run became what: counts that sum, as a table and as JSON.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::cause::Cause;
use super::{paint, words};
use crate::contract::Found;

/// The columns of form and key of a run that changes nothing.
pub const IS: [&str; 2] = ["form or cause", "opened with"];
/// Those of a run that changes objects, and tells what they were.
pub const WAS: [&str; 2] = ["was, or cause", "was opened with"];

/// What every object of a run became.
pub struct Tally {
    /// What is counted, in the plural.
    things: &'static str,
    counts: BTreeMap<Kind, u64>,
    causes: BTreeSet<Cause>,
    retried: u64,
}

impl Default for Tally {
    fn default() -> Self {
        Self::of("objects")
    }
}

/// Objects that became the same.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Kind {
    /// Failures come last, where a reader's eye ends.
    is_failure: bool,
    verdict: &'static str,
    /// The form, or the cause of a failure.
    what: &'static str,
    /// What opened it.
    with: With,
}

/// What opened an object; nothing for plaintext and failures.
#[derive(Default, PartialEq, Eq, PartialOrd, Ord)]
struct With {
    key: Option<String>,
    context: Option<&'static str>,
    user: Option<String>,
    /// The same in words.
    words: String,
}

impl With {
    fn of(found: &Found) -> Self {
        Self {
            key: found.key.clone(),
            context: found.context.map(words::context_name),
            user: found.user.clone(),
            words: words::opened_with(found),
        }
    }
}

impl Tally {
    /// A tally of other things than objects, which it calls so.
    pub fn of(things: &'static str) -> Self {
        Self {
            things,
            counts: BTreeMap::new(),
            causes: BTreeSet::new(),
            retried: 0,
        }
    }

    /// A failure of something beside the objects.
    pub fn beside(&mut self, cause: Cause) {
        self.causes.insert(cause);
    }

    /// An object that was opened.
    pub fn opened(&mut self, verdict: &'static str, found: &Found) {
        let what = words::form_name(found.form);
        self.add(Kind {
            is_failure: false,
            verdict,
            what,
            with: With::of(found),
        });
    }

    /// An object that was not looked into.
    pub fn exempt(&mut self) {
        self.plain("exempt");
    }

    /// An object of which there is nothing to say but its verdict.
    pub fn plain(&mut self, verdict: &'static str) {
        self.add(Kind {
            is_failure: false,
            verdict,
            what: "",
            with: With::default(),
        });
    }

    /// An object that failed.
    pub fn failed(&mut self, verdict: &'static str, cause: Cause) {
        self.causes.insert(cause);
        let what = cause.name();
        self.add(Kind {
            is_failure: true,
            verdict,
            what,
            with: With::default(),
        });
    }

    /// An object, counted already or not, that was changed meanwhile and taken again.
    pub fn retried(&mut self) {
        self.retried += 1;
    }

    /// A row for each kind and their sum, and how many of them were taken again if any were.
    pub fn table(&self, columns: [&str; 2]) -> String {
        let row = |kind: &Kind, count: &u64| {
            let verdict = paint::verdict(kind.verdict, kind.is_failure);
            vec![
                verdict,
                kind.what.to_owned(),
                kind.with.words.clone(),
                count.to_string(),
            ]
        };
        let mut rows: Vec<_> = self
            .counts
            .iter()
            .map(|(kind, count)| row(kind, count))
            .collect();
        rows.push(vec![
            "total".into(),
            String::new(),
            String::new(),
            self.total().to_string(),
        ]);
        if self.retried > 0 {
            let what = "changed meanwhile, taken again".to_owned();
            rows.push(vec![
                "of them".into(),
                what,
                String::new(),
                self.retried.to_string(),
            ]);
        }
        let [what, with] = columns;
        paint::table(&["", what, with, self.things], rows)
    }

    /// One line of JSON, which calls the verdict by the name that the run's other lines use. It has
    /// `retried` only where an object was taken again. `run` tells of the journal where there is one.
    pub fn json(&self, verdict: &str, interrupted: bool, run: Option<Value>) -> String {
        self.summary(verdict, interrupted, run.map(|run| ("run", run)))
    }

    /// The same with any further fields.
    pub fn summary<'a>(
        &self,
        verdict: &str,
        interrupted: bool,
        further: impl IntoIterator<Item = (&'a str, Value)>,
    ) -> String {
        let counts: Vec<Value> = self
            .counts
            .iter()
            .map(|(kind, count)| {
                let what = if kind.is_failure { "cause" } else { "form" };
                let fields = [
                    (verdict, Some(kind.verdict)),
                    (what, Some(kind.what).filter(|what| !what.is_empty())),
                    ("key", kind.with.key.as_deref()),
                    ("context", kind.with.context),
                    ("user", kind.with.user.as_deref()),
                ];
                let mut entry: Map<_, _> = fields
                    .into_iter()
                    .filter_map(|(name, text)| Some((name.to_owned(), text?.into())))
                    .collect();
                entry.insert(self.things.into(), (*count).into());
                Value::Object(entry)
            })
            .collect();
        let mut summary = json!({"counts": counts, "interrupted": interrupted});
        if let Some(fields) = summary.as_object_mut() {
            fields.insert(self.things.into(), self.total().into());
            let further = further.into_iter();
            fields.extend(further.map(|(name, value)| (name.to_owned(), value)));
            if self.retried > 0 {
                fields.insert("retried".into(), self.retried.into());
            }
        }
        words::json_line(&json!({ "summary": summary }))
    }

    /// Whether there was no object at all.
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// Success, the one code of the causes that objects failed for, or the code for several.
    pub fn exit_code(&self) -> u8 {
        let codes: BTreeSet<u8> = self.causes.iter().map(|cause| cause.exit_code()).collect();
        let mut codes = codes.into_iter();
        match (codes.next(), codes.next()) {
            (None, _) => 0,
            (Some(only), None) => only,
            (Some(_), Some(_)) => Cause::Several.exit_code(),
        }
    }

    fn add(&mut self, kind: Kind) {
        *self.counts.entry(kind).or_default() += 1;
    }

    fn total(&self) -> u64 {
        self.counts.values().sum()
    }
}
