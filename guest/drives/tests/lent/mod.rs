//! Drives in memory, out of the archives in `tests/drives`.
#![allow(dead_code, reason = "each test uses a part of it")]

pub mod disk;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use iamseal_drives::{Drive, Entry, FileError, Files, Kind, Page, Part, Store};
use serde_json::Value;

/// Entries of a page: few, so that every listing takes several.
const PAGE: usize = 3;

/// The files of a drive, by their paths.
pub type Tree = BTreeMap<Vec<u8>, Vec<u8>>;

/// Drives, by their names.
#[derive(Clone, Default)]
pub struct Lent {
    pub drives: Vec<(String, Tree)>,
    /// Folders that cannot be listed.
    pub closed: Vec<(Drive, Vec<u8>)>,
}

impl Lent {
    /// Those of an archive.
    pub fn of(archive: &str) -> Self {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!(
            "{archive}.{}.{:?}",
            std::process::id(),
            std::thread::current().id()
        ));
        fs::create_dir_all(&folder).unwrap();
        let unpacked = Command::new("tar")
            .arg("-xzf")
            .arg(drives().join(archive))
            .arg("-C")
            .arg(&folder)
            .status();
        assert!(unpacked.unwrap().success(), "{archive}");
        let mut names: Vec<String> = fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        let mut lent = Self::default();
        for name in names {
            let mut files = BTreeMap::new();
            collect(&folder.join(&name), "", &mut files);
            lent.drives.push((name, files));
        }
        fs::remove_dir_all(&folder).unwrap();
        lent
    }

    pub fn store(&self) -> Store<&Self> {
        Store::open(self).unwrap()
    }

    /// The file of a drive, which counts from 1.
    pub fn file(&mut self, drive: usize, path: &str) -> &mut Vec<u8> {
        let path = format!(".minio.sys/{path}");
        self.drives[drive - 1].1.get_mut(path.as_bytes()).unwrap()
    }

    pub fn remove(&mut self, drive: usize, path: &str) {
        let path = format!(".minio.sys/{path}");
        let files = &mut self.drives[drive - 1].1;
        let below = format!("{path}/");
        files.retain(|name, _| name != path.as_bytes() && !name.starts_with(below.as_bytes()));
    }
}

/// Where the archives are.
pub fn drives() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/drives")
}

/// What they hold.
pub fn manifest() -> Value {
    let text = fs::read(drives().join("manifest.json")).unwrap();
    serde_json::from_slice(&text).unwrap()
}

/// All that a store lists.
pub fn listed(store: &Store<&Lent>, prefix: &str, after: Option<&str>) -> Vec<String> {
    let mut walk = iamseal_drives::Walk::new(prefix.as_bytes(), after.map(str::as_bytes));
    let mut all = Vec::new();
    loop {
        let page = walk.next(store);
        if page.is_empty() {
            return all;
        }
        all.extend(
            page.into_iter()
                .map(|path| String::from_utf8(path).unwrap()),
        );
    }
}

/// The notes as a tool would print them.
pub fn notes(store: &Store<&Lent>) -> Vec<String> {
    let line = |note: iamseal_drives::Note| {
        let paths = note.paths.iter().map(|path| String::from_utf8_lossy(path));
        match note.objects {
            0 => note.text,
            count => format!(
                "{} {count}: {}",
                note.text,
                paths.collect::<Vec<_>>().join(", ")
            ),
        }
    };
    store.notes().into_iter().map(line).collect()
}

fn collect(folder: &Path, below: &str, files: &mut Tree) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let path = match below {
            "" => name,
            below => format!("{below}/{name}"),
        };
        match entry.file_type().unwrap().is_dir() {
            true => collect(&entry.path(), &path, files),
            false => {
                files.insert(path.into_bytes(), fs::read(entry.path()).unwrap());
            }
        }
    }
}

impl Files for &Lent {
    fn drives(&self) -> Vec<String> {
        self.drives.iter().map(|(name, _)| name.clone()).collect()
    }

    fn list(&self, drive: Drive, folder: &[u8], after: Option<&[u8]>) -> Result<Page, FileError> {
        if self.closed.contains(&(drive, folder.to_vec())) {
            return Err(FileError::Failed("permission denied".into()));
        }
        let below = match folder {
            b"" => Vec::new(),
            folder => [folder, b"/"].concat(),
        };
        let mut entries = BTreeMap::new();
        for path in self.drives[usize::from(drive)].1.keys() {
            let Some(rest) = path.strip_prefix(below.as_slice()) else {
                continue;
            };
            let mut parts = rest.splitn(2, |byte| *byte == b'/');
            let name = parts.next().unwrap().to_vec();
            let kind = match parts.next() {
                Some(_) => Kind::Folder,
                None => Kind::File,
            };
            entries.insert(name, kind);
        }
        if entries.is_empty() {
            return Err(FileError::NotFound);
        }
        let rest: Vec<Entry> = entries
            .into_iter()
            .filter(|(name, _)| after.is_none_or(|after| name.as_slice() > after))
            .map(|(name, kind)| Entry { name, kind })
            .collect();
        Ok(Page {
            has_more: rest.len() > PAGE,
            entries: rest.into_iter().take(PAGE).collect(),
        })
    }

    fn read(&self, drive: Drive, file: &[u8], offset: u64, length: u32) -> Result<Part, FileError> {
        let files = &self.drives[usize::from(drive)].1;
        let below = [file, b"/"].concat();
        let missing = || match files.keys().any(|path| path.starts_with(&below)) {
            true => FileError::Failed("it is a folder".into()),
            false => FileError::NotFound,
        };
        let bytes = files.get(file).ok_or_else(missing)?;
        let rest = bytes.iter().skip(offset as usize);
        Ok(Part {
            bytes: rest.take(length as usize).copied().collect(),
            size: bytes.len() as u64,
        })
    }
}
