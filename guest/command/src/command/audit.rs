//! `audit`: one verdict per object.

use iamseal_words::arguments::{Audit, Common, is_for_rustfs, policy};
use iamseal_words::contract::{Finding, ObjectError, StorageError};
use iamseal_words::report::cause::Cause;
use iamseal_words::report::drafts::Drafts;
use iamseal_words::report::needs::Needs;
use iamseal_words::report::tally::{self, Tally};
use iamseal_words::report::{finding, notes};

use crate::command::bindings::iamseal::command::lending;
use crate::command::bindings::iamseal::plugin::auditing;
use crate::command::failure::Failure;
use crate::command::{output, store};

/// How many objects are looked at between two looks at the output. A few, because one root-credential
/// object takes 50 ms.
const BATCH: u32 = 16;

pub fn run(common: &Common, command: &Audit) -> Result<u8, Failure> {
    let lent = store::open(
        common,
        &command.place,
        false,
        is_for_rustfs(command.require),
    )?;
    let prefix = command.place.prefix.as_encoded_bytes();
    let mut needs = Needs::new(lent.keys, lent.users, prefix);
    let audit = auditing::start(&auditing::Scope {
        store: common.store_name.clone(),
        prefix: prefix.to_vec(),
        start_after: None,
        policy: policy(command.require).into(),
        try_all_credentials: command.credentials.try_all,
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
            output::line(&if common.json {
                finding::json_line(finding)
            } else {
                finding::text_line(finding)
            })?;
        }
    }
    let mut drafts = Drafts::new(command.require.is_some(), false);
    let listed = lending::drafts(prefix).map_err(StorageError::from)?;
    for line in drafts.see(&listed, common.json, &mut tally) {
        output::line(&line)?;
    }
    if drafts.count() > 0 {
        output::note(common.json, &notes::drafts(drafts.count()));
    }
    // After all that is read: it tells of that.
    let is_whole = store::tell_of_objects(common);
    if !is_whole {
        tally.beside(Cause::Storage);
        needs.break_off();
    }
    if tally.is_empty() {
        output::note(common.json, &notes::nothing_there(prefix));
    }
    if common.json {
        let further = [("keys", needs.json())].into_iter().chain(drafts.json());
        let further = further.chain((!is_whole).then(|| ("all_seen", false.into())));
        output::line(&tally.summary("verdict", false, further))?;
    } else {
        output::line(&tally.table(tally::IS))?;
        if let Some(table) = needs.table() {
            output::line(&table)?;
        }
        if !is_whole {
            output::line(notes::NOT_ALL_SEEN)?;
        }
    }
    Ok(tally.exit_code())
}
