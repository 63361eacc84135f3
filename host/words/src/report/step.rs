//! What a migration says of one object.

use serde_json::{Value, json};

use super::cause::Cause;
use super::tally::Tally;
use super::words;
use crate::contract::{Found, Outcome, Step};

const UNCHANGED: &str = "unchanged";
const MIGRATED: &str = "migrated";
const WOULD_MIGRATE: &str = "would-migrate";
const EXEMPT: &str = "exempt";
/// What would have been migrated, where a run only prepares.
pub const PREPARED: &str = "prepared";
/// The outcome of one that failed.
pub const FAILED: &str = "failed";

/// Adds it to the run's counts.
pub fn count(step: &Step, tally: &mut Tally) {
    count_as(step, MIGRATED, tally);
}

/// The same of a run in which what was migrated is called so.
pub fn count_as(step: &Step, migrated: &'static str, tally: &mut Tally) {
    if step.retries > 0 {
        tally.retried();
    }
    match &step.outcome {
        Outcome::Unchanged(found) => tally.opened(UNCHANGED, found),
        Outcome::Migrated(found) => tally.opened(migrated, found),
        Outcome::WouldMigrate(found) => tally.opened(WOULD_MIGRATE, found),
        Outcome::Exempt(_) => tally.exempt(),
        Outcome::Failed(error) => tally.failed(FAILED, Cause::of(error)),
    }
}

/// Why it failed, if it did.
pub fn cause(step: &Step) -> Option<Cause> {
    match &step.outcome {
        Outcome::Failed(error) => Some(Cause::of(error)),
        _ => None,
    }
}

/// The same for a journal: path, outcome and whether the object was changed.
pub fn said(step: &Step) -> (&[u8], &str, bool) {
    let is_changed = matches!(step.outcome, Outcome::Migrated(_));
    (&step.path, name(&step.outcome), is_changed)
}

/// Lines for what a person wants to see of each object: failures, what a dry run would do, and what
/// somebody else changed meanwhile.
pub fn text_line(step: &Step) -> Option<String> {
    let opened = |name, found: &Found| {
        let (form, with) = (words::form_name(found.form), words::opened_with(found));
        words::object_line(name, form, &with, &step.path)
    };
    let line = match &step.outcome {
        Outcome::WouldMigrate(found) => opened(WOULD_MIGRATE, found),
        Outcome::Failed(error) => words::failure_lines(FAILED, &error.into(), &step.path),
        _ if step.retries == 0 => return None,
        Outcome::Unchanged(found) => opened(UNCHANGED, found),
        Outcome::Migrated(found) => opened(MIGRATED, found),
        Outcome::Exempt(reason) => words::exempt_lines(reason, &step.path),
    };
    Some(match step.retries {
        0 => line,
        1 => format!("{line}\n    note: changed meanwhile, taken again"),
        times => format!("{line}\n    note: changed meanwhile, taken again {times} times"),
    })
}

/// A line for what happened to an object while a store was watched.
pub fn event_line(step: &Step) -> String {
    let line = match &step.outcome {
        Outcome::Unchanged(found) => Some((UNCHANGED, found)),
        Outcome::Migrated(found) => Some((MIGRATED, found)),
        _ => None,
    };
    match (line, text_line(step)) {
        (_, Some(text)) => text,
        (Some((name, found)), None) => {
            let (form, with) = (words::form_name(found.form), words::opened_with(found));
            words::object_line(name, form, &with, &step.path)
        }
        (None, None) => words::object_line(EXEMPT, "", "", &step.path),
    }
}

/// One line of JSON.
pub fn json_line(step: &Step) -> String {
    json_line_as(step, MIGRATED)
}

/// The same of a run in which what was migrated is called so.
pub fn json_line_as(step: &Step, migrated: &str) -> String {
    let mut fields = words::path_fields(&step.path);
    let (field, value) = match &step.outcome {
        Outcome::Unchanged(found) | Outcome::Migrated(found) | Outcome::WouldMigrate(found) => {
            ("found", words::found_json(found))
        }
        Outcome::Exempt(reason) => ("reason", json!(reason)),
        Outcome::Failed(error) => ("error", words::error_json(&error.into())),
    };
    let name = match name(&step.outcome) {
        MIGRATED => migrated,
        name => name,
    };
    fields.insert("outcome".into(), name.into());
    fields.insert("retries".into(), step.retries.into());
    fields.insert(field.into(), value);
    words::json_line(&Value::Object(fields))
}

fn name(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Unchanged(_) => UNCHANGED,
        Outcome::Migrated(_) => MIGRATED,
        Outcome::WouldMigrate(_) => WOULD_MIGRATE,
        Outcome::Exempt(_) => EXEMPT,
        Outcome::Failed(_) => FAILED,
    }
}
