//! The archives of drives that real servers wrote, unpacked.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use super::{OTHER_KEY, Tool, tool};

/// Drives in folders.
pub struct Drives {
    folder: TempDir,
    /// The names of the drives' folders.
    pub names: Vec<String>,
}

/// Drives and the journals of their runs. Tests of writing add their own commands.
pub struct Deployment {
    pub drives: Drives,
    pub journals: TempDir,
}

impl Deployment {
    pub fn of(archive: &str) -> Self {
        let journals = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let drives = Drives::of(archive);
        Self { drives, journals }
    }

    /// A command that writes, with all keys.
    pub fn run(&self, command: &str, arguments: &[&str]) -> Tool {
        tool([
            command,
            &self.drives.store(),
            "--server-is-stopped",
            "--json",
        ])
        .args(arguments)
        .args(["--journal".as_ref(), self.journals.path()])
        .file("--keys", &all_keys())
    }

    /// What an audit with all keys says of each object, by paths. It finds nothing wrong.
    pub fn audit(&self) -> BTreeMap<String, Value> {
        let audit = tool(["audit", "--json", &self.drives.store()]);
        let ended = audit.file("--keys", &all_keys()).ok();
        let mut lines = ended.json_of_objects();
        assert!(lines.pop().unwrap().get("summary").is_some());
        let path = |line: &Value| line["path"].as_str().unwrap().to_owned();
        lines.into_iter().map(|line| (path(&line), line)).collect()
    }
}

/// All keys of the archives, and one of none.
pub fn all_keys() -> String {
    format!("{}{OTHER_KEY}\n", keys())
}

/// What is known of a file: its bytes, none of a folder, and when it was changed.
pub type Seen = (Option<Vec<u8>>, (i64, i64), (i64, i64));

impl Drives {
    /// Those of an archive.
    pub fn of(archive: &str) -> Self {
        let folder = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let unpacked = Command::new("tar")
            .arg("-xzf")
            .arg(archives().join(archive))
            .arg("-C")
            .arg(folder.path())
            .status();
        assert!(unpacked.unwrap().success(), "{archive}");
        let entries = fs::read_dir(folder.path()).unwrap();
        let name = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name();
        let mut names: Vec<String> = entries
            .map(|entry| name(entry).into_string().unwrap())
            .collect();
        names.sort();
        Self { folder, names }
    }

    /// Where they are.
    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    /// A drive, counted from 1.
    pub fn drive(&self, number: usize) -> PathBuf {
        self.root().join(&self.names[number - 1])
    }

    /// A file or folder of a drive, below its system folder.
    pub fn file(&self, drive: usize, path: &str) -> PathBuf {
        self.drive(drive).join(".minio.sys").join(path)
    }

    /// All drives, as the tool takes them.
    pub fn store(&self) -> String {
        self.some(1..=self.names.len())
    }

    /// Some of them.
    pub fn some(&self, numbers: impl IntoIterator<Item = usize>) -> String {
        let paths = numbers.into_iter().map(|number| self.drive(number));
        let paths: Vec<String> = paths
            .map(|path| path.into_os_string().into_string().unwrap())
            .collect();
        format!("drives:{}", paths.join(","))
    }

    /// Everything on them.
    pub fn all(&self) -> BTreeMap<PathBuf, Seen> {
        let mut all = BTreeMap::new();
        collect(self.root(), &mut all);
        all
    }
}

/// Writes other bytes, as many, into the metadata of an `xl.meta`, which is whole afterwards.
pub fn change_metadata(file: &Path, from: &[u8], to: &[u8]) {
    assert_eq!(from.len(), to.len());
    let mut bytes = fs::read(file).unwrap();
    let length = u32::from_be_bytes(bytes[9..13].try_into().unwrap()) as usize;
    let block = &mut bytes[13..13 + length];
    let mut windows = block.windows(from.len());
    let at = windows.position(|window| window == from).unwrap();
    block[at..at + to.len()].copy_from_slice(to);
    let checksum = xxhash_rust::xxh64::xxh64(block, 0) as u32;
    let place = 13 + length + 1;
    bytes[place..place + 4].copy_from_slice(&checksum.to_be_bytes());
    fs::write(file, bytes).unwrap();
}

fn collect(folder: &Path, all: &mut BTreeMap<PathBuf, Seen>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let metadata = fs::symlink_metadata(&path).unwrap();
        let bytes = metadata.is_file().then(|| fs::read(&path).unwrap());
        if metadata.is_dir() {
            collect(&path, all);
        }
        let modified = (metadata.mtime(), metadata.mtime_nsec());
        let changed = (metadata.ctime(), metadata.ctime_nsec());
        all.insert(path, (bytes, modified, changed));
    }
}

/// Where the archives are.
pub fn archives() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/drives")
}

/// What they hold.
pub fn manifest() -> Value {
    serde_json::from_slice(&fs::read(archives().join("manifest.json")).unwrap()).unwrap()
}

/// The keys of all archives, as a file of keys has them.
pub fn keys() -> String {
    let manifest = manifest();
    let keys = manifest["keys"].as_object().unwrap().iter();
    keys.map(|(name, key)| format!("{name}:{}\n", key.as_str().unwrap()))
        .collect()
}
