//! Which certificate authorities KES' certificate may come from.

use std::fs;
use std::path::Path;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use super::KesError;
use super::read;

/// Certificate authorities that vouch for a KES.
#[derive(Clone)]
pub struct Authorities(RootCertStore);

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
            false => Ok(Self(store)),
        }
    }

    /// Those of a file in PEM, or of the files of a folder, and no others. Files of a folder that hold
    /// no certificate are passed over.
    ///
    /// # Errors
    /// [`KesError::Unreadable`], [`KesError::FileTooLarge`], [`KesError::Nothing`] if there is none at
    /// all, [`KesError::Authority`] if one is damaged.
    pub fn of_path(path: &Path) -> Result<Self, KesError> {
        let mut store = RootCertStore::empty();
        if path.is_dir() {
            let unreadable = |cause| KesError::Unreadable {
                path: path.into(),
                cause,
            };
            for entry in fs::read_dir(path).map_err(unreadable)? {
                let file = entry.map_err(unreadable)?.path();
                if file.is_file() {
                    add(&mut store, &file)?;
                }
            }
        } else {
            add(&mut store, path)?;
        }
        match store.is_empty() {
            true => Err(KesError::Nothing {
                path: path.into(),
                what: "certificate",
            }),
            false => Ok(Self(store)),
        }
    }

    pub(super) fn store(&self) -> RootCertStore {
        self.0.clone()
    }
}

fn add(store: &mut RootCertStore, file: &Path) -> Result<(), KesError> {
    let text = read::file(file)?;
    for certificate in CertificateDer::pem_slice_iter(&text) {
        let wrong = |cause: String| KesError::Authority {
            path: file.into(),
            cause,
        };
        let certificate = certificate.map_err(|error| wrong(error.to_string()))?;
        store
            .add(certificate)
            .map_err(|error| wrong(error.to_string()))?;
    }
    Ok(())
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
        let count = |path: &Path| Authorities::of_path(path).ok().unwrap().0.len();
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
