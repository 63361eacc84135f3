//! What an audit says of one object.

use serde_json::{Map, Value, json};

use super::cause::Cause;
use super::tally::Tally;
use super::why::Why;
use super::words;
use crate::contract::{Finding, ObjectError, Signer, Verdict};
use crate::describe::line;
use crate::shown::{harmless, shown};

const OPENS: &str = "opens";
/// Where service accounts stand. Temporary credentials are a root's to sign, and end by themselves.
const ACCOUNTS: &[u8] = b"config/iam/service-accounts/";
/// What an object is called that does not open, or is not what it should be.
pub const FAILS: &str = "fails";

/// Adds it to the run's counts.
pub fn count(finding: &Finding, tally: &mut Tally) {
    match &finding.verdict {
        Verdict::Opens(found) => match cause(finding) {
            None => tally.opened(OPENS, found),
            Some(cause) => tally.failed(FAILS, cause),
        },
        Verdict::Exempt(_) => tally.exempt(),
        Verdict::Fails(failure) => tally.failed(FAILS, Why::from(failure).cause),
    }
}

/// Why it fails, if it does.
pub fn cause(finding: &Finding) -> Option<Cause> {
    why(finding).map(|why| why.cause)
}

/// The same with all that is told of it. What opens and is not loaded fails too: to whoever runs a server it
/// is the same.
pub fn why(finding: &Finding) -> Option<Why> {
    match &finding.verdict {
        Verdict::Fails(failure) => Some(failure.into()),
        Verdict::Opens(_) => {
            let mut errors = finding.content.faults.iter().filter(|fault| fault.is_error);
            let fault = errors.next()?;
            Some(Why::from(&ObjectError::NotLoadable(fault.text.clone())))
        }
        Verdict::Exempt(_) => None,
    }
}

/// What is wrong with it that keeps no server from loading it.
fn warnings(finding: &Finding) -> Vec<String> {
    let content = &finding.content;
    let faults = content.faults.iter().filter(|fault| !fault.is_error);
    let faults = faults.map(|fault| line(&fault.text));
    let is_account = finding.path.starts_with(ACCOUNTS);
    let signed = content.signer.as_ref().and_then(|signer| match signer {
        Signer::Account | Signer::PresentRoot(_) => None,
        Signer::Unknown if !is_account => None,
        Signer::Unknown => Some(
            "its session token is signed neither by its own secret nor by a root credential that was given: \
             a server with another root secret than the one that signed it does not know this account"
                .into(),
        ),
        Signer::EarlierRoot(user) => Some(format!(
            "its session token is signed with an earlier secret of the root credential {}: a server that \
             has the present one does not know this account ({})",
            shown(user.as_bytes()),
            // Whoever has a temporary one has its token too, which nobody can replace there.
            match is_account {
                true => "iamseal sign-tokens mends that",
                false => "it is temporary: whoever has it asks for another",
            }
        )),
    });
    faults.chain(signed).collect()
}

/// For people.
pub fn text_line(finding: &Finding) -> String {
    let path = &finding.path;
    let line = match (&finding.verdict, why(finding)) {
        (_, Some(why)) => words::failure_lines(FAILS, &why, path),
        (Verdict::Exempt(reason), None) => words::exempt_lines(reason, path),
        (Verdict::Opens(found), None) => {
            let form = words::form_name(found.form);
            words::object_line(OPENS, form, &words::opened_with(found), path)
        }
        (Verdict::Fails(_), None) => String::new(),
    };
    let warnings = warnings(finding).into_iter();
    let warnings = warnings.map(|text| format!("\n  warning: {}", harmless(&text)));
    warnings.fold(line, |line, warning| line + &warning)
}

/// One line of JSON.
pub fn json_line(finding: &Finding) -> String {
    words::json_line(&Value::Object(fields(finding)))
}

/// The fields of that line.
pub fn fields(finding: &Finding) -> Map<String, Value> {
    let mut fields = words::path_fields(&finding.path);
    fields.insert("size".into(), json!(finding.size));
    fields.insert("key".into(), json!(finding.key));
    let (verdict, name, value) = match &finding.verdict {
        Verdict::Opens(found) => (OPENS, "found", words::found_json(found)),
        Verdict::Exempt(reason) => ("exempt", "reason", json!(reason)),
        Verdict::Fails(failure) => (FAILS, "error", words::error_json(&failure.into())),
    };
    fields.insert("verdict".into(), verdict.into());
    fields.insert(name.into(), value);
    if let (Verdict::Opens(_), Some(why)) = (&finding.verdict, why(finding)) {
        fields.insert("verdict".into(), FAILS.into());
        fields.insert("error".into(), words::error_json(&why));
    }
    let warnings = warnings(finding);
    if !warnings.is_empty() {
        fields.insert("warnings".into(), json!(warnings));
    }
    if let Some(signer) = &finding.content.signer {
        fields.insert("signed_by".into(), signed_by(signer));
    }
    fields
}

fn signed_by(signer: &Signer) -> Value {
    match signer {
        Signer::Account => json!({"secret": "account"}),
        Signer::PresentRoot(user) => json!({"secret": "present-root", "user": user}),
        Signer::EarlierRoot(user) => json!({"secret": "earlier-root", "user": user}),
        Signer::Unknown => json!({"secret": "unknown"}),
    }
}
