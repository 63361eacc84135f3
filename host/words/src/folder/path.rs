//! Which paths a folder that is a store takes, and the names of its drafts.
//!
//! A path comes from the plugin or from a directory that anybody may have written to, so it is
//! checked before any part of it reaches the system: no part means "here", "up" or "nothing".

use super::refused;
use crate::contract::StorageError;
use crate::shown::shown;

/// The longest path in bytes: Linux's `PATH_MAX` (4096) without its NUL. No other program can name
/// a longer one, and it bounds how deep a walk goes.
pub const LONGEST: usize = 4095;

/// A path that was checked.
pub struct Place<'a> {
    /// The folder, without a `/` at its end; empty for the root.
    pub folder: &'a [u8],
    /// The last part.
    pub name: &'a [u8],
}

impl<'a> Place<'a> {
    /// Checks a path: parts of any bytes but NUL, separated by single `/`, none of them `.` or
    /// `..`. A part that is too long for the file system is left to the file system.
    ///
    /// # Errors
    /// `Refused`, with the rule that was broken.
    pub fn of(path: &'a [u8]) -> Result<Self, StorageError> {
        check(path)?;
        Ok(Self::of_checked(path))
    }

    /// The parts of a path that was checked before.
    pub fn of_checked(path: &'a [u8]) -> Self {
        let (folder, name) = split(path);
        Self { folder, name }
    }
}

/// Splits a listing's prefix into the folder it lies in and what the names there begin with.
///
/// # Errors
/// `Refused`, if the folder breaks a rule of [`Place::of`].
pub fn split_prefix(prefix: &[u8]) -> Result<(&[u8], &[u8]), StorageError> {
    let (folder, tail) = split(prefix);
    if prefix.contains(&b'/') {
        check(folder)?;
    }
    Ok((folder, tail))
}

/// The parts of a folder that was checked.
pub fn parts(folder: &[u8]) -> impl Iterator<Item = &[u8]> {
    folder
        .split(|byte| *byte == b'/')
        .filter(|part| !part.is_empty())
}

const DRAFT_BEGIN: &[u8] = b".iamseal-";
const DRAFT_END: &[u8] = b".tmp";
/// 64 random bits: two drafts in one folder never meet by chance.
const DRAFT_DIGITS: usize = 16;

/// A name for a draft: `.iamseal-<16 hex digits>.tmp`, of a number that was drawn at random.
pub fn draft_name(number: u64) -> Vec<u8> {
    [DRAFT_BEGIN, format!("{number:016x}").as_bytes(), DRAFT_END].concat()
}

/// What a draft's name says while the draft is exchanged for its object: how to tell which of the two
/// stands under it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Tags<'a> {
    /// Of the draft's bytes and those that it replaces, in this order.
    pub pair: &'a [u8],
    /// Of the draft's file.
    pub draft: &'a [u8],
    /// Of the file that it replaces.
    pub replaced: &'a [u8],
    /// Of the rights that both have.
    pub rights: &'a [u8],
}

/// How many digits each has. With these a name has 113 bytes; file systems take at least 143 (eCryptfs).
const TAG_DIGITS: [usize; 4] = [32, 16, 16, 16];

/// Whether [`draft_name`] or [`exchange_name`] could have made this name.
pub fn is_draft_name(name: &[u8]) -> bool {
    is_plain_draft_name(name) || tags(name).is_some() || note_of(name).is_some()
}

/// How the name of an object ends that is on its way out of the store.
const ASIDE_END: &[u8] = b"-removed.tmp";

/// The name of an object from right before it is removed: beside it stands the draft of the removal, a note
/// that says which object it was.
pub fn aside_name(draft_name: &[u8]) -> Vec<u8> {
    let begin = draft_name.strip_suffix(DRAFT_END).unwrap_or(draft_name);
    [begin, ASIDE_END].concat()
}

/// The name of the note beside a name that [`aside_name`] made. What stands under that may be somebody else's.
pub fn note_of(aside_name: &[u8]) -> Option<Vec<u8>> {
    let note = [aside_name.strip_suffix(ASIDE_END)?, DRAFT_END].concat();
    is_plain_draft_name(&note).then_some(note)
}

/// The name of a draft from right before it is exchanged for its object.
pub fn exchange_name(draft_name: &[u8], tags: Tags<'_>) -> Vec<u8> {
    let begin = draft_name.strip_suffix(DRAFT_END).unwrap_or(draft_name);
    let tags = [tags.pair, tags.draft, tags.replaced, tags.rights].join(&b'-');
    [begin, b"-", &tags, DRAFT_END].concat()
}

/// The tags of a name that [`exchange_name`] made. What stands under it may be somebody else's.
pub fn tags(name: &[u8]) -> Option<Tags<'_>> {
    let rest = name.strip_prefix(DRAFT_BEGIN)?.strip_suffix(DRAFT_END)?;
    let mut parts = rest.split(|byte| *byte == b'-');
    let mut part = |digits| parts.next().filter(|part| is_hex(part, digits));
    let [pair, file, replaced, rights] = TAG_DIGITS;
    part(DRAFT_DIGITS)?;
    let tags = Tags {
        pair: part(pair)?,
        draft: part(file)?,
        replaced: part(replaced)?,
        rights: part(rights)?,
    };
    parts.next().is_none().then_some(tags)
}

fn is_plain_draft_name(name: &[u8]) -> bool {
    name.strip_prefix(DRAFT_BEGIN)
        .and_then(|rest| rest.strip_suffix(DRAFT_END))
        .is_some_and(|digits| is_hex(digits, DRAFT_DIGITS))
}

fn is_hex(text: &[u8], digits: usize) -> bool {
    let is_digit = |digit: &u8| matches!(digit, b'0'..=b'9' | b'a'..=b'f');
    text.len() == digits && text.iter().all(is_digit)
}

fn check(path: &[u8]) -> Result<(), StorageError> {
    if path.is_empty() {
        return Err(refused("the path is empty"));
    }
    if path.len() > LONGEST {
        return Err(refused(format!(
            "the path has {} bytes; the longest has {LONGEST}",
            path.len()
        )));
    }
    if path.contains(&0) {
        return Err(refused(format!("{} holds a NUL byte", shown(path))));
    }
    if path.starts_with(b"/") {
        return Err(refused(format!("{} begins with `/`", shown(path))));
    }
    for part in path.split(|byte| *byte == b'/') {
        match part {
            b"" => return Err(refused(format!("{} has an empty part", shown(path)))),
            b"." | b".." => {
                return Err(refused(format!(
                    "{} has the part `{}`",
                    shown(path),
                    shown(part)
                )));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Splits at the last `/`.
fn split(path: &[u8]) -> (&[u8], &[u8]) {
    let mut pieces = path.rsplitn(2, |byte| *byte == b'/');
    let last = pieces.next().unwrap_or_default();
    (pieces.next().unwrap_or_default(), last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(path: &[u8]) -> String {
        match Place::of(path) {
            Err(StorageError::Refused(text)) => text,
            Err(other) => panic!("{other:?}"),
            Ok(_) => panic!("{} was taken", shown(path)),
        }
    }

    #[test]
    fn paths_that_lead_elsewhere_are_refused() {
        assert_eq!(refusal(b""), "the path is empty");
        assert_eq!(refusal(b"/etc/passwd"), "/etc/passwd begins with `/`");
        assert_eq!(refusal(b"../x"), "../x has the part `..`");
        assert_eq!(refusal(b"a/../../x"), "a/../../x has the part `..`");
        assert_eq!(refusal(b"a/.."), "a/.. has the part `..`");
        assert_eq!(refusal(b"./a"), "./a has the part `.`");
        assert_eq!(refusal(b"a//b"), "a//b has an empty part");
        assert_eq!(refusal(b"a/"), "a/ has an empty part");
        assert_eq!(refusal(b"a\0b"), "a\\u{0}b holds a NUL byte");
        assert_eq!(
            refusal(&[b'a'; LONGEST + 1]),
            "the path has 4096 bytes; the longest has 4095"
        );
    }

    #[test]
    fn odd_names_are_taken() {
        for (path, folder, name) in [
            (&b"a"[..], &b""[..], &b"a"[..]),
            (b"a/b/...", b"a/b", b"..."),
            (b"a/..b", b"a", b"..b"),
            (b"x/uid=a b,dc=\xff", b"x", b"uid=a b,dc=\xff"),
            (b"x\\y", b"", b"x\\y"),
        ] {
            let place = Place::of(path).ok().unwrap();
            assert_eq!((place.folder, place.name), (folder, name));
        }
        assert!(Place::of(&[b'a'; LONGEST]).is_ok());
    }

    #[test]
    fn a_prefix_may_end_anywhere_but_its_folder_obeys_the_rules() {
        assert_eq!(split_prefix(b"").ok().unwrap(), (&b""[..], &b""[..]));
        assert_eq!(split_prefix(b"..").ok().unwrap(), (&b""[..], &b".."[..]));
        assert_eq!(split_prefix(b"a/b/").ok().unwrap(), (&b"a/b"[..], &b""[..]));
        assert!(split_prefix(b"/").is_err());
        assert!(split_prefix(b"../").is_err());
        assert!(split_prefix(b"a//").is_err());
        assert!(split_prefix(b"/a").is_err());
    }

    #[test]
    fn draft_names_are_known_again() {
        let name = draft_name(0x0123_4567_89ab_cdef);
        assert_eq!(name, b".iamseal-0123456789abcdef.tmp");
        assert!(is_draft_name(&name));
        assert!(is_draft_name(&draft_name(0)));
        for other in [
            &b".iamseal-0123456789abcde.tmp"[..],
            b".iamseal-0123456789abcdefa.tmp",
            b".iamseal-0123456789abcdeF.tmp",
            b".iamseal-0123456789abcdeg.tmp",
            b".iamseal-0123456789abcdef.tmp2",
            b"iamseal-0123456789abcdef.tmp",
            b".iamseal-.tmp",
        ] {
            assert!(!is_draft_name(other), "{}", shown(other));
        }
    }

    #[test]
    fn the_name_of_what_is_removed_tells_where_its_note_is() {
        let note = draft_name(1);
        let aside = aside_name(&note);
        assert_eq!(shown(&aside), ".iamseal-0000000000000001-removed.tmp");
        assert_eq!(note_of(&aside), Some(note.clone()));
        assert!(is_draft_name(&aside) && tags(&aside).is_none());
        for other in [
            &note[..],
            b"-removed.tmp",
            b".iamseal-1-removed.tmp",
            b"a-removed.tmp",
        ] {
            assert_eq!(note_of(other), None, "{}", shown(other));
        }
    }

    #[test]
    fn names_of_an_exchange_are_known_again_with_their_tags() {
        let whole = Tags {
            pair: &[b'a'; 32],
            draft: &[b'b'; 16],
            replaced: &[b'0'; 16],
            rights: &[b'c'; 16],
        };
        let name = exchange_name(&draft_name(1), whole);
        assert_eq!(
            shown(&name),
            ".iamseal-0000000000000001-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-bbbbbbbbbbbbbbbb-0000000000000000-cccccccccccccccc.tmp"
        );
        assert!(tags(&name) == Some(whole));
        assert!(is_draft_name(&name));
        assert!(tags(&draft_name(1)).is_none());
        for cut in 1..name.len() {
            let shorter = [&name[..cut - 1], &name[cut..]].concat();
            assert!(!is_draft_name(&shorter), "{}", shown(&shorter));
        }
    }
}
