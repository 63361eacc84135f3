//! The export `auditing`.

use alloc::vec::Vec;
use core::cell::RefCell;

use iamseal_core as core_;

use crate::Plugin;
use crate::contract::exports::iamseal::plugin::auditing::{
    Audit, Error, Finding, Guest, GuestAudit, Scope,
};
use crate::lent::Lent;

/// The resource `audit`.
pub(crate) struct Auditing(RefCell<core_::Audit<Lent>>);

impl Guest for Plugin {
    type Audit = Auditing;

    fn start(scope: Scope) -> Audit {
        let audit = core_::Audit::new(Lent, scope.into());
        Audit::new(Auditing(RefCell::new(audit)))
    }
}

impl GuestAudit for Auditing {
    fn next(&self, limit: u32) -> Result<Vec<Finding>, Error> {
        let findings = self.0.borrow_mut().next(limit)?;
        Ok(findings.into_iter().map(Into::into).collect())
    }

    fn derivations(&self) -> u64 {
        self.0.borrow().derivations()
    }
}
