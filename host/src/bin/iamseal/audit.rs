//! `iamseal audit`: one verdict per object.

use std::os::unix::ffi::OsStrExt as _;
use std::process::ExitCode;

use iamseal::AuditScope;
use iamseal::keys::StaticKeyring;

use crate::arguments::{self, Audit, Common};
use crate::failure::Failure;
use crate::progress::{Interrupt, Progress};
use crate::report::finding;
use crate::tally::Tally;
use crate::{keys, load, output, store};

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
            finding::count(finding, &mut tally);
            progress.line(&if common.json {
                finding::json_line(finding)
            } else {
                finding::text_line(finding)
            })?;
        }
        progress.advance(findings.len());
    }
    progress.finish();
    if tally.is_empty() {
        store::nothing_there(common, &command.place);
    }
    if common.json {
        output::line(&tally.json("verdict", false, None))?;
    } else {
        output::line(&tally.table())?;
    }
    Ok(tally.exit_code().into())
}
