//! What is to be known of objects besides their bytes: that of the files that they are in, on whatever drive.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::contract::StorageError;
use crate::storage::{DirStore, Standing, Store as _};

/// The folders of drives that hold what an audit looks at.
const SYSTEMS: [&str; 2] = [".minio.sys", ".rustfs.sys"];

/// How the objects under `prefix` stand: what is so of one of an object's files is told of the object.
///
/// # Errors
/// A drive's folder cannot be listed. A drive that is not there is passed over.
pub(super) async fn of(
    drives: &[PathBuf],
    prefix: &[u8],
) -> Result<BTreeMap<Vec<u8>, Standing>, StorageError> {
    let mut all = BTreeMap::new();
    let folders = drives
        .iter()
        .flat_map(|drive| SYSTEMS.map(|name| drive.join(name)));
    for store in folders.filter_map(|folder| DirStore::open(&folder).ok()) {
        let mut see = |file: &[u8], standing: Standing| {
            let Some(object) = object(file) else { return };
            let seen = all.entry(object.to_vec()).or_insert(standing);
            seen.has_other_names |= standing.has_other_names;
            seen.is_open |= standing.is_open;
        };
        store.survey(prefix, &mut see).await?;
    }
    Ok(all)
}

/// The object that a file is of: `OBJECT/xl.meta`, or a part of it, `OBJECT/UUID/part.1`.
fn object(file: &[u8]) -> Option<&[u8]> {
    let (folder, name) = split(file)?;
    match name {
        b"xl.meta" => Some(folder),
        name if name.starts_with(b"part.") => split(folder).map(|(object, _)| object),
        _ => None,
    }
}

fn split(path: &[u8]) -> Option<(&[u8], &[u8])> {
    let slash = path.iter().rposition(|byte| *byte == b'/')?;
    Some((path.get(..slash)?, path.get(slash + 1..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_of_its_object() {
        for (file, of) in [
            ("config/a.json/xl.meta", Some("config/a.json")),
            ("config/a.json/0b1c/part.1", Some("config/a.json")),
            ("config/a.json/other", None),
            ("xl.meta", None),
        ] {
            assert_eq!(object(file.as_bytes()), of.map(str::as_bytes), "{file}");
        }
    }
}
