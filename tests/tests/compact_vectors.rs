//! Every vector of the compact form, by name, natively and through the component, under a static key and
//! under one in a key server. They were made by a second implementation from the form's specification.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

use std::process::ExitCode;
use std::sync::Arc;

use iamseal_core::{Form, Policy};
use iamseal_tests::backend::{Backend, backends};
use iamseal_tests::compact_vectors::{Case, compact};
use iamseal_tests::errors::outcome;
use libtest_mimic::{Arguments, Failed, Trial};

/// How the key is lent, and to what.
type Lent = (&'static str, Arc<dyn Backend>);

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let mut trials = vec![Trial::test("the_file_is_whole", the_file_is_whole)];
    let mut keyrings: Vec<(Case, Vec<Lent>)> = Vec::new();
    for case in compact() {
        // Cases share a component, because each load takes time.
        let same = |(other, _): &&(Case, _)| (&other.key, &other.store) == (&case.key, &case.store);
        let all = match keyrings.iter().find(same) {
            Some((_, all)) => all.clone(),
            None => {
                let lent = [("key", case.keys()), ("server", case.in_server())];
                let all = lent.into_iter().flat_map(|(how, keys)| {
                    let both = backends(&keys, &case.store).into_iter();
                    both.map(move |backend| (how, backend))
                });
                let all: Vec<_> = all.collect();
                keyrings.push((case.clone(), all.clone()));
                all
            }
        };
        for (how, backend) in all {
            let name = format!("{}::{how}::{}", backend.name(), case.id);
            let case = case.clone();
            trials.push(Trial::test(name, move || check(&*backend, &case)));
        }
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn check(backend: &dyn Backend, case: &Case) -> Result<(), Failed> {
    let result = backend.unseal(&case.path, &case.stored, Policy::Sealed);
    let wanted = match case.expect.as_str() {
        "key-not-found" => "key: not-found",
        other => other,
    };
    let got = outcome(&result);
    if got != wanted {
        return Err(format!("{}: got {got}, wanted {wanted}", case.note).into());
    }
    let Ok(opened) = result else {
        return Ok(());
    };
    let name = case.key.rsplit_once(':').map(|(name, _)| name);
    let found = opened.found;
    if opened.plaintext != case.plaintext {
        return Err(format!("{}: it holds something else", case.note).into());
    }
    if found.form != Form::Compact || found.key.as_deref() != name {
        return Err(format!("{}: found {found:?}", case.note).into());
    }
    let seen = backend
        .inspect(&case.stored)
        .map_err(|error| format!("{error:?}"))?;
    if seen.plaintext_size != case.plaintext.len() as u64 {
        return Err(format!("{}: seen {seen:?}", case.note).into());
    }
    Ok(())
}

/// A file that lost its cases must not pass in silence.
fn the_file_is_whole() -> Result<(), Failed> {
    let cases = compact();
    for expect in [
        "ok",
        "unknown-form",
        "malformed",
        "unsupported",
        "key-not-found",
        "header-not-authentic",
        "body-not-authentic",
        "cut-short",
    ] {
        if !cases.iter().any(|case| case.expect == expect) {
            return Err(format!("no case expects {expect}").into());
        }
    }
    Ok(())
}
