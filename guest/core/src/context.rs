//! The KMS context: what MinIO binds a data key to, as canonical JSON text
//! (docs/formats/minio.md section 2, "KMS context").

use alloc::vec::Vec;

use iamseal_data_key::json;

use crate::location::Location;

/// The folder that MinIO keeps its configuration in, and the context's only key.
const ROOT: &[u8] = b".minio.sys";

/// Which of MinIO's two contexts a data key is bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Context {
    /// `.minio.sys` joined with the cleaned path: all writers but one.
    Joined,
    /// The path as given: only the etcd migration of RELEASE.2021-05-11 up to RELEASE.2021-06-07.
    Bare,
}

impl Context {
    /// The contexts a reader tries, the likely one first.
    pub(crate) const ALL: [Self; 2] = [Self::Joined, Self::Bare];

    /// The associated data of a data key at this location.
    pub(crate) fn text(self, location: &Location) -> Vec<u8> {
        match self {
            Self::Joined => entry(ROOT, &[ROOT, b"/", &location.path]),
            Self::Bare => entry(ROOT, &[location.given]),
        }
    }
}

/// Renders a map with a single entry; the value is given in pieces.
pub(crate) fn entry(key: &[u8], value: &[&[u8]]) -> Vec<u8> {
    // Room for the punctuation and a few escapes, so that one allocation is enough as a rule.
    let mut text =
        Vec::with_capacity(key.len() + value.iter().map(|v| v.len()).sum::<usize>() + 32);
    text.push(b'{');
    json::write_string(&mut text, key);
    text.push(b':');
    json::write_string(&mut text, &value.concat());
    text.push(b'}');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both(path: &[u8]) -> [Vec<u8>; 2] {
        let location = Location::new("", path).unwrap();
        Context::ALL.map(|context| context.text(&location))
    }

    #[test]
    fn joined_is_cleaned_and_bare_is_not() {
        let [joined, bare] = both(b"config//iam/./format.json");
        assert_eq!(
            joined,
            br#"{".minio.sys":".minio.sys/config/iam/format.json"}"#
        );
        assert_eq!(bare, br#"{".minio.sys":"config//iam/./format.json"}"#);
    }

    #[test]
    fn text_is_escaped_as_minio_escapes_it() {
        let [_, bare] = both(b"a<b>&\"c\\d\x08\n\r\t\x7f\xe2\x80\xa8\xff\xc3");
        assert_eq!(
            bare,
            b"{\".minio.sys\":\"a\\u003cb\\u003e\\u0026\\\"c\\\\d\\u0008\\n\\r\\t\x7f\\u2028\\ufffd\\ufffd\"}"
        );
    }
}
