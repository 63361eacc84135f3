//! Which objects are to be set aside, and what is lost with each.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt as _;

use iamseal::Auditor;
use iamseal::contract::{Finding, Policy, StorageError};
use iamseal::storage::{Removal, Storage, Version};

use crate::arguments::{Common, SetAside};
use crate::failure::Failure;
use crate::findings;
use crate::opening::Opening;
use crate::report::losses::loss;
use crate::report::{finding, notes};

/// An object that is to be set aside.
pub struct Planned {
    pub path: Vec<u8>,
    /// What is lost with it.
    pub loss: String,
    /// Why it cannot be set aside.
    pub failed: Option<StorageError>,
    version: Version,
}

impl Planned {
    /// Removes it as it was looked at; none if it could not be.
    pub fn removal(self) -> Option<Removal> {
        let removal = Removal {
            path: self.path,
            expected: self.version,
        };
        self.failed.is_none().then_some(removal)
    }
}

/// The paths that were named.
///
/// # Errors
/// One of them is none of config/: what a server keeps elsewhere is nothing that an undo would bring back.
pub fn named(paths: &[OsString]) -> Result<BTreeSet<Vec<u8>>, Failure> {
    let paths = paths.iter().map(|path| path.as_bytes());
    let checked = paths.map(|path| {
        if let Some(wrong) = notes::wrong_path(path) {
            return Err(wrong.into());
        }
        match path.starts_with(notes::CONFIG) {
            true => Ok(path.to_vec()),
            false => {
                let shown = iamseal::shown(path);
                Err(Failure::usage(format!("{shown} is not in config/"))
                    .with_cure("name objects of config/: nothing else is set aside"))
            }
        }
    });
    checked.collect()
}

/// What is to be set aside, in the order of paths: what was named, and what fails for one of the causes.
/// Changes nothing.
///
/// # Errors
/// What keeps the audit from its end.
pub async fn of(
    common: &Common,
    command: &SetAside,
    mut paths: BTreeSet<Vec<u8>>,
    store: &dyn Storage,
    auditor: &Auditor,
    opening: &mut Opening<'_>,
) -> Result<Vec<Planned>, Failure> {
    if !command.failing.is_empty() {
        paths.extend(failing(common, command, store, auditor).await?);
    }
    let mut planned = Vec::with_capacity(paths.len());
    for path in paths {
        planned.push(match store.read(&path).await {
            Ok(stored) => {
                let opened = opening.unseal(&path, &stored.bytes, Policy::Compatible);
                let opened = opened.await?.ok();
                Planned {
                    loss: loss(&path, opened.as_ref().map(|opened| &**opened.plaintext)),
                    failed: None,
                    version: stored.version,
                    path,
                }
            }
            Err(error) => Planned {
                loss: loss(&path, None),
                failed: Some(error),
                version: Version::default(),
                path,
            },
        });
    }
    Ok(planned)
}

/// The objects that an audit finds failing for one of the causes. Exempt files it does not look into.
async fn failing(
    common: &Common,
    command: &SetAside,
    store: &dyn Storage,
    auditor: &Auditor,
) -> Result<Vec<Vec<u8>>, Failure> {
    let mut failing = Vec::new();
    let try_all = command.credentials.try_all;
    let see = |found: Finding| {
        let is_meant = |cause| command.failing.iter().any(|meant| meant.0 == cause);
        if finding::cause(&found).is_some_and(is_meant) {
            failing.push(found.path);
        }
    };
    findings::each(common, store, auditor, try_all, see).await?;
    Ok(failing)
}
