//! What went wrong with a bucket, in plain words.

use std::error::Error as _;

use object_store::Error;

use super::place::refused;
use crate::contract::StorageError;

/// Where the credentials of a cloud's own machines come from; `object_store` asks there if it was given
/// none.
const METADATA: &str = "169.254.169.254";

/// A failed request.
pub(super) fn failed(error: &Error) -> StorageError {
    let said = Said::of(error);
    match error {
        Error::NotFound { .. } if said.is_code("NoSuchBucket") => {
            StorageError::Other("there is no such bucket".into())
        }
        Error::NotFound { .. } => StorageError::NotFound,
        Error::Precondition { .. } | Error::AlreadyExists { .. } | Error::NotModified { .. } => {
            StorageError::Conflict
        }
        Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => {
            refused(format!("access is denied: {}", said.words()))
        }
        Error::NotImplemented { .. } | Error::NotSupported { .. } => {
            refused(format!("it cannot do that: {error}"))
        }
        Error::InvalidPath { source } => {
            refused(format!("it has a key that no request can name: {source}"))
        }
        _ if said.whole.contains(METADATA) => StorageError::Other(
            "there are no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY".into(),
        ),
        // A listing does not tell its errors apart.
        _ if said.is_code("NoSuchBucket") => StorageError::Other("there is no such bucket".into()),
        _ if said.is_denied() => refused(format!("access is denied: {}", said.words())),
        _ if said.is_code("NotImplemented") => {
            refused(format!("it cannot do that: {}", said.words()))
        }
        _ => StorageError::Other(said.words()),
    }
}

/// The bucket's server's own words, or those of what is between it and here.
struct Said {
    whole: String,
    deepest: String,
}

impl Said {
    fn of(error: &Error) -> Self {
        let mut deepest = error.to_string();
        let mut source = error.source();
        while let Some(error) = source {
            deepest = error.to_string();
            source = error.source();
        }
        Self {
            whole: error.to_string(),
            deepest,
        }
    }

    /// The text of an element of S3's answer.
    fn element(&self, name: &str) -> Option<&str> {
        let (_, rest) = self.whole.split_once(&format!("<{name}>"))?;
        let (text, _) = rest.split_once(&format!("</{name}>"))?;
        Some(text)
    }

    fn is_code(&self, code: &str) -> bool {
        self.element("Code") == Some(code)
    }

    fn is_denied(&self) -> bool {
        [
            "AccessDenied",
            "AllAccessDisabled",
            "ExpiredToken",
            "InvalidAccessKeyId",
            "InvalidToken",
            "SignatureDoesNotMatch",
        ]
        .iter()
        .any(|code| self.is_code(code))
    }

    fn words(&self) -> String {
        match (self.element("Code"), self.element("Message")) {
            (Some(code), Some(message)) => format!("{message} ({code})"),
            (Some(code), None) => code.to_owned(),
            _ => self.deepest.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn generic(text: &str) -> Error {
        Error::Generic {
            store: "S3",
            source: text.into(),
        }
    }

    #[test]
    fn the_servers_words_are_kept_and_the_rest_of_its_answer_is_not() {
        let answer = "Error performing GET http://h/b - Server returned non-2xx status code: 403: <Error>\
             <Code>InvalidAccessKeyId</Code><Message>No such key.</Message>\
             <AWSAccessKeyId>AKIA</AWSAccessKeyId></Error>";
        let StorageError::Refused(words) = failed(&generic(answer)) else {
            panic!("not refused")
        };
        assert_eq!(words, "access is denied: No such key. (InvalidAccessKeyId)");
    }

    #[test]
    fn a_missing_bucket_is_no_missing_object() {
        let answer = "404: <Error><Code>NoSuchBucket</Code></Error>";
        let not_found = Error::NotFound {
            path: "a".into(),
            source: answer.into(),
        };
        for error in [not_found, generic(answer)] {
            let error = failed(&error);
            let StorageError::Other(words) = error else {
                panic!("{error:?}")
            };
            assert_eq!(words, "there is no such bucket");
        }
    }

    #[test]
    fn the_deepest_cause_is_told() {
        let refused = std::io::Error::from_raw_os_error(111); // ECONNREFUSED
        let error = Error::Generic {
            store: "S3",
            source: Box::new(Error::Generic {
                store: "S3",
                source: Box::new(refused),
            }),
        };
        let StorageError::Other(words) = failed(&error) else {
            panic!("not told")
        };
        assert!(words.starts_with("Connection refused"), "{words}");
    }
}
