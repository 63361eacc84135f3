//! The words for what went wrong with an object.

use crate::contract::{Form, KeyError, ObjectError, StorageError};
use crate::shown::{is_hidden, shown};

/// An object's error in words: one line, no secrets, no trailing full stop.
pub fn describe(error: &ObjectError) -> String {
    match error {
        ObjectError::Empty => "the object is empty".to_owned(),
        ObjectError::UnknownForm(seen) => format!("unknown form: {}", line(seen)),
        ObjectError::Malformed(what) => format!("damaged: {}", line(what)),
        ObjectError::Unsupported(what) => format!("not supported: {}", line(what)),
        ObjectError::Refused(rule) => format!("refused: {}", line(rule)),
        ObjectError::FormRefused(Form::Plaintext) => {
            "it is plaintext, and only sealed objects may be opened".to_owned()
        }
        ObjectError::FormRefused(Form::RootCredential) => {
            "it is sealed with a root credential, and only objects sealed with a key may be opened"
                .to_owned()
        }
        ObjectError::FormRefused(Form::Minio | Form::Compact) => {
            "it is sealed under a key, and only what RustFS reads may be opened".to_owned()
        }
        ObjectError::Outdated(what) => format!("outdated: {}", line(what)),
        ObjectError::NotLoadable(why) => format!("it opens, and no server loads it: {}", line(why)),
        ObjectError::NoKey => "no key was named and the keyring has no default key".to_owned(),
        ObjectError::Key(failure) => {
            format!(
                "key {}: {}",
                name(&failure.key),
                describe_key(&failure.error)
            )
        }
        ObjectError::HeaderNotAuthentic(key) => format!(
            "no key named {} opens it here: other key bytes, another path or store, or a \
             damaged header",
            name(key)
        ),
        ObjectError::NoCredential => {
            "it is encrypted with a root credential and none was given".to_owned()
        }
        ObjectError::CredentialNotAuthentic => {
            "no root credential that was given opens it: another credential, or a damaged \
             beginning"
                .to_owned()
        }
        ObjectError::CredentialUntried(tries) => format!(
            "not tried with every root credential: {} of {} were tried and do not open it; too many \
             objects before it opened with none",
            tries.tried, tries.lent
        ),
        ObjectError::BodyNotAuthentic => {
            "the right key is there, but the body was changed, cut or reordered".to_owned()
        }
        ObjectError::CutShort => {
            "all that is there is authentic, but its end is missing: cut short".to_owned()
        }
        ObjectError::Storage(error) => describe_storage(error),
        ObjectError::Other(text) => line(text),
    }
}

/// A keyring's error in words; see [`describe`].
pub fn describe_key(error: &KeyError) -> String {
    match error {
        KeyError::NotFound => "there is no key of that name".to_owned(),
        KeyError::Denied(text) => format!("denied: {}", line(text)),
        KeyError::Unavailable(text) => format!("the key service gives no answer: {}", line(text)),
        KeyError::NotAuthentic => "it does not open this data key in this context".to_owned(),
        KeyError::Other(text) => line(text),
    }
}

/// A store's error in words; see [`describe`].
pub fn describe_storage(error: &StorageError) -> String {
    match error {
        StorageError::NotFound => "there is no such object, or not any more".to_owned(),
        StorageError::Conflict => "it was changed by somebody else meanwhile".to_owned(),
        StorageError::TooLarge(size) => format!(
            "the object is too large: {} bytes, {} are allowed",
            size.asked, size.allowed
        ),
        StorageError::Refused(text) => format!("the store refuses it: {}", line(text)),
        StorageError::Other(text) => format!("the store failed: {}", line(text)),
    }
}

/// How many characters of somebody else's text an error shows: a few lines of a terminal.
const LINE_CHARS: usize = 400;

/// Text from a component, a key service or a store as one harmless line. White space of any kind
/// becomes a space: what a server says has line breaks and means no harm by it.
pub fn line(text: &str) -> String {
    let mut line = String::new();
    for char in text.trim().chars().take(LINE_CHARS) {
        match char {
            space if space.is_whitespace() => line.push(' '),
            hidden if is_hidden(hidden) => line.extend(hidden.escape_default()),
            char => line.push(char),
        }
    }
    if text.trim().chars().nth(LINE_CHARS).is_some() {
        line.push('…');
    }
    line
}

/// A name of somebody's own choice between quotes, as far as a line of [`line()`] goes.
pub fn name(name: &str) -> String {
    let (begin, end) = match name.char_indices().nth(LINE_CHARS) {
        None => (name, ""),
        Some((end, _)) => (name.get(..end).unwrap_or_default(), "…"),
    };
    format!("\"{}\"{end}", shown(begin.as_bytes()).replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::{KeyFailure, SizeLimit, Tries};

    #[test]
    fn every_object_error_is_one_line_in_words() {
        let text = || "line\nand \u{1b}[2J".repeat(10_000);
        let errors = [
            ObjectError::Empty,
            ObjectError::UnknownForm(text()),
            ObjectError::Malformed(text()),
            ObjectError::Unsupported(text()),
            ObjectError::Refused(text()),
            ObjectError::NoKey,
            ObjectError::Key(KeyFailure {
                key: text(),
                error: KeyError::Unavailable(text()),
            }),
            ObjectError::HeaderNotAuthentic(text()),
            ObjectError::NoCredential,
            ObjectError::CredentialNotAuthentic,
            ObjectError::CredentialUntried(Tries { tried: 1, lent: 9 }),
            ObjectError::BodyNotAuthentic,
            ObjectError::CutShort,
            ObjectError::FormRefused(Form::Plaintext),
            ObjectError::Outdated(text()),
            ObjectError::Storage(StorageError::TooLarge(SizeLimit {
                asked: 9,
                allowed: 8,
            })),
            ObjectError::Other(text()),
        ];
        for error in errors {
            let words = describe(&error);
            assert!(!words.contains(char::is_control), "{words:?}");
            assert!(!words.contains("Error::"), "generated text: {words:?}");
            // An escape takes some characters for one.
            assert!(!words.is_empty() && words.chars().count() < 2000);
        }
    }

    #[test]
    fn what_does_not_show_is_escaped() {
        assert_eq!(
            line(" a\r\n\tb\u{1b}[2J\u{202e}c\u{200b} "),
            "a   b\\u{1b}[2J\\u{202e}c\\u{200b}"
        );
    }

    #[test]
    fn a_name_stands_between_its_own_quotes() {
        assert_eq!(name("a\" b\n"), "\"a\\\" b\\n\"");
        let long = "é".repeat(LINE_CHARS);
        assert_eq!(name(&long), format!("\"{long}\""));
        assert_eq!(name(&format!("{long}x")), format!("\"{long}\"…"));
    }

    #[test]
    fn a_long_text_is_cut() {
        assert_eq!(line(&"x".repeat(LINE_CHARS)).chars().count(), LINE_CHARS);
        assert_eq!(
            line(&"x".repeat(1 << 20)).chars().count(),
            LINE_CHARS + 1 // the ellipsis
        );
    }
}
