//! The archive that `mc admin cluster iam export` makes and `mc admin cluster iam import` takes: a zip with a
//! file of JSON for each kind.

use std::collections::BTreeMap;
use std::io::{self, Cursor, Write};

use serde_json::Value;
use zeroize::Zeroizing;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::{Kind, Secret};

/// The folder that all files of an archive are in.
const FOLDER: &str = "iam-assets";

/// Identities by kind and name.
#[derive(Default)]
pub struct Archive(BTreeMap<(Kind, String), Secret>);

impl Archive {
    pub fn insert(&mut self, kind: Kind, name: String, entry: Secret) {
        self.0.insert((kind, name), entry);
    }

    /// Those of a kind, by name.
    pub fn of(&self, kind: Kind) -> impl Iterator<Item = (&str, &Value)> {
        let entries = self.0.iter().filter(move |((of, _), _)| *of == kind);
        entries.map(|((_, name), entry)| (&**name, &entry.0))
    }

    /// All of them as one zip, in which every kind has its file.
    ///
    /// # Errors
    /// It becomes larger than a zip may be.
    pub fn zip(&self) -> io::Result<Zeroizing<Vec<u8>>> {
        let mut files = Vec::new();
        for kind in Kind::ALL {
            files.push((file(kind), json(&self.of(kind).collect())?));
        }
        // What grows leaves copies behind, which nobody wipes. It cannot be larger than this but for a file
        // that does not become smaller, by a few bytes.
        let room = files
            .iter()
            .map(|(_, json)| json.len() + json.len() / 64 + 512);
        let mut zip = ZipWriter::new(Cursor::new(Vec::with_capacity(room.sum())));
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .unix_permissions(0o600);
        for (file, json) in &files {
            zip.start_file(file.as_str(), options)?;
            zip.write_all(json)?;
        }
        Ok(Zeroizing::new(zip.finish()?.into_inner()))
    }
}

/// The name of a kind's file.
fn file(kind: Kind) -> String {
    format!("{FOLDER}/{}.json", kind.name())
}

/// The file of a kind, in memory that was as large from the beginning.
fn json(entries: &BTreeMap<&str, &Value>) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut size = Size(0);
    serde_json::to_writer(&mut size, entries)?;
    let mut json = Zeroizing::new(Vec::with_capacity(size.0));
    serde_json::to_writer(&mut *json, entries)?;
    Ok(json)
}

/// Counts what is written.
struct Size(usize);

impl Write for Size {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.saturating_add(bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
