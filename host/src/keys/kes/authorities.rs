//! Which certificate authorities KES' certificate may come from.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use super::KesError;
use super::read;

/// Certificate authorities that vouch for a KES.
#[derive(Clone)]
pub struct Authorities {
    store: RootCertStore,
    /// Those that were given one by one. Of them KES may have one itself.
    given: Vec<CertificateDer<'static>>,
}

impl Authorities {
    /// Those of the system.
    ///
    /// # Errors
    /// [`KesError::NoAuthorities`].
    pub fn system() -> Result<Self, KesError> {
        let mut store = RootCertStore::empty();
        let found = rustls_native_certs::load_native_certs();
        // A few of the system's are of a kind that is not known here; the others do.
        store.add_parsable_certificates(found.certs);
        match store.is_empty() {
            true => Err(KesError::NoAuthorities),
            false => Ok(Self {
                store,
                given: Vec::new(),
            }),
        }
    }

    /// Those of a file in PEM, or of the files of a folder, and no others. Files of a folder that hold
    /// no certificate are passed over. A certificate that KES signed itself is taken too.
    ///
    /// # Errors
    /// [`KesError::Unreadable`], [`KesError::FileTooLarge`], [`KesError::Nothing`] if there is none at
    /// all, [`KesError::Authority`] if one is damaged.
    pub fn of_path(path: &Path) -> Result<Self, KesError> {
        let mut all = Self {
            store: RootCertStore::empty(),
            given: Vec::new(),
        };
        if path.is_dir() {
            let unreadable = |cause| KesError::Unreadable {
                path: path.into(),
                cause,
            };
            for entry in fs::read_dir(path).map_err(unreadable)? {
                let file = entry.map_err(unreadable)?.path();
                if file.is_file() {
                    all.add(&file)?;
                }
            }
        } else {
            all.add(path)?;
        }
        match all.given.is_empty() {
            true => Err(KesError::Nothing {
                path: path.into(),
                what: "certificate",
            }),
            false => Ok(all),
        }
    }

    /// What looks at KES' certificate.
    pub(super) fn verifier(&self, provider: Arc<CryptoProvider>) -> Result<Verifier, KesError> {
        let store = Arc::new(self.store.clone());
        let verifier = WebPkiServerVerifier::builder_with_provider(store, provider).build();
        Ok(Verifier {
            usual: verifier.map_err(|error| KesError::Start(error.to_string()))?,
            given: self.given.clone(),
        })
    }

    fn add(&mut self, file: &Path) -> Result<(), KesError> {
        let text = read::file(file)?;
        let wrong = |cause: String| KesError::Authority {
            path: file.into(),
            cause,
        };
        for certificate in CertificateDer::pem_slice_iter(&text) {
            let certificate = certificate.map_err(|error| wrong(error.to_string()))?;
            let added = self.store.add(certificate.clone());
            added.map_err(|error| wrong(error.to_string()))?;
            self.given.push(certificate);
        }
        Ok(())
    }
}

/// Looks at KES' certificate as usual, and takes one more: a certificate that was given as an authority
/// and is KES' own. `openssl req -x509` makes such, and Go's TLS takes them.
#[derive(Debug)]
pub(super) struct Verifier {
    usual: Arc<WebPkiServerVerifier>,
    given: Vec<CertificateDer<'static>>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let looked = self.usual.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        );
        match looked {
            // Its dates have been looked at before that was found.
            Err(error) if is_authority(&error) && self.given.contains(end_entity) => {
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
                Ok(ServerCertVerified::assertion())
            }
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.usual
            .verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.usual
            .verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.usual.supported_verify_schemes()
    }
}

/// Whether nothing is wrong with a certificate but that it may sign others.
fn is_authority(error: &Error) -> bool {
    let Error::InvalidCertificate(CertificateError::Other(other)) = error else {
        return false;
    };
    let cause = other.0.downcast_ref();
    cause == Some(&webpki::Error::CaUsedAsEndEntity)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate() -> String {
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = rcgen::CertificateParams::default().self_signed(&key);
        certificate.unwrap().pem()
    }

    #[test]
    fn a_folder_lends_all_its_files() {
        let dir = tempfile::tempdir().unwrap();
        let one = dir.path().join("one.crt");
        fs::write(&one, certificate()).unwrap();
        let two = certificate() + &certificate();
        fs::write(dir.path().join("two.pem"), two).unwrap();
        fs::write(dir.path().join("README"), "none here").unwrap();
        fs::create_dir(dir.path().join("folder")).unwrap();
        let count = |path: &Path| Authorities::of_path(path).ok().unwrap().given.len();
        assert_eq!(count(dir.path()), 3);
        assert_eq!(count(&one), 1);
    }

    #[test]
    fn no_certificate_at_all_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, "nothing").unwrap();
        let error = |path: &Path| Authorities::of_path(path).err().unwrap().to_string();
        for path in [dir.path(), &file] {
            let says = format!("{}: there is no certificate in PEM in it", path.display());
            assert_eq!(error(path), says);
        }
        assert!(error(&dir.path().join("missing")).contains("cannot be read"));
        let damaged = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        fs::write(&file, damaged).unwrap();
        assert!(error(&file).contains(&*file.to_string_lossy()));
        assert!(!error(&file).contains("no certificate"));
    }
}
