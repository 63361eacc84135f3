//! Private keys in PEM files, encrypted ones too.

use std::path::Path;

use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{BlockModeDecrypt, KeyIvInit};
use md5::{Digest as _, Md5};
use pem::Pem;
use pkcs8::EncryptedPrivateKeyInfoOwned;
use pkcs8::der::Decode as _;
use rustls::pki_types::PrivateKeyDer;
use zeroize::Zeroizing;

use super::{KesError, read};

/// Why a key in PEM cannot be taken.
enum Refusal {
    NoPassword,
    OtherPassword,
    NotKnown(&'static str),
}

/// The first private key of a file. `password` opens it if it is encrypted, by PKCS #8 (PBES2) or as
/// OpenSSL did before, with `Proc-Type: 4,ENCRYPTED` in its head.
///
/// # Errors
/// [`KesError::Unreadable`], [`KesError::FileTooLarge`], [`KesError::Nothing`], [`KesError::Encrypted`],
/// [`KesError::Password`], [`KesError::PrivateKey`].
pub fn of_file(path: &Path, password: Option<&str>) -> Result<PrivateKeyDer<'static>, KesError> {
    let text = read::file(path)?;
    let not_known = |cause: &str| KesError::PrivateKey {
        path: path.into(),
        cause: cause.into(),
    };
    let all = pem::parse_many(&*text).map_err(|_| not_known("it is damaged PEM"))?;
    let key = all
        .into_iter()
        .find(|pem| pem.tag().ends_with("PRIVATE KEY"));
    let key = key.ok_or_else(|| KesError::Nothing {
        path: path.into(),
        what: "private key",
    })?;
    let der = opened(key, password).map_err(|refusal| match refusal {
        Refusal::NoPassword => KesError::Encrypted { path: path.into() },
        Refusal::OtherPassword => KesError::Password { path: path.into() },
        Refusal::NotKnown(cause) => not_known(cause),
    })?;
    // The kind of key is told by its bytes: a wrong password that happens to leave good padding ends here.
    match PrivateKeyDer::try_from(der.as_slice()) {
        Ok(key) => Ok(key.clone_key()),
        Err(_) => Err(KesError::Password { path: path.into() }),
    }
}

/// The key's bytes in DER.
fn opened(key: Pem, password: Option<&str>) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    let is_pkcs8 = key.tag() == "ENCRYPTED PRIVATE KEY";
    let legacy = key.headers().get("DEK-Info").map(str::to_owned);
    let contents = Zeroizing::new(key.into_contents());
    if !is_pkcs8 && legacy.is_none() {
        return Ok(contents);
    }
    let password = password.ok_or(Refusal::NoPassword)?;
    match legacy {
        Some(info) => open_legacy(&info, &contents, password.as_bytes()),
        None => open_pkcs8(&contents, password),
    }
}

fn open_pkcs8(sealed: &[u8], password: &str) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    let info = EncryptedPrivateKeyInfoOwned::from_der(sealed).map_err(|_| {
        Refusal::NotKnown("the private key is damaged, or encrypted in a way that is not known")
    })?;
    let opened = info.decrypt(password).map_err(|_| Refusal::OtherPassword)?;
    Ok(opened.to_bytes())
}

/// Opens what OpenSSL encrypted before PKCS #8: `info` is `CIPHER,IV` with the IV in hexadecimal digits.
fn open_legacy(info: &str, sealed: &[u8], password: &[u8]) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    let damaged = Refusal::NotKnown("the DEK-Info of the private key is damaged");
    let Some((cipher, iv)) = info.split_once(',') else {
        return Err(damaged);
    };
    let Some(iv) = digits(iv.trim()) else {
        return Err(damaged);
    };
    let open = match cipher.trim() {
        "AES-128-CBC" => open_cbc::<cbc::Decryptor<aes::Aes128>>,
        "AES-192-CBC" => open_cbc::<cbc::Decryptor<aes::Aes192>>,
        "AES-256-CBC" => open_cbc::<cbc::Decryptor<aes::Aes256>>,
        "DES-EDE3-CBC" => open_cbc::<cbc::Decryptor<des::TdesEde3>>,
        "DES-CBC" => open_cbc::<cbc::Decryptor<des::Des>>,
        _ => {
            return Err(Refusal::NotKnown(
                "the private key is encrypted with another cipher",
            ));
        }
    };
    open(&iv, sealed, password)
}

fn open_cbc<D: KeyIvInit + BlockModeDecrypt>(
    iv: &[u8],
    sealed: &[u8],
    password: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    let key = derive(password, iv, D::key_size())?;
    let decryptor = D::new_from_slices(&key, iv)
        .map_err(|_| Refusal::NotKnown("the IV of the private key has another length"))?;
    let opened = decryptor.decrypt_padded_vec::<Pkcs7>(sealed);
    opened
        .map(Zeroizing::new)
        .map_err(|_| Refusal::OtherPassword)
}

/// OpenSSL's `EVP_BytesToKey` with MD5, one round and the first eight bytes of the IV for salt.
fn derive(password: &[u8], iv: &[u8], size: usize) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    let short = Refusal::NotKnown("the IV of the private key is too short");
    let salt = iv.get(..8).ok_or(short)?;
    // Two digests are enough for the longest key, of 32 bytes.
    let mut key = Zeroizing::new(Vec::with_capacity(size.next_multiple_of(16)));
    let mut last = Zeroizing::new([0; 16]);
    while key.len() < size {
        let mut digest = Md5::new();
        if !key.is_empty() {
            digest.update(*last);
        }
        *last = digest
            .chain_update(password)
            .chain_update(salt)
            .finalize()
            .into();
        key.extend_from_slice(&*last);
    }
    key.truncate(size);
    Ok(key)
}

fn digits(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// One private key, as openssl writes it.
    const PLAIN: [&str; 2] = [
        include_str!("testing/sec1.pem"),
        include_str!("testing/pkcs8.pem"),
    ];
    /// The same, encrypted with [`PASSWORD`].
    const ENCRYPTED: [&str; 7] = [
        include_str!("testing/legacy-aes128.pem"),
        include_str!("testing/legacy-aes192.pem"),
        include_str!("testing/legacy-aes256.pem"),
        include_str!("testing/legacy-des3.pem"),
        include_str!("testing/legacy-des.pem"),
        include_str!("testing/pbes2.pem"),
        include_str!("testing/scrypt.pem"),
    ];
    const PASSWORD: &str = "open-sesame";

    fn open(text: &str, password: Option<&str>) -> Result<PrivateKeyDer<'static>, KesError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        fs::write(&path, text).unwrap();
        of_file(&path, password)
    }

    /// The public key of a private key.
    fn public(text: &str, password: Option<&str>) -> Vec<u8> {
        let key = open(text, password).ok().unwrap();
        let key = rustls::crypto::ring::sign::any_supported_type(&key).unwrap();
        key.public_key().unwrap().to_vec()
    }

    #[test]
    fn a_key_is_the_same_however_it_is_encrypted() {
        let [first, ..] = PLAIN;
        let expected = public(first, None);
        for text in PLAIN {
            assert_eq!(public(text, None), expected);
            assert_eq!(public(text, Some("not needed")), expected);
        }
        for text in ENCRYPTED {
            assert_eq!(public(text, Some(PASSWORD)), expected, "{text}");
        }
    }

    #[test]
    fn the_password_must_be_there_and_right() {
        for text in ENCRYPTED {
            let error = open(text, None).err().unwrap();
            assert!(matches!(error, KesError::Encrypted { .. }), "{error}");
            for other in ["", "open-sesam"] {
                let error = open(text, Some(other)).err().unwrap();
                assert!(matches!(error, KesError::Password { .. }), "{error}");
                assert!(other.is_empty() || !format!("{error:?}").contains(other));
            }
        }
    }

    #[test]
    fn what_is_no_key_is_told_apart() {
        let [_, _, aes, ..] = ENCRYPTED;
        for (text, says) in [
            ("nothing".to_owned(), "there is no private key in PEM in it"),
            (
                aes.replace("AES-256-CBC", "CAMELLIA-256-CBC"),
                "another cipher",
            ),
            (
                aes.replace("AES-256-CBC,", "AES-256-CBC,00"),
                "another length",
            ),
            (aes.replace("AES-256-CBC,", "AES-256-CBC,x"), "is damaged"),
            (aes.replace("AES-256-CBC,", "AES-256-CBC"), "is damaged"),
        ] {
            let error = open(&text, Some(PASSWORD)).err().unwrap().to_string();
            assert!(error.contains(says), "{error}");
        }
    }
}
