//! One word for why something failed, for whoever counts failures or acts on them.

use iamseal_words::report::cause::Cause;

use super::Error;

impl Error {
    /// Why, in one word that stays the same from version to version: what the tool's `--json` calls
    /// `cause` and the metrics' label `outcome`. One of `key-not-found`, `key-unavailable`,
    /// `key-denied`, `header-not-authentic`, `credential`, `credential-untried`, `body-not-authentic`,
    /// `malformed`, `cut-short`, `unknown-form`, `refused`, `form-refused`, `outdated`, `storage`, `conflict`, `limit`,
    /// `plugin` and `other`.
    pub fn cause(&self) -> &'static str {
        let cause = match self {
            Self::Object(error) => Cause::of(error),
            Self::Limit { .. } => Cause::Limit,
            _ => Cause::Plugin,
        };
        cause.name()
    }
}
