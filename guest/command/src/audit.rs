//! `audit`: one verdict per object.

use crate::arguments::{Arguments, Audit};
use crate::bindings::iamseal::command::lending;
use crate::bindings::iamseal::plugin::auditing;
use crate::contract::{ObjectError, Policy, Scope};
use crate::failure::Failure;
use crate::report::drafts::Drafts;
use crate::report::needs::Needs;
use crate::report::tally::{self, Tally};
use crate::report::{finding, notes};
use crate::{output, store};

/// How many objects are looked at between two looks at the output. A few, because one root-credential
/// object takes 50 ms.
const BATCH: u32 = 16;

pub fn run(arguments: &Arguments, command: &Audit) -> Result<u8, Failure> {
    let lent = store::open(arguments, &command.place, false)?;
    let mut needs = Needs::new(lent.keys, lent.users, &command.place.prefix);
    let audit = auditing::start(&Scope {
        store: arguments.store_name.clone(),
        prefix: command.place.prefix.clone(),
        start_after: None,
        policy: command.policy,
        try_all_credentials: command.try_all_credentials,
    });
    let mut tally = Tally::default();
    loop {
        let findings = audit.next(BATCH)?;
        if findings.is_empty() {
            break;
        }
        for finding in &findings {
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
    let listed = lending::drafts(&command.place.prefix).map_err(ObjectError::Storage)?;
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
