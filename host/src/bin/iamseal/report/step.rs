//! What a migration says of one object.

use alloc::string::{String, ToString as _};

use iamseal::contract::{Outcome, Step};
use serde_json::{Value, json};

use super::cause::Cause;
use super::tally::Tally;
use super::words;

const UNCHANGED: &str = "unchanged";
const MIGRATED: &str = "migrated";
const WOULD_MIGRATE: &str = "would-migrate";
const FAILED: &str = "failed";

/// Adds it to the run's counts.
pub fn count(step: &Step, tally: &mut Tally) {
    match &step.outcome {
        Outcome::Unchanged(found) => tally.opened(UNCHANGED, found),
        Outcome::Migrated(found) => tally.opened(MIGRATED, found),
        Outcome::WouldMigrate(found) => tally.opened(WOULD_MIGRATE, found),
        Outcome::Exempt(_) => tally.exempt(),
        Outcome::Failed(error) => tally.failed(FAILED, Cause::of(error)),
    }
}

/// A line for what a person wants to see of each object: failures, and what a dry run would do.
pub fn text_line(step: &Step) -> Option<String> {
    match &step.outcome {
        Outcome::Unchanged(_) | Outcome::Migrated(_) | Outcome::Exempt(_) => None,
        Outcome::WouldMigrate(found) => {
            let (form, with) = (words::form_name(found.form), words::opened_with(found));
            Some(words::object_line(WOULD_MIGRATE, form, &with, &step.path))
        }
        Outcome::Failed(error) => Some(words::failure_lines(FAILED, &error.into(), &step.path)),
    }
}

/// One line of JSON.
pub fn json_line(step: &Step) -> String {
    let mut fields = words::path_fields(&step.path);
    let (outcome, name, value) = match &step.outcome {
        Outcome::Unchanged(found) => (UNCHANGED, "found", words::found_json(found)),
        Outcome::Migrated(found) => (MIGRATED, "found", words::found_json(found)),
        Outcome::WouldMigrate(found) => (WOULD_MIGRATE, "found", words::found_json(found)),
        Outcome::Exempt(reason) => ("exempt", "reason", json!(reason)),
        Outcome::Failed(error) => (FAILED, "error", words::error_json(&error.into())),
    };
    fields.insert("outcome".into(), outcome.into());
    fields.insert(name.into(), value);
    Value::Object(fields).to_string()
}
