//! One key of any name, for the targets of the core alone: enough to get past a header.

use iamseal_core::{
    Candidate, DataKey, KeyError, KeyGenerator, Keyring, Random, RootCredential, Secret,
};

/// A key under every name.
pub enum OneKey {
    /// A secret key.
    Secret([u8; 32]),
    /// A key service that opens every data key to this one.
    Remote(Vec<u8>),
}

impl Keyring for OneKey {
    fn default_key(&self) -> Option<String> {
        Some("key".to_string())
    }

    fn candidates(&self, _name: &str) -> Result<Vec<Candidate>, KeyError> {
        Ok(vec![match self {
            Self::Secret(key) => Candidate::Secret(key.to_vec().into()),
            Self::Remote(_) => Candidate::Remote,
        }])
    }

    fn decrypt(
        &self,
        _name: &str,
        _ciphertext: &[u8],
        _context: &[u8],
    ) -> Result<Secret, KeyError> {
        match self {
            Self::Secret(_) => Err(KeyError::NotFound),
            Self::Remote(data_key) => Ok(data_key.clone().into()),
        }
    }

    fn root_credentials(&self) -> Vec<RootCredential> {
        Vec::new()
    }
}

impl KeyGenerator for OneKey {
    fn generate(&self, name: &str, context: &[u8]) -> Result<DataKey, KeyError> {
        Ok(DataKey {
            plaintext: self.decrypt(name, &[], context)?,
            ciphertext: b"a data key".to_vec(),
        })
    }
}

impl Random for OneKey {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.fill(7);
    }
}

/// An object in MinIO's sealed form.
///
/// # Panics
/// If the metadata is 4 GiB or more.
pub fn minio(metadata: &[u8], body: &[u8]) -> Vec<u8> {
    let size = u32::try_from(metadata.len()).unwrap();
    [&[1], &size.to_le_bytes()[..], metadata, body].concat()
}
