//! What KES answers, and which cause that is.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use crate::contract::KeyError;

/// The longest answer that is read, in bytes; as MinIO has it.
pub const MAX_ANSWER: usize = 1 << 20;
/// How much is told of an answer that is no JSON, in bytes.
const TOLD: usize = 200;

/// An answer. It may hold a data key, so it is wiped.
pub struct Answer {
    pub status: u16,
    pub body: Zeroizing<Vec<u8>>,
    /// Whether `body` is all of it.
    pub is_whole: bool,
}

/// How KES writes an error; some have one name and some the other.
#[derive(Deserialize)]
struct Complaint {
    message: Option<String>,
    error: Option<String>,
}

impl Answer {
    /// Whether another server may do better.
    pub fn is_of_a_failing_server(&self) -> bool {
        self.status >= 500 && self.status != 501
    }

    /// Whether KES did what it was asked.
    pub fn is_done(&self) -> bool {
        self.status == 200
    }

    /// What KES has to say of its refusal.
    pub fn said(&self) -> String {
        // Whoever stands between may have turned a 200 into another success, with a data key in it.
        if (200..300).contains(&self.status) {
            return format!("it answered {}", self.status);
        }
        let complaint: Option<Complaint> = serde_json::from_slice(&self.body).ok();
        let said = complaint.and_then(|complaint| complaint.message.or(complaint.error));
        let said = said.unwrap_or_else(|| {
            let begin = self.body.get(..TOLD).unwrap_or(&self.body);
            String::from_utf8_lossy(begin).into_owned()
        });
        format!("it answered {}: {}", self.status, said.trim())
    }

    /// What the answer holds.
    ///
    /// # Errors
    /// As [`Answer::error`]; [`KeyError::Other`] for what is not of this shape.
    pub fn read<T: DeserializeOwned>(&self, caller: &str) -> Result<T, KeyError> {
        if !self.is_done() {
            return Err(self.error(caller));
        }
        // No words of the parser: they may quote what should have been a data key.
        let bad = |what: &str| KeyError::Other(format!("KES' answer {what}"));
        if !self.is_whole {
            return Err(bad("is longer than 1 MiB"));
        }
        serde_json::from_slice(&self.body).map_err(|_| bad("is not what it should be"))
    }

    /// The cause of a refusal. `caller` is who asked and what, for the one who has to allow it.
    pub fn error(&self, caller: &str) -> KeyError {
        let said = self.said();
        let has = |text: &str| said.contains(text);
        match self.status {
            401 | 403 => KeyError::Denied(format!("{caller}: {said}")),
            // KES speaks of TLS where the certificate of the caller is missing or too many.
            400 if has("tls: ") => KeyError::Denied(format!("{caller}: {said}")),
            400 if has("ciphertext is not authentic") || has("decryption failed") => {
                KeyError::NotAuthentic
            }
            404 if has("key does not exist") => KeyError::NotFound,
            429 => KeyError::Unavailable(said),
            _ if self.is_of_a_failing_server() => KeyError::Unavailable(said),
            _ => KeyError::Other(format!("KES: {said}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        Answer {
            status,
            body: Zeroizing::new(body.into()),
            is_whole: true,
        }
    }

    #[test]
    fn status_and_text_make_the_cause() {
        let is = |status, body: &str| answer(status, body).error("x may not y");
        let key = r#"{"message":"key does not exist"}"#;
        assert_eq!(is(404, key), KeyError::NotFound);
        assert!(matches!(is(404, "no such page"), KeyError::Other(_)));
        assert!(matches!(is(400, key), KeyError::Other(_)));
        let forged = r#"{"error":"decryption failed: ciphertext is not authentic"}"#;
        assert_eq!(is(400, forged), KeyError::NotAuthentic);
        assert!(matches!(is(500, forged), KeyError::Unavailable(_)));
        for status in [401, 403] {
            let text = "not authorized: insufficient permissions\n";
            let said = format!("x may not y: it answered {status}: {}", text.trim());
            assert_eq!(is(status, text), KeyError::Denied(said));
        }
        let tls = r#"{"message":"tls: client certificate is required"}"#;
        assert!(matches!(is(400, tls), KeyError::Denied(_)));
        for status in [429, 500, 502, 503, 504] {
            assert!(matches!(is(status, ""), KeyError::Unavailable(_)));
        }
        for status in [201, 302, 400, 405, 413, 501] {
            assert!(matches!(is(status, "{}"), KeyError::Other(_)), "{status}");
        }
    }

    #[test]
    fn a_long_complaint_is_cut() {
        let page = "<html>".repeat(1000);
        assert!(answer(500, &page).said().len() < 250);
        let cut_within_a_character = "é".repeat(TOLD);
        assert!(
            answer(500, &format!("x{cut_within_a_character}"))
                .said()
                .len()
                < 250
        );
    }

    #[test]
    fn what_is_no_answer_is_not_quoted() {
        let error = |body| answer(200, body).read::<Vec<u8>>("").err().unwrap();
        for body in [
            "",
            "hunter2",
            r#"["hunter2"]"#,
            r#"{"plaintext":"hunter2"}"#,
        ] {
            let text = "KES' answer is not what it should be";
            assert_eq!(error(body), KeyError::Other(text.into()));
        }
    }
}
