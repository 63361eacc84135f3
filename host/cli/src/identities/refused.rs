//! What a server does not take of an archive: it stops in the middle of an import, or leaves out what the archive has.
//! Seen with RELEASE.2025-10-15.

use std::collections::BTreeSet;

use iamseal_words::keys::root_credential::{PASSWORD_BYTES, USER_BYTES};
use serde_json::Value;

use super::archive::Archive;
use super::{Kind, field};

/// The policies that every server has without an archive.
const BUILT_IN: [&str; 5] = [
    "readwrite",
    "readonly",
    "writeonly",
    "diagnostics",
    "consoleAdmin",
];

/// Names of an archive that a server without further identities takes otherwise than it takes the others.
#[derive(Default)]
pub struct Refused {
    /// Users and groups that are given policies which the archive does not hold: the import ends at the first.
    pub without_policy: BTreeSet<String>,
    /// Users whose names or secret keys are too short: the import ends at the first.
    pub short: BTreeSet<String>,
    /// Groups with members that the archive does not hold: they are left out.
    pub without_member: BTreeSet<String>,
    /// Policies without a statement: one of that name is removed.
    pub without_statement: BTreeSet<String>,
}

impl Refused {
    /// Of this archive.
    pub fn of(archive: &Archive) -> Self {
        let named = |kind| {
            let names = archive.of(kind).map(|(name, _)| name);
            names.collect::<BTreeSet<_>>()
        };
        let (policies, users) = (named(Kind::Policies), named(Kind::Users));
        let mut refused = Self::default();
        for kind in [
            Kind::UserMappings,
            Kind::GroupMappings,
            Kind::StsuserMappings,
        ] {
            for (name, entry) in archive.of(kind) {
                let given = text(entry, "policy").split(',').map(str::trim);
                let mut given = given.filter(|policy| !policy.is_empty());
                if given.any(|policy| !policies.contains(policy) && !BUILT_IN.contains(&policy)) {
                    refused.without_policy.insert(name.to_owned());
                }
            }
        }
        for (name, entry) in archive.of(Kind::Users) {
            if name.len() < USER_BYTES || text(entry, "secretKey").len() < PASSWORD_BYTES {
                refused.short.insert(name.to_owned());
            }
        }
        for (name, entry) in archive.of(Kind::Groups) {
            let mut members = list(entry, "members").iter().filter_map(Value::as_str);
            if members.any(|member| !users.contains(member)) {
                refused.without_member.insert(name.to_owned());
            }
        }
        for (name, entry) in archive.of(Kind::Policies) {
            if list(entry, "Statement").is_empty() {
                refused.without_statement.insert(name.to_owned());
            }
        }
        refused
    }
}

fn value<'a>(entry: &'a Value, name: &str) -> Option<&'a Value> {
    field(entry.as_object()?, name)
}

fn text<'a>(entry: &'a Value, name: &str) -> &'a str {
    value(entry, name)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// An array; what stands alone is one of one.
fn list<'a>(entry: &'a Value, name: &str) -> &'a [Value] {
    match value(entry, name) {
        Some(Value::Array(values)) => values,
        None | Some(Value::Null) => &[],
        Some(one) => std::slice::from_ref(one),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::Secret;
    use super::*;

    #[test]
    fn what_a_server_does_not_take_is_known() {
        let mut archive = Archive::default();
        let mut add = |kind, name: &str, entry| archive.insert(kind, name.into(), Secret(entry));
        let statement = json!({"Effect": "Allow"});
        add(Kind::Policies, "p", json!({"Statement": [statement]}));
        add(Kind::Policies, "one", json!({"Statement": statement}));
        add(Kind::Policies, "none", json!({"Statement": []}));
        add(Kind::Users, "alice", json!({"secretKey": "longenough"}));
        add(Kind::Users, "al", json!({"secretKey": "longenough"}));
        add(Kind::Users, "bob", json!({"secretKey": "short"}));
        add(Kind::Groups, "good", json!({"members": ["alice"]}));
        add(Kind::Groups, "empty", json!({"members": null}));
        add(Kind::Groups, "bad", json!({"members": ["alice", "ghost"]}));
        add(
            Kind::UserMappings,
            "alice",
            json!({"policy": "p, readwrite"}),
        );
        add(Kind::UserMappings, "bob", json!({"policy": "p,gone"}));
        add(Kind::GroupMappings, "good", json!({"policy": "gone"}));
        let refused = Refused::of(&archive);
        let names = |names: &BTreeSet<String>| names.iter().cloned().collect::<Vec<_>>().join(" ");
        assert_eq!(names(&refused.without_policy), "bob good");
        assert_eq!(names(&refused.short), "al bob");
        assert_eq!(names(&refused.without_member), "bad");
        assert_eq!(names(&refused.without_statement), "none");
    }
}
