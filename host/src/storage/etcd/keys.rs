//! Where things stand in etcd: objects and drafts below the store's prefix.

/// Where drafts are: outside of config/, every change below which a running MinIO hears of.
const DRAFTS: &[u8] = b"iamseal-draft/";
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

    /// The path of an object; none if the key is a draft's or outside the store.
    pub fn path(&self, key: &[u8]) -> Option<Vec<u8>> {
        let path = key.strip_prefix(&*self.prefix)?;
        let is_draft = path.strip_prefix(DRAFTS).is_some_and(|number| {
            number.len() == DIGITS && number.iter().all(u8::is_ascii_hexdigit)
        });
        (!is_draft).then(|| path.to_vec())
    }
}

/// The first key after all that begin with `prefix`, as etcd wants the end of a range: a zero byte
/// alone where there is none.
pub(super) fn end(prefix: &[u8]) -> Vec<u8> {
    let kept = prefix.iter().rposition(|byte| *byte < u8::MAX);
    let mut end = kept.map_or_else(Vec::new, |last| prefix.iter().take(last + 1).copied().collect());
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
        assert_eq!(keys.path(&keys.draft(255)), None);
        for path in [&b"iamseal-draft/1"[..], b"iamseal-draft/0000000000000000x", b""] {
            assert_eq!(keys.path(&keys.object(path)).unwrap(), path);
        }
        assert_eq!(keys.path(b"mini"), None);
    }
}
