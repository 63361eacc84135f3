//! What an archive has of an identity, made of what its object holds. Fields that are not known stay as they
//! are wherever the archive has the whole of an object; times that an older server did not write are those
//! that a newer one exports.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use iamseal::keys::RootCredential;
use serde_json::{Map, Value, json};

use super::token::{self, TokenError};
use super::{Kind, Secret, field};
use crate::cause::Cause;
use crate::report::why::Why;

/// What a server exports for a time that was not written down.
pub const NO_TIME: &str = "0001-01-01T00:00:00Z";
/// The claim with a policy of the account's own, and where a server exports it once more in the clear.
pub const POLICY_CLAIM: &str = "sessionPolicy";
pub const POLICY_CLAIM_READ: &str = "sessionPolicy-extracted";
/// The claim that tells whether an account has a policy of its own, `embedded-policy`, or its parent's.
pub const POLICY_KIND: &str = "sa-policy";

/// The entry of an identity of this name, whose object holds this. Credentials of the root verify what the
/// older servers signed with its password.
///
/// # Errors
/// It is not what such an object holds, or nothing vouches for its claims.
pub fn entry(
    kind: Kind,
    name: &str,
    plaintext: &[u8],
    roots: &[RootCredential],
) -> Result<Secret, Why> {
    let read = serde_json::from_slice(plaintext).map_err(|error| unfit(kind, error))?;
    let read = Secret(read);
    let Some(fields) = read.0.as_object() else {
        return Err(unfit(kind, "no object of JSON"));
    };
    match kind {
        Kind::Policies => policy(fields),
        Kind::Users => user(fields),
        Kind::Svcaccts => service_account(name, fields, roots),
        Kind::Groups => Ok(with(
            fields,
            &[("members", Value::Null), ("updatedAt", NO_TIME.into())],
        )),
        Kind::UserMappings | Kind::GroupMappings | Kind::StsuserMappings => {
            Ok(with(fields, &[("updatedAt", NO_TIME.into())]))
        }
    }
}

/// The policy itself, which servers since 2021-12 have within another object.
fn policy(fields: &Map<String, Value>) -> Result<Secret, Why> {
    let inner = field(fields, "Policy").and_then(Value::as_object);
    let policy = inner.unwrap_or(fields);
    match policy.contains_key("Statement") {
        true => Ok(Secret(Value::Object(policy.clone()))),
        false => Err(unfit(Kind::Policies, "it has no Statement")),
    }
}

fn user(fields: &Map<String, Value>) -> Result<Secret, Why> {
    let credentials = credentials(Kind::Users, fields)?;
    let secret = text(Kind::Users, credentials, "secretKey")?;
    let status = match field(credentials, "status").and_then(Value::as_str) {
        Some("off") => "disabled",
        _ => "enabled",
    };
    Ok(Secret(json!({"secretKey": secret, "status": status})))
}

fn service_account(
    name: &str,
    fields: &Map<String, Value>,
    roots: &[RootCredential],
) -> Result<Secret, Why> {
    const KIND: Kind = Kind::Svcaccts;
    let credentials = credentials(KIND, fields)?;
    let secret = text(KIND, credentials, "secretKey")?;
    let parent = text(KIND, credentials, "parentUser")?;
    let token = text(KIND, credentials, "sessionToken")?;
    let roots = roots.iter().map(|root| root.password.as_bytes());
    let secrets = [secret.as_bytes()].into_iter().chain(roots);
    let mut claims = token::claims(token, secrets).map_err(unsigned)?;
    let policy = match claims.get(POLICY_CLAIM).and_then(Value::as_str) {
        None => Value::Null,
        Some(encoded) => {
            let decoded = STANDARD
                .decode(encoded)
                .map_err(|_| unfit(KIND, "its policy is no base64"))?;
            let decoded = String::from_utf8(decoded).map_err(|error| unfit(KIND, error))?;
            let policy = serde_json::from_str(&decoded).map_err(|error| unfit(KIND, error))?;
            claims.insert(POLICY_CLAIM_READ.into(), decoded.into());
            policy
        }
    };
    let field = |name: &str, without: Value| field(credentials, name).cloned().unwrap_or(without);
    Ok(Secret(json!({
        "parent": parent,
        "accessKey": field("accessKey", name.into()),
        "secretKey": secret,
        "groups": field("groups", Value::Null),
        "claims": claims,
        "sessionPolicy": policy,
        "status": field("status", "on".into()),
        "name": field("name", "".into()),
        "description": field("description", "".into()),
        "expiration": field("expiration", NO_TIME.into()),
    })))
}

/// All that there is, and these where they are missing.
fn with(fields: &Map<String, Value>, missing: &[(&str, Value)]) -> Secret {
    let mut fields = fields.clone();
    for (name, value) in missing {
        fields.entry(*name).or_insert_with(|| value.clone());
    }
    Secret(Value::Object(fields))
}

pub fn credentials(kind: Kind, fields: &Map<String, Value>) -> Result<&Map<String, Value>, Why> {
    let credentials = field(fields, "credentials").and_then(Value::as_object);
    credentials.ok_or_else(|| unfit(kind, "it has no credentials"))
}

pub fn text<'a>(kind: Kind, fields: &'a Map<String, Value>, name: &str) -> Result<&'a str, Why> {
    let text = field(fields, name).and_then(Value::as_str);
    text.ok_or_else(|| unfit(kind, format!("it has no {name}")))
}

pub fn unfit(kind: Kind, why: impl std::fmt::Display) -> Why {
    Why {
        cause: Cause::NotLoadable,
        message: format!("it opens, but does not hold a {}: {why}", kind.word()),
        cure: Some("look at it with iamseal cat, and set it right with iamseal edit".into()),
        opens_at: None,
    }
}

pub fn unsigned(error: TokenError) -> Why {
    match error {
        TokenError::Malformed => unfit(Kind::Svcaccts, "its token is none"),
        TokenError::OtherSecret => Why {
            cause: Cause::Credential,
            message: "its claims are bound to a root credential that was not given, or to none"
                .into(),
            cure: Some(
                "add the root credential of the time it was made with --root-credentials".into(),
            ),
            opens_at: None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(kind: Kind, object: &Value) -> Value {
        let made = entry(kind, "NAME", object.to_string().as_bytes(), &[]);
        made.map_err(|why| why.message).unwrap().0.clone()
    }

    fn refused(kind: Kind, object: &str) -> String {
        let made = entry(kind, "NAME", object.as_bytes(), &[]);
        made.err().unwrap().message
    }

    #[test]
    fn unknown_fields_stay_and_missing_times_are_those_of_a_server() {
        let group = json!({"version": 1, "status": "enabled", "new": {"a": [1, 2.5]}});
        let made_of = made(Kind::Groups, &group);
        let expected = json!({"version": 1, "status": "enabled", "new": {"a": [1, 2.5]},
            "members": null, "updatedAt": NO_TIME});
        assert_eq!(made_of, expected);
        let mapping = json!({"version": 0, "policy": "a,b", "updatedAt": "2026-11-29T17:48:40Z"});
        assert_eq!(made(Kind::UserMappings, &mapping), mapping);
    }

    #[test]
    fn a_policy_is_the_same_within_another_object_or_alone() {
        let policy = json!({"Version": "2012-10-17", "Statement": [], "ID": "x"});
        assert_eq!(made(Kind::Policies, &policy), policy);
        let within = json!({"Version": 1, "Policy": policy, "CreateDate": NO_TIME});
        assert_eq!(made(Kind::Policies, &within), policy);
    }

    #[test]
    fn the_case_of_a_name_does_not_matter() {
        let user =
            json!({"Version": 1, "Credentials": {"SecretKey": "longenough", "STATUS": "off"}});
        let expected = json!({"secretKey": "longenough", "status": "disabled"});
        assert_eq!(made(Kind::Users, &user), expected);
    }

    #[test]
    fn what_holds_something_else_is_said_and_not_shown() {
        for (kind, object) in [
            (Kind::Users, r#"{"version":1}"#),
            (Kind::Users, r#"{"credentials":{"secretKey":5}}"#),
            (Kind::Policies, r#"{"Version":"2012-10-17"}"#),
            (
                Kind::Svcaccts,
                r#"{"credentials":{"secretKey":"hidden","parentUser":"a","sessionToken":"x"}}"#,
            ),
            (Kind::Groups, r#"["hidden"]"#),
            (Kind::Groups, "hidden"),
        ] {
            let message = refused(kind, object);
            assert!(message.starts_with("it opens, but"), "{message}");
            assert!(!message.contains("hidden"), "{message}");
        }
    }
}
