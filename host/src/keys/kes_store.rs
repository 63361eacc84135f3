//! The keys in KES' own store in a folder (its `keystore: fs:`), read without KES (docs/formats/minio.md section 15).

use std::fs::{File, OpenOptions, read_dir};
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use iamseal_data_key::base64::decode;
use iamseal_data_key::json::read_strings;
use iamseal_data_key::{KEY, KeyCipher};
use rustix::fs::OFlags;
use thiserror::Error;
use zeroize::Zeroizing;

use super::error::KeysError;
use super::kes::is_key_name;
use super::protobuf::{Field, fields};
use super::{Key, files};

/// The longest file of a key. KES writes some 210 bytes.
const FILE_BYTES: u64 = 16 * 1024;
/// How many names a folder may have: more than any KES was seen with, and as much as is read in a second.
const NAMES: usize = 10_000;

/// The algorithms by the names that KES gave them, the present one first. Without a name it is the first.
const AES: [&[u8]; 3] = [b"AES256", b"AES256-GCM_SHA256", b""];
const CHACHA: [&[u8]; 2] = [b"ChaCha20", b"XCHACHA20-POLY1305"];

/// The keys of such a store.
pub struct KesStore {
    folder: PathBuf,
    keys: Vec<(String, Key)>,
    passed_over: Vec<(PathBuf, KesFileError)>,
    open_to_others: Vec<PathBuf>,
}

/// Why no key was read from a file. No case holds anything of its content.
#[derive(Debug, Error)]
pub enum KesFileError {
    /// It cannot be read.
    #[error("it cannot be read: {0}")]
    Unreadable(io::Error),
    /// It is a folder, a pipe or a device.
    #[error("it is no plain file")]
    NoFile,
    /// It is far longer than any key.
    #[error("it is larger than {} KiB", FILE_BYTES / 1024)]
    TooLarge,
    /// It is not written as KES writes a key.
    #[error("it is neither JSON nor base64 of a key as KES writes them")]
    NoKey,
    /// Its key is for another algorithm than KES had.
    #[error("its key is of an algorithm that is not known")]
    Algorithm,
}

impl KesStore {
    /// Reads the keys of a folder: the files whose names KES takes for keys. What is none is passed over and named.
    ///
    /// # Errors
    /// [`KeysError::Unreadable`] if the folder cannot be listed, [`KeysError::KesStoreTooLarge`] if it has more than
    /// 10,000 names, [`KeysError::NoKesKey`] if it has no key.
    pub fn read(folder: &Path) -> Result<Self, KeysError> {
        let unreadable = |cause| KeysError::Unreadable {
            path: folder.into(),
            cause,
        };
        let mut names = Vec::new();
        for (count, entry) in read_dir(folder).map_err(unreadable)?.enumerate() {
            if count == NAMES {
                return Err(KeysError::KesStoreTooLarge {
                    path: folder.into(),
                });
            }
            let name = entry.map_err(unreadable)?.file_name();
            names.extend(name.into_string().ok().filter(|name| is_key_name(name)));
        }
        // The same order on every file system.
        names.sort_unstable();
        let mut store = Self {
            folder: folder.into(),
            keys: Vec::new(),
            passed_over: Vec::new(),
            open_to_others: Vec::new(),
        };
        for name in names {
            let file = folder.join(&name);
            match key(&file) {
                Ok(key) => {
                    if files::is_open_to_others(&file) {
                        store.open_to_others.push(file);
                    }
                    store.keys.push((name, key));
                }
                Err(error) => store.passed_over.push((file, error)),
            }
        }
        match store.keys.is_empty() {
            false => Ok(store),
            true => Err(KeysError::NoKesKey {
                path: folder.into(),
            }),
        }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The files that no key was read from, and why.
    pub fn passed_over(&self) -> &[(PathBuf, KesFileError)] {
        &self.passed_over
    }

    /// Whether others than its owner can put keys in the folder.
    #[must_use]
    pub fn is_writable_by_others(&self) -> bool {
        files::is_writable_by_others(&self.folder)
    }

    /// The files of keys that others than their owners can read or write.
    pub fn open_to_others(&self) -> &[PathBuf] {
        &self.open_to_others
    }

    /// The keys with their names, in the order of these.
    pub(super) fn keys(&self) -> impl Iterator<Item = (&str, &Key)> {
        self.keys.iter().map(|(name, key)| (name.as_str(), key))
    }
}

/// The key in a file.
fn key(file: &Path) -> Result<Key, KesFileError> {
    let (secret, cipher) = parse(&content(file)?)?;
    Ok(match cipher {
        KeyCipher::Aes => Key::local(secret),
        KeyCipher::ChaCha => Key::chacha(secret),
    })
}

fn content(file: &Path) -> Result<Zeroizing<Vec<u8>>, KesFileError> {
    // To open a pipe would wait for somebody to write to it.
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    let opened = OpenOptions::new().read(true).custom_flags(flags).open(file);
    let opened: File = opened.map_err(KesFileError::Unreadable)?;
    let about = opened.metadata().map_err(KesFileError::Unreadable)?;
    if !about.is_file() {
        return Err(KesFileError::NoFile);
    }
    // A buffer that grew would leave copies of the secret behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(FILE_BYTES as usize + 1));
    opened
        .take(FILE_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(KesFileError::Unreadable)?;
    match bytes.len() as u64 > FILE_BYTES {
        true => Err(KesFileError::TooLarge),
        false => Ok(bytes),
    }
}

type Parsed = (Zeroizing<[u8; KEY]>, KeyCipher);

/// Takes a file's content apart: JSON until 2024-02, base64 of a protobuf message since.
fn parse(content: &[u8]) -> Result<Parsed, KesFileError> {
    match content.trim_ascii() {
        [b'{', ..] => parse_json(content),
        text => {
            let message = decode(text).map(Zeroizing::new);
            parse_protobuf(&message.ok_or(KesFileError::NoKey)?)
        }
    }
}

/// `{"bytes": base64, "algorithm": name}`, and when and by whom it was made.
fn parse_json(text: &[u8]) -> Result<Parsed, KesFileError> {
    let [bytes, algorithm] =
        read_strings(text, ["bytes", "algorithm"]).map_err(|_| KesFileError::NoKey)?;
    let cipher = match &*algorithm {
        name if AES.contains(&name) => KeyCipher::Aes,
        name if CHACHA.contains(&name) => KeyCipher::ChaCha,
        _ => return Err(KesFileError::Algorithm),
    };
    let secret = decode(&bytes).map(Zeroizing::new);
    secret_key(&secret.ok_or(KesFileError::NoKey)?, cipher)
}

/// A message whose field 1 is a message of key (1) and algorithm (2).
fn parse_protobuf(message: &[u8]) -> Result<Parsed, KesFileError> {
    let (mut secret, mut algorithm) = (None, 0);
    for field in fields(message) {
        let Field::Bytes(1, inner) = field.ok_or(KesFileError::NoKey)? else {
            continue;
        };
        for field in fields(inner) {
            match field.ok_or(KesFileError::NoKey)? {
                Field::Bytes(1, bytes) => secret = Some(bytes),
                Field::Number(2, number) => algorithm = number,
                _ => {}
            }
        }
    }
    let secret = secret.ok_or(KesFileError::NoKey)?;
    match algorithm {
        1 => secret_key(secret, KeyCipher::Aes),
        2 => secret_key(secret, KeyCipher::ChaCha),
        _ => Err(KesFileError::Algorithm),
    }
}

fn secret_key(bytes: &[u8], cipher: KeyCipher) -> Result<Parsed, KesFileError> {
    let secret = bytes.try_into().map(Zeroizing::new);
    secret
        .map(|secret| (secret, cipher))
        .map_err(|_| KesFileError::NoKey)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use tempfile::TempDir;

    use super::*;

    const SECRET: [u8; KEY] = [7; KEY];

    /// What a KES, v0.24.0, wrote for a key of the bytes 0 to 31.
    const WRITTEN: &str = "CiQKIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4fEAISJAogfylj5q9OBR/LjyKLxbHy6OnKdIV7tinO6Wkycq5n\
        DcEQARoMCJzLstgGEIboiN8CIkA3NThhNDVlMzZjYmZkZDJjOTdlOGNmZTM2NjY2ZmY4ZTIxOGQzMzRkNWRkMjI2MGY3Y2I2M2IzZTk2YjlkZDZj";

    fn parsed(content: impl AsRef<[u8]>) -> Result<([u8; KEY], KeyCipher), KesFileError> {
        parse(content.as_ref()).map(|(secret, cipher)| (*secret, cipher))
    }

    fn json(algorithm: &str) -> String {
        format!(r#"{{"bytes":"{}"{algorithm}}}"#, STANDARD.encode(SECRET))
    }

    /// A message of a key of these bytes and this algorithm.
    fn message(secret: &[u8], algorithm: u8) -> Vec<u8> {
        let inner = [&[0x0a, secret.len() as u8], secret, &[0x10, algorithm]].concat();
        [&[0x0a, inner.len() as u8], &*inner].concat()
    }

    #[test]
    fn every_way_in_which_kes_wrote_a_key_is_read() {
        let bytes: [u8; KEY] = std::array::from_fn(|at| at as u8);
        assert_eq!(parsed(WRITTEN).unwrap(), (bytes, KeyCipher::ChaCha));
        for (algorithm, cipher) in [
            ("", KeyCipher::Aes),
            (r#","algorithm":"""#, KeyCipher::Aes),
            (r#","algorithm":"AES256-GCM_SHA256""#, KeyCipher::Aes),
            (r#","algorithm":"AES256","created_by":"x""#, KeyCipher::Aes),
            (r#","algorithm":"XCHACHA20-POLY1305""#, KeyCipher::ChaCha),
            (r#","algorithm":"ChaCha20""#, KeyCipher::ChaCha),
        ] {
            let text = json(algorithm);
            assert_eq!(parsed(&text).unwrap(), (SECRET, cipher), "{text}");
            assert!(parsed(format!(" {text}\n")).is_ok());
        }
        for (algorithm, cipher) in [(1, KeyCipher::Aes), (2, KeyCipher::ChaCha)] {
            let text = STANDARD.encode(message(&SECRET, algorithm));
            assert_eq!(parsed(&text).unwrap(), (SECRET, cipher));
            assert!(parsed(text + "\n").is_ok());
        }
    }

    #[test]
    fn what_is_no_key_is_none_and_nothing_of_it_is_told() {
        let long = STANDARD.encode(message(&[7; 33], 1));
        let short = STANDARD.encode(message(&[7; 31], 1));
        let empty = STANDARD.encode([0x0a, 0]);
        let beside = STANDARD.encode(SECRET);
        let no_message = json("").replace(&beside, "!");
        let others = [
            "",
            " ",
            "garbage",
            "{",
            "[1]",
            "{}",
            "my-key:AQEB",
            r#"{"bytes":1}"#,
        ];
        let texts = [&long, &short, &empty, &beside, &no_message];
        for text in others.into_iter().chain(texts.map(String::as_str)) {
            let error = parsed(text).unwrap_err();
            assert!(matches!(error, KesFileError::NoKey), "{text}: {error}");
        }
        for text in [
            json(r#","algorithm":"AES128""#),
            STANDARD.encode(message(&SECRET, 0)),
            STANDARD.encode(message(&SECRET, 3)),
        ] {
            let error = parsed(&text).unwrap_err();
            assert!(matches!(error, KesFileError::Algorithm), "{text}: {error}");
        }
    }

    #[test]
    fn no_cut_and_no_flipped_byte_of_a_message_panics() {
        let message = message(&SECRET, 1);
        for at in 0..message.len() {
            assert!(parse_protobuf(&message[..at]).is_err());
            for bit in 0..8 {
                let mut flipped = message.clone();
                flipped[at] ^= 1 << bit;
                let _ = parse_protobuf(&flipped);
            }
        }
    }

    fn folder() -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [("b", json("")), ("a", WRITTEN.to_owned())] {
            let file = folder.path().join(name);
            std::fs::write(&file, text).unwrap();
            let mode = std::fs::Permissions::from_mode(0o600);
            std::fs::set_permissions(file, mode).unwrap();
        }
        folder
    }

    #[test]
    fn a_folder_is_read_whatever_else_is_in_it() {
        let folder = folder();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("notes.txt"), "no name of a key").unwrap();
        std::fs::write(at("damaged"), "x").unwrap();
        std::fs::write(at("large"), vec![b'A'; FILE_BYTES as usize + 1]).unwrap();
        std::fs::create_dir(at("folder")).unwrap();
        symlink("nowhere", at("dangling")).unwrap();
        symlink("/dev/zero", at("endless")).unwrap();
        rustix::fs::mknodat(
            rustix::fs::CWD,
            at("pipe"),
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR,
            0,
        )
        .unwrap();
        symlink("b", at("linked")).unwrap();
        let store = KesStore::read(folder.path()).unwrap();
        let names: Vec<_> = store.keys().map(|(name, _)| name).collect();
        assert_eq!(names, ["a", "b", "linked"]);
        let passed: Vec<_> = store.passed_over().iter().map(|(file, _)| file).collect();
        let expected = ["damaged", "dangling", "endless", "folder", "large", "pipe"];
        assert_eq!(passed, expected.map(at).iter().collect::<Vec<_>>());
        assert!(store.open_to_others().is_empty());
    }

    #[test]
    fn files_that_others_can_read_are_known() {
        let folder = folder();
        let file = folder.path().join("a");
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
        let store = KesStore::read(folder.path()).unwrap();
        assert_eq!(store.open_to_others(), [file]);
    }

    #[test]
    fn a_folder_without_a_key_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let error = |folder: &Path| KesStore::read(folder).err().unwrap();
        assert!(matches!(error(folder.path()), KeysError::NoKesKey { .. }));
        let missing = folder.path().join("missing");
        assert!(matches!(error(&missing), KeysError::Unreadable { .. }));
        for number in 0..=NAMES {
            std::fs::write(folder.path().join(format!("k{number}")), "").unwrap();
        }
        let too_large = error(folder.path());
        assert!(matches!(too_large, KeysError::KesStoreTooLarge { .. }));
    }
}
