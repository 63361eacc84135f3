//! `iamseal audit`: one verdict per object.

use std::os::unix::ffi::OsStrExt as _;
use std::process::ExitCode;

use iamseal::AuditScope;
use iamseal::contract::{Finding, Verdict};
use iamseal::keys::StaticKeyring;
use serde_json::{Value, json};

use crate::arguments::{self, Audit, Common};
use crate::failure::Failure;
use crate::progress::{Interrupt, Progress};
use crate::tally::Tally;
use crate::{keys, load, output, store};

/// How many objects are looked at between two looks at the clock and at Ctrl-C. A few, because one
/// root-credential object takes 50 ms.
const BATCH: u32 = 16;

const OPENS: &str = "opens";
const FAILS: &str = "fails";

pub async fn run(common: &Common, command: &Audit) -> Result<ExitCode, Failure> {
    audit(common, keys::keyring(common)?, command).await
}

/// The same with keys that are already there.
pub async fn audit(
    common: &Common,
    keyring: StaticKeyring,
    command: &Audit,
) -> Result<ExitCode, Failure> {
    let store = store::open(common, &command.place).await?;
    let scope = AuditScope {
        prefix: command.place.prefix.as_bytes().to_vec(),
        start_after: None,
        policy: arguments::policy(command.require),
    };
    let total = store::count(&store, &scope.prefix).await;
    let progress = Progress::new(common, total.ok());
    let auditor = load::auditor(common, keyring, Some(store)).await?;
    let mut audit = auditor.audit(&scope).await?;
    let mut interrupt = Interrupt::listen()?;
    let mut tally = Tally::default();
    loop {
        let findings = interrupt.unless(audit.next(BATCH)).await??;
        if findings.is_empty() {
            break;
        }
        for finding in &findings {
            match &finding.verdict {
                Verdict::Opens(found) => tally.opened(OPENS, found),
                Verdict::Exempt(_) => tally.exempt(),
                Verdict::Fails(failure) => tally.failed(FAILS, &failure.error),
            }
            progress.line(&if common.json {
                json_line(finding)
            } else {
                text_line(finding)
            })?;
        }
        progress.advance(findings.len());
    }
    progress.finish();
    if tally.is_empty() {
        store::nothing_there(common, &command.place);
    }
    if common.json {
        output::line(&tally.json("verdict", false))?;
    } else {
        output::line(&tally.table())?;
    }
    Ok(tally.exit_code())
}

fn text_line(finding: &Finding) -> String {
    let path = &finding.path;
    match &finding.verdict {
        Verdict::Opens(found) => {
            let form = output::form_name(found.form);
            output::object_line(OPENS, form, &output::opened_with(found), path)
        }
        Verdict::Exempt(reason) => output::exempt_lines(reason, path),
        Verdict::Fails(failure) => output::failure_lines(FAILS, &failure.error, path),
    }
}

fn json_line(finding: &Finding) -> String {
    let mut fields = output::path_fields(&finding.path);
    fields.insert("size".into(), json!(finding.size));
    let (verdict, name, value) = match &finding.verdict {
        Verdict::Opens(found) => (OPENS, "found", output::found_json(found)),
        Verdict::Exempt(reason) => ("exempt", "reason", json!(reason)),
        Verdict::Fails(failure) => (FAILS, "error", output::error_json(&failure.error)),
    };
    fields.insert("verdict".into(), verdict.into());
    fields.insert(name.into(), value);
    Value::Object(fields).to_string()
}
