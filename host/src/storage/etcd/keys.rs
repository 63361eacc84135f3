//! Where things stand in etcd: objects and drafts below the store's prefix.

/// Where drafts are: outside of config/, every change below which a running MinIO hears of.
pub(super) const DRAFTS: &[u8] = b"iamseal-draft/";
/// Hexadecimal digits of a draft's number.
const DIGITS: usize = 16;

/// What all keys of a store begin with.
pub(super) struct Keys {
    prefix: Vec<u8>,
}

impl Keys {
    pub fn new(prefix: &str) -> Self {
        let prefix = prefix.as_bytes().to_vec();
        Self { prefix }
    }

    /// The key of an object.
    pub fn object(&self, path: &[u8]) -> Vec<u8> {
        [&*self.prefix, path].concat()
    }

    /// The key of a draft.
    pub fn draft(&self, number: u64) -> Vec<u8> {
        let number = format!("{number:016x}");
        [&*self.prefix, DRAFTS, number.as_bytes()].concat()
    }

    /// What all drafts' keys begin with, for people.
    pub fn drafts(&self) -> String {
        String::from_utf8_lossy(&self.object(DRAFTS)).into_owned()
    }

    /// The path of an object or, if they are wanted, of a draft; none if the key is another's.
    pub fn path(&self, key: &[u8], wanted: Wanted) -> Option<Vec<u8>> {
        let path = key.strip_prefix(&*self.prefix)?;
        (is_draft(path) == (wanted == Wanted::Drafts)).then(|| path.to_vec())
    }
}

/// What a listing is after.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Everything but drafts.
    Objects,
    /// Drafts alone.
    Drafts,
}

/// Whether [`Keys::draft`] could have made the key of this path.
pub(super) fn is_draft(path: &[u8]) -> bool {
    path.strip_prefix(DRAFTS)
        .is_some_and(|number| number.len() == DIGITS && number.iter().all(u8::is_ascii_hexdigit))
}

/// The first key after all that begin with `prefix`, as etcd wants the end of a range: a zero byte
/// alone where there is none.
pub(super) fn end(prefix: &[u8]) -> Vec<u8> {
    let kept = prefix.iter().rposition(|byte| *byte < u8::MAX);
    let mut end = kept.map_or_else(Vec::new, |last| {
        prefix.iter().take(last + 1).copied().collect()
    });
    match end.last_mut() {
        Some(last) => {
            *last += 1;
            end
        }
        None => vec![0],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_ends_before_a_neighbour() {
        assert_eq!(end(b"config/"), b"config0");
        assert_eq!(end(b"a\xff\xff"), b"b");
        assert_eq!(end(b"\xff"), [0]);
        assert_eq!(end(b""), [0]);
    }

    #[test]
    fn a_draft_is_no_object_and_what_only_looks_like_one_is() {
        let keys = Keys::new("minio");
        assert_eq!(keys.draft(255), b"minioiamseal-draft/00000000000000ff");
        let path = |key: &[u8]| keys.path(key, Wanted::Objects);
        let draft = |key: &[u8]| keys.path(key, Wanted::Drafts);
        assert_eq!(path(&keys.draft(255)), None);
        let number = b"iamseal-draft/00000000000000ff";
        assert_eq!(draft(&keys.draft(255)).unwrap(), number);
        for other in [
            &b"iamseal-draft/1"[..],
            b"iamseal-draft/0000000000000000x",
            b"",
        ] {
            assert_eq!(path(&keys.object(other)).unwrap(), other);
            assert_eq!(draft(&keys.object(other)), None);
        }
        assert_eq!(path(b"mini"), None);
    }
}
