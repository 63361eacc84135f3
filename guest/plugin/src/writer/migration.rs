//! The export `migration`.

use alloc::vec::Vec;
use core::cell::RefCell;

use iamseal_core as core_;

use crate::Plugin;
use crate::contract::exports::iamseal::plugin::migration::{
    Error, Guest, GuestRun, Plan, Run, Step,
};
use crate::lent::Lent;

/// The resource `run`.
pub(crate) struct Running(RefCell<core_::Run<Lent>>);

impl Guest for Plugin {
    type Run = Running;

    fn start(plan: Plan) -> Result<Run, Error> {
        let run = core_::Run::new(Lent, plan.into())?;
        Ok(Run::new(Running(RefCell::new(run))))
    }
}

impl GuestRun for Running {
    fn next(&self, limit: u32) -> Result<Vec<Step>, Error> {
        let steps = self.0.borrow_mut().next(limit)?;
        Ok(steps.into_iter().map(Into::into).collect())
    }

    fn derivations(&self) -> u64 {
        self.0.borrow().derivations()
    }
}
