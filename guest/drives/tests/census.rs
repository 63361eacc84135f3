//! The census of objects that a real server wrote, whole and damaged.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod lent;

use std::collections::{BTreeMap, BTreeSet};

use iamseal_drives::{
    Census, Drive, Encryption, Entry, FileError, Files, Kind, Need, Page, Part, Place, Sealed,
    Store, needed,
};
use lent::Lent;

const ARCHIVE: &str = "user-objects.tar.gz";

/// Place, encryption and key; of it paths, versions and bytes are counted.
type Group = (String, Encryption, String);

/// All that a census comes to.
#[derive(Debug, Default, PartialEq)]
struct All {
    objects: u64,
    versions: u64,
    damaged: u64,
    sealed: BTreeMap<Group, (Vec<String>, u64, u64)>,
    unread: Vec<(String, String)>,
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

impl All {
    fn of(lent: &Lent) -> Self {
        let mut all = Self::default();
        let buckets = lent.store().buckets().unwrap().unwrap();
        for bucket in buckets {
            all.take(lent, Place::Bucket(bucket));
        }
        all.take(lent, Place::Uploads);
        all
    }

    fn take(&mut self, lent: &Lent, place: Place) {
        let store = lent.store();
        let name = match &place {
            Place::Bucket(bucket) => text(bucket),
            place => format!("{place:?}"),
        };
        let mut census = Census::new(&store, place);
        while let Some(counts) = census.next(&store) {
            self.objects += counts.objects;
            self.versions += counts.versions;
            self.damaged += counts.damaged;
            for Sealed {
                path,
                sse,
                versions,
                bytes,
            } in counts.sealed
            {
                let key = sse.key.unwrap_or_default();
                let place = (name.clone(), sse.encryption, key);
                let group = self.sealed.entry(place).or_default();
                group.0.push(text(&path));
                group.1 += versions;
                group.2 += bytes;
            }
            let unread = counts.unread.into_iter();
            self.unread.extend(
                unread.map(|unread| (format!("{name}/{}", text(&unread.path)), unread.why)),
            );
        }
    }

    fn group(&self, place: &str, encryption: Encryption, key: &str) -> (Vec<&str>, u64, u64) {
        let place = (place.to_owned(), encryption, key.to_owned());
        let (paths, versions, bytes) = &self.sealed[&place];
        (
            paths.iter().map(String::as_str).collect(),
            *versions,
            *bytes,
        )
    }
}

#[test]
fn every_encrypted_object_is_counted_once_with_its_key() {
    let all = All::of(&Lent::of(ARCHIVE));
    assert_eq!(all.unread, []);
    assert_eq!((all.objects, all.versions, all.damaged), (13, 16, 0));
    let group = |place, encryption, key| all.group(place, encryption, key);
    use Encryption::{Customer, Kms, S3};
    let s3 = ["folder__XLDIR__", "s3/big", "s3/small"];
    assert_eq!(group("plain", S3, "key-a"), (s3.to_vec(), 3, 40_000_100));
    assert_eq!(group("plain", Kms, "key-a"), (vec!["kms-a"], 1, 300_000));
    assert_eq!(group("plain", Kms, "key-b"), (vec!["kms-b"], 1, 300_000));
    let customer = ["customer/big", "customer/small"];
    assert_eq!(
        group("plain", Customer, ""),
        (customer.to_vec(), 2, 40_000_100)
    );
    assert_eq!(group("versioned", S3, "key-a"), (vec!["obj"], 3, 300));
    assert_eq!(group("versioned", S3, "key-b"), (vec!["obj"], 1, 300_000));
    assert_eq!(group("default-s3", S3, "key-a"), (vec!["one"], 1, 100));
    assert_eq!(group("default-kms", Kms, "key-a"), (vec!["one"], 1, 100));
    assert_eq!(group("Uploads", S3, "key-a").1, 1);
    assert_eq!(all.sealed.len(), 9);
}

#[test]
fn what_some_drives_lack_or_have_damaged_is_counted_as_it_is() {
    let whole = All::of(&Lent::of(ARCHIVE));
    let mut lent = Lent::of(ARCHIVE);
    // One drive has nothing of one object and a damaged file of another; one is wiped but for its name.
    let of = |path: &str| path.as_bytes().to_vec();
    lent.drives[0].1.remove(&of("plain/kms-a/xl.meta")).unwrap();
    lent.drives[1]
        .1
        .get_mut(&of("plain/kms-b/xl.meta"))
        .unwrap()[100] ^= 1;
    lent.drives[3]
        .1
        .retain(|path, _| path.ends_with(b"format.json"));
    let all = All::of(&lent);
    assert_eq!(all.sealed, whole.sealed);
    assert_eq!((all.unread.len(), all.damaged), (0, 1));

    // On one of four it is there all the same.
    for drive in &mut lent.drives[1..] {
        drive.1.remove(&of("plain/kms-a/xl.meta"));
    }
    lent.drives[0].1 = Lent::of(ARCHIVE).drives[0].1.clone();
    assert_eq!(All::of(&lent).sealed, whole.sealed);
}

#[test]
fn of_what_is_damaged_on_too_many_drives_nothing_is_said_to_be_known() {
    for damage in [
        |_: &[u8]| Vec::new(),
        |file: &[u8]| file[..100].to_vec(),
        |_: &[u8]| vec![0xff; 5000],
        |_: &[u8]| b"XL2 \x01\x00\x03\x00\xc6\xff\xff\xff\xff".to_vec(),
        |_: &[u8]| b"XL2 1   \xdf\xff\xff\xff\xff".to_vec(),
        |file: &[u8]| [b"XL2 \x02\x00\x03\x00", &file[8..]].concat(),
    ] {
        let mut lent = Lent::of(ARCHIVE);
        for drive in &mut lent.drives[..2] {
            let file = drive.1.get_mut(&b"plain/kms-a/xl.meta"[..]).unwrap();
            *file = damage(file);
        }
        let all = All::of(&lent);
        assert_eq!(all.unread[0].0, "plain/kms-a");
        // What the others say is counted.
        assert_eq!(all.group("plain", Encryption::Kms, "key-a").1, 1);
        for drive in &mut lent.drives[2..] {
            let file = drive.1.get_mut(&b"plain/kms-a/xl.meta"[..]).unwrap();
            *file = damage(file);
        }
        let all = All::of(&lent);
        assert_eq!(all.unread.len(), 1);
        assert_eq!(all.objects, 12);
    }
}

#[test]
fn what_hides_objects_is_told() {
    let mut lent = Lent::of(ARCHIVE);
    for drive in 0..3 {
        lent.closed.push((drive, b"plain/s3".to_vec()));
    }
    let all = All::of(&lent);
    assert_eq!(all.unread[0].0, "plain/s3/");
    let mut lent = Lent::of(ARCHIVE);
    for drive in 0..3 {
        lent.closed.push((drive, Vec::new()));
    }
    assert!(lent.store().buckets().is_err());
}

#[test]
fn of_a_copy_of_the_system_folder_no_bucket_is_known() {
    let mut lent = Lent::of(ARCHIVE);
    for drive in &mut lent.drives {
        let files = std::mem::take(&mut drive.1).into_iter();
        let system = files.filter_map(|(path, bytes)| {
            let path = path.strip_prefix(b".minio.sys/")?.to_vec();
            Some((path, bytes))
        });
        drive.1 = system.collect();
    }
    assert_eq!(lent.store().buckets(), Ok(None));
}

#[test]
fn every_flipped_byte_is_survived() {
    let lent = Lent::of(ARCHIVE);
    let path = &b"versioned/obj/xl.meta"[..];
    let whole = lent.drives[0].1[path].clone();
    for at in 0..whole.len().min(2000) {
        let mut lent = lent.clone();
        lent.drives.truncate(1);
        let file = lent.drives[0].1.get_mut(path).unwrap();
        file[at] ^= 0xff;
        let mut all = All::default();
        all.take(&lent, Place::Bucket(b"versioned".to_vec()));
        // The inline data behind the metadata is not looked at.
        assert!(all.unread.len() == 1 || all.sealed.len() == 2, "{at}");
    }
}

#[test]
fn tiers_and_targets_name_their_key() {
    let lent = Lent::of("noninline.tar.gz");
    let store = lent.store();
    let counts = store.sealed(b"config/tier-config.bin");
    assert_eq!(counts.sealed[0].sse.key.as_deref(), Some("fixture-key-a"));
    assert_eq!(counts.sealed[0].sse.encryption, Encryption::S3);
    assert_eq!(store.sealed(b"config/config.json").sealed, []);
    assert_eq!(store.sealed(b"config/none").objects, 0);

    let path = b"buckets/repl/.metadata.bin";
    let needed = needed(path, &store.read(path).unwrap()).unwrap();
    let needed: Vec<_> = needed
        .iter()
        .map(|needed| {
            (
                needed.need,
                needed.sse.encryption,
                needed.sse.key.as_deref(),
            )
        })
        .collect();
    let key = Some("fixture-key-a");
    let wanted = [
        (Need::Targets, Encryption::S3, key),
        (Need::Default, Encryption::Kms, key),
    ];
    assert_eq!(needed, wanted);
}

/// Folders in one another, each with more names than are held of all of them.
struct Wide<'a> {
    lent: &'a Lent,
    meta: Vec<u8>,
}

/// How many folders are in one another, and how many names each has.
const DEPTH: usize = 5;
const NAMES: usize = 15_000;
/// The name that goes on; the others are objects.
const GOES_ON: usize = 100;

impl Wide<'_> {
    /// The names in this folder; none if it is an object.
    fn names(folder: &[u8]) -> usize {
        let parts: Vec<&[u8]> = folder.split(|byte| *byte == b'/').skip(1).collect();
        let goes_on = format!("{GOES_ON:06}").into_bytes();
        match parts.len() < DEPTH && parts.iter().all(|part| *part == goes_on) {
            true => NAMES,
            false => 0,
        }
    }
}

impl Files for Wide<'_> {
    fn drives(&self) -> Vec<String> {
        self.lent.drives()
    }

    fn list(&self, drive: Drive, folder: &[u8], after: Option<&[u8]>) -> Result<Page, FileError> {
        if !folder.starts_with(b"wide") {
            return self.lent.list(drive, folder, after);
        }
        let entry = |name: Vec<u8>, kind| Entry { name, kind };
        let mut entries: Vec<_> = (0..Self::names(folder))
            .map(|number| entry(format!("{number:06}").into_bytes(), Kind::Folder))
            .collect();
        if entries.is_empty() {
            entries.push(entry(b"xl.meta".to_vec(), Kind::File));
        }
        entries.retain(|entry| after.is_none_or(|after| entry.name.as_slice() > after));
        Ok(Page {
            entries,
            has_more: false,
        })
    }

    fn read(&self, drive: Drive, file: &[u8], offset: u64, length: u32) -> Result<Part, FileError> {
        if !file.starts_with(b"wide") {
            return self.lent.read(drive, file, offset, length);
        }
        let bytes = self.meta.iter().skip(offset as usize).take(length as usize);
        Ok(Part {
            bytes: bytes.copied().collect(),
            size: self.meta.len() as u64,
        })
    }
}

#[test]
fn what_is_let_go_of_is_come_to_all_the_same_and_once() {
    let mut lent = Lent::of("single-plain.tar.gz");
    let meta = Lent::of(ARCHIVE).drives[0].1[&b"plain/s3/small/xl.meta"[..]].clone();
    lent.drives.truncate(1);
    let store = Store::open(Wide { lent: &lent, meta }).unwrap();
    let mut census = Census::new(&store, Place::Bucket(b"wide".to_vec()));
    let mut paths = BTreeSet::new();
    while let Some(counts) = census.next(&store) {
        assert!(counts.unread.is_empty());
        for sealed in counts.sealed {
            assert!(paths.insert(sealed.path));
        }
    }
    // At the bottom all are objects.
    assert_eq!(paths.len(), DEPTH * (NAMES - 1) + 1);
}
