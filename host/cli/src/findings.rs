//! All that an audit of a store's configuration finds, for commands that choose objects by it.

use iamseal::contract::{Finding, Policy};
use iamseal::storage::Storage;
use iamseal::{AuditScope, Auditor};

use crate::arguments::Common;
use crate::failure::Failure;
use crate::report::notes;

/// How many objects are looked at between two looks at Ctrl-C.
const BATCH: u32 = 16;

/// Shows each finding, with progress. Changes nothing, and may be dropped at any time.
///
/// # Errors
/// What keeps the audit from its end.
pub async fn each(
    common: &Common,
    store: &dyn Storage,
    auditor: &Auditor,
    try_all_credentials: bool,
    mut see: impl FnMut(Finding),
) -> Result<(), Failure> {
    let scope = AuditScope {
        prefix: notes::CONFIG.to_vec(),
        start_after: None,
        policy: Policy::Compatible,
        try_all_credentials,
    };
    let progress = crate::store::progress(common, store, &scope.prefix).await;
    let mut audit = auditor.audit(&scope).await?;
    loop {
        let findings = audit.next(BATCH).await?;
        if findings.is_empty() {
            break;
        }
        progress.derived(audit.derivations());
        progress.advance(findings.len());
        findings.into_iter().for_each(&mut see);
    }
    progress.finish();
    Ok(())
}
