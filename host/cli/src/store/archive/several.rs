//! Whether all that an archive holds is one store.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use iamseal_words::drives::SYSTEM_FOLDERS;
use serde_json::Value;

use super::Wrong;
use super::find::Found;

/// The most of a `format.json` that is read: servers write some 100 bytes for each of up to some thousand drives.
const FORMAT_BYTES: u64 = 1 << 20;

/// Refuses what is none, or several.
///
/// # Errors
/// It is.
pub fn check(found: &Found) -> Result<(), Wrong> {
    if let Some(name) = found.unformatted.first() {
        return Err(Wrong::NoFormat(name.clone()));
    }
    // All drives together are one store, if they are of one server.
    let drives = found.drives.iter().take(1);
    let stores = drives.chain(&found.folders).map(|(name, _)| name.as_str());
    match stores.collect::<Vec<_>>().as_slice() {
        [] => Err(Wrong::NoStore),
        [_] => match other_drive(&found.drives) {
            Some(both) => Err(several(&both)),
            None => Ok(()),
        },
        stores => Err(several(stores)),
    }
}

/// The first of them are enough to know what the archive is.
fn several(names: &[&str]) -> Wrong {
    let which = match names {
        [one, other] => format!("{one} and {other}"),
        [one, other, more @ ..] => format!("{one}, {other} and {} more", more.len()),
        _ => names.concat(),
    };
    Wrong::SeveralStores(which)
}

/// A drive and one that is none of the same server, or the same drive again. Given as folders the store would leave it
/// out and say so; in a backup it may be what is looked for.
fn other_drive(drives: &[(String, PathBuf)]) -> Option<[&str; 2]> {
    let mut known = HashMap::new();
    let mut first = None;
    for (name, drive) in drives {
        let name = name.as_str();
        // What is no format the store tells of.
        let Some((of, this)) = format(drive) else {
            continue;
        };
        let (deployment, of_first) = first.get_or_insert((of.clone(), name));
        if *deployment != of {
            return Some([*of_first, name]);
        }
        if let Some(other) = this.and_then(|this| known.insert(this, name)) {
            return Some([other, name]);
        }
    }
    None
}

/// The deployment of a drive, and which of its drives it is, as its `format.json` has them.
fn format(drive: &Path) -> Option<(String, Option<String>)> {
    let mut systems = SYSTEM_FOLDERS.into_iter();
    systems.find_map(|system| {
        let mut bytes = Vec::new();
        let file = File::open(drive.join(system).join("format.json")).ok()?;
        file.take(FORMAT_BYTES).read_to_end(&mut bytes).ok()?;
        let format: Value = serde_json::from_slice(&bytes).ok()?;
        let text = |value: Option<&Value>| value?.as_str().map(str::to_owned);
        let this = format.get("xl").and_then(|drives| drives.get("this"));
        Some((text(format.get("id"))?, text(this)))
    })
}
