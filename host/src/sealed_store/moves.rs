//! Versions that a migration has made of others. What such an object holds is the same, so a client that has
//! the tag of the version before is not to find that somebody else has written.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use object_store::path::Path;

/// Objects of which versions are kept for certain. Up to as many are kept besides, so that their tags take some
/// 40 MiB; then those that were changed first are forgotten, and clients with such tags read again.
const OBJECTS: usize = 1 << 16;
/// Versions of one object: as many keys as anybody changes while a client holds a tag.
const VERSIONS: usize = 4;

/// An entity tag of a [`super::VersionedStore`], with the quotes that it has on the wire.
pub(super) fn tag(version: &[u8]) -> String {
    format!("\"{}\"", BASE64.encode(version))
}

/// The version that has this tag; none has what is no such tag.
pub(super) fn version(tag: &str) -> Option<Vec<u8>> {
    BASE64
        .decode(tag.strip_prefix('"')?.strip_suffix('"')?)
        .ok()
}

/// What migrations have changed.
#[derive(Default)]
pub(super) struct Moves {
    known: Mutex<Known>,
    /// Held together by those who change objects and then say so here.
    changing: tokio::sync::RwLock<()>,
}

/// By paths: those that were changed last, and those before.
#[derive(Default)]
struct Known {
    last: HashMap<Vec<u8>, Moved>,
    before: HashMap<Vec<u8>, Moved>,
}

#[derive(Default)]
struct Moved {
    from: VecDeque<String>,
    to: String,
}

impl Moves {
    /// Makes changes and says which they were: path, the version before and the one after.
    pub async fn make<T>(
        &self,
        change: impl Future<Output = (T, Vec<(Vec<u8>, Vec<u8>, Vec<u8>)>)>,
    ) -> T {
        let _changing = self.changing.read().await;
        let (made, moves) = change.await;
        for (path, from, to) in moves {
            self.record(path, tag(&from), tag(&to));
        }
        made
    }

    /// Waits for the changes that may have been made by now and were not said yet.
    pub async fn settle(&self) {
        drop(self.changing.write().await);
    }

    fn record(&self, path: Vec<u8>, from: String, to: String) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.last.len() >= OBJECTS && !known.last.contains_key(&path) {
            known.before = std::mem::take(&mut known.last);
        }
        let earlier = known.before.remove(&path);
        let moved = known.last.entry(path);
        let moved = moved.or_insert_with(|| earlier.unwrap_or_default());
        if moved.to != from {
            // Somebody has written between.
            moved.from.clear();
        }
        if moved.from.len() == VERSIONS {
            moved.from.pop_front();
        }
        moved.from.push_back(from);
        moved.to = to;
    }

    /// The tag of what became of the version with this one.
    pub fn present(&self, location: &Path, tag: &str) -> Option<String> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let path = location.as_ref().as_bytes();
        let moved = known.last.get(path).or_else(|| known.before.get(path))?;
        let is_before = moved.from.iter().any(|from| from == tag);
        is_before.then(|| moved.to.clone())
    }

    /// The same of all tags in a condition.
    pub fn present_all(&self, location: &Path, tags: &str) -> Option<String> {
        let tags: Vec<&str> = tags.split(',').map(str::trim).collect();
        let present: Vec<_> = tags.iter().map(|tag| self.present(location, tag)).collect();
        if present.iter().all(Option::is_none) {
            return None;
        }
        let all = present.into_iter().zip(tags);
        let all = all.map(|(present, tag)| present.unwrap_or_else(|| tag.to_owned()));
        Some(all.collect::<Vec<_>>().join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_of_versions_that_only_a_migration_changed_lead_to_the_present_one() {
        let moves = Moves::default();
        let path = Path::from("config/a");
        let record = |from: &str, to: &str| {
            moves.record(b"config/a".to_vec(), from.to_owned(), to.to_owned());
        };
        let present = |tag: &str| moves.present(&path, tag);
        assert_eq!(present("1"), None);
        record("1", "2");
        record("2", "3");
        assert_eq!(present("1").as_deref(), Some("3"));
        assert_eq!(present("2").as_deref(), Some("3"));
        assert_eq!(present("3"), None);
        assert_eq!(moves.present(&Path::from("config/b"), "1"), None);
        assert_eq!(moves.present_all(&path, "9, 1").as_deref(), Some("9, 3"));
        assert_eq!(moves.present_all(&path, "9,8"), None);
        // Somebody has written 4, which was then changed to 5.
        record("4", "5");
        assert_eq!(present("1"), None);
        assert_eq!(present("4").as_deref(), Some("5"));
        for number in 5..20 {
            record(&number.to_string(), &(number + 1).to_string());
        }
        assert_eq!(present("15"), None);
        assert_eq!(present("16").as_deref(), Some("20"));
    }

    #[test]
    fn the_last_objects_that_were_changed_are_known_however_many_there_were_before() {
        let moves = Moves::default();
        let path = |number: usize| format!("config/{number}");
        let count = 2 * OBJECTS + 1;
        for number in 0..count {
            moves.record(path(number).into_bytes(), "1".into(), "2".into());
        }
        let knows = |number| moves.present(&Path::from(path(number)), "1").is_some();
        assert!((count - OBJECTS..count).all(knows));
        assert!(!knows(0));
    }

    #[test]
    fn what_is_no_tag_has_no_version() {
        assert_eq!(
            version(&tag(b"\x00\xff")).as_deref(),
            Some(&b"\x00\xff"[..])
        );
        for text in ["", "\"", "AA", "W/\"AA\"", "\"#\"", "*"] {
            assert_eq!(version(text), None, "{text}");
        }
    }
}
