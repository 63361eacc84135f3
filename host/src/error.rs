//! What can go wrong. The library and the command-line tool share it.

mod cause;

use crate::contract::ObjectError;
use crate::contract::generated::iamseal::plugin::types;
use crate::describe::describe;
use crate::plugin::Limit;

/// Why a plugin was not loaded, or a call of it failed.
///
/// No case and no text holds plaintext, key bytes or a password. Where `component` stands, it is the
/// component's name, version and the beginning of its SHA-256, as [`crate::Identity`] displays them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The component was not loaded: no such file, not a component, damaged.
    #[error("{component} cannot be loaded: {message}")]
    Load {
        /// Which component.
        component: String,
        /// What is wrong with it.
        message: String,
    },
    /// The component is not the one that was named by its digest. It was neither compiled nor run.
    #[error("{component} is not the component that was named: its SHA-256 is {found}")]
    OtherDigest {
        /// Which component.
        component: String,
        /// The SHA-256 of its bytes, 64 hexadecimal digits.
        found: String,
    },
    /// The component is whole, but made for another world or another version of it.
    #[error("{component} does not fit the world iamseal:plugin/{world}@0.1.0: {message}")]
    Incompatible {
        /// Which component.
        component: String,
        /// Which world: `plugin` or `auditor`.
        world: &'static str,
        /// The interfaces of the world: `import …` and `export …`, with versions.
        expected: Vec<String>,
        /// The interfaces of the component, written the same way.
        found: Vec<String>,
        /// The difference.
        message: String,
    },
    /// The component fits the world, but a test of its work failed.
    #[error("{component} is unfit: a test failed, \"{check}\": {message}")]
    Unfit {
        /// Which component.
        component: String,
        /// What it ought to do.
        check: String,
        /// What it did.
        message: String,
    },
    /// The plugin's answer: the object was not sealed, opened or migrated.
    #[error("{}", describe(.0))]
    Object(ObjectError),
    /// The component failed in a way that the contract does not know. Its instance is gone; the
    /// next call gets a fresh one.
    #[error("{component} failed: {message}{}", panicked(.panic.as_deref()))]
    Trap {
        /// Which component.
        component: String,
        /// What the runtime saw.
        message: String,
        /// What the component said in its panic, if it said anything.
        panic: Option<String>,
    },
    /// A limit was reached. If that was during the call, its instance is gone; the next call gets a
    /// fresh one.
    #[error("{component} reached a limit: {}", limit.describe(*asked, *allowed))]
    Limit {
        /// Which component.
        component: String,
        /// Which limit.
        limit: Limit,
        /// How much was asked for, in the unit of the limit; none if only that it was too much.
        asked: Option<u64>,
        /// How much [`crate::Limits`] allows, in the same unit.
        allowed: u64,
    },
    /// The component gave an answer that the contract forbids, such as an object outside the
    /// scope of its audit.
    #[error("{component} broke its contract: {message}")]
    Contract {
        /// Which component.
        component: String,
        /// Which answer.
        message: String,
    },
    /// An earlier step of this audit or migration failed or was cancelled, so it cannot go on.
    #[error("an earlier step failed or was cancelled; start again after the last path it reported")]
    Ended,
}

impl From<ObjectError> for Error {
    fn from(error: ObjectError) -> Self {
        Self::Object(error)
    }
}

impl From<types::Error> for Error {
    fn from(error: types::Error) -> Self {
        Self::Object(error.into())
    }
}

fn panicked(message: Option<&str>) -> String {
    message.map_or_else(String::new, |message| format!(": it panicked: {message}"))
}
