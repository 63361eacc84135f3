//! `iamseal migrate`: every object of a store to one form and key.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;

use iamseal::contract::{Outcome, Step, Target};
use iamseal::keys::StaticKeyring;
use iamseal::storage::DirStore;
use iamseal::{MigrationPlan, describe};
use serde_json::{Value, json};

use crate::arguments::{Common, Migrate, To};
use crate::cause::{self, Cause};
use crate::failure::Failure;
use crate::progress::{self, Interrupt, Progress};
use crate::{keys, output, plugin, store};

/// How many objects share the cost of durability. Large enough for the folders' syncs to weigh
/// little, small enough for Ctrl-C to be answered soon.
const BATCH: u32 = 64;

pub async fn run(common: &Common, command: &Migrate) -> Result<ExitCode, Failure> {
    migrate(common, keys::keyring(common)?, command).await
}

/// The same with keys that are already there.
pub async fn migrate(
    common: &Common,
    keyring: StaticKeyring,
    command: &Migrate,
) -> Result<ExitCode, Failure> {
    let store = store::open(common, &command.place).await?;
    let plan = MigrationPlan {
        prefix: command.place.prefix.clone().into_bytes(),
        start_after: None,
        shard: None,
        target: match command.to {
            To::Plaintext => Target::Plaintext,
            To::Kms => Target::Sealed(command.how.options()),
        },
        dry_run: command.dry_run,
    };
    if !command.dry_run {
        let swept = store.sweep(&plan.prefix).await?;
        if swept > 0 {
            output::note(
                common.json,
                &format!("{swept} drafts of a killed run were removed"),
            );
        }
    }
    let total = store::count(&store, &command.place.prefix).await;
    let progress = Progress::new(common, total.ok());
    let plugin = plugin::builder(common, keyring)
        .storage(store.clone() as Arc<DirStore>)
        .storage_writer(store)
        .load()
        .await?;
    let mut migration = plugin.migrate(&plan).await?;
    let interrupt = Interrupt::listen()?;
    let mut tally = Tally {
        dry_run: command.dry_run,
        ..Tally::default()
    };
    let mut was_interrupted = false;
    loop {
        // A batch is never dropped midway: Ctrl-C is answered between two.
        if interrupt.pressed() {
            was_interrupted = true;
            break;
        }
        let steps = migration.next(BATCH).await?;
        if steps.is_empty() {
            break;
        }
        for step in &steps {
            tally.add(&step.outcome);
            if common.json {
                progress.line(&json_line(step))?;
            } else if let Some(line) = text_line(step) {
                progress.line(&line)?;
            }
        }
        progress.advance(steps.len());
    }
    progress.finish();
    if common.json {
        output::line(&tally.json(was_interrupted).to_string())?;
    } else {
        output::line(&tally.table())?;
    }
    if was_interrupted {
        return Err(progress::interrupted());
    }
    Ok(cause::exit_code(tally.failed.keys().copied()))
}

/// A line for what a person wants to see of each object: failures, and what a dry run would do.
fn text_line(step: &Step) -> Option<String> {
    let path = output::path(&step.path);
    match &step.outcome {
        Outcome::Unchanged(_) | Outcome::Migrated(_) | Outcome::Exempt(_) => None,
        Outcome::WouldMigrate(found) => {
            let form = output::form_name(found.form);
            Some(format!(
                "would migrate  {form:<16} {:<32} {path}",
                output::opened_with(found)
            ))
        }
        Outcome::Failed(error) => {
            let mut line = format!(
                "FAILED  {:<16} {}  {path}",
                Cause::of(error).name(),
                describe(error)
            );
            if let Some(cure) = cause::cure(error) {
                line.push_str(&format!("\n        cure: {cure}"));
            }
            Some(line)
        }
    }
}

fn json_line(step: &Step) -> String {
    let mut fields = output::path_fields(&step.path);
    let (outcome, name, value) = match &step.outcome {
        Outcome::Unchanged(found) => ("unchanged", "found", output::found_json(found)),
        Outcome::Migrated(found) => ("migrated", "found", output::found_json(found)),
        Outcome::WouldMigrate(found) => ("would-migrate", "found", output::found_json(found)),
        Outcome::Exempt(reason) => ("exempt", "reason", json!(reason)),
        Outcome::Failed(error) => ("failed", "error", output::error_json(error)),
    };
    fields.insert("outcome".into(), outcome.into());
    fields.insert(name.into(), value);
    Value::Object(fields).to_string()
}

/// How many objects there are of each outcome.
#[derive(Default)]
struct Tally {
    dry_run: bool,
    migrated: BTreeMap<(&'static str, String), u64>,
    unchanged: u64,
    exempt: u64,
    failed: BTreeMap<Cause, u64>,
}

impl Tally {
    fn add(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Migrated(found) | Outcome::WouldMigrate(found) => {
                let kind = (output::form_name(found.form), output::opened_with(found));
                *self.migrated.entry(kind).or_default() += 1;
            }
            Outcome::Unchanged(_) => self.unchanged += 1,
            Outcome::Exempt(_) => self.exempt += 1,
            Outcome::Failed(error) => *self.failed.entry(Cause::of(error)).or_default() += 1,
        }
    }

    fn total(&self) -> u64 {
        let migrated: u64 = self.migrated.values().sum();
        migrated + self.unchanged + self.exempt + self.failed.values().sum::<u64>()
    }

    fn verb(&self) -> &'static str {
        if self.dry_run {
            "would-migrate"
        } else {
            "migrated"
        }
    }

    fn table(&self) -> String {
        let row = |outcome: &str, what: &str, with: &str, count: u64| {
            vec![
                outcome.to_owned(),
                what.to_owned(),
                with.to_owned(),
                count.to_string(),
            ]
        };
        let mut rows: Vec<_> = self
            .migrated
            .iter()
            .map(|((form, with), count)| row(self.verb(), form, with, *count))
            .collect();
        rows.push(row("unchanged", "", "", self.unchanged));
        rows.push(row("exempt", "", "", self.exempt));
        rows.extend(
            self.failed
                .iter()
                .map(|(cause, count)| row("FAILED", cause.name(), "", *count)),
        );
        rows.push(row("total", "", "", self.total()));
        output::table(
            &["outcome", "was, or cause", "opened with", "objects"],
            rows,
        )
    }

    fn json(&self, interrupted: bool) -> Value {
        let failed: serde_json::Map<_, _> = self
            .failed
            .iter()
            .map(|(cause, count)| (cause.name().into(), json!(count)))
            .collect();
        json!({"summary": {
            "objects": self.total(),
            self.verb(): self.migrated.values().sum::<u64>(),
            "unchanged": self.unchanged,
            "exempt": self.exempt,
            "failed": failed,
            "interrupted": interrupted,
        }})
    }
}
