//! Service accounts whose token a server signed with its root secret, as older servers did.

use iamseal::keys::RootCredential;
use zeroize::Zeroizing;

use super::entry::{credentials, text, unfit, unsigned};
use super::{Kind, Secret, token};
use crate::report::why::Why;

const KIND: Kind = Kind::Svcaccts;

/// What the object of an account holds, its token signed by the account's own secret, as servers do it today.
/// Every other byte stays as it is.
///
/// # Errors
/// It is no such object, or none of the root credentials signed its token.
pub fn signed_by_account(
    plaintext: &[u8],
    roots: &[RootCredential],
) -> Result<Zeroizing<Vec<u8>>, Why> {
    let read = serde_json::from_slice(plaintext).map_err(|error| unfit(KIND, error))?;
    let read = Secret(read);
    let Some(fields) = read.0.as_object() else {
        return Err(unfit(KIND, "no object of JSON"));
    };
    let credentials = credentials(KIND, fields)?;
    let secret = text(KIND, credentials, "secretKey")?;
    let old = text(KIND, credentials, "sessionToken")?;
    let roots = roots.iter().map(|root| root.password.as_bytes());
    let new = token::signed_anew(old, roots, secret.as_bytes()).map_err(unsigned)?;
    let new = Zeroizing::new(new);
    let mut places = plaintext
        .windows(old.len())
        .enumerate()
        .filter_map(|(at, window)| (window == old.as_bytes()).then_some(at));
    let parts = match (places.next(), places.next()) {
        (Some(at), None) => plaintext.get(..at).zip(plaintext.get(at + old.len()..)),
        _ => None,
    };
    let (before, after) =
        parts.ok_or_else(|| unfit(KIND, "its token stands there in another way"))?;
    Ok(Zeroizing::new([before, new.as_bytes(), after].concat()))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const ROOT: &str = "old-root-secret";

    fn root(password: &str) -> RootCredential {
        RootCredential {
            user: "root".into(),
            password: Zeroizing::new(password.into()),
        }
    }

    fn object(token: &str) -> String {
        format!(
            "{{ \"version\":1, \"credentials\":{{\"accessKey\":\"A\",\"secretKey\":\"own-secret\",\
             \"sessionToken\":\"{token}\",\"new\":1.50}} }}"
        )
    }

    #[test]
    fn the_token_alone_is_changed() {
        let old = token::signed(
            &json!({"accessKey": "A", "parent": "root"}),
            ROOT.as_bytes(),
        );
        let new = signed_by_account(object(&old).as_bytes(), &[root("x"), root(ROOT)]);
        let new = new.map_err(|why| why.message).unwrap();
        let read: Value = serde_json::from_slice(&new).unwrap();
        let token = read["credentials"]["sessionToken"].as_str().unwrap();
        assert_eq!(new.as_slice(), object(token).as_bytes());
        let claims = token::claims(token, [&b"own-secret"[..]]).unwrap();
        assert_eq!(claims["parent"], "root");
    }

    #[test]
    fn what_no_root_credential_signed_stays() {
        let old = token::signed(&json!({}), ROOT.as_bytes());
        for object in [
            object(&old),
            object("x.y.z"),
            object(""),
            "[]".into(),
            "{}".into(),
        ] {
            let refused = signed_by_account(object.as_bytes(), &[root("x")]).err();
            let message = refused.unwrap().message;
            assert!(!message.contains("own-secret"), "{message}");
        }
    }
}
