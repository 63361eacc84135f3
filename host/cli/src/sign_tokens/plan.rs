//! Whose tokens are to be signed anew, and whose are not.

use iamseal::contract::{Policy, Signer};
use iamseal::storage::Storage;
use iamseal::{AuditScope, Auditor};

use crate::arguments::{Common, SignTokens};
use crate::failure::Failure;
use crate::identities::{Kind, Place, place};
use crate::output;
use crate::progress::Progress;
use crate::report::{finding, notes, why::Why};

/// How many objects are looked at between two looks at Ctrl-C.
const BATCH: u32 = 16;

/// What an audit tells of session tokens.
#[derive(Default)]
pub struct Planned {
    /// The paths of service accounts whose token a root credential that is lent signed.
    pub accounts: Vec<Vec<u8>>,
    /// Service accounts that do not open, or that no server loads, and why.
    pub failed: Vec<(Vec<u8>, Why)>,
    /// How many tokens of service accounts nobody signed whose secret is known here.
    unknown: usize,
    /// How many temporary credentials a root secret signed.
    temporary: usize,
}

impl Planned {
    pub fn objects(&self) -> u64 {
        self.accounts.len().saturating_add(self.failed.len()) as u64
    }

    /// What is left as it is.
    pub fn tell(&self, common: &Common) {
        if self.accounts.is_empty() && self.failed.is_empty() {
            output::note(common.json, notes::NO_TOKEN_OF_A_ROOT);
        }
        if self.unknown > 0 {
            output::note(common.json, &notes::signed_by_others(self.unknown));
        }
        if self.temporary > 0 {
            output::note(common.json, &notes::temporary_tokens(self.temporary));
        }
    }
}

/// Looks at all objects, and changes none.
///
/// # Errors
/// What keeps the audit from its end.
pub async fn of(
    common: &Common,
    command: &SignTokens,
    store: &dyn Storage,
    auditor: &Auditor,
) -> Result<Planned, Failure> {
    let scope = AuditScope {
        prefix: notes::CONFIG.to_vec(),
        start_after: None,
        policy: Policy::Compatible,
        try_all_credentials: command.credentials.try_all,
    };
    let progress: Progress = crate::store::progress(common, store, &scope.prefix).await;
    let mut audit = auditor.audit(&scope).await?;
    let mut planned = Planned::default();
    loop {
        let findings = audit.next(BATCH).await?;
        if findings.is_empty() {
            break;
        }
        progress.derived(audit.derivations());
        progress.advance(findings.len());
        for found in findings {
            let signer = found.content.signer.as_ref();
            match (place(&found.path), finding::why(&found), signer) {
                (Place::Identity(Kind::Svcaccts, _), Some(why), _) => {
                    planned.failed.push((found.path, why));
                }
                (Place::Identity(Kind::Svcaccts, _), None, Some(signer)) => match signer {
                    Signer::Account => {}
                    Signer::PresentRoot(_) | Signer::EarlierRoot(_) => {
                        planned.accounts.push(found.path);
                    }
                    Signer::Unknown => planned.unknown += 1,
                },
                (Place::Temporary, _, Some(Signer::PresentRoot(_) | Signer::EarlierRoot(_))) => {
                    planned.temporary += 1;
                }
                _ => {}
            }
        }
    }
    progress.finish();
    Ok(planned)
}
