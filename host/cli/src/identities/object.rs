//! What an object holds, made of what an archive has of an identity: the reverse of `entry.rs`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use super::alike::is_alike;
use super::entry::{NO_TIME, POLICY_CLAIM, POLICY_CLAIM_READ, POLICY_KIND};
use super::{Kind, Secret, token};

/// The plaintext of the object of an identity of this name. `now` is by RFC 3339.
///
/// # Errors
/// What it has not, for people.
pub fn object(
    kind: Kind,
    name: &str,
    entry: &Value,
    now: &str,
) -> Result<Zeroizing<Vec<u8>>, String> {
    let Some(fields) = entry.as_object() else {
        return Err("it is no object of JSON".into());
    };
    let made = match kind {
        Kind::Policies => policy(fields, now)?,
        Kind::Users => user(name, fields, now)?,
        Kind::Svcaccts => service_account(name, fields, now)?,
        Kind::Groups => has(fields, &["status"])?,
        Kind::UserMappings | Kind::GroupMappings | Kind::StsuserMappings => {
            has(fields, &["policy"])?
        }
    };
    Ok(Zeroizing::new(made.0.to_string().into_bytes()))
}

fn policy(fields: &Map<String, Value>, now: &str) -> Result<Secret, String> {
    let policy = has(fields, &["Version"])?;
    match fields.get("Statement") {
        Some(Value::Array(_)) => Ok(Secret(json!({
            "Version": 1, "Policy": policy.0, "CreateDate": now, "UpdateDate": now,
        }))),
        _ => Err("it has no Statement".into()),
    }
}

fn user(name: &str, fields: &Map<String, Value>, now: &str) -> Result<Secret, String> {
    let status = match text(fields, "status")? {
        "enabled" => "on",
        "disabled" => "off",
        _ => return Err("its status is neither enabled nor disabled".into()),
    };
    Ok(Secret(
        json!({"version": 1, "updatedAt": now, "credentials": {
            "accessKey": name, "secretKey": text(fields, "secretKey")?, "status": status,
            "expiration": NO_TIME,
        }}),
    ))
}

fn service_account(name: &str, fields: &Map<String, Value>, now: &str) -> Result<Secret, String> {
    let secret = text(fields, "secretKey")?;
    let parent = text(fields, "parent")?;
    if text(fields, "accessKey")? != name {
        return Err("its accessKey is not its name".into());
    }
    let mut claims = match fields.get("claims") {
        Some(Value::Object(claims)) => claims.clone(),
        _ => return Err("it has no claims".into()),
    };
    if claims.get("parent").and_then(Value::as_str) != Some(parent) {
        return Err("its claims are not about its parent".into());
    }
    claims.remove(POLICY_CLAIM_READ);
    let policy = fields
        .get("sessionPolicy")
        .filter(|policy| policy.is_object());
    // What the account may do is what the archive shows, not a claim that nobody can read.
    match policy {
        Some(policy) => {
            if !claimed(&claims).is_some_and(|claimed| is_alike(&claimed, policy)) {
                let encoded = STANDARD.encode(policy.to_string());
                claims.insert(POLICY_CLAIM.into(), encoded.into());
            }
            // A server that finds another word here gives the account all that its parent may.
            claims.insert(POLICY_KIND.into(), "embedded-policy".into());
        }
        // Without one of its own it may do what its parent may.
        None if !claims.contains_key(POLICY_CLAIM) && !claims.contains_key(POLICY_KIND) => {
            claims.insert(POLICY_KIND.into(), "inherited-policy".into());
        }
        None => {}
    }
    let claims = Secret(Value::Object(claims));
    let mut credentials = json!({
        "accessKey": name, "secretKey": secret, "parentUser": parent,
        "sessionToken": token::signed(&claims.0, secret.as_bytes()),
        "status": status(text(fields, "status")?)?,
        "expiration": fields.get("expiration").cloned().unwrap_or_else(|| NO_TIME.into()),
    });
    if let Some(credentials) = credentials.as_object_mut() {
        for name in ["groups", "name", "description"] {
            let value = fields.get(name).filter(|value| !is_nothing(value));
            credentials.extend(value.map(|value| (name.to_owned(), value.clone())));
        }
    }
    Ok(Secret(
        json!({"version": 1, "updatedAt": now, "credentials": credentials}),
    ))
}

/// The word that a server has for it: of any that it does not know it takes an account for enabled.
fn status(word: &str) -> Result<&'static str, String> {
    match word {
        "on" | "enabled" => Ok("on"),
        "off" | "disabled" => Ok("off"),
        _ => Err("its status is neither on nor off".into()),
    }
}

/// The policy in the claims.
fn claimed(claims: &Map<String, Value>) -> Option<Value> {
    let text = claims.get(POLICY_CLAIM)?.as_str()?;
    serde_json::from_slice(&STANDARD.decode(text).ok()?).ok()
}

fn is_nothing(value: &Value) -> bool {
    value.is_null() || value.as_str() == Some("")
}

/// All of it, if it has these.
fn has(fields: &Map<String, Value>, names: &[&str]) -> Result<Secret, String> {
    for name in names {
        text(fields, name)?;
    }
    Ok(Secret(Value::Object(fields.clone())))
}

fn text<'a>(fields: &'a Map<String, Value>, name: &str) -> Result<&'a str, String> {
    let text = fields.get(name).and_then(Value::as_str);
    text.ok_or_else(|| format!("it has no {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-11-29T17:48:23Z";

    /// An entry that a server exported, and what comes of it there and back.
    #[test]
    fn an_entry_comes_back_as_it_was() {
        let policy = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow"}]});
        let encoded = STANDARD.encode(policy.to_string());
        let account = |claims: Value, policy: Value| {
            json!({"parent": "alice", "accessKey": "A", "secretKey": "secret-1", "groups": ["g"],
                "claims": claims, "sessionPolicy": policy, "status": "off", "name": "n",
                "description": "", "expiration": "1970-01-01T00:00:00Z"})
        };
        for (kind, entry) in [
            (Kind::Policies, policy.clone()),
            (
                Kind::Users,
                json!({"secretKey": "secret", "status": "disabled"}),
            ),
            (
                Kind::Groups,
                json!({"version": 1, "status": "enabled", "members": null, "updatedAt": NOW, "x": 1}),
            ),
            (
                Kind::UserMappings,
                json!({"version": 0, "policy": "a,b", "updatedAt": NOW}),
            ),
            (
                Kind::Svcaccts,
                account(
                    json!({"parent": "alice", "sa-policy": "inherited-policy"}),
                    Value::Null,
                ),
            ),
            (
                Kind::Svcaccts,
                account(
                    json!({"parent": "alice", "sessionPolicy": encoded, "sa-policy": "embedded-policy",
                        "sessionPolicy-extracted": policy.to_string()}),
                    policy.clone(),
                ),
            ),
        ] {
            let object = object(kind, "A", &entry, NOW).unwrap();
            let again = super::super::entry(kind, "A", &object, &[]);
            assert_eq!(again.map_err(|why| why.message).unwrap().0, entry);
        }
    }

    /// Whoever narrows a policy in the archive means it.
    #[test]
    fn the_policy_that_is_shown_is_the_one_that_is_signed() {
        let wide = json!({"Statement": [{"Effect": "Allow", "Action": ["s3:*"]}]});
        let narrow = json!({"Statement": [{"Effect": "Allow", "Action": ["s3:GetObject"]}]});
        for (claims, policy, kind) in [
            (
                json!({"parent": "alice", "sessionPolicy": STANDARD.encode(wide.to_string()),
                    "sa-policy": "embedded-policy"}),
                narrow.clone(),
                "embedded-policy",
            ),
            (
                json!({"parent": "alice", "sessionPolicy": STANDARD.encode(narrow.to_string()),
                    "sa-policy": "inherited-policy"}),
                narrow.clone(),
                "embedded-policy",
            ),
            (
                json!({"parent": "alice", "sa-policy": "inherited-policy"}),
                narrow.clone(),
                "embedded-policy",
            ),
            (json!({"parent": "alice"}), Value::Null, "inherited-policy"),
        ] {
            let entry = json!({"parent": "alice", "accessKey": "A", "secretKey": "secret-1",
                "claims": claims, "sessionPolicy": policy, "status": "on"});
            let object = object(Kind::Svcaccts, "A", &entry, NOW).unwrap();
            let object: Value = serde_json::from_slice(&object).unwrap();
            let token = object["credentials"]["sessionToken"].as_str().unwrap();
            let payload = token.split('.').nth(1).unwrap();
            let payload = base64::engine::general_purpose::URL_SAFE_NO_PAD
                .decode(payload)
                .unwrap();
            let signed: Map<String, Value> = serde_json::from_slice(&payload).unwrap();
            assert_eq!(signed["sa-policy"], kind);
            assert_eq!(claimed(&signed).unwrap_or_default(), policy);
        }
    }

    #[test]
    fn what_lacks_something_is_refused_and_not_shown() {
        let account = json!({"parent": "alice", "accessKey": "A", "secretKey": "hidden",
            "status": "on", "claims": {"parent": "bob"}});
        for (kind, entry) in [
            (Kind::Users, json!({"secretKey": "hidden"})),
            (
                Kind::Users,
                json!({"secretKey": "hidden", "status": "hidden"}),
            ),
            (Kind::Policies, json!({"Version": "hidden"})),
            (Kind::GroupMappings, json!("hidden")),
            (Kind::Svcaccts, account),
        ] {
            let why = object(kind, "A", &entry, NOW).unwrap_err();
            assert!(!why.contains("hidden"), "{why}");
        }
    }
}
