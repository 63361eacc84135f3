//! Whose tokens are to be signed anew, and whose are not.

use std::collections::BTreeMap;

use iamseal::Auditor;
use iamseal::contract::{Finding, Form, Signer, Verdict};
use iamseal::storage::Storage;

use crate::arguments::{Common, SignTokens};
use crate::failure::Failure;
use crate::findings;
use crate::identities::{Kind, Place, place};
use crate::output;
use crate::report::{finding, notes, why::Why};

/// What an audit tells of session tokens.
#[derive(Default)]
pub struct Planned {
    /// The paths of service accounts whose token a root credential that is lent signed, and whether they are plaintext.
    pub accounts: BTreeMap<Vec<u8>, bool>,
    /// Service accounts that do not open, or that no server loads, and why.
    pub failed: Vec<(Vec<u8>, Why)>,
    /// How many tokens of service accounts nobody signed whose secret is known here.
    pub unknown: usize,
    /// How many temporary credentials a root secret signed.
    temporary: usize,
}

impl Planned {
    fn see(&mut self, found: Finding) {
        let signer = found.content.signer.as_ref();
        match (place(&found.path), finding::why(&found), signer) {
            (Place::Identity(Kind::Svcaccts, _), Some(why), _) => {
                self.failed.push((found.path, why));
            }
            (Place::Identity(Kind::Svcaccts, _), None, Some(signer)) => match signer {
                Signer::Account => {}
                Signer::PresentRoot(_) | Signer::EarlierRoot(_) => {
                    let is_plaintext = matches!(
                        &found.verdict,
                        Verdict::Opens(how) if how.form == Form::Plaintext
                    );
                    self.accounts.insert(found.path, is_plaintext);
                }
                Signer::Unknown => self.unknown += 1,
            },
            (Place::Temporary, _, Some(Signer::PresentRoot(_) | Signer::EarlierRoot(_))) => {
                self.temporary += 1;
            }
            _ => {}
        }
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
    let mut planned = Planned::default();
    let try_all = command.credentials.try_all;
    findings::each(common, store, auditor, try_all, |found| planned.see(found)).await?;
    Ok(planned)
}
