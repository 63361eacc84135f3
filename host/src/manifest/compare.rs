//! What a manifest says of the objects that are seen.

use std::collections::{BTreeSet, HashMap};

use super::{Digest, Manifest};

/// What a manifest says of one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen<'a> {
    /// These are the bytes that are recorded.
    AsRecorded,
    /// These bytes were here before and were replaced: the object was rolled back.
    OlderCopy {
        /// The last epoch before they were replaced; 0: before there was a manifest.
        until: u64,
    },
    /// These are the bytes that are or were recorded at another path, so that objects were swapped or
    /// one was copied.
    CopiedFrom(&'a [u8]),
    /// The path is recorded, with bytes that are neither.
    Changed,
    /// Neither the path nor the bytes are recorded.
    NotRecorded,
}

/// A comparison that is under way: it is told of each object that is in the store, in any order.
///
/// It takes memory for the manifest's objects alone, however many there are in the store.
pub struct Comparison<'a> {
    manifest: &'a Manifest,
    prefix: Vec<u8>,
    /// Where each digest belongs; of several paths the first.
    paths: HashMap<&'a Digest, &'a [u8]>,
    /// The recorded paths that something was said of.
    met: BTreeSet<&'a [u8]>,
}

impl<'a> Comparison<'a> {
    pub(super) fn new(manifest: &'a Manifest, prefix: &[u8]) -> Self {
        let mut paths = HashMap::new();
        for (path, entry) in manifest.entries() {
            paths.entry(&entry.digest).or_insert(path);
        }
        // Afterwards, so that what is recorded now comes before what was.
        for (path, entry) in manifest.entries() {
            for earlier in &entry.earlier {
                paths.entry(&earlier.digest).or_insert(path);
            }
        }
        Self {
            manifest,
            prefix: prefix.to_vec(),
            paths,
            met: BTreeSet::new(),
        }
    }

    /// Says what the manifest has to say of an object with these bytes at `path`.
    pub fn see(&mut self, path: &[u8], digest: &Digest) -> Seen<'a> {
        let elsewhere = self.paths.get(digest);
        let Some((path, entry)) = self.manifest.entries.get_key_value(path) else {
            return elsewhere.map_or(Seen::NotRecorded, |other| Seen::CopiedFrom(other));
        };
        self.met.insert(path);
        if entry.digest == *digest {
            return Seen::AsRecorded;
        }
        let mut earlier = entry.earlier.iter();
        if let Some(earlier) = earlier.find(|earlier| earlier.digest == *digest) {
            let until = earlier.until;
            return Seen::OlderCopy { until };
        }
        elsewhere.map_or(Seen::Changed, |other| Seen::CopiedFrom(other))
    }

    /// Takes note of an object that is there and could not be read, so that it is not missing. With a
    /// `/` at its end it is a folder that could not be read, and nothing below it is missing.
    pub fn cannot_read(&mut self, path: &[u8]) {
        let from = self.manifest.entries.range(path.to_vec()..);
        let met = from
            .map(|(recorded, _)| recorded.as_slice())
            .take_while(|recorded| match path.ends_with(b"/") {
                true => recorded.starts_with(path),
                false => *recorded == path,
            });
        self.met.extend(met);
    }

    /// The recorded paths that nothing was said of, in ascending order of their bytes. To be asked
    /// when every object was seen.
    pub fn missing(&self) -> impl Iterator<Item = &'a [u8]> {
        let recorded = self.manifest.entries().map(|(path, _)| path);
        recorded.filter(|path| path.starts_with(&self.prefix) && !self.met.contains(path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        let mut manifest = Manifest::new("");
        for (path, byte) in [("a", 1), ("b", 2), ("c/d", 3), ("c/e", 4), ("c0", 5)] {
            manifest.record(path.as_bytes(), [byte; 32]);
        }
        manifest.epoch = 7;
        manifest.record(b"a", [11; 32]);
        manifest
    }

    fn missing(comparison: &Comparison<'_>) -> Vec<String> {
        let missing = comparison.missing().map(<[u8]>::to_vec);
        missing
            .map(|path| String::from_utf8(path).unwrap())
            .collect()
    }

    #[test]
    fn each_object_gets_its_verdict() {
        let manifest = manifest();
        let mut comparison = manifest.compare(b"");
        let mut see = |path: &[u8], byte| comparison.see(path, &[byte; 32]);
        assert_eq!(see(b"a", 11), Seen::AsRecorded);
        assert_eq!(see(b"a", 1), Seen::OlderCopy { until: 7 });
        assert_eq!(see(b"a", 2), Seen::CopiedFrom(b"b"));
        assert_eq!(see(b"a", 99), Seen::Changed);
        assert_eq!(see(b"new", 99), Seen::NotRecorded);
        assert_eq!(see(b"new", 2), Seen::CopiedFrom(b"b"));
        // An older copy of somebody else's.
        assert_eq!(see(b"b", 1), Seen::CopiedFrom(b"a"));
    }

    #[test]
    fn the_same_bytes_at_two_paths_are_as_recorded_at_both() {
        let mut manifest = Manifest::new("");
        manifest.record(b"a", [1; 32]);
        manifest.record(b"b", [1; 32]);
        let mut comparison = manifest.compare(b"");
        for path in [b"b", b"a"] {
            assert_eq!(comparison.see(path, &[1; 32]), Seen::AsRecorded);
        }
        assert_eq!(comparison.see(b"c", &[1; 32]), Seen::CopiedFrom(b"a"));
    }

    #[test]
    fn what_nothing_was_said_of_is_missing() {
        let manifest = manifest();
        let mut comparison = manifest.compare(b"");
        comparison.see(b"b", &[99; 32]);
        comparison.see(b"new", &[99; 32]);
        assert_eq!(missing(&comparison), ["a", "c/d", "c/e", "c0"]);
        comparison.cannot_read(b"a");
        assert_eq!(missing(&comparison), ["c/d", "c/e", "c0"]);
        comparison.cannot_read(b"c/");
        assert_eq!(missing(&comparison), ["c0"]);
        assert_eq!(missing(&manifest.compare(b"c/")), ["c/d", "c/e"]);
    }
}
