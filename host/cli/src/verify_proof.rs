//! `iamseal verify-proof`: whether a proof is what its run wrote, and whether the store is what it says.

use std::process::ExitCode;
use std::sync::Arc;

use iamseal::contract::{ObjectError, StorageError};
use iamseal::journal::{Compared, JournalError, Now, ProofFile};
use iamseal::storage::Store;
use serde_json::{Value, json};

use crate::arguments::{Common, VerifyProof};
use crate::cause::Cause;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::progress::Progress;
use crate::report::{why::Why, words};
use crate::store::Access;
use crate::tally::{self, Tally};
use crate::{keys, output, store};

/// The proof, as people see it named.
const PROOF: &str = "the proof";

pub async fn run(common: &Common, command: &VerifyProof) -> Result<ExitCode, Failure> {
    let keyring = keys::keyring(common)?;
    let mut proof = ProofFile::read(&command.file, &keyring)
        .await
        .map_err(failed)?;
    let store = match &command.store {
        Some(store) => Some(store::open_whole(common, store, Access::Read).await?),
        None => None,
    };
    tell(common, &proof)?;
    if !proof.is_authentic() {
        return Err(unverified(&proof));
    }
    match store {
        Some(store) => compare(common, &mut proof, store).await,
        None => Ok(ExitCode::SUCCESS),
    }
}

/// What to do about a proof that cannot be read or is not what the run wrote.
const CURE: &str = "ask for the file RUN.proof as the run wrote it";

fn failed(error: JournalError) -> Failure {
    match error {
        // What to do about a key service does not depend on what it was asked for.
        JournalError::Key { .. } => error.into(),
        _ => Failure::from(error).with_cure(CURE),
    }
}

/// Why a proof that was read is no proof of anything.
fn unverified(proof: &ProofFile) -> Failure {
    match proof.opened_by() {
        Some(opened_by) => Failure::new(
            Cause::KeyNotFound,
            format!(
                "nothing was verified: no key that was given opens {PROOF}; what does: {opened_by}"
            ),
        )
        .with_cure("give one of them, in the variables or with --keys"),
        None => Failure::new(
            Cause::KeyNotFound,
            format!("nothing was verified: the run had no key, so nothing tells who wrote {PROOF}"),
        )
        .with_cure("compare the objects themselves, with an audit"),
    }
}

/// Says what the proof says.
fn tell(common: &Common, proof: &ProofFile) -> Result<(), Failure> {
    let head = proof.head();
    if common.json {
        let count = |(outcome, objects)| json!({"outcome": outcome, "objects": objects});
        let counts: Vec<_> = proof.outcomes().iter().map(count).collect();
        let line = json!({"proof": {
            "authentic": proof.is_authentic(), "run": head.name, "started": head.started,
            "work": head.work, "store": head.store, "objects": proof.objects(),
            "differ": proof.differ(), "unread": proof.unread(), "counts": counts,
        }});
        return output::line(&words::json_line(&line));
    }
    let shown = |text: &str| iamseal::shown(text.as_bytes());
    let rows = [
        ("run", shown(&head.name)),
        ("started", shown(&head.started)),
        ("did", shown(&head.work)),
        ("store", shown(&head.store)),
    ];
    let counts = proof.outcomes().iter();
    let counts = counts.map(|(outcome, objects)| (shown(outcome), objects.to_string()));
    let sums = [
        ("total".to_owned(), proof.objects().to_string()),
        ("changed by others".to_owned(), proof.differ().to_string()),
        ("not read again".to_owned(), proof.unread().to_string()),
        ("authentic".to_owned(), words_for(proof).to_owned()),
    ];
    let rows = rows.map(|(name, text)| (name.to_owned(), text)).into_iter();
    let rows = rows.chain(counts).chain(sums);
    let rows = rows.map(|(name, text)| vec![name, text]).collect();
    output::line(&output::table(&["", PROOF], rows))
}

fn words_for(proof: &ProofFile) -> &'static str {
    match proof.is_authentic() {
        true => "yes, every line",
        false => "not verified",
    }
}

async fn compare(
    common: &Common,
    proof: &mut ProofFile,
    store: Arc<dyn Store>,
) -> Result<ExitCode, Failure> {
    let progress = Progress::new(common, Some(proof.objects()));
    let mut interrupt = Interrupt::listen()?;
    let mut tally = Tally::default();
    let mut stopped = None;
    while stopped.is_none() {
        let object = match interrupt.unless(proof.compare(&*store)).await {
            Ok(Ok(Some(object))) => object,
            Ok(Ok(None)) => break,
            Ok(Err(error)) => {
                stopped = Some(error.into());
                break;
            }
            Err(failure) => {
                stopped = Some(failure);
                break;
            }
        };
        let verdict = name(&object.now);
        let why = why(&object);
        match &why {
            Some(why) => tally.failed(verdict, why.cause),
            None => tally.plain(verdict),
        }
        let line = match (common.json, &why) {
            (true, why) => Some(json_line(verdict, &object, why.as_ref())),
            (false, Some(why)) => Some(words::failure_lines(verdict, why, &object.path)),
            (false, None) => None,
        };
        if let Some(line) = line {
            stopped = progress.object(why.map(|why| why.cause), &line).err();
        }
        progress.advance(1);
    }
    if stopped.is_none() {
        stopped = progress.unnamed().err();
    }
    progress.finish();
    if !store::tell(common, &*store).await {
        tally.beside(Cause::Storage);
    }
    let printed = output::summary(&match common.json {
        true => tally.json("outcome", stopped.is_some(), None),
        false => tally.table(tally::IS),
    });
    match stopped {
        Some(stopped) => Err(stopped),
        None => printed.map(|()| tally.exit_code().into()),
    }
}

fn name(now: &Now) -> &'static str {
    match now {
        Now::AsProved => "as-proved",
        Now::Changed => "changed",
        Now::Missing => "missing",
        Now::NotProved => "not-proved",
        Now::Failed(_) => "failed",
    }
}

fn why(object: &Compared) -> Option<Why> {
    let said = |cause, message: &str, cure: &str| Why {
        cause,
        message: message.into(),
        cure: Some(cure.into()),
        opens_at: None,
    };
    match &object.now {
        Now::AsProved => None,
        Now::NotProved => Some(said(
            Cause::NotRecorded,
            "the proof does not say what was there: the run could not read it",
            "look at it with iamseal inspect",
        )),
        Now::Changed => Some(said(
            Cause::ChangedSince,
            "it is not what was there when the run ended",
            "find out who changed it since",
        )),
        Now::Missing => Some(said(
            Cause::Missing,
            "it was there when the run ended, and is not any more",
            "find out who removed it since",
        )),
        Now::Failed(error) => Some(of_storage(error)),
    }
}

fn of_storage(error: &StorageError) -> Why {
    (&ObjectError::Storage(error.clone())).into()
}

fn json_line(verdict: &str, object: &Compared, why: Option<&Why>) -> String {
    let mut fields = words::path_fields(&object.path);
    fields.insert("outcome".into(), verdict.into());
    if let Some(why) = why {
        fields.insert("error".into(), words::error_json(why));
    }
    words::json_line(&Value::Object(fields))
}

#[cfg(test)]
mod tests {
    use iamseal::contract::KeyError;

    use super::*;

    #[test]
    fn a_key_service_that_fails_is_no_fault_of_the_proof() {
        let name = "my-key".to_owned();
        let error = KeyError::Unavailable("no route".to_owned());
        let failure = failed(JournalError::Key { name, error });
        let cure = failure.cure.unwrap();
        assert!(cure.contains("the key service answers"), "{cure}");
    }
}
