//! What is said of archives of identities, which are exported and imported.

use super::{count, some_of};
use crate::keys::root_credential::{PASSWORD_BYTES, USER_BYTES};

/// That a store has nobody to export.
pub const NO_IDENTITY: &str =
    "there is no identity to export: no user, group, policy or service account";

/// That an archive has nobody to import.
pub const NO_IDENTITY_IN_IT: &str = "there is no identity to import";

/// Why an object of IAM is not in an archive.
pub const NO_PLACE: &str =
    "an archive has no place for what stands here: look at it with iamseal cat";

/// That an archive holds secrets: of so many users and service accounts.
pub fn holds_secrets([users, accounts]: [usize; 2]) -> String {
    format!(
        "the secret keys of {} and {} are in it in the open: keep it where only you can read it, and remove it \
         when it is imported",
        count(users, "user"),
        count(accounts, "service account")
    )
}

/// That an export which was killed, or one that is under way, has a file with secrets.
pub fn left_by_export(quoted: &str) -> String {
    format!("an export that was killed left secrets behind; if none is under way: rm {quoted}")
}

/// That temporary credentials are not carried.
pub fn temporary(credentials: u64) -> String {
    format!(
        "{credentials} temporary credentials are not carried: whoever has one asks the other server for another"
    )
}

/// That groups are disabled, which a server does not keep so: so many; the first are given.
pub fn disabled_groups(groups: u64, first: &[String]) -> String {
    let named = some_of(groups, first);
    format!(
        "{groups} groups are disabled, so their members may do nothing, and a MinIO enables every group that it \
         imports: disable them there again (mc admin group disable): {named}"
    )
}

/// That service accounts have parents who are no users of the store: so many parents; the first are given.
pub fn parents(parents: u64, first: &[String]) -> String {
    let named = some_of(parents, first);
    format!(
        "{} of service accounts not among this store's users, but a root user or somebody of LDAP or OpenID: such \
         accounts may do something only on a server that knows the parent too: {named}",
        count(parents, "parent")
    )
}

/// Why an archive is not made, and what to do about it.
pub const ARCHIVE_TOO_LARGE: (&str, &str) = (
    "the identities hold more than 16 MiB together, too much for one archive",
    "make several, with --only KINDS and --name PATTERN",
);

/// That an import by a server ends at users whose names or secret keys are too short: so many; the first are given.
pub fn import_ends_at_short(users: u64, first: &[String]) -> String {
    let named = some_of(users, first);
    format!(
        "{} with a name under {USER_BYTES} bytes or a secret key under {PASSWORD_BYTES}: mc admin cluster iam import ends there, and what comes \
         after is missing; leave them out (--name): {named}",
        count(users, "user")
    )
}

/// That an import by a server ends at policies that are not there: so many who have them; the first are given.
pub fn import_ends_at_mapping(names: u64, first: &[String]) -> String {
    let named = some_of(names, first);
    format!(
        "{} whose policies the archive does not hold: mc admin cluster iam import ends there, and nobody after \
         has policies, unless the server has these; make them there first, or take them from whoever has them (iamseal edit): {named}",
        match names {
            1 => "1 user or group".to_owned(),
            names => format!("{names} users or groups"),
        }
    )
}

/// That a server leaves groups out: so many; the first are given.
pub fn groups_left_out(groups: u64, first: &[String]) -> String {
    let named = some_of(groups, first);
    format!(
        "{} with members who are not in the archive: a server that does not have them either leaves the whole group \
         out: {named}",
        count(groups, "group")
    )
}

/// That a server takes policies for an order to remove them: so many; the first are given.
pub fn policies_removed(policies: u64, first: &[String]) -> String {
    let named = some_of(policies, first);
    format!(
        "policies without a statement, which allow nothing and which a server removes when it imports them: \
         {policies}: {named}"
    )
}
