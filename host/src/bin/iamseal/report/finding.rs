//! What an audit says of one object.

use alloc::string::{String, ToString as _};

use iamseal::contract::{Finding, Verdict};
use serde_json::{Value, json};

use super::tally::Tally;
use super::words;

const OPENS: &str = "opens";
const FAILS: &str = "fails";

/// Adds it to the run's counts.
pub fn count(finding: &Finding, tally: &mut Tally) {
    match &finding.verdict {
        Verdict::Opens(found) => tally.opened(OPENS, found),
        Verdict::Exempt(_) => tally.exempt(),
        Verdict::Fails(error) => tally.failed(FAILS, error),
    }
}

/// For people.
pub fn text_line(finding: &Finding) -> String {
    let path = &finding.path;
    match &finding.verdict {
        Verdict::Opens(found) => {
            let form = words::form_name(found.form);
            words::object_line(OPENS, form, &words::opened_with(found), path)
        }
        Verdict::Exempt(reason) => words::exempt_lines(reason, path),
        Verdict::Fails(error) => words::failure_lines(FAILS, error, path),
    }
}

/// One line of JSON.
pub fn json_line(finding: &Finding) -> String {
    let mut fields = words::path_fields(&finding.path);
    fields.insert("size".into(), json!(finding.size));
    let (verdict, name, value) = match &finding.verdict {
        Verdict::Opens(found) => (OPENS, "found", words::found_json(found)),
        Verdict::Exempt(reason) => ("exempt", "reason", json!(reason)),
        Verdict::Fails(error) => (FAILS, "error", words::error_json(error)),
    };
    fields.insert("verdict".into(), verdict.into());
    fields.insert(name.into(), value);
    Value::Object(fields).to_string()
}
