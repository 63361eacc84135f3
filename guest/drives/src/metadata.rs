//! What is beside the objects of IAM and needs a key, by the bytes of files: a bucket's metadata and the tiers.
//!
//! `buckets/NAME/.metadata.bin`: LE16 1, LE16 1, then a MessagePack map. Sealed in it is `BucketTargetsConfigJSON`
//! alone, and `BucketTargetsConfigMetaJSON` names the key, in the words that an object's metadata has.
//! `config/tier-config.bin`: LE16 1, LE16 1 or 2, then MessagePack, unless the server had a KMS: then all of it is
//! encrypted as an object of S3 is, and the key is named where that is, not in its bytes.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use crate::msgpack::{Malformed, Reader};
use crate::sse::{Encryption, Said, Sse, key_name};

/// Where a server keeps what it knows of tiers.
pub const TIERS: &[u8] = b"config/tier-config.bin";
const BUCKETS: &[u8] = b"buckets/";
const METADATA: &[u8] = b"/.metadata.bin";

/// How a client may begin the name of a key.
const ARN: &str = "arn:aws:kms:";

/// What needs a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// The targets that a bucket is replicated to: without their key the server loads nothing of the bucket.
    Targets,
    /// What a bucket encrypts new objects with.
    Default,
    /// The tiers that objects are moved to.
    Tiers,
}

/// Something that needs a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needed {
    /// What it is.
    pub need: Need,
    /// How it is encrypted, and under which key.
    pub sse: Sse,
}

/// Whether a path below the system folder is that of a bucket's metadata.
pub fn is_of_bucket(path: &[u8]) -> bool {
    let name = path.strip_prefix(BUCKETS);
    let name = name.and_then(|name| name.strip_suffix(METADATA));
    name.is_some_and(|name| !name.is_empty() && !name.contains(&b'/'))
}

/// What needs a key in the file at this path below the system folder.
///
/// # Errors
/// It is none of the two, or damaged: what is wrong.
pub fn needed(path: &[u8], bytes: &[u8]) -> Result<Vec<Needed>, &'static str> {
    if path == TIERS {
        return Ok(tiers(bytes).into_iter().collect());
    }
    if !is_of_bucket(path) {
        return Err("it is no metadata of a bucket");
    }
    let map = bytes
        .strip_prefix(&[1, 0, 1, 0])
        .ok_or("it is of an unknown version")?;
    Fields::of(map).map_err(|_| "it is damaged")?.needed()
}

fn tiers(bytes: &[u8]) -> Option<Needed> {
    let is_plain = matches!(bytes, [1, 0, 1 | 2, 0, map @ ..] if Reader::new(map).map().is_ok());
    (!is_plain).then_some(Needed {
        need: Need::Tiers,
        sse: Sse {
            encryption: Encryption::Other,
            key: None,
        },
    })
}

#[derive(Default)]
struct Fields<'a> {
    targets: &'a [u8],
    of_targets: &'a [u8],
    encryption: &'a [u8],
}

impl<'a> Fields<'a> {
    fn of(map: &'a [u8]) -> Result<Self, Malformed> {
        let mut fields = Self::default();
        let mut reader = Reader::new(map);
        for _ in 0..reader.map()? {
            match reader.bytes()? {
                b"BucketTargetsConfigJSON" => fields.targets = reader.bytes_or_nil()?,
                b"BucketTargetsConfigMetaJSON" => fields.of_targets = reader.bytes_or_nil()?,
                b"EncryptionConfigXML" => fields.encryption = reader.bytes_or_nil()?,
                _ => {
                    reader.skip()?;
                }
            }
        }
        Ok(fields)
    }

    fn needed(&self) -> Result<Vec<Needed>, &'static str> {
        let targets = self.targets()?.map(|sse| Needed {
            need: Need::Targets,
            sse,
        });
        let default = self.default_encryption()?.map(|sse| Needed {
            need: Need::Default,
            sse,
        });
        Ok(targets.into_iter().chain(default).collect())
    }

    fn targets(&self) -> Result<Option<Sse>, &'static str> {
        let said: BTreeMap<String, String> = match self.of_targets.trim_ascii() {
            [] | b"null" => BTreeMap::new(),
            json => serde_json::from_slice(json)
                .map_err(|_| "what it says of its replication targets is damaged")?,
        };
        let mut sse = Said::default();
        for (name, value) in &said {
            sse.see(name.as_bytes(), value.as_bytes());
        }
        Ok(match (self.targets.trim_ascii(), sse.sse()) {
            ([] | [b'{' | b'[', ..], None) => None,
            (_, Some(sse)) => Some(sse),
            (_, None) => Some(Sse {
                encryption: Encryption::Other,
                key: None,
            }),
        })
    }

    fn default_encryption(&self) -> Result<Option<Sse>, &'static str> {
        let xml = self.encryption.trim_ascii();
        if xml.is_empty() {
            return Ok(None);
        }
        let damaged = "its default encryption is damaged";
        let xml = str::from_utf8(xml).map_err(|_| damaged)?;
        let encryption = match element(xml, "SSEAlgorithm").as_deref() {
            Some("AES256") => Encryption::S3,
            Some("aws:kms") => Encryption::Kms,
            Some(_) => Encryption::Other,
            None => return Err(damaged),
        };
        let key = element(xml, "KMSMasterKeyID");
        let key = key.and_then(|key| key_name(key.strip_prefix(ARN).unwrap_or(&key).as_bytes()));
        Ok(Some(Sse { encryption, key }))
    }
}

/// The text of the first element of this name, however its name space is called. A server has read it: it is
/// no XML of any kind.
fn element(xml: &str, name: &str) -> Option<String> {
    let mut rest = xml;
    loop {
        let (_, behind) = rest.split_once('<')?;
        let (tag, content) = behind.split_once('>')?;
        let tag = tag.split_ascii_whitespace().next().unwrap_or_default();
        if tag.rsplit(':').next() == Some(name) {
            let (text, _) = content.split_once('<')?;
            return Some(plain(text.trim()));
        }
        rest = content;
    }
}

/// A text of XML without its escapes.
fn plain(text: &str) -> String {
    let escapes = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#34;", "\""),
        ("&apos;", "'"),
        ("&#39;", "'"),
        ("&amp;", "&"),
    ];
    let mut plain = String::from(text);
    for (escaped, character) in escapes {
        plain = plain.replace(escaped, character);
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::vec;

    const PATH: &[u8] = b"buckets/b/.metadata.bin";

    /// Metadata with these fields.
    fn metadata(fields: &[(&str, &str)]) -> Vec<u8> {
        let mut made = vec![1, 0, 1, 0, 0x80 | fields.len() as u8];
        for (name, value) in fields {
            made.extend([0xd9, name.len() as u8]);
            made.extend(name.as_bytes());
            made.push(0xc5);
            made.extend((value.len() as u16).to_be_bytes());
            made.extend(value.as_bytes());
        }
        made
    }

    fn default(algorithm: &str, key: &str) -> Vec<Needed> {
        let xml = format!(
            "<A xmlns=\"x\"><SSEAlgorithm>{algorithm}</SSEAlgorithm><s:KMSMasterKeyID> {key} </s:KMSMasterKeyID></A>"
        );
        needed(
            PATH,
            &metadata(&[("Name", "b"), ("EncryptionConfigXML", &xml)]),
        )
        .unwrap()
    }

    fn is(need: Need, encryption: Encryption, key: Option<&str>) -> Vec<Needed> {
        let key = key.map(String::from);
        let sse = Sse { encryption, key };
        vec![Needed { need, sse }]
    }

    #[test]
    fn a_bucket_names_the_key_of_new_objects() {
        let kms = |key| is(Need::Default, Encryption::Kms, Some(key));
        assert_eq!(default("aws:kms", "a&amp;lt;b"), kms("a&lt;b"));
        assert_eq!(default("aws:kms", "arn:aws:kms:a"), kms("a"));
        let s3 = is(Need::Default, Encryption::S3, None);
        assert_eq!(default("AES256", ""), s3);
        let new = is(Need::Default, Encryption::Other, None);
        assert_eq!(default("new", ""), new);
        assert_eq!(
            needed(PATH, &metadata(&[("EncryptionConfigXML", "")])),
            Ok(vec![])
        );
        for damaged in ["<a>", "<SSEAlgorithm>AES", "<SSEAlgorithm", "x"] {
            let damaged = metadata(&[("EncryptionConfigXML", damaged)]);
            assert!(needed(PATH, &damaged).is_err());
        }
    }

    #[test]
    fn a_bucket_names_the_key_of_its_targets() {
        let targets = |sealed: &str, said: &str| {
            let fields = [
                ("BucketTargetsConfigJSON", sealed),
                ("BucketTargetsConfigMetaJSON", said),
            ];
            needed(PATH, &metadata(&fields))
        };
        let said = r#"{"X-Minio-Internal-Server-Side-Encryption-S3-Kms-Key-Id":"a","X-Minio-Internal-Server-Side-Encryption-S3-Sealed-Key":"x"}"#;
        let sealed = Ok(is(Need::Targets, Encryption::S3, Some("a")));
        assert_eq!(targets("\x20\x00", said), sealed);
        let nameless = Ok(is(Need::Targets, Encryption::Other, None));
        assert_eq!(targets("\x20\x00", ""), nameless);
        assert_eq!(targets("", ""), Ok(vec![]));
        assert_eq!(targets("[]", "null"), Ok(vec![]));
        assert!(targets("x", "{").is_err());
        let deep = "[".repeat(60_000);
        assert!(targets("x", &deep).is_err());
    }

    #[test]
    fn tiers_do_not_name_theirs_in_their_bytes() {
        assert_eq!(needed(TIERS, b"\x01\x00\x02\x00\x81\xa1a\x80"), Ok(vec![]));
        let sealed = Ok(is(Need::Tiers, Encryption::Other, None));
        assert_eq!(needed(TIERS, b"\x20\x00\x12\x00"), sealed);
        assert_eq!(needed(TIERS, b""), sealed);
    }

    #[test]
    fn what_is_none_of_the_two_is_refused() {
        for path in [
            "buckets/.metadata.bin",
            "buckets/a/b/.metadata.bin",
            "config/config.json",
        ] {
            assert!(needed(path.as_bytes(), &metadata(&[])).is_err());
        }
        for bytes in [
            &b""[..],
            &[1, 0, 2, 0, 0x80],
            &[1, 0, 1, 0],
            &[1, 0, 1, 0, 0xdf, 255, 255, 255, 255],
        ] {
            assert!(needed(PATH, bytes).is_err());
        }
    }
}
