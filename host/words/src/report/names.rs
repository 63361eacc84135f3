//! What objects name that is not in the store: a mapping's policy, a group's member. A server says nothing of
//! it, and nobody gets what is named.

use std::collections::hash_map::RandomState;
use std::collections::{BTreeMap, HashSet};
use std::hash::BuildHasher as _;
use std::sync::Arc;

use serde_json::{Value, json};

use super::words;
use crate::contract::Finding;
use crate::shown::shown;

/// How many are named in a summary; all of them are counted.
const SHOWN: usize = 10;

/// How many names are held, and how many bytes of them: a store of a million members has fewer that are
/// different, and hostile objects could name without end.
const NAMED: usize = 1_000_000;
const NAMED_BYTES: usize = 64 << 20;

/// The objects that were seen and those that were named.
#[derive(Default)]
pub struct Names {
    hasher: RandomState,
    /// Of each path that was seen a hash: 8 bytes instead of a hundred.
    seen: HashSet<u64>,
    /// Of each path that was named by an object how many name it, and the first of them.
    named: BTreeMap<Vec<u8>, (u64, Arc<[u8]>)>,
    named_bytes: usize,
    /// Whether more were named than are held.
    has_more: bool,
}

/// A path that is named and not there.
struct Missing<'a> {
    path: &'a [u8],
    count: u64,
    first: &'a [u8],
}

impl Names {
    /// Takes an object into account.
    pub fn see(&mut self, finding: &Finding) {
        self.seen.insert(self.hasher.hash_one(&finding.path));
        let namer: Arc<[u8]> = finding.path.as_slice().into();
        for name in &finding.content.names {
            if let Some((count, _)) = self.named.get_mut(name) {
                *count += 1;
                continue;
            }
            let bytes = self.named_bytes + name.len();
            if self.named.len() >= NAMED || bytes > NAMED_BYTES {
                self.has_more = true;
                return;
            }
            self.named_bytes = bytes;
            self.named.insert(name.clone(), (1, Arc::clone(&namer)));
        }
    }

    /// Whether more were named than are looked at.
    pub fn has_more(&self) -> bool {
        self.has_more
    }

    /// The JSON field `not_there` of a summary, after all of a store was seen: how many there are, and the first.
    pub fn json(&self) -> Option<(&'static str, Value)> {
        let count = self.missing().count();
        let first = self.missing().take(SHOWN).map(|missing| {
            let mut fields = words::path_fields(missing.path);
            fields.insert("named_by".into(), words::path_fields(missing.first).into());
            fields.insert("objects".into(), json!(missing.count));
            Value::Object(fields)
        });
        let first: Vec<Value> = first.collect();
        (count > 0).then(|| ("not_there", json!({"objects": count, "first": first})))
    }

    /// For people.
    pub fn text(&self) -> Option<String> {
        let all: Vec<Missing> = self.missing().collect();
        let first = all.iter().take(SHOWN).map(|missing| {
            let more = match missing.count {
                1 => String::new(),
                count => format!(" and {} more", count - 1),
            };
            format!(
                "\n  {} (by {}{more})",
                shown(missing.path),
                shown(missing.first)
            )
        });
        let first: String = first.collect();
        let more = match all.len().saturating_sub(SHOWN) {
            0 => String::new(),
            more => format!("\n  and {more} more"),
        };
        (!all.is_empty()).then(|| {
            format!(
                "Named by objects, and not there, so that nobody gets what is named:{first}{more}"
            )
        })
    }

    fn missing(&self) -> impl Iterator<Item = Missing<'_>> {
        let is_missing = |path: &Vec<u8>| !self.seen.contains(&self.hasher.hash_one(path));
        let missing = self.named.iter().filter(move |(path, _)| is_missing(path));
        missing.map(|(path, (count, first))| Missing {
            path,
            count: *count,
            first,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::{Content, Verdict};

    #[test]
    fn what_is_named_without_end_is_bounded() {
        let mut names = Names::default();
        for number in 0..100_u8 {
            let mut name = vec![b'x'; 1 << 20];
            name.push(number);
            names.see(&Finding {
                path: vec![number],
                size: None,
                key: None,
                verdict: Verdict::Exempt(String::new()),
                content: Content {
                    names: vec![name],
                    ..Content::default()
                },
            });
        }
        assert!(names.named_bytes <= NAMED_BYTES);
        assert!(names.has_more());
    }
}
