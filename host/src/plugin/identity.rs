//! Which component this is, and whether the bytes are a component at all.

use std::fmt;

use sha2::{Digest, Sha256};
use wasmparser::{Encoding, Parser, Payload};

use crate::describe::line;

/// The first four bytes of every WebAssembly binary.
const MAGIC: &[u8] = b"\0asm";
/// Magic, version and layer.
const HEADER_BYTES: usize = 8;
/// Enough for a version, a licence, an address or a commit; what is longer is none.
const STATED_CHARS: usize = 200;
/// Enough of a digest to tell components apart by eye.
const SHORT_DIGEST_CHARS: usize = 12;

/// Which component a plugin was made of. Displays as `name version (sha256 first 12 digits)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    name: String,
    stated: Stated,
    digest: String,
}

/// What a component states in its metadata. Nothing vouches for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Stated {
    version: Option<String>,
    licences: Option<String>,
    source: Option<String>,
    revision: Option<String>,
}

impl Identity {
    /// Reads the version from the component's metadata.
    ///
    /// # Errors
    /// A text that says what the bytes are, if they are not a whole component.
    pub(super) fn of(name: &str, bytes: &[u8]) -> Result<Self, String> {
        Ok(Self {
            name: line(name),
            stated: stated(bytes)?,
            digest: hex(&Sha256::digest(bytes)),
        })
    }

    /// Of native code, in which no metadata is.
    pub(super) fn of_code(name: &str, code: &[u8]) -> Self {
        Self {
            name: name.to_owned(),
            stated: Stated::default(),
            digest: hex(&Sha256::digest(code)),
        }
    }

    /// The file's name without its folder; `iamseal` if the bytes did not come from a file.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The version that the component states in its metadata. Nothing vouches for it.
    pub fn version(&self) -> Option<&str> {
        self.stated.version.as_deref()
    }

    /// The licences that it states, as an SPDX expression. Nothing vouches for them.
    pub fn licences(&self) -> Option<&str> {
        self.stated.licences.as_deref()
    }

    /// Where it states that its source is. Nothing vouches for it.
    pub fn source(&self) -> Option<&str> {
        self.stated.source.as_deref()
    }

    /// Which revision of the source it states that it was built of. Nothing vouches for it.
    pub fn revision(&self) -> Option<&str> {
        self.stated.revision.as_deref()
    }

    /// The SHA-256 of the component's bytes, 64 hexadecimal digits.
    pub fn digest(&self) -> &str {
        &self.digest
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.name)?;
        if let Some(version) = &self.stated.version {
            write!(f, " {version}")?;
        }
        let short = self.digest.get(..SHORT_DIGEST_CHARS).unwrap_or_default();
        write!(f, " (sha256 {short})")
    }
}

/// Walks through the whole file, so that one that is cut short is found here.
fn stated(bytes: &[u8]) -> Result<Stated, String> {
    header(bytes)?;
    let damaged = |error| format!("the component is damaged or cut short: {error}");
    let mut stated = Stated::default();
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.map_err(damaged)? {
            Payload::Version {
                encoding: Encoding::Module,
                ..
            } if depth == 0 => {
                return Err(
                    "it is a core WebAssembly module, not a component; build it for \
                     wasm32-wasip2, or make a component of it with `wasm-tools component new`"
                        .to_owned(),
                );
            }
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            // The sections that `wasm-tools metadata add` writes.
            Payload::CustomSection(section) if depth == 0 => {
                let place = match section.name() {
                    "version" => &mut stated.version,
                    "licenses" => &mut stated.licences,
                    "source" => &mut stated.source,
                    "revision" => &mut stated.revision,
                    _ => continue,
                };
                *place = word(section.data());
            }
            _ => {}
        }
    }
    Ok(stated)
}

/// Printable text that a terminal or a log can show as it is.
fn word(data: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(data).ok()?;
    let shown = |char: char| char.is_ascii_graphic() || char == ' ';
    (text.len() <= STATED_CHARS && text.chars().all(shown)).then(|| text.to_owned())
}

fn header(bytes: &[u8]) -> Result<(), String> {
    let what = if bytes.is_empty() {
        "the file is empty"
    } else if bytes.len() < HEADER_BYTES && (MAGIC.starts_with(bytes) || bytes.starts_with(MAGIC)) {
        "the component is damaged or cut short: it ends within its header"
    } else if bytes.starts_with(MAGIC) {
        return Ok(());
    } else if bytes.starts_with(b"\x7fELF") {
        "it is native or precompiled code; only components in WebAssembly's binary format are loaded"
    } else if is_text(bytes) {
        "it is text, not a component in WebAssembly's binary format"
    } else {
        "it is not WebAssembly"
    };
    Err(what.to_owned())
}

/// Looks at the beginning alone; a character may be cut at its end.
fn is_text(bytes: &[u8]) -> bool {
    let head = bytes.get(..1024).unwrap_or(bytes);
    match std::str::from_utf8(head) {
        Ok(text) => !text.contains('\0'),
        Err(error) => error.error_len().is_none() && !head.contains(&0),
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An empty component with two custom sections.
    fn component() -> Vec<u8> {
        let mut bytes = b"\0asm\x0d\0\x01\0".to_vec();
        bytes.extend(b"\x00\x0c\x07ignored1.2\n");
        bytes.extend(b"\x00\x0d\x07version1.2.3");
        bytes
    }

    #[test]
    fn the_version_comes_from_the_metadata() {
        let identity = Identity::of("a.wasm", &component()).unwrap();
        assert_eq!(identity.version(), Some("1.2.3"));
        assert_eq!(identity.digest().len(), 64);
        let shown = identity.to_string();
        let short = &identity.digest()[..12];
        assert_eq!(shown, format!("a.wasm 1.2.3 (sha256 {short})"));
    }

    #[test]
    fn a_version_that_is_no_version_is_left_out() {
        let mut bytes = b"\0asm\x0d\0\x01\0".to_vec();
        bytes.extend(b"\x00\x0d\x07version1\x1b[2J");
        let identity = Identity::of("a", &bytes).unwrap();
        assert_eq!(identity.version(), None);
    }

    #[test]
    fn what_is_not_a_component_is_named() {
        let says = |bytes: &[u8]| Identity::of("a", bytes).unwrap_err();
        assert!(says(b"").contains("empty"));
        assert!(says(b"\0as").contains("cut short"));
        assert!(says(b"\0asm\x0d\0\x01").contains("cut short"));
        assert!(says(b"\0asm\x01\0\0\0").contains("core WebAssembly module"));
        assert!(says(b"(component)").contains("text"));
        assert!(says("é".repeat(1000).as_bytes()).contains("text"));
        assert!(says(b"\x7fELF\x02\x01").contains("precompiled"));
        assert!(says(b"\x89PNG\r\n\x1a\n\0").contains("not WebAssembly"));
    }

    #[test]
    fn a_component_that_is_cut_short_is_found() {
        let whole = component();
        let sections = [8, 22, whole.len()]; // where it could end and be whole
        for end in (0..whole.len()).filter(|end| !sections.contains(end)) {
            assert!(Identity::of("a", &whole[..end]).is_err(), "cut at {end}");
        }
    }
}
