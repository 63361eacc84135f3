//! Every case that was made with MinIO's code, by name, natively and through the component.
//!
//! `expect` is MinIO's answer with one context, `auto_result` that of its whole read path, which
//! tries both. `unseal` is a read path, so `auto_result` says whether it opens, and `expect` whether
//! it opens with the named context.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

use std::process::ExitCode;
use std::sync::Arc;

use iamseal_core::{Context, Form, Policy};
use iamseal_tests::backend::{Backend, backends};
use iamseal_tests::errors::outcome;
use iamseal_tests::vectors::{Case, minio};
use libtest_mimic::{Arguments, Failed, Trial};

/// Both files' cases. A file that was cut must not pass in silence.
const COUNT: usize = 84;

/// Where we differ from MinIO, and why.
const EXCEPTIONS: [(&str, &str); 5] = [
    ("dev-025", "MinIO panics, we refuse"),
    ("dev-026", "MinIO panics, we refuse"),
    (
        "dev-043",
        "MinIO takes an empty object for absent, we refuse",
    ),
    ("dev-082", "never at rest, so no form we know"),
    ("dev-083", "never at rest, so no form we know"),
];

/// The case of the error of every object that does not open: a wrong error is a failure too.
const REFUSALS: [(&str, &[&str]); 9] = [
    ("empty", &["dev-043"]),
    (
        "unknown-form",
        &[
            "dev-048", "dev-049", "dev-072", "dev-073", "dev-082", "dev-083",
        ],
    ),
    (
        "malformed",
        &[
            "dev-025", "dev-026", "dev-030", "dev-032", "dev-033", "dev-036", "dev-044", "dev-045",
            "dev-046", "dev-050", "dev-051", "dev-079",
        ],
    ),
    ("unsupported", &["dev-031"]),
    ("key: not-found", &["dev-052", "dev-062", "dev-081"]),
    (
        "header-not-authentic",
        &[
            "dev-021", "dev-022", "dev-023", "dev-024", "dev-053", "dev-054", "dev-059", "dev-061",
        ],
    ),
    (
        "body-not-authentic",
        &[
            "dev-047", "dev-055", "dev-056", "dev-057", "dev-058", "dev-063", "dev-065",
        ],
    ),
    ("cut-short", &["dev-064", "dev-066"]),
    (
        "credential-not-authentic",
        &["dev-074", "dev-075", "dev-076"],
    ),
];

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let mut trials = vec![Trial::test("the_tables_fit_the_cases", the_tables_fit)];
    let mut keyrings: Vec<(Case, Vec<Arc<dyn Backend>>)> = Vec::new();
    for case in minio() {
        // Cases share a component, because each load compiles it.
        let known = |(other, _): &&(Case, _)| other.keyring() == case.keyring();
        let both = match keyrings.iter().find(known) {
            Some((_, both)) => both.clone(),
            None => {
                let both = backends(&case.keys(), "");
                keyrings.push((case.clone(), both.clone()));
                both
            }
        };
        for backend in both {
            let name = format!("{}::{}", backend.name(), case.id);
            let case = case.clone();
            let why = exception(&case).unwrap_or_default();
            trials.push(Trial::test(name, move || check(&*backend, &case)).with_kind(why));
        }
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn check(backend: &dyn Backend, case: &Case) -> Result<(), Failed> {
    let result = backend.unseal(&case.path(), &case.stored(), Policy::Compatible);
    if let Some(refusal) = refusal(case) {
        return same(&outcome(&result), &refusal, case);
    }
    let opened = result.map_err(|error| format!("{}: {error:?}", case.note))?;
    let found = opened.found;

    let wanted = if case.expect == "ok" {
        case.plaintext()
    } else {
        // The read path opens it with the other context; what it holds is not in the file.
        opened.plaintext.clone()
    };
    same(&opened.plaintext, &wanted, case)?;

    let context = match found.context {
        Some(Context::Joined) => "joined",
        Some(Context::Bare) => "bare",
        None => "",
    };
    if case.kind == "kms" {
        same(
            &(context == case.context_variant),
            &(case.expect == "ok"),
            case,
        )?;
    }
    let [key, user, _] = case.keyring();
    let form = match (case.auto_result.as_str(), context) {
        ("plaintext-passthrough", _) => Form::Plaintext,
        ("ok", "") => Form::RootCredential,
        _ => Form::Minio,
    };
    same(&found.form, &form, case)?;
    let name = key.split_once(':').map(|(name, _)| name.to_string());
    same(&found.key, &name.filter(|_| form == Form::Minio), case)?;
    let user = (form == Form::RootCredential).then(|| user.to_string());
    same(&found.user, &user, case)
}

fn same<T: PartialEq + std::fmt::Debug>(got: &T, wanted: &T, case: &Case) -> Result<(), Failed> {
    if got == wanted {
        return Ok(());
    }
    Err(format!("{}: got {got:?}, wanted {wanted:?}", case.note).into())
}

/// The case of the error that an object must be refused with.
fn refusal(case: &Case) -> Option<&'static str> {
    let holds = |(_, ids): &&(&str, &[&str])| ids.contains(&case.id.as_str());
    REFUSALS.iter().find(holds).map(|(name, _)| *name)
}

fn exception(case: &Case) -> Option<&'static str> {
    let named = |(id, _): &&(&str, &str)| *id == case.id;
    EXCEPTIONS.iter().find(named).map(|(_, why)| *why)
}

/// A case is refused here exactly if MinIO refuses it, but for the exceptions that stand above.
fn the_tables_fit() -> Result<(), Failed> {
    let cases = minio();
    same(&cases.len(), &COUNT, &cases[0])?;
    for case in &cases {
        let by_minio = case.auto_result.starts_with("error");
        let differs = refusal(case).is_some() != by_minio;
        let panics = case.auto_result.contains("PANIC");
        same(&(differs || panics), &exception(case).is_some(), case)?;
    }
    let mut ids: Vec<_> = REFUSALS.iter().flat_map(|(_, ids)| *ids).collect();
    ids.sort_unstable();
    let count = ids.len();
    ids.dedup();
    same(&ids.len(), &count, &cases[0])
}
