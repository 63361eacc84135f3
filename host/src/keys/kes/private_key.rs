//! Private keys in PEM files, encrypted ones too.

use std::path::Path;

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

/// The first private key of a file. `password` opens it if it is encrypted by PKCS #8 (PBES2). What was
/// encrypted as OpenSSL did before, with a `DEK-Info` in its head, is refused: its key is one round of MD5.
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
    if key.headers().get("DEK-Info").is_some() {
        return Err(Refusal::NotKnown(
            "the private key is encrypted as OpenSSL did before PKCS #8",
        ));
    }
    let contents = Zeroizing::new(key.into_contents());
    match is_pkcs8 {
        true => open_pkcs8(&contents, password.ok_or(Refusal::NoPassword)?),
        false => Ok(contents),
    }
}

fn open_pkcs8(sealed: &[u8], password: &str) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    let info = EncryptedPrivateKeyInfoOwned::from_der(sealed).map_err(|_| {
        Refusal::NotKnown("the private key is damaged, or encrypted in a way that is not known")
    })?;
    let opened = info.decrypt(password).map_err(|_| Refusal::OtherPassword)?;
    Ok(opened.to_bytes())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::process::Command;

    use super::*;

    /// One private key, as openssl writes it.
    const PLAIN: [&str; 2] = [
        include_str!("testing/sec1.pem"),
        include_str!("testing/pkcs8.pem"),
    ];
    /// The same, encrypted with [`PASSWORD`].
    const ENCRYPTED: [&str; 2] = [
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
    fn what_is_not_taken_is_told_apart() {
        let old = include_str!("testing/legacy-aes256.pem");
        for (text, says) in [
            ("nothing", "there is no private key in PEM in it"),
            (old, "encrypted as OpenSSL did before PKCS #8"),
        ] {
            for password in [None, Some(PASSWORD)] {
                let error = open(text, password).err().unwrap();
                assert!(error.to_string().contains(says), "{error}");
            }
        }
    }

    #[test]
    fn what_is_not_taken_is_taken_once_the_cure_is_typed() {
        let old = include_str!("testing/legacy-aes256.pem");
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("OLD"), old).unwrap();
        let refused = of_file(&dir.path().join("OLD"), Some(PASSWORD));
        let cure = refused.err().unwrap().cure();
        let typed = cure.strip_prefix("convert it with: ").unwrap();
        // What the command asks for at a terminal.
        let typed = format!("{typed} -passin pass:{PASSWORD} -passout pass:{PASSWORD}");
        let mut shell = Command::new("sh");
        let ran = shell.args(["-c", &typed]).current_dir(&dir).output();
        assert!(ran.unwrap().status.success());
        let [plain, ..] = PLAIN;
        let new = fs::read_to_string(dir.path().join("NEW")).unwrap();
        assert_eq!(public(&new, Some(PASSWORD)), public(plain, None));
    }
}
