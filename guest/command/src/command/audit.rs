//! `audit`: one verdict per object.

use iamseal_words::contract::{Finding, ObjectError, Policy, StorageError};
use iamseal_words::report::drafts::Drafts;
use iamseal_words::report::needs::Needs;
use iamseal_words::report::tally::{self, Tally};
use iamseal_words::report::{finding, notes};

use crate::command::arguments::{Arguments, Audit};
use crate::command::bindings::iamseal::command::lending;
use crate::command::bindings::iamseal::plugin::auditing;
use crate::command::failure::Failure;
use crate::command::{output, store};

/// How many objects are looked at between two looks at the output. A few, because one root-credential
/// object takes 50 ms.
const BATCH: u32 = 16;

pub fn run(arguments: &Arguments, command: &Audit) -> Result<u8, Failure> {
    let lent = store::open(arguments, &command.place, false)?;
    let mut needs = Needs::new(lent.keys, lent.users, &command.place.prefix);
    let audit = auditing::start(&auditing::Scope {
        store: arguments.store_name.clone(),
        prefix: command.place.prefix.clone(),
        start_after: None,
        policy: command.policy.into(),
        try_all_credentials: command.try_all_credentials,
    });
    let mut tally = Tally::default();
    loop {
        let findings = audit.next(BATCH).map_err(ObjectError::from)?;
        if findings.is_empty() {
            break;
        }
        for finding in findings {
            let finding = &Finding::from(finding);
            needs.see(finding);
            finding::count(finding, &mut tally);
            output::line(&if arguments.json {
                finding::json_line(finding)
            } else {
                finding::text_line(finding)
            })?;
        }
    }
    let mut drafts = Drafts::new(command.policy != Policy::Compatible, false);
    let listed = lending::drafts(&command.place.prefix).map_err(StorageError::from)?;
    for line in drafts.see(&listed, arguments.json, &mut tally) {
        output::line(&line)?;
    }
    if drafts.count() > 0 {
        output::note(arguments.json, &notes::drafts(drafts.count()));
    }
    if tally.is_empty() {
        output::note(arguments.json, &notes::nothing_there(&command.place.prefix));
    }
    if arguments.json {
        let further = [("keys", needs.json())].into_iter().chain(drafts.json());
        output::line(&tally.summary("verdict", false, further))?;
    } else {
        output::line(&tally.table(tally::IS))?;
        if let Some(table) = needs.table() {
            output::line(&table)?;
        }
    }
    Ok(tally.exit_code())
}
