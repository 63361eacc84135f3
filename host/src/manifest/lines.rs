//! What is sealed: lines of JSON, the first about the whole, then one for each object in ascending
//! order of the paths' bytes. A part holds whole lines.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{Digest, EARLIER, Earlier, Entry, Manifest, ManifestError};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Whole {
    epoch: u64,
    store: String,
    objects: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Object<'a> {
    path: Cow<'a, str>,
    /// Only where `path` cannot hold all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    path_b64: Option<String>,
    sha256_b64: String,
    changed: u64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    earlier: Vec<Before>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Before {
    sha256_b64: String,
    until: u64,
}

/// The manifest as it is sealed in this epoch: parts of whole lines, each of at most `limit` bytes
/// unless a single line is longer. At least one.
pub(super) fn encode(manifest: &Manifest, epoch: u64, limit: usize) -> Vec<Vec<u8>> {
    let whole = Whole {
        epoch,
        store: manifest.store_name.clone(),
        objects: manifest.len() as u64,
    };
    let mut parts = Vec::new();
    let mut part = line(&whole);
    for (path, entry) in manifest.entries() {
        let line = line(&Object::of(path, entry));
        if part.len() + line.len() > limit {
            parts.push(std::mem::take(&mut part));
        }
        part.extend(line);
    }
    parts.push(part);
    parts
}

/// Takes in the parts one after the other.
#[derive(Default)]
pub(super) struct Decoder {
    whole: Option<Whole>,
    manifest: Option<Manifest>,
}

impl Decoder {
    /// # Errors
    /// `Malformed`.
    pub fn part(&mut self, part: &[u8]) -> Result<(), ManifestError> {
        let lines = part.strip_suffix(b"\n");
        let lines = lines.ok_or_else(|| malformed("a line has no end"))?;
        for line in lines.split(|byte| *byte == b'\n') {
            match &mut self.manifest {
                None => {
                    let whole: Whole = parse(line)?;
                    self.manifest = Some(Manifest::new(whole.store.as_str()));
                    self.whole = Some(whole);
                }
                Some(manifest) => add(manifest, parse(line)?)?,
            }
        }
        Ok(())
    }

    /// The manifest, which must be of this epoch.
    ///
    /// # Errors
    /// `Malformed`, if it is not or something is missing.
    pub fn finish(self, epoch: u64) -> Result<Manifest, ManifestError> {
        let (Some(whole), Some(mut manifest)) = (self.whole, self.manifest) else {
            return Err(malformed("it is empty"));
        };
        if whole.epoch != epoch {
            return Err(malformed("it is of another epoch than its file says"));
        }
        if whole.objects != manifest.len() as u64 {
            return Err(malformed("it does not have as many objects as it says"));
        }
        manifest.epoch = epoch;
        Ok(manifest)
    }
}

impl<'a> Object<'a> {
    fn of(path: &'a [u8], entry: &Entry) -> Self {
        let is_text = std::str::from_utf8(path).is_ok();
        let before = |earlier: &Earlier| Before {
            sha256_b64: STANDARD.encode(earlier.digest),
            until: earlier.until,
        };
        Self {
            path: String::from_utf8_lossy(path),
            path_b64: (!is_text).then(|| STANDARD.encode(path)),
            sha256_b64: STANDARD.encode(entry.digest),
            changed: entry.changed,
            earlier: entry.earlier.iter().map(before).collect(),
        }
    }
}

fn add(manifest: &mut Manifest, object: Object<'_>) -> Result<(), ManifestError> {
    let path = match object.path_b64 {
        None => object.path.into_owned().into_bytes(),
        Some(encoded) => decode(&encoded)?,
    };
    let last = manifest.entries.last_key_value();
    if last.is_some_and(|(last, _)| *last >= path) {
        return Err(malformed("its paths are not in order"));
    }
    if object.earlier.len() > EARLIER {
        return Err(malformed("an object has too many earlier digests"));
    }
    let earlier = |before: Before| {
        let digest = digest(&before.sha256_b64)?;
        let until = before.until;
        Ok(Earlier { digest, until })
    };
    let entry = Entry {
        digest: digest(&object.sha256_b64)?,
        changed: object.changed,
        earlier: object
            .earlier
            .into_iter()
            .map(earlier)
            .collect::<Result<_, _>>()?,
    };
    manifest.entries.insert(path, entry);
    Ok(())
}

fn line(value: &impl Serialize) -> Vec<u8> {
    // Of JSON only a map whose keys are no text can fail, and there is none.
    let mut line = serde_json::to_vec(value).unwrap_or_default();
    line.push(b'\n');
    line
}

fn parse<T: DeserializeOwned>(line: &[u8]) -> Result<T, ManifestError> {
    serde_json::from_slice(line).map_err(malformed)
}

fn digest(encoded: &str) -> Result<Digest, ManifestError> {
    let bytes = decode(encoded)?;
    let length = |_| malformed("a digest does not have 32 bytes");
    bytes.try_into().map_err(length)
}

fn decode(encoded: &str) -> Result<Vec<u8>, ManifestError> {
    STANDARD.decode(encoded).map_err(malformed)
}

pub(super) fn malformed(what: impl ToString) -> ManifestError {
    ManifestError::Malformed(what.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        let mut manifest = Manifest::new("my \"store\"\n");
        for path in [
            &b"a"[..],
            b"b\n\"\\",
            b"\xff\xfe/c",
            "d/ü\u{2028}".as_bytes(),
        ] {
            manifest.record(path, [path.len() as u8; 32]);
        }
        manifest.epoch = 3;
        manifest.record_replaced(b"a", [7; 32], [8; 32]);
        manifest
    }

    fn read(parts: &[Vec<u8>], epoch: u64) -> Result<Manifest, ManifestError> {
        let mut decoder = Decoder::default();
        for part in parts {
            decoder.part(part)?;
        }
        decoder.finish(epoch)
    }

    #[test]
    fn it_is_read_as_it_was_written_in_parts_of_any_size() {
        let manifest = manifest();
        let mut counts = Vec::new();
        for limit in [0, 1, 150, 300, 1 << 20] {
            let parts = encode(&manifest, 4, limit);
            counts.push(parts.len());
            let read = read(&parts, 4).unwrap();
            assert_eq!(read.entries, manifest.entries);
            assert_eq!((read.epoch, read.store_name()), (4, "my \"store\"\n"));
        }
        assert_eq!((counts[0], counts[4]), (5, 1), "{counts:?}");
    }

    #[test]
    fn what_is_sealed_is_what_is_documented() {
        let mut manifest = Manifest::new("s");
        manifest.record(b"a\xff", [0; 32]);
        let parts = encode(&manifest, 1, 1 << 20).concat();
        let digest = STANDARD.encode([0; 32]);
        let expected = format!(
            "{{\"epoch\":1,\"store\":\"s\",\"objects\":1}}\n\
             {{\"path\":\"a\u{fffd}\",\"path_b64\":\"Yf8=\",\"sha256_b64\":\"{digest}\",\"changed\":1}}\n"
        );
        assert_eq!(String::from_utf8(parts).unwrap(), expected);
    }

    #[test]
    fn a_line_that_is_gone_doubled_moved_or_cut_is_refused() {
        let manifest = manifest();
        let lines = encode(&manifest, 4, 0);
        for at in 0..lines.len() {
            let mut without = lines.clone();
            let line = without.remove(at);
            assert!(read(&without, 4).is_err(), "without {at}");
            let mut twice = lines.clone();
            twice.insert(at, line);
            assert!(read(&twice, 4).is_err(), "twice {at}");
            let mut swapped = lines.clone();
            swapped.swap(0, at);
            assert_eq!(read(&swapped, 4).is_ok(), at == 0, "swapped {at}");
        }
        let whole = lines.concat();
        for end in 0..whole.len() {
            let cut = whole[..end].to_vec();
            assert!(read(&[cut], 4).is_err(), "cut at {end}");
        }
        let whole = [whole];
        assert!(read(&whole, 5).is_err());
        assert!(read(&[], 4).is_err());
        assert!(read(&whole, 4).is_ok());
    }

    #[test]
    fn nonsense_is_refused_and_never_a_panic() {
        let first = "{\"epoch\":4,\"store\":\"\",\"objects\":1}\n";
        let digest = STANDARD.encode([0; 32]);
        let object = |fields: &str| format!("{first}{{\"path\":\"a\",{fields}}}\n");
        let good = object(&format!("\"sha256_b64\":\"{digest}\",\"changed\":1"));
        assert!(read(&[good.clone().into()], 4).is_ok());
        let earlier = format!("{{\"sha256_b64\":\"{digest}\",\"until\":1}}");
        let many = vec![earlier; EARLIER + 1].join(",");
        for bad in [
            object("\"sha256_b64\":\"AAAA\",\"changed\":1"),
            object("\"sha256_b64\":\"!\",\"changed\":1"),
            object(&format!("\"sha256_b64\":\"{digest}\",\"changed\":-1")),
            object(&format!("\"sha256_b64\":\"{digest}\"")),
            object(&format!(
                "\"sha256_b64\":\"{digest}\",\"changed\":1,\"x\":1"
            )),
            object(&format!(
                "\"sha256_b64\":\"{digest}\",\"changed\":1,\"earlier\":[{many}]"
            )),
            object(&format!(
                "\"sha256_b64\":\"{digest}\",\"changed\":1,\"path_b64\":\"!\""
            )),
            first.into(),
            "\n".into(),
            "[[[[".repeat(100_000) + "\n",
        ] {
            assert!(read(&[bad.clone().into()], 4).is_err(), "{bad:.200}");
        }
        for at in 0..good.len() {
            let mut changed = good.clone().into_bytes();
            changed[at] ^= 0x80;
            assert!(read(&[changed], 4).is_err(), "{at}");
        }
    }
}
