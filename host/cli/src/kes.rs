//! `iamseal kes`: a KES, and a key that is brought into it.

mod import;
mod status;

use std::process::ExitCode;

use iamseal::contract::{KeyError, KeyFailure, ObjectError};

use crate::arguments::{Common, KesCommand};
use crate::failure::Failure;
use crate::report::why::Why;

pub async fn run(common: &Common, command: &KesCommand) -> Result<ExitCode, Failure> {
    match command {
        KesCommand::Status => status::run(common).await,
        KesCommand::Import(command) => import::run(common, command).await,
    }
}

/// Why a call about a key failed, with a cure for somebody who can change KES.
fn why(key: &str, error: KeyError) -> Why {
    let cure = match &error {
        KeyError::NotFound => Some(format!(
            "bring a static key into KES with iamseal kes import {key}, or let KES make a new one with \
             kes key create {key}"
        )),
        KeyError::Denied(_) => {
            Some("allow that path in the policy of this identity in KES".to_owned())
        }
        _ => None,
    };
    let key = key.to_owned();
    let why = Why::from(&ObjectError::Key(KeyFailure { key, error }));
    Why {
        cure: cure.or(why.cure.clone()),
        ..why
    }
}
