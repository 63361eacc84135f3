//! The same call to the component and to the native core, each with a host of its own made alike: both
//! must say the same, ask their host for the same, and leave it the same.

use std::fmt::Debug;

use iamseal_core::{self as core, Location, Session};

use crate::contract::exports::iamseal::plugin::{auditing, migration, opening, sealing};
use crate::contract::iamseal::plugin::types::Error;
use crate::native::Lent;
use crate::sandbox::Sandbox;
use crate::world::World;

/// An instance of the component and a session of the core, with a host each.
pub struct Twin {
    sandbox: Sandbox,
    lent: Lent,
    session: Session,
}

impl Twin {
    /// A fresh pair.
    pub fn new(world: World) -> Self {
        Self {
            lent: Lent::new(world.clone()),
            session: Session::default(),
            sandbox: Sandbox::new(world),
        }
    }

    /// `opening.unseal`
    pub fn unseal(
        &mut self,
        store: &str,
        path: &[u8],
        stored: &[u8],
        policy: opening::Policy,
    ) -> Result<opening::Opened, Error> {
        let native = Location::new(store, path).and_then(|location| {
            let session = &mut self.session;
            core::unseal(&self.lent, session, &location, stored, policy.into())
        });
        let native = native.map(|opened| opening::Opened {
            plaintext: opened.plaintext.to_vec(),
            found: opened.found.into(),
        });
        same(native, self.sandbox.unseal(store, path, stored, policy))
    }

    /// `opening.inspect`
    pub fn inspect(&mut self, stored: &[u8]) -> Result<opening::Description, Error> {
        let native = core::inspect(stored).map(Into::into);
        same(native, self.sandbox.inspect(stored))
    }

    /// `sealing.seal`
    pub fn seal(
        &mut self,
        store: &str,
        path: &[u8],
        plaintext: &[u8],
        options: &sealing::SealOptions,
    ) -> Result<Vec<u8>, Error> {
        let native = Location::new(store, path).and_then(|location| {
            let session = &mut self.session;
            let options = options.clone().into();
            core::seal(&self.lent, session, &location, plaintext, &options)
        });
        same(native, self.sandbox.seal(store, path, plaintext, options))
    }

    /// A whole audit, `limit` objects at a time. Both its findings and the error that ended it.
    pub fn audit(
        &mut self,
        scope: &auditing::Scope,
        limit: u32,
    ) -> (Vec<auditing::Finding>, Option<Error>) {
        let mut native = core::Audit::new(self.lent.clone(), scope.clone().into());
        let audit = self.sandbox.start_audit(scope);
        let all = steps(limit, || {
            let native = native.next(limit).map(converted);
            same(native, self.sandbox.audit_next(audit, limit))
        });
        self.sandbox.drop(audit);
        all
    }

    /// A whole migration, `limit` objects at a time. Both its steps and the error that ended it.
    pub fn migrate(
        &mut self,
        plan: &migration::Plan,
        limit: u32,
    ) -> (Vec<migration::Step>, Option<Error>) {
        let native = core::Run::new(self.lent.clone(), plan.clone().into());
        let (mut native, run) = match (native, self.sandbox.start_run(plan)) {
            (Ok(native), Ok(run)) => (native, run),
            (native, run) => {
                let error = same(native.map(drop), run.map(drop)).unwrap_err();
                return (Vec::new(), Some(error));
            }
        };
        let all = steps(limit, || {
            let native = native.next(limit).map(converted);
            same(native, self.sandbox.run_next(run, limit))
        });
        self.sandbox.drop(run);
        all
    }

    /// Ends both and returns the host as they left it.
    ///
    /// # Panics
    /// If they did not leave it alike, or kept a draft.
    pub fn end(self) -> World {
        let world = self.sandbox.end();
        assert_eq!(*self.lent.world(), world, "native core and component");
        assert_eq!(world.open_drafts(), 0, "a draft was not dropped");
        world
    }
}

/// Goes on to the end.
///
/// # Panics
/// If more comes back than was asked for.
fn steps<T>(
    limit: u32,
    mut next: impl FnMut() -> Result<Vec<T>, Error>,
) -> (Vec<T>, Option<Error>) {
    let mut all = Vec::new();
    loop {
        match next() {
            Ok(some) if some.is_empty() => return (all, None),
            Ok(some) => {
                assert!(some.len() <= limit.max(1) as usize);
                all.extend(some);
            }
            Err(error) => return (all, Some(error)),
        }
    }
}

fn converted<A, B: From<A>>(all: Vec<A>) -> Vec<B> {
    all.into_iter().map(Into::into).collect()
}

fn same<T: Debug + PartialEq>(
    native: Result<T, core::Error>,
    component: Result<T, Error>,
) -> Result<T, Error> {
    let native = native.map_err(Error::from);
    assert_eq!(native, component, "native core and component");
    component
}
