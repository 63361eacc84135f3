//! MinIO's drives: their names, and what is said of them.

pub mod pattern;

use crate::report::notes;
use crate::shown::shown;

/// How the names of drives begin.
pub const SCHEME: &str = "drives:";

/// What a folder may be that says of itself that it is a drive, or a drive's system folder: where the file is that
/// says so.
pub const SYSTEM_FOLDERS: [&str; 3] = ["", ".minio.sys", ".rustfs.sys"];

/// What the cure is where too few drives, or the wrong ones, were given.
pub const GIVE_ALL: &str = "give all drives of the server, as drives:/mnt/disk{1...4}; a drive is the folder \
                            that has .minio.sys in it";

/// What the cure is where they are of several deployments.
pub const ONE_DEPLOYMENT: &str = "give the drives of one deployment: those that are named together";

/// A note in one line: what it says, how many objects it is about, and the first of them.
pub fn note(text: &str, objects: u64, paths: &[Vec<u8>]) -> String {
    if objects == 0 {
        return text.to_owned();
    }
    let named: Vec<String> = paths.iter().map(|path| shown(path)).collect();
    let count = notes::count(objects, "object");
    let more = match objects > named.len() as u64 {
        true => ", …",
        false => "",
    };
    format!("{text}: {count}: {}{more}", named.join(", "))
}
