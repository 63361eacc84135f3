//! The census: which keys the objects of S3 on the drives need, without any key and without their data.
//!
//! All drives of all pools are looked at side by side, so an object is counted once, wherever it lies: each of its
//! versions that any drive has, as most of the drives that have it say. Of an `xl.meta` only the part is read
//! that says what versions there are. What is held at once is bounded: some pages of folders, and one file.

use alloc::collections::BTreeMap;
use alloc::collections::btree_map::Entry;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::iter::Peekable;

use crate::browse::{Browse, Stop};
use crate::files::{Drive, FileError, Files, below};
use crate::format::Uuid;
use crate::meta::{Block, Fault};
use crate::sse::Sse;
use crate::store::{META, OLD_META, Store};
use crate::versions::{self, Held};

/// How many folders are looked at for one page: a few milliseconds on a fast disk, and some seconds on a slow one.
const FOLDERS: usize = 256;
/// How many bytes of metadata are read for one page, but for the last object of it.
const PAGE_BYTES: u64 = 16 << 20;
/// The most that is read of an `xl.meta`: some 10,000 versions of an encrypted object, as many as a server
/// keeps of one.
const BLOCK_BYTES: u64 = 16 << 20;
/// What is read of each at first: enough for the few versions that most objects have.
const START_BYTES: u32 = 4096;
/// How much is held of what drives say of one object: two hundred thousand versions, if its drives agree.
const SAID_BYTES: usize = 32 << 20;
/// What a version takes of that besides its key's name.
const VERSION_BYTES: usize = 160;
/// How many keys, and ways to encrypt, one object's versions may have.
const KEYS: usize = 64;
/// The system folder of a RustFS.
const RUSTFS: &[u8] = b".rustfs.sys";
/// Where a server keeps uploads that were begun.
const UPLOADS: &[u8] = b"multipart";

/// Where a census is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A bucket.
    Bucket(Vec<u8>),
    /// The uploads in several parts that were begun and not ended.
    Uploads,
    /// The system folder.
    System,
}

/// What some folders hold.
#[derive(Debug, Default)]
pub struct Counts {
    /// Objects that were read.
    pub objects: u64,
    /// Their versions that are no deletions.
    pub versions: u64,
    /// Those of them that are encrypted.
    pub sealed: Vec<Sealed>,
    /// What could not be read, wholly or in part.
    pub unread: Vec<Unread>,
    /// Objects that were read though some drives' `xl.meta` of them is damaged.
    pub damaged: u64,
}

/// Encrypted versions of one object that are encrypted alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// The object, below its place.
    pub path: Vec<u8>,
    /// How they are, and under which key.
    pub sse: Sse,
    /// How many.
    pub versions: u64,
    /// Their bytes, as users see them.
    pub bytes: u64,
}

/// Something that could not be read. A folder has a `/` at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// What, below its place.
    pub path: Vec<u8>,
    /// Why, for people.
    pub why: String,
}

/// A census that is under way.
pub struct Census {
    place: Place,
    browse: Browse,
}

impl Census {
    /// Begins one.
    pub fn new<F: Files>(store: &Store<F>, place: Place) -> Self {
        Self {
            browse: Browse::new(store.all_drives()),
            place,
        }
    }

    /// What the next folders hold; none at the end.
    pub fn next<F: Files>(&mut self, store: &Store<F>) -> Option<Counts> {
        let mut counts = Counts::default();
        let mut read = 0;
        for _ in 0..FOLDERS {
            let stop = self.browse.next(store, &self.place);
            match stop {
                None if counts.is_empty() => return None,
                None => break,
                Some(Stop::Object(path, drives, failed)) => {
                    read += look(store, &self.place, path, (&drives, &failed), &mut counts);
                }
                Some(Stop::Unread(path, why)) => counts.unread.push(Unread { path, why }),
                Some(Stop::Nothing) => {}
            }
            if read >= PAGE_BYTES {
                break;
            }
        }
        Some(counts)
    }
}

impl Counts {
    fn is_empty(&self) -> bool {
        self.objects == 0 && self.unread.is_empty()
    }
}

impl<F: Files> Store<F> {
    /// The names of all buckets; none where the drives' system folders alone were given, or of some drives.
    ///
    /// # Errors
    /// So many drives cannot be listed that a bucket may be overlooked: why.
    pub fn buckets(&self) -> Result<Option<Vec<Vec<u8>>>, String> {
        let drives = self.all_drives();
        let is_whole = |drive: &Drive| self.root(*drive).is_some();
        if !drives.iter().all(is_whole) {
            return Ok(None);
        }
        let place = Place::Bucket(Vec::new());
        let mut browse = Browse::new(drives);
        let mut all = Vec::new();
        while let Some(name) = browse.name(self, &place)? {
            // No bucket's name begins with a dot; a file system has that folder at its top.
            if !name.starts_with(b".") && name != b"lost+found" {
                all.push(name);
            }
        }
        Ok(Some(all))
    }

    /// Whether a drive is another server's than MinIO, or another server's too, of which nothing is known of how it names keys.
    pub fn is_of_another_server(&self) -> bool {
        let mut folders = self.layout.folders.iter();
        // Both have been there where one took over from the other.
        let has_both = |drive: &Drive| {
            let beside = self.root(*drive).map(|root| below(root, RUSTFS));
            beside.is_some_and(|folder| {
                let listed = self.files.list(*drive, &folder, None);
                !matches!(listed, Err(FileError::NotFound))
            })
        };
        folders.any(|folder| folder.ends_with(RUSTFS)) || self.all_drives().iter().any(has_both)
    }

    /// What is encrypted of one object of the system folder.
    pub fn sealed(&self, path: &[u8]) -> Counts {
        let mut counts = Counts::default();
        let drives = self.all_drives();
        let has = |drive: &Drive| {
            let file = below(&self.layout.path(*drive, path), META);
            !matches!(
                self.files.read(*drive, &file, 0, 0),
                Err(FileError::NotFound)
            )
        };
        let drives: Vec<Drive> = drives.into_iter().filter(has).collect();
        if !drives.is_empty() {
            let drives = (&*drives, &[][..]);
            look(self, &Place::System, path.to_vec(), drives, &mut counts);
        }
        counts
    }

    /// The path on a drive of what is at this path below a place; none if the drive does not have the place.
    pub(crate) fn placed(&self, drive: Drive, place: &Place, path: &[u8]) -> Option<Vec<u8>> {
        Some(match place {
            Place::Bucket(bucket) => below(&below(self.root(drive)?, bucket), path),
            Place::Uploads => self.layout.path(drive, &below(UPLOADS, path)),
            Place::System => self.layout.path(drive, path),
        })
    }

    /// The number of a drive's pool.
    fn pool_of(&self, drive: Drive) -> usize {
        let mut pools = self.layout.pools.iter();
        let has =
            |pool: &crate::pool::Pool| pool.sets.iter().flatten().any(|of| *of == Some(drive));
        pools.position(has).unwrap_or(0)
    }

    /// The folder of a drive that its buckets lie in; none if the drive's system folder alone was given.
    fn root(&self, drive: Drive) -> Option<&[u8]> {
        let system = self.layout.folders.get(usize::from(drive))?;
        let end = system.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
        (!system.is_empty()).then(|| system.get(..end).unwrap_or_default())
    }
}

/// What drives say of the versions of an object, and how many drives of a pool say so: a version's name, the number of
/// the pool, when the version was written, and what it is.
#[derive(Default)]
struct Said {
    versions: BTreeMap<(Uuid, usize, i64, Held), usize>,
    bytes: usize,
}

impl Said {
    /// Takes into account what a drive of this pool says.
    ///
    /// # Errors
    /// It is more than is held.
    fn add(&mut self, pool: usize, version: versions::Version) -> Result<(), ()> {
        let key = match &version.held {
            Held::Object(_, Some(sse)) => sse.key.as_ref().map_or(0, String::len),
            _ => 0,
        };
        let version = (version.id, pool, version.mod_time, version.held);
        let count = match self.versions.entry(version) {
            Entry::Occupied(said) => said.into_mut(),
            Entry::Vacant(new) => {
                self.bytes += VERSION_BYTES + key;
                if self.bytes > SAID_BYTES {
                    return Err(());
                }
                new.insert(0)
            }
        };
        *count += 1;
        Ok(())
    }

    /// For each version what most drives of a pool say of it, of as many what was written last; and of several pools
    /// what was written last.
    fn settled(self) -> impl Iterator<Item = Held> {
        let mut said = self.versions.into_iter().peekable();
        core::iter::from_fn(move || {
            let mut newest: Option<(i64, Held)> = None;
            let (id, ..) = said.peek()?.0;
            while let Some((_, pool, ..)) = said.peek().map(|(said, _)| said)
                && let pool = *pool
                && let Some(best) = best(&mut said, id, pool)
            {
                if newest.as_ref().is_none_or(|(time, _)| best.0 > *time) {
                    newest = Some(best);
                }
            }
            newest.map(|(_, held)| held)
        })
    }
}

/// What most drives of a pool say of the version that comes next, if it is this one.
fn best(
    said: &mut Peekable<impl Iterator<Item = ((Uuid, usize, i64, Held), usize)>>,
    id: Uuid,
    pool: usize,
) -> Option<(i64, Held)> {
    let mut best = None;
    let mut most = 0;
    let is_it = |of: &((Uuid, usize, i64, Held), usize)| of.0.0 == id && of.0.1 == pool;
    // They come by times.
    while let Some(((_, _, time, held), count)) = said.next_if(is_it) {
        if count >= most {
            (best, most) = (Some((time, held)), count);
        }
    }
    best
}

/// Counts an object that these drives have, and returns how many bytes were read for it.
fn look<F: Files>(
    store: &Store<F>,
    place: &Place,
    path: Vec<u8>,
    (drives, failed): (&[Drive], &[Drive]),
    counts: &mut Counts,
) -> u64 {
    let mut said = Said::default();
    let (mut read, mut bad) = (0, Vec::new());
    let (mut why_bad, mut is_too_much) = (None, false);
    for drive in drives {
        let pool = store.pool_of(*drive);
        let versions = block(store, *drive, place, &path).and_then(|bytes| {
            read += bytes.len() as u64;
            let block = Block::of(&bytes).map_err(words)?;
            // Nothing of a file that turns out to be damaged counts.
            versions::each(&block, |_| {}).map_err(words)?;
            let see = |version| is_too_much |= said.add(pool, version).is_err();
            versions::each(&block, see).map_err(words)
        });
        if let Err(error) = versions {
            bad.push(*drive);
            why_bad.get_or_insert_with(|| format!("{}: {error}", store.layout.name(*drive)));
        }
        if is_too_much {
            break;
        }
    }
    // Of as many that are damaged nobody knows what else they have.
    let is_known = bad.is_empty() || !store.is_cut(&[&bad, failed].concat());
    let mut why = why_bad.filter(|_| !is_known);
    let mut sealed: BTreeMap<Sse, (u64, u64)> = BTreeMap::new();
    let mut versions = 0;
    for held in said.settled() {
        match held {
            Held::Deletion => {}
            Held::Legacy => {
                versions += 1;
                why.get_or_insert_with(|| "it has a version of before 2020-06".into());
            }
            Held::Object(bytes, sse) => {
                versions += 1;
                let Some(sse) = sse else {
                    continue;
                };
                let (versions, sum) = sealed.entry(sse).or_default();
                *versions += 1;
                *sum = sum.saturating_add(bytes);
            }
        }
    }
    if is_too_much {
        why = Some("its drives have more versions than are counted".into());
    }
    if sealed.len() > KEYS {
        why = Some(format!("its versions name more than {KEYS} keys"));
    }
    counts.damaged += u64::from(!bad.is_empty() && is_known);
    if let Some(why) = why {
        let path = path.clone();
        counts.unread.push(Unread { path, why });
    }
    counts.objects += u64::from(bad.len() < drives.len());
    counts.versions += versions;
    let sealed = sealed.into_iter().take(KEYS);
    counts
        .sealed
        .extend(sealed.map(|(sse, (versions, bytes))| Sealed {
            path: path.clone(),
            sse,
            versions,
            bytes,
        }));
    read
}

/// The part of a drive's `xl.meta` that says what versions there are.
fn block<F: Files>(
    store: &Store<F>,
    drive: Drive,
    place: &Place,
    path: &[u8],
) -> Result<Vec<u8>, String> {
    let folder = store.placed(drive, place, path);
    let folder = folder.ok_or("it is not there")?;
    let file = below(&folder, META);
    let read = |length| match store.files.read(drive, &file, 0, length) {
        Ok(part) => Ok(part),
        Err(FileError::Failed(why)) => Err(why),
        Err(FileError::NotFound) => {
            let old = store.files.read(drive, &below(&folder, OLD_META), 0, 0);
            Err(match old {
                Ok(_) => "it has an xl.json, as servers before 2020-06 wrote it".into(),
                Err(_) => "its xl.meta is gone".into(),
            })
        }
    };
    let start = read(START_BYTES)?;
    let extent = Block::extent(&start.bytes).map_err(words)?;
    let needed = extent.unwrap_or(start.size).min(start.size);
    if needed <= start.bytes.len() as u64 {
        return Ok(start.bytes);
    }
    if needed > BLOCK_BYTES {
        return Err("its xl.meta has more versions than are read".into());
    }
    Ok(read(needed as u32)?.bytes)
}

fn words(fault: Fault) -> String {
    match fault {
        Fault::Empty => "its xl.meta is empty".into(),
        Fault::Unsupported(what) => format!("its xl.meta has {what}, which is not read here"),
        Fault::Malformed | Fault::Checksum => "its xl.meta is damaged".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sse::Encryption;

    fn held(key: &str) -> Held {
        let key = Some(String::from(key));
        let encryption = Encryption::S3;
        Held::Object(1, Some(Sse { encryption, key }))
    }

    fn settled(said: &[(u8, usize, i64, &str)]) -> Vec<Held> {
        let mut all = Said::default();
        for (id, pool, mod_time, key) in said {
            let version = versions::Version {
                id: [*id; 16],
                mod_time: *mod_time,
                data_dir: Uuid::default(),
                held: held(key),
            };
            all.add(*pool, version).unwrap();
        }
        all.settled().collect()
    }

    #[test]
    fn a_version_is_what_most_drives_of_the_newest_pool_have() {
        let stale = [(0, 0, 2, "a"), (0, 0, 2, "a"), (0, 0, 1, "old")];
        assert_eq!(settled(&stale), [held("a")]);
        let ahead = [(0, 0, 1, "a"), (0, 0, 1, "a"), (0, 0, 2, "new")];
        assert_eq!(settled(&ahead), [held("a")]);
        let as_many = [(0, 0, 1, "a"), (0, 0, 2, "new")];
        assert_eq!(settled(&as_many), [held("new")]);
        // Fewer drives of a pool with a newer copy.
        let pools = [
            (0, 0, 1, "a"),
            (0, 0, 1, "a"),
            (0, 1, 2, "b"),
            (1, 0, 1, "c"),
        ];
        assert_eq!(settled(&pools), [held("b"), held("c")]);
    }

    #[test]
    fn what_is_held_is_bounded() {
        let mut said = Said::default();
        let mut add = |mod_time| {
            let id = Uuid::default();
            let version = versions::Version {
                id,
                mod_time,
                data_dir: Uuid::default(),
                held: held(&"k".repeat(1000)),
            };
            said.add(0, version)
        };
        let held = (0..).take_while(|time| add(*time).is_ok()).count();
        assert!((10_000..SAID_BYTES / 1000).contains(&held), "{held}");
    }
}
