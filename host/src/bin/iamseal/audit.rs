//! `iamseal audit`: one verdict per object.

use std::collections::BTreeMap;
use std::process::ExitCode;

use iamseal::contract::{Finding, Verdict};
use iamseal::keys::StaticKeyring;
use iamseal::storage::DirStore;
use iamseal::{AuditScope, describe};
use serde_json::{Value, json};
use std::sync::Arc;

use crate::arguments::{self, Audit, Common};
use crate::cause::{self, Cause};
use crate::failure::Failure;
use crate::progress::{Interrupt, Progress};
use crate::{keys, output, plugin, store};

/// How many objects are looked at between two looks at the clock and at Ctrl-C. A few, because one
/// root-credential object takes 50 ms.
const BATCH: u32 = 16;

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
        prefix: command.place.prefix.clone().into_bytes(),
        start_after: None,
        policy: arguments::policy(command.require),
    };
    let total = store::count(&store, &command.place.prefix).await;
    let progress = Progress::new(common, total.ok());
    let plugin = plugin::builder(common, keyring)
        .storage(store as Arc<DirStore>)
        .load()
        .await?;
    let mut audit = plugin.audit(&scope).await?;
    let mut interrupt = Interrupt::listen()?;
    let mut tally = Tally::default();
    loop {
        let findings = interrupt.unless(audit.next(BATCH)).await??;
        if findings.is_empty() {
            break;
        }
        for finding in &findings {
            tally.add(&finding.verdict);
            progress.line(&if common.json {
                json_line(finding)
            } else {
                text_line(finding)
            })?;
        }
        progress.advance(findings.len());
    }
    progress.finish();
    if common.json {
        output::line(&tally.json().to_string())?;
    } else {
        output::line(&tally.table())?;
    }
    Ok(tally.exit_code())
}

fn text_line(finding: &Finding) -> String {
    let path = output::path(&finding.path);
    match &finding.verdict {
        Verdict::Opens(found) => {
            let form = output::form_name(found.form);
            format!(
                "opens   {form:<16} {:<32} {path}",
                output::opened_with(found)
            )
        }
        Verdict::Exempt(reason) => format!("exempt  {:<16} {reason}  {path}", ""),
        Verdict::Fails(error) => {
            let cause = Cause::of(error).name();
            let mut line = format!("FAILS   {cause:<16} {}  {path}", describe(error));
            if let Some(cure) = cause::cure(error) {
                line.push_str(&format!("\n        cure: {cure}"));
            }
            line
        }
    }
}

fn json_line(finding: &Finding) -> String {
    let mut fields = output::path_fields(&finding.path);
    fields.insert("size".into(), json!(finding.size));
    let (verdict, name, value) = match &finding.verdict {
        Verdict::Opens(found) => ("opens", "found", output::found_json(found)),
        Verdict::Exempt(reason) => ("exempt", "reason", json!(reason)),
        Verdict::Fails(error) => ("fails", "error", output::error_json(error)),
    };
    fields.insert("verdict".into(), verdict.into());
    fields.insert(name.into(), value);
    Value::Object(fields).to_string()
}

/// How many objects there are of each kind.
#[derive(Default)]
struct Tally {
    opens: BTreeMap<(&'static str, String), u64>,
    exempt: u64,
    fails: BTreeMap<Cause, u64>,
}

impl Tally {
    fn add(&mut self, verdict: &Verdict) {
        match verdict {
            Verdict::Opens(found) => {
                let kind = (output::form_name(found.form), output::opened_with(found));
                *self.opens.entry(kind).or_default() += 1;
            }
            Verdict::Exempt(_) => self.exempt += 1,
            Verdict::Fails(error) => *self.fails.entry(Cause::of(error)).or_default() += 1,
        }
    }

    fn total(&self) -> u64 {
        self.opens.values().sum::<u64>() + self.exempt + self.fails.values().sum::<u64>()
    }

    fn table(&self) -> String {
        let row = |verdict: &str, what: &str, with: &str, count: u64| {
            vec![
                verdict.to_owned(),
                what.to_owned(),
                with.to_owned(),
                count.to_string(),
            ]
        };
        let mut rows: Vec<_> = self
            .opens
            .iter()
            .map(|((form, with), count)| row("opens", form, with, *count))
            .collect();
        if self.exempt > 0 {
            rows.push(row("exempt", "not IAM-encrypted by MinIO", "", self.exempt));
        }
        rows.extend(
            self.fails
                .iter()
                .map(|(cause, count)| row("FAILS", cause.name(), "", *count)),
        );
        rows.push(row("total", "", "", self.total()));
        output::table(
            &["verdict", "form or cause", "opened with", "objects"],
            rows,
        )
    }

    fn json(&self) -> Value {
        let opens: Vec<_> = self
            .opens
            .iter()
            .map(|((form, with), count)| json!({"form": form, "with": with, "objects": count}))
            .collect();
        let fails: serde_json::Map<_, _> = self
            .fails
            .iter()
            .map(|(cause, count)| (cause.name().into(), json!(count)))
            .collect();
        json!({"summary": {
            "objects": self.total(), "opens": opens, "exempt": self.exempt, "fails": fails,
        }})
    }

    fn exit_code(&self) -> ExitCode {
        cause::exit_code(self.fails.keys().copied())
    }
}
