//! MinIO's drives for the native targets: those of the archives in `tests/drives`, in memory, changed as the
//! fuzzer's bytes say ([`change`]), and then asked for all that can be asked of drives ([`rules`]).

pub mod change;
mod files;
pub mod rules;
pub mod seeds;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, OnceLock};
use std::{env, fs, process};

pub use files::Drives;

/// The files of a drive, by their paths.
pub type Tree = BTreeMap<Vec<u8>, Arc<[u8]>>;

/// The sets of four drives that are changed: one with buckets, uploads and `pool.bin`, and one whose shards are in
/// files of their own.
pub const SETS: [&str; 2] = ["user-objects.tar.gz", "noninline.tar.gz"];

/// As large as many others together, and nothing that they are not.
const LARGE: &[u8] = b".minio.sys/config/config.json/xl.meta";

/// The drives of one of [`SETS`].
pub fn set(number: usize) -> Drives {
    static ALL: OnceLock<Vec<Vec<Tree>>> = OnceLock::new();
    let all = ALL.get_or_init(|| {
        let mut sets = SETS.map(archive);
        let drives = sets.iter_mut().flatten();
        drives.for_each(|drive| drop(drive.remove(LARGE)));
        sets.into()
    });
    Drives::new(all[number % SETS.len()].clone())
}

/// The drives of an archive.
pub fn archive(name: &str) -> Vec<Tree> {
    let archives = Path::new(env!("CARGO_MANIFEST_DIR")).join("../drives");
    let folder = env::temp_dir().join(format!("iamseal-fuzz-{}-{name}", process::id()));
    fs::create_dir_all(&folder).unwrap();
    let unpacked = Command::new("tar")
        .arg("-xzf")
        .arg(archives.join(name))
        .arg("-C")
        .arg(&folder)
        .status();
    assert!(unpacked.unwrap().success(), "{name}");
    let entries = fs::read_dir(&folder).unwrap();
    let mut drives: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    drives.sort();
    let tree = |drive: &PathBuf| {
        let mut tree = Tree::new();
        collect(drive, "", &mut tree);
        tree
    };
    let trees = drives.iter().map(tree).collect();
    fs::remove_dir_all(&folder).unwrap();
    trees
}

fn collect(folder: &Path, below: &str, tree: &mut Tree) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let path = match below {
            "" => name,
            below => format!("{below}/{name}"),
        };
        match entry.file_type().unwrap().is_dir() {
            true => collect(&entry.path(), &path, tree),
            false => drop(tree.insert(path.into_bytes(), fs::read(entry.path()).unwrap().into())),
        }
    }
}
