//! What the rest of a store tells about an object whose header is not authentic.
//!
//! Of one object alone cryptography says no more than that key, place and header do not belong
//! together. Other objects tell more: whether the key opens any of them, and whether this one opens
//! at the place of one of them.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::ops::ControlFlow;

use iamseal_data_key::KEY;
use zeroize::Zeroizing;

use crate::compact;
use crate::context::Context;
use crate::error::Error;
use crate::form::{self, Shape};
use crate::keyring::{Candidate, Key, Keyring, secret_key};
use crate::location::Location;
use crate::minio;
use crate::opening::{Policy, unseal};
use crate::session::Session;
use crate::storage::{Cursor, Storage};

/// Why an object does not open, as far as the store tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Its key opens nothing else here either: other bytes under the same name.
    OtherKeyBytes,
    /// It opens at this path: it was copied or moved from there.
    OtherPath(Vec<u8>),
    /// Its key opens others, and several that name it do not open and belong at no other path: most likely
    /// they were sealed under an earlier key of the same name.
    EarlierKey,
    /// Its key opens others, and it alone opens at none of the paths that were tried: its data key or its
    /// header is damaged, or it comes from a path or a store that is not here.
    DamagedDataKey,
}

/// Paths to try for one object. Each costs about 10 µs, so at most 40 ms an object.
const PATHS: usize = 4096;
/// Paths to try in a run, for all objects together: some 10 s at most, and more than enough where a folder was moved.
/// After that no more is said of what does not open than the key tells.
const PATHS_OF_RUN: usize = 1 << 20;
/// Objects to read in search of one that the same key opens.
const OBJECTS: usize = 1024;
/// Bytes to read in that search, together: far below what one call may copy.
const BYTES: usize = 16 << 20;
/// Other objects that name the key and do not open before a key whose tries are calls to a server is taken for
/// another, and before all that do not open are taken for moved.
const FAILURES: usize = 8;
/// Key names to remember something of. An object can name any key.
const NAMES: usize = 1024;

/// What is known so far.
pub(crate) struct Evidence {
    /// Of the keys, by name.
    keys: BTreeMap<String, Known>,
    /// How many paths may still be tried.
    paths: usize,
}

impl Default for Evidence {
    fn default() -> Self {
        Self {
            keys: BTreeMap::new(),
            paths: PATHS_OF_RUN,
        }
    }
}

#[derive(Clone, PartialEq, Eq)]
enum Known {
    /// It opened an object here.
    Opens,
    /// The same, and of those that name it the one at this path does not open and belongs at no other.
    OpensAllBut(Vec<u8>),
    /// The same of several.
    HadOtherBytes,
    /// It opened none of several that name it.
    IsAnother,
}

impl Evidence {
    /// The key of this name opened an object.
    pub(crate) fn opens(&mut self, name: &str) {
        if matches!(self.keys.get(name), None | Some(Known::IsAnother)) {
            self.learn(name, Known::Opens);
        }
    }

    fn learn(&mut self, name: &str, key: Known) {
        if self.keys.len() < NAMES || self.keys.contains_key(name) {
            self.keys.insert(name.to_string(), key);
        }
    }
}

/// A store and the part of it that may be looked at.
pub(crate) struct Neighbourhood<'a, L> {
    pub lent: &'a L,
    pub store: &'a str,
    pub prefix: &'a [u8],
}

impl<L: Keyring + Storage> Neighbourhood<'_, L> {
    /// Why the object `stored` at `path`, which names the key `name`, has no authentic header; none
    /// if nothing here tells.
    pub(crate) fn reason(
        &self,
        evidence: &mut Evidence,
        session: &mut Session,
        path: &[u8],
        name: &str,
        stored: &[u8],
    ) -> Option<Reason> {
        if evidence.keys.get(name) == Some(&Known::IsAnother) {
            return Some(Reason::OtherKeyBytes);
        }
        if evidence.paths == 0 {
            let is_earlier = evidence.keys.get(name) == Some(&Known::HadOtherBytes);
            return is_earlier.then_some(Reason::EarlierKey);
        }
        let paths = &mut evidence.paths;
        if let Some(other) = self.path_that_fits(session, paths, path, name, stored) {
            evidence.opens(name);
            return Some(Reason::OtherPath(other));
        }
        if !evidence.keys.contains_key(name) {
            let known = self.try_others(session, path, name)?;
            evidence.learn(name, known);
        }
        let now = match evidence.keys.get(name) {
            Some(Known::Opens) if self.has_another(session, &mut evidence.paths, path, name) => {
                Known::HadOtherBytes
            }
            Some(Known::Opens) => Known::OpensAllBut(path.to_vec()),
            Some(Known::OpensAllBut(one)) if one != path => Known::HadOtherBytes,
            Some(known) => known.clone(),
            // There is no room to remember more.
            None => return None,
        };
        let reason = match &now {
            Known::IsAnother => Reason::OtherKeyBytes,
            Known::HadOtherBytes => Reason::EarlierKey,
            Known::Opens | Known::OpensAllBut(_) => Reason::DamagedDataKey,
        };
        evidence.learn(name, now);
        Some(reason)
    }

    /// A path of the store at which the object's header is authentic. Near ones come first: those in
    /// the folder above its own, as with one user's file in the place of another's.
    fn path_that_fits(
        &self,
        session: &mut Session,
        paths: &mut usize,
        path: &[u8],
        name: &str,
        stored: &[u8],
    ) -> Option<Vec<u8>> {
        let candidates = self.lent.candidates(name).ok()?;
        let shape = form::recognise(stored).ok()?;
        let header = Movable::of(
            &shape,
            &candidates,
            session,
            &Location::new(self.store, path).ok()?,
        )?;
        let near = folder_above(path).filter(|near| near.starts_with(self.prefix));
        let mut left = PATHS;
        for prefix in near.into_iter().chain([self.prefix]) {
            let mut cursor = self.lent.list(prefix, None).ok()?;
            while let Some(page) = cursor.next().ok().filter(|page| !page.is_empty()) {
                for other in page {
                    left = left.checked_sub(1)?;
                    *paths = paths.checked_sub(1)?;
                    if other != path && self.fits(&header, &other) {
                        return Some(other);
                    }
                }
            }
        }
        None
    }

    /// Whether the header is authentic at another path.
    fn fits(&self, header: &Movable<L::Key>, path: &[u8]) -> bool {
        let Ok(location) = Location::new(self.store, path) else {
            return false;
        };
        match header {
            Movable::Minio(header, candidates) => candidates.iter().any(|candidate| {
                Context::ALL.iter().any(|context| {
                    let opened = candidate.open(&header.data_key, &context.text(&location));
                    matches!(opened, Ok(Some(_)))
                })
            }),
            // Whatever is wrong with its body, its header was authentic.
            Movable::Compact(header, seeds) => seeds
                .iter()
                .any(|seed| !matches!(header.open(seed, &location), Ok(None))),
        }
    }

    /// Whether the key opens another object that names it; none if there is no other.
    fn try_others(&self, session: &mut Session, path: &[u8], name: &str) -> Option<Known> {
        let candidates = self.lent.candidates(name).unwrap_or_default();
        let most = match candidates.iter().any(Candidate::is_server) {
            true => FAILURES,
            false => OBJECTS,
        };
        let mut failures = 0;
        let known = self.others(path, name, |location, stored| {
            if self.opens(session, location, stored) {
                return ControlFlow::Break(Known::Opens);
            }
            failures += 1;
            match failures < most {
                true => ControlFlow::Continue(()),
                false => ControlFlow::Break(Known::IsAnother),
            }
        });
        known.or_else(|| (failures > 0).then_some(Known::IsAnother))
    }

    /// Whether another object than this one names the key, does not open and belongs at no other path.
    fn has_another(
        &self,
        session: &mut Session,
        paths: &mut usize,
        path: &[u8],
        name: &str,
    ) -> bool {
        let mut moved = 0;
        let found = self.others(path, name, |location, stored| {
            if self.opens(session, location, stored) {
                return ControlFlow::Continue(());
            }
            let belongs_at = self.path_that_fits(session, paths, location.given, name, stored);
            if belongs_at.is_none() {
                return ControlFlow::Break(true);
            }
            moved += 1;
            match moved < FAILURES {
                true => ControlFlow::Continue(()),
                false => ControlFlow::Break(false),
            }
        });
        found.unwrap_or_default()
    }

    /// Shows other objects that name the key, until that breaks off or there are none within the bounds.
    fn others<T>(
        &self,
        path: &[u8],
        name: &str,
        mut see: impl FnMut(&Location, &[u8]) -> ControlFlow<T>,
    ) -> Option<T> {
        let mut cursor = self.lent.list(self.prefix, None).ok()?;
        let (mut objects, mut bytes) = (0, 0);
        while let Some(page) = cursor.next().ok().filter(|page| !page.is_empty()) {
            for other in page.into_iter().filter(|other| other != path) {
                if objects == OBJECTS || bytes > BYTES {
                    return None;
                }
                let location = Location::new(self.store, &other);
                let Some(location) = location.ok().filter(|at| at.exempt().is_none()) else {
                    continue;
                };
                let Ok(stored) = self.lent.read(&other) else {
                    continue;
                };
                objects += 1;
                bytes += stored.bytes.len();
                if form::key(&stored.bytes).as_deref() != Some(name) {
                    continue;
                }
                if let ControlFlow::Break(found) = see(&location, &stored.bytes) {
                    return Some(found);
                }
            }
        }
        None
    }

    /// Whether an object's header is authentic, whatever is wrong with its body.
    fn opens(&self, session: &mut Session, location: &Location, stored: &[u8]) -> bool {
        let opened = unseal(self.lent, session, location, stored, Policy::Sealed);
        matches!(
            opened,
            Ok(_) | Err(Error::BodyNotAuthentic | Error::CutShort)
        )
    }
}

/// An object that could have come from elsewhere, and what to try on it at other places. A server is not
/// asked: that could be thousands of calls for one damaged object.
enum Movable<'a, K> {
    Minio(&'a minio::Header<'a>, Vec<&'a Candidate<K>>),
    /// One seed serves a whole store, so it was opened once for all places.
    Compact(&'a compact::Header<'a>, Vec<Zeroizing<[u8; KEY]>>),
}

impl<'a, K: Key> Movable<'a, K> {
    fn of(
        shape: &'a Shape<'a>,
        candidates: &'a [Candidate<K>],
        session: &mut Session,
        location: &Location,
    ) -> Option<Self> {
        match shape {
            Shape::Minio(header) => {
                let local = candidates.iter().filter(|candidate| !candidate.is_server());
                Some(Self::Minio(header, local.collect()))
            }
            Shape::Compact(header) => {
                let context = compact::seed_context(location);
                let seeds = candidates.iter().filter_map(|candidate| {
                    let seed = session.seed_at_hand(candidate, header.seed, &context)?;
                    Some(Zeroizing::new(*secret_key(seed).ok()?))
                });
                Some(Self::Compact(header, seeds.collect()))
            }
            Shape::Plaintext | Shape::RootCredential(_) => None,
        }
    }
}

/// `config/iam/users/` of `config/iam/users/alice/identity.json`.
fn folder_above(path: &[u8]) -> Option<&[u8]> {
    let parent = |path: &[u8]| path.iter().rposition(|byte| *byte == b'/');
    let folder = path.get(..parent(path)?)?;
    path.get(..=parent(folder)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_above_holds_the_like_of_an_object() {
        let above = |path: &'static str| folder_above(path.as_bytes());
        assert_eq!(
            above("config/iam/users/alice/identity.json"),
            Some(&b"config/iam/users/"[..])
        );
        assert_eq!(above("config/config.json"), None);
        assert_eq!(above("config.json"), None);
    }
}
