//! The fuzzer's bytes as choices: objects, places, and a script for the host.
//!
//! Every byte string means something, and where bytes are missing they are zero, the simplest choice.
//! So the fuzzer may cut and join inputs as it likes, and inputs to begin with are easily written.

use arbitrary::Unstructured;

use crate::contract::exports::iamseal::plugin::sealing::{
    MinioOptions, SealOptions, SealedForm, WrittenCipher,
};
use crate::contract::iamseal::plugin::types::WrittenEncoding;
use crate::edit::{PARTS, edit};
use crate::samples::{self, Sample};

/// The most edits of one object.
const EDITS: usize = 8;

/// Objects of a store: path and bytes.
pub type Objects = Vec<(Vec<u8>, Vec<u8>)>;

/// What is left of the fuzzer's bytes.
pub struct Input<'a>(Unstructured<'a>);

/// An object to give to a target.
pub struct Object {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// What it was made of; none if the fuzzer wrote it.
    pub sample: Option<&'static Sample>,
}

impl<'a> Input<'a> {
    /// All of the fuzzer's bytes.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(Unstructured::new(bytes))
    }

    /// The next byte.
    pub fn byte(&mut self) -> u8 {
        self.0.arbitrary().unwrap_or_default()
    }

    /// A number below `count`, which is at least 1.
    pub fn below(&mut self, count: usize) -> usize {
        usize::from(self.byte()) % count
    }

    /// One of these.
    pub fn one_of<'b, T>(&mut self, all: &'b [T]) -> &'b T {
        &all[self.below(all.len())]
    }

    /// A number that can point anywhere in an object.
    pub fn place(&mut self) -> usize {
        usize::from(u16::from_le_bytes([self.byte(), self.byte()]))
    }

    /// Up to 255 bytes.
    pub fn short(&mut self) -> &'a [u8] {
        let size = usize::from(self.byte());
        self.take(size)
    }

    /// Up to 65,535 bytes.
    pub fn long(&mut self) -> &'a [u8] {
        let size = self.place();
        self.take(size)
    }

    /// All that is left.
    pub fn rest(self) -> &'a [u8] {
        self.0.take_rest()
    }

    /// An object: 0 and its bytes, or a sample's number and edits of it up to a zero.
    pub fn object(&mut self) -> Object {
        let number = usize::from(self.byte());
        let Some(number) = number.checked_sub(1) else {
            let bytes = self.long().to_vec();
            return Object {
                bytes,
                sample: None,
            };
        };
        let all = samples::all();
        let sample = &all[number % all.len()];
        let mut bytes = sample.stored.clone();
        for _ in 0..EDITS {
            // Ended by a zero and not counted: so the fuzzer can copy an edit from one input into
            // another.
            let Some(part) = self.below(PARTS + 1).checked_sub(1) else {
                break;
            };
            bytes = edit(self, part, bytes);
        }
        Object {
            bytes,
            sample: Some(sample),
        }
    }

    /// A path for an object: 0 for its own, or another.
    pub fn path(&mut self, object: &Object) -> Vec<u8> {
        let own = object
            .sample
            .map_or(&b"config/a.json"[..], |sample| &sample.path);
        match self.below(8) {
            0..=2 => own.to_vec(),
            3 => self.short().to_vec(),
            // The same once it is cleaned.
            4 => [b"/./x/..//", own].concat(),
            5 => [own, &b"/../z"[..]].concat(),
            6 => b"config/tier-config.bin".to_vec(),
            _ => [own, self.short()].concat(),
        }
    }

    /// A store's name for an object: 0 for its own, or another.
    pub fn store(&mut self, object: &Object) -> String {
        let own = object.sample.map_or("", |sample| &sample.store);
        match self.below(4) {
            0 | 1 => own.to_string(),
            2 => format!("{own}x"),
            _ => String::from_utf8_lossy(self.short()).into_owned(),
        }
    }

    /// Up to four objects by their paths, and the name of the store they are in.
    pub fn objects(&mut self) -> (Objects, String) {
        let mut objects = Vec::new();
        let mut store = String::new();
        for number in 0..1 + self.below(4) {
            let object = self.object();
            if number == 0 {
                store = self.store(&object);
            }
            objects.push((self.path(&object), object.bytes));
        }
        (objects, store)
    }

    /// What an audit or a migration is limited to.
    pub fn prefix(&mut self) -> Vec<u8> {
        match self.below(5) {
            0 | 1 => Vec::new(),
            2 => b"config/".to_vec(),
            3 => b"config/iam/".to_vec(),
            _ => self.short().to_vec(),
        }
    }

    /// Where an audit or a migration goes on.
    pub fn start_after(&mut self) -> Option<Vec<u8>> {
        match self.below(4) {
            0 | 1 => None,
            2 => Some(b"config/iam/".to_vec()),
            _ => Some(self.short().to_vec()),
        }
    }

    /// How to seal.
    pub fn seal_options(&mut self) -> SealOptions {
        let names = ["my-minio-key", samples::REMOTE, "a-key", "no-such-key", ""];
        SealOptions {
            form: match self.below(3) {
                0 => SealedForm::Minio(MinioOptions {
                    cipher: *self.one_of(&[
                        None,
                        Some(WrittenCipher::Aes256Gcm),
                        Some(WrittenCipher::Chacha20Poly1305),
                    ]),
                    data_key_encoding: *self.one_of(&[
                        None,
                        Some(WrittenEncoding::Binary),
                        Some(WrittenEncoding::Json),
                    ]),
                }),
                1 => SealedForm::Compact,
                _ => SealedForm::Rustfs,
            },
            key: match self.below(6) {
                0 => None,
                name => Some(names[name - 1].to_string()),
            },
        }
    }

    fn take(&mut self, size: usize) -> &'a [u8] {
        let size = size.min(self.0.len());
        self.0.bytes(size).unwrap_or_default()
    }
}
