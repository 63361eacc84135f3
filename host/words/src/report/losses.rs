//! What a server does without while an object is not there, in words, by the object's path.

use serde_json::Value;

use crate::shown::shown;

/// What is lost with the object at this path. Where it could be opened, its plaintext says whose it is.
pub fn loss(path: &[u8], plaintext: Option<&[u8]>) -> String {
    let parts: Vec<&[u8]> = path.split(|byte| *byte == b'/').collect();
    let [b"config", parts @ ..] = parts.as_slice() else {
        return "what the server keeps there".into();
    };
    match parts {
        [b"config.json"] => {
            "the server's configuration: it starts with its defaults and with what its variables say".into()
        }
        [b"history", ..] => "an earlier configuration of the server, which it can be set back to".into(),
        [b"tier-config.bin"] => {
            "the remote tiers and their credentials: what was moved there cannot be read".into()
        }
        [b"site-replication", ..] => {
            "what this site knows of the others that it is replicated with".into()
        }
        [b"iam", rest @ ..] => of_iam(rest, plaintext),
        _ => "what the server keeps there".into(),
    }
}

fn of_iam(parts: &[&[u8]], plaintext: Option<&[u8]>) -> String {
    // The names of objects of a directory may have the separator in them.
    let name = |parts: &[&[u8]]| shown(&parts.join(&b'/'));
    let of_mapping = |parts: &[&[u8]]| {
        let name = parts.join(&b'/');
        shown(name.strip_suffix(b".json").unwrap_or(&name))
    };
    match parts {
        [b"format.json"] => {
            "the version of the IAM store, which the server writes anew when it starts".into()
        }
        [b"users", user @ .., b"identity.json"] if !user.is_empty() => {
            let user = name(user);
            format!(
                "the user {user} and the secret key; what is {user}'s stays: service accounts, and policies, which the \
                 next user of that name gets"
            )
        }
        [b"users" | b"sts", user @ .., b"policy.json"] if !user.is_empty() => {
            format!("which policy the user {} has, in an old layout", name(user))
        }
        [b"service-accounts", account @ .., b"identity.json"] if !account.is_empty() => {
            let account = name(account);
            match parent(plaintext) {
                Some(parent) => {
                    format!("the service account {account} of {parent} and the secret key")
                }
                None => format!("the service account {account} and the secret key"),
            }
        }
        [b"sts", account @ .., b"identity.json"] if !account.is_empty() => {
            let account = name(account);
            match parent(plaintext) {
                Some(parent) => format!("the temporary credential {account} of {parent}"),
                None => format!("the temporary credential {account}"),
            }
        }
        [b"groups", group @ .., b"members.json"] if !group.is_empty() => {
            format!("the group {} and who is in it", name(group))
        }
        [b"policies", policy @ .., b"policy.json"] if !policy.is_empty() => format!(
            "the policy {}: whoever has it alone may do nothing",
            name(policy)
        ),
        [b"policydb", b"users", of @ ..] if !of.is_empty() => {
            format!("which policies the user {} has", of_mapping(of))
        }
        [b"policydb", b"groups", of @ ..] if !of.is_empty() => {
            format!("which policies the group {} has", of_mapping(of))
        }
        [b"policydb", b"sts-users", of @ ..] if !of.is_empty() => format!(
            "which policies {} has, who comes with temporary credentials (LDAP, OpenID)",
            of_mapping(of)
        ),
        [b"policydb", b"service-accounts", of @ ..] if !of.is_empty() => {
            format!("which policies the service account {} has", of_mapping(of))
        }
        _ => "something of users and policies that is not known".into(),
    }
}

/// Whose account it is, by what the server wrote into it.
fn parent(plaintext: Option<&[u8]>) -> Option<String> {
    let identity: Value = serde_json::from_slice(plaintext?).ok()?;
    let parent = identity.get("credentials")?.get("parentUser")?.as_str()?;
    (!parent.is_empty()).then(|| shown(parent.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_path_says_what_is_lost_with_it() {
        let of_alice = br#"{"version":1,"credentials":{"accessKey":"X","parentUser":"alice"}}"#;
        for (path, plaintext, wanted) in [
            ("config/config.json", None, "the server's configuration"),
            ("config/tier-config.bin", None, "the remote tiers"),
            ("config/site-replication/state.json", None, "what this site"),
            (
                "config/iam/format.json",
                None,
                "the version of the IAM store",
            ),
            (
                "config/iam/users/alice/identity.json",
                None,
                "the user alice and",
            ),
            (
                "config/iam/users/a/b/identity.json",
                None,
                "the user a/b and",
            ),
            (
                "config/iam/service-accounts/X/identity.json",
                Some(&of_alice[..]),
                "the service account X of alice and",
            ),
            (
                "config/iam/service-accounts/X/identity.json",
                Some(b"no json"),
                "the service account X and",
            ),
            (
                "config/iam/sts/X/identity.json",
                Some(of_alice),
                "the temporary credential X of alice",
            ),
            (
                "config/iam/groups/admins/members.json",
                None,
                "the group admins and",
            ),
            (
                "config/iam/policies/dataread/policy.json",
                None,
                "the policy dataread:",
            ),
            (
                "config/iam/policydb/groups/cn=admins,dc=x.json",
                None,
                "which policies the group cn=admins,dc=x has",
            ),
            (
                "config/iam/policydb/users/alice.json",
                None,
                "which policies the user alice has",
            ),
            (
                "config/iam/users/\u{202e}/identity.json",
                None,
                "the user \\u{202e} and",
            ),
            ("config/iam/users/identity.json", None, "something of users"),
            ("config/other", None, "what the server keeps"),
            ("buckets/x", None, "what the server keeps"),
        ] {
            let said = loss(path.as_bytes(), plaintext);
            assert!(said.starts_with(wanted), "{path}: {said}");
        }
    }
}
