//! Who asks KES: a private key and a certificate of it.

use std::path::Path;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, PKCS_ED25519, SerialNumber,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::{KesError, private_key, read};

/// How long a certificate holds that is made of an API key, as with KES' own clients. KES looks at its
/// key alone, whatever the date.
const VALIDITY: Duration = Duration::from_hours(90 * 24);

/// Ed25519, the one kind of API key.
const ED25519: u8 = 0;
const SEED_BYTES: usize = 32;
/// What a seed has before it as PKCS #8 (RFC 8410).
const PKCS8_PREFIX: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

/// Who asks: a certificate, with others of its chain, and its private key.
pub struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    name: String,
}

impl Identity {
    /// The identity of an API key, `kes:v1:BASE64`, with a fresh certificate.
    ///
    /// # Errors
    /// [`KesError::ApiKey`], [`KesError::Start`].
    pub fn of_api_key(text: &str) -> Result<Self, KesError> {
        let seed = seed(text).ok_or(KesError::ApiKey)?;
        let mut pkcs8 = Zeroizing::new([0; PKCS8_PREFIX.len() + SEED_BYTES]);
        let (prefix, rest) = pkcs8.split_at_mut(PKCS8_PREFIX.len());
        prefix.copy_from_slice(&PKCS8_PREFIX);
        rest.copy_from_slice(&*seed);
        let key = PrivatePkcs8KeyDer::from(pkcs8.to_vec());
        let start = |error: rcgen::Error| KesError::Start(error.to_string());
        let pair = KeyPair::from_pkcs8_der_and_sign_algo(&key, &PKCS_ED25519).map_err(start)?;
        let key = PrivateKeyDer::Pkcs8(key);
        let name = name(&key)?;
        let certificate = certificate(&name)?.self_signed(&pair).map_err(start)?;
        Ok(Self {
            chain: vec![certificate.der().clone()],
            key,
            name,
        })
    }

    /// The identity of a certificate and its private key, both files in PEM. `password` opens the
    /// private key if it is encrypted.
    ///
    /// # Errors
    /// [`KesError::Unreadable`], [`KesError::FileTooLarge`], [`KesError::Nothing`],
    /// [`KesError::Encrypted`], [`KesError::Password`], [`KesError::PrivateKey`], [`KesError::Pair`].
    pub fn of_files(
        certificate: &Path,
        key: &Path,
        password: Option<&str>,
    ) -> Result<Self, KesError> {
        let text = read::file(certificate)?;
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
        let chain = chain.map_err(|error| KesError::Pair {
            cause: error.to_string(),
        })?;
        if chain.is_empty() {
            return Err(KesError::Nothing {
                path: certificate.into(),
                what: "certificate",
            });
        }
        let key = private_key::of_file(key, password)?;
        let name = name(&key)?;
        Ok(Self { chain, key, name })
    }

    /// What KES calls it: the SHA-256 of its public key, in hexadecimal digits. Not a secret.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Both, for TLS.
    pub(super) fn into_pair(self) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
        (self.chain, self.key)
    }
}

fn seed(text: &str) -> Option<Zeroizing<[u8; SEED_BYTES]>> {
    let encoded = text.strip_prefix("kes:v1:").unwrap_or(text);
    let decoded = Zeroizing::new(STANDARD.decode(encoded).ok()?);
    let (kind, seed) = decoded.split_first()?;
    let is_known = *kind == ED25519 && seed.len() == SEED_BYTES;
    is_known.then(|| {
        let mut bytes = Zeroizing::new([0; SEED_BYTES]);
        bytes.copy_from_slice(seed);
        bytes
    })
}

/// A certificate as KES' own clients make it.
fn certificate(name: &str) -> Result<CertificateParams, KesError> {
    let mut serial = [0; 16];
    getrandom::fill(&mut serial).map_err(|error| KesError::Start(error.to_string()))?;
    let mut params = CertificateParams::default();
    let now = SystemTime::now();
    params.not_before = now.into();
    params.not_after = (now + VALIDITY).into();
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    Ok(params)
}

fn name(key: &PrivateKeyDer<'_>) -> Result<String, KesError> {
    let pair = |cause: String| KesError::Pair { cause };
    let key = rustls::crypto::ring::sign::any_supported_type(key)
        .map_err(|error| pair(error.to_string()))?;
    let public = key
        .public_key()
        .ok_or_else(|| pair("the private key does not give its public key".into()))?;
    let digest = Sha256::digest(&public);
    Ok(digest.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `kes identity new` printed.
    const API_KEY: &str = "kes:v1:AL31+gpwOtwm4QY+3D2vPPSnwS1I8XEA5ztXU7Eq1H/7";
    const NAME: &str = "87d38b8805b9806706f17bac2a76fa07ecc6b3cd8aa51cdb5e5a957b43c7a9e8";

    #[test]
    fn an_api_key_has_the_name_that_kes_gives_it() {
        let bare = API_KEY.strip_prefix("kes:v1:").unwrap();
        for text in [API_KEY, bare] {
            assert_eq!(Identity::of_api_key(text).ok().unwrap().name(), NAME);
        }
    }

    #[test]
    fn what_is_no_api_key_is_refused_and_not_shown() {
        let short = &STANDARD.encode([0; 32]);
        let of_another_kind = &STANDARD.encode([1; 33]);
        let unpadded = &STANDARD.encode([0; 34]).replace('=', "");
        for text in [
            "",
            "hunter2",
            "kes:v2:AAAA",
            short,
            of_another_kind,
            unpadded,
        ] {
            let error = Identity::of_api_key(text).err().unwrap();
            assert_eq!(error.to_string(), "it is no API key of KES");
            assert!(text.is_empty() || !format!("{error:?}").contains(text));
        }
    }

    #[test]
    fn a_certificate_and_its_key_have_a_name() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/keys/kes/testing");
        let certificate = folder.join("client.crt");
        let of =
            |key: &str| Identity::of_files(&certificate, &folder.join(key), Some("open-sesame"));
        let name = "17f28cc0b2913619a460b4a02e3cae468d03816126a0d0682bffce1d655b1448";
        assert_eq!(of("sec1.pem").ok().unwrap().name(), name);
        assert_eq!(of("pbes2.pem").ok().unwrap().name(), name);
        let swapped = Identity::of_files(&folder.join("sec1.pem"), &certificate, None);
        assert!(
            swapped
                .err()
                .unwrap()
                .to_string()
                .contains("no certificate")
        );
    }
}
