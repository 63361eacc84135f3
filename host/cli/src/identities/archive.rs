//! The archive that `mc admin cluster iam export` makes and `mc admin cluster iam import` takes: a zip with a
//! file of JSON for each kind.

use std::collections::BTreeMap;
use std::io::{self, Cursor, Read as _, Write};

use serde_json::Value;
use zeroize::Zeroizing;
use zip::result::ZipError;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use super::{Kind, Secret};

/// The folder that all files of an archive are in.
const FOLDER: &str = "iam-assets";

/// How large all files of an archive may be together: room for tens of thousands of identities. Parsed, the worst
/// of JSON takes some hundred times as much.
pub const UNPACKED_BYTES: u64 = 16 << 20;

/// Identities by kind and name.
#[derive(Default)]
pub struct Archive(BTreeMap<(Kind, String), Secret>);

impl Archive {
    pub fn insert(&mut self, kind: Kind, name: String, entry: Secret) {
        self.0.insert((kind, name), entry);
    }

    /// Reads an archive. A file that is missing holds nothing; what else is in it is passed over.
    ///
    /// # Errors
    /// What is wrong with it, for people.
    pub fn read(zip: &[u8]) -> Result<Self, String> {
        let mut zip = ZipArchive::new(Cursor::new(zip)).map_err(|error| error.to_string())?;
        let mut archive = Self::default();
        let mut left = UNPACKED_BYTES;
        for kind in Kind::ALL {
            let name = file(kind);
            let packed = match zip.by_name(&name) {
                Err(ZipError::FileNotFound) => continue,
                packed => packed.map_err(|error| format!("{name}: {error}"))?,
            };
            let mut json = Zeroizing::new(Vec::new());
            // A small file may say that it unpacks to a large one, or be one without saying so.
            let read = packed.take(left + 1).read_to_end(&mut json);
            read.map_err(|error| format!("{name}: {error}"))?;
            left = left
                .checked_sub(json.len() as u64)
                .ok_or("it unpacks to more than 16 MiB")?;
            let read = serde_json::from_slice(&json).map(Secret);
            let mut read = read.map_err(|error| format!("{name}: {error}"))?;
            match &mut read.0 {
                Value::Object(entries) => {
                    for (name, entry) in std::mem::take(entries) {
                        archive.insert(kind, name, Secret(entry));
                    }
                }
                // As a server writes what it has none of.
                Value::Null => {}
                _ => return Err(format!("{name}: no object of JSON")),
            }
        }
        Ok(archive)
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn packed(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        for (name, bytes) in files {
            zip.start_file(*name, options).unwrap();
            zip.write_all(bytes).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    #[test]
    fn an_archive_reads_as_what_was_written() {
        let mut archive = Archive::default();
        for (kind, name) in [
            (Kind::Users, "a"),
            (Kind::Users, "dev/b"),
            (Kind::Groups, "a"),
        ] {
            archive.insert(
                kind,
                name.into(),
                Secret(json!({"of": name, "kind": kind.name()})),
            );
        }
        let read = Archive::read(&archive.zip().unwrap()).unwrap();
        for kind in Kind::ALL {
            let of = |archive: &Archive| json!(archive.of(kind).collect::<BTreeMap<_, _>>());
            assert_eq!(of(&read), of(&archive));
        }
    }

    #[test]
    fn what_is_missing_holds_nothing_and_what_is_more_is_passed_over() {
        let zip = packed(&[
            ("iam-assets/users.json", br#"{"a":{}}"#),
            ("iam-assets/groups.json", b"null"),
            ("../evil", b"x"),
        ]);
        let read = Archive::read(&zip).unwrap();
        assert_eq!(read.0.len(), 1);
    }

    #[test]
    fn what_is_no_archive_is_said() {
        let bomb = vec![b' '; UNPACKED_BYTES as usize + 1];
        let bomb = packed(&[("iam-assets/users.json", &bomb)]);
        assert!(bomb.len() < 1 << 20);
        for (zip, says) in [
            (b"PK".to_vec(), ""),
            (Vec::new(), ""),
            (
                packed(&[("iam-assets/users.json", b"[]")]),
                "no object of JSON",
            ),
            (packed(&[("iam-assets/users.json", b"{")]), "EOF"),
            (bomb, "unpacks to more"),
        ] {
            let why = Archive::read(&zip).err().unwrap();
            assert!(why.contains(says), "{why}");
        }
        let mut cut = packed(&[("iam-assets/users.json", br#"{"a":{"b":1}}"#)]);
        for at in 0..cut.len() {
            // Whatever is read of it, it is no panic.
            drop(Archive::read(&cut[..at]));
            cut[at] ^= 0x55;
            drop(Archive::read(&cut));
            cut[at] ^= 0x55;
        }
    }
}
