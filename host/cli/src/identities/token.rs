//! Tokens of service accounts: JSON Web Tokens (RFC 7519) under HMAC-SHA512.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use iamseal_data_key::{sign, signed as is_signed};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

/// The header of a token that is made.
const HEADER: &[u8] = br#"{"alg":"HS512","typ":"JWT"}"#;

/// Why a token's claims are not taken.
#[derive(Debug, PartialEq, Eq)]
pub enum TokenError {
    /// It is no token of that kind.
    Malformed,
    /// Another secret signed it.
    OtherSecret,
}

/// The claims of a token that one of these secrets signed.
///
/// # Errors
/// None of them did, or it is no such token.
pub fn claims<'a>(
    token: &str,
    secrets: impl IntoIterator<Item = &'a [u8]>,
) -> Result<Map<String, Value>, TokenError> {
    let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).map(Zeroizing::new).ok();
    let parts = token.rsplit_once('.').and_then(|(signed, signature)| {
        let (header, claims) = signed.split_once('.')?;
        Some((signed, decode(header)?, decode(claims)?, decode(signature)?))
    });
    let (signed, header, claims, signature) = parts.ok_or(TokenError::Malformed)?;
    let header: Value = serde_json::from_slice(&header).map_err(|_| TokenError::Malformed)?;
    if header.get("alg").and_then(Value::as_str) != Some("HS512") {
        return Err(TokenError::Malformed);
    }
    let signature = signature.as_slice().try_into();
    let signature = signature.map_err(|_| TokenError::OtherSecret)?;
    let is_by = |secret: &[u8]| is_signed(secret, signed.as_bytes(), signature);
    if !secrets.into_iter().any(is_by) {
        return Err(TokenError::OtherSecret);
    }
    serde_json::from_slice(&claims).map_err(|_| TokenError::Malformed)
}

/// The same token, signed by another secret than the one of these that had signed it.
///
/// # Errors
/// None of them did, or it is no such token.
pub fn signed_anew<'a>(
    token: &str,
    secrets: impl IntoIterator<Item = &'a [u8]>,
    secret: &[u8],
) -> Result<String, TokenError> {
    claims(token, secrets)?;
    let (message, _) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
    Ok(with_signature(message.to_owned(), secret))
}

/// A token with these claims under this secret.
pub fn signed(claims: &Value, secret: &[u8]) -> String {
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let claims = Zeroizing::new(claims.to_string());
    with_signature(
        format!("{}.{}", encode(HEADER), encode(claims.as_bytes())),
        secret,
    )
}

fn with_signature(mut message: String, secret: &[u8]) -> String {
    if let Some(signature) = sign(secret, message.as_bytes()) {
        message.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut message);
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a MinIO made for a service account with this secret.
    const TOKEN: &str = "eyJhbGciOiJIUzUxMiIsInR5cCI6IkpXVCJ9.\
        eyJhY2Nlc3NLZXkiOiJaT0VTVkMzIiwicGFyZW50Ijoiem_DqyDml6XmnKwiLCJzYS1wb2xpY3kiOiJpbmhlcml0ZWQtcG9saWN5In0.\
        l9XOD4Jw3XkQuK1jq16SkU5cQOT-uhfklh7frgkoqIItc1NV9wWvXyFrAeDfz6p7R9EtaY6kr-vhkUNC74gt0w";
    const SECRET: &[u8] = b"zoesvcsecret2";

    #[test]
    fn claims_are_those_that_the_secret_signed() {
        let claims = claims(TOKEN, [&b"another"[..], SECRET]).unwrap();
        assert_eq!(claims["accessKey"], "ZOESVC3");
        assert_eq!(claims["parent"], "zo\u{eb} \u{65e5}\u{672c}");
    }

    #[test]
    fn what_is_signed_is_what_a_server_signs() {
        let claims = claims(TOKEN, [SECRET]).unwrap();
        assert_eq!(signed(&Value::Object(claims), SECRET), TOKEN);
    }

    #[test]
    fn a_token_is_signed_anew_and_says_the_same() {
        let anew = signed_anew(TOKEN, [SECRET], b"another").unwrap();
        assert_eq!(claims(&anew, [SECRET]), Err(TokenError::OtherSecret));
        assert_eq!(claims(&anew, [&b"another"[..]]), claims(TOKEN, [SECRET]));
        let back = signed_anew(&anew, [&b"another"[..]], SECRET);
        assert_eq!(back.unwrap(), TOKEN);
        let by_nobody = signed_anew(TOKEN, [&b"another"[..]], SECRET);
        assert_eq!(by_nobody, Err(TokenError::OtherSecret));
    }

    #[test]
    fn nothing_else_is_taken() {
        assert_eq!(
            claims(TOKEN, [&b"another"[..]]),
            Err(TokenError::OtherSecret)
        );
        assert_eq!(claims(TOKEN, []), Err(TokenError::OtherSecret));
        let changed = TOKEN.replacen("eyJhY2Nl", "eyJhY2Nm", 1);
        assert_eq!(claims(&changed, [SECRET]), Err(TokenError::OtherSecret));
        for malformed in ["", "a.b", "a.b.c", "..", "\u{e9}.\u{e9}.\u{e9}"] {
            assert_eq!(claims(malformed, [SECRET]), Err(TokenError::Malformed));
        }
        // {"alg":"none"}
        let unsigned = "eyJhbGciOiJub25lIn0.e30.";
        assert_eq!(claims(unsigned, [SECRET]), Err(TokenError::Malformed));
    }
}
