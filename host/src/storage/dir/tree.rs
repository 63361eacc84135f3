//! A folder whose files are read one by one by somebody who knows what is in them. Nothing leads out of
//! it. How such files are written is in [`super::tree_writer`].

use std::io;
use std::path::Path;

use super::disk::Kind;
use super::errors::{failed, refused};
use super::faults::Watch;
use super::path::Place;
use super::read;
use super::root::Root;
use crate::contract::StorageError;

/// The most bytes that are read at once: an object and what guards it on a drive.
const PART_BYTES: u64 = 32 << 20;

/// A folder.
pub(crate) struct Tree(pub(super) Root);

/// Some entries of a folder.
pub(crate) struct Page {
    /// In ascending order of their names.
    pub entries: Vec<(Vec<u8>, Kind)>,
    /// Whether there are more.
    pub has_more: bool,
}

/// Some bytes of a file.
pub(crate) struct Part {
    pub bytes: Vec<u8>,
    /// The size of the whole file.
    pub size: u64,
}

impl Tree {
    /// Opens the folder.
    pub fn open(path: &Path) -> io::Result<Self> {
        Root::open(path, Watch::default()).map(Self)
    }

    /// The same, watched.
    #[cfg(test)]
    pub fn open_with_faults(
        path: &Path,
        faults: std::sync::Arc<dyn super::faults::Faults>,
    ) -> io::Result<Self> {
        Root::open(path, Watch::by(faults)).map(Self)
    }

    /// The next entries of a folder in it, after this name, up to `most`.
    ///
    /// # Errors
    /// As for reading an object.
    pub fn list(
        &self,
        folder: &[u8],
        after: Option<&[u8]>,
        most: usize,
    ) -> Result<Page, StorageError> {
        if !folder.is_empty() {
            Place::of(folder)?;
        }
        let opened = self.0.folder(folder)?;
        let mut first = First::new(most);
        let listed = opened.each_entry(|name, kind| {
            if after.is_none_or(|after| name.as_slice() > after) {
                first.see(name, kind);
            }
        });
        listed.map_err(|error| failed("list", folder, &error))?;
        Ok(first.page())
    }

    /// Up to so many bytes of a plain file, from an offset on.
    ///
    /// # Errors
    /// As for reading an object; `Refused` if it is more than is read at once.
    pub fn read(&self, path: &[u8], offset: u64, length: u32) -> Result<Part, StorageError> {
        let place = Place::of(path)?;
        let folder = self.0.folder(place.folder)?;
        let (file, metadata) = read::open(&folder, place.name, path)?;
        let size = metadata.len();
        let length = u64::from(length).min(size.saturating_sub(offset));
        if length > PART_BYTES {
            return Err(refused("more than is read at once"));
        }
        let bytes = match length {
            0 => Vec::new(),
            length => file
                .read_part(offset, length as usize)
                .map_err(|error| failed("read", path, &error))?,
        };
        Ok(Part { bytes, size })
    }
}

/// The first so many of entries that come in any order: a folder may have millions, and no more than twice as many
/// as are wanted are held.
struct First {
    most: usize,
    entries: Vec<(Vec<u8>, Kind)>,
    has_more: bool,
}

impl First {
    fn new(most: usize) -> Self {
        Self {
            most,
            entries: Vec::new(),
            has_more: false,
        }
    }

    fn see(&mut self, name: Vec<u8>, kind: Kind) {
        self.entries.push((name, kind));
        if self.entries.len() > 2 * self.most {
            self.cut();
        }
    }

    fn cut(&mut self) {
        if self.entries.len() > self.most {
            self.entries
                .select_nth_unstable_by(self.most, |(one, _), (other, _)| one.cmp(other));
            self.entries.truncate(self.most);
            self.has_more = true;
        }
    }

    fn page(mut self) -> Page {
        self.cut();
        self.entries
            .sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        Page {
            entries: self.entries,
            has_more: self.has_more,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Fixture;
    use super::*;

    #[test]
    fn entries_come_in_pages_and_parts_of_files_by_their_offsets() {
        let fixture = Fixture::new();
        for name in ["b", "a/x", "c", "d"] {
            fixture.put(name, "0123456789");
        }
        let tree = Tree::open(fixture.root()).unwrap();
        let names = |after: Option<&[u8]>| -> (Vec<Vec<u8>>, bool) {
            let page = tree.list(b"", after, 2).unwrap();
            let names = page.entries.into_iter().map(|(name, _)| name);
            (names.collect(), page.has_more)
        };
        assert_eq!(names(None), (vec![b"a".to_vec(), b"b".to_vec()], true));
        assert_eq!(
            names(Some(b"b")),
            (vec![b"c".to_vec(), b"d".to_vec()], false)
        );
        assert_eq!(names(Some(b"d")), (vec![], false));
        let part = tree.read(b"a/x", 7, 100).unwrap();
        assert_eq!((part.bytes.as_slice(), part.size), (&b"789"[..], 10));
        assert_eq!(tree.read(b"a/x", 70, 1).unwrap().bytes, b"");
        assert_eq!(tree.read(b"a/x", 2, 3).unwrap().bytes, b"234");
    }

    #[test]
    fn the_first_of_many_are_kept() {
        let mut first = First::new(3);
        // Each number up to 100 once, in no order.
        for number in 0..101_u32 {
            first.see(vec![(number * 37 % 101) as u8], Kind::File);
        }
        let page = first.page();
        let names: Vec<_> = page.entries.into_iter().map(|(name, _)| name).collect();
        assert_eq!(
            (names, page.has_more),
            (vec![vec![0], vec![1], vec![2]], true)
        );
        let mut first = First::new(3);
        (0..3).for_each(|number| first.see(vec![number], Kind::File));
        assert!(!first.page().has_more);
    }

    #[test]
    fn nothing_leads_out() {
        let fixture = Fixture::new();
        fixture.put("inside/a", "x");
        fixture.link("/etc", "inside/out");
        let tree = Tree::open(&fixture.root().join("inside")).unwrap();
        let refused = |error| matches!(error, StorageError::Refused(_));
        assert!(refused(tree.read(b"out/passwd", 0, 1).err().unwrap()));
        assert!(refused(tree.read(b"out", 0, 1).err().unwrap()));
        assert!(refused(tree.read(b"../inside/a", 0, 1).err().unwrap()));
        assert!(refused(tree.list(b"out", None, 9).err().unwrap()));
        assert!(refused(tree.list(b"..", None, 9).err().unwrap()));
        let page = tree.list(b"", None, 9).unwrap();
        assert!(matches!(page.entries[1].1, Kind::Other("a symbolic link")));
    }
}
