//! One key of any name, for the targets of the core alone: enough to get past a header.

use iamseal_core::{
    Candidate, DataKey, DataKeyEncoding, Key, KeyDerivation, KeyError, KeyMaker, Keyring, Random,
    RootCredential, RootKey, Secret,
};

/// A key under every name.
pub enum OneKey {
    /// A secret key.
    Secret([u8; 32]),
    /// A key service that opens every data key to this one.
    Remote(Vec<u8>),
}

/// The handle of a key service that opens every data key to this one.
pub struct Opens(Vec<u8>);

/// No root credentials are lent.
pub enum NoRootKey {}

impl Keyring for OneKey {
    type Key = Opens;
    type RootKey = NoRootKey;

    fn default_key(&self) -> Option<String> {
        Some("key".to_string())
    }

    fn candidates(&self, _name: &str) -> Result<Vec<Candidate<Opens>>, KeyError> {
        Ok(vec![match self {
            Self::Secret(key) => Candidate::Secret(key.to_vec().into()),
            Self::Remote(data_key) => Candidate::Server(Opens(data_key.clone())),
        }])
    }

    fn root_credentials(&self) -> Vec<RootCredential<NoRootKey>> {
        Vec::new()
    }
}

impl Key for Opens {
    fn id(&self) -> u64 {
        0
    }

    fn open(&self, _ciphertext: &[u8], _context: &[u8]) -> Result<Secret, KeyError> {
        Ok(self.0.clone().into())
    }
}

impl RootKey for NoRootKey {
    fn derive(&self, _salt: &[u8; 32], _how: KeyDerivation) -> Result<Secret, KeyError> {
        match *self {}
    }

    fn signed(&self, _message: &[u8], _signature: &[u8; 64]) -> Result<bool, KeyError> {
        match *self {}
    }
}

impl KeyMaker for OneKey {
    fn make(
        &self,
        key: &Opens,
        _context: &[u8],
        _encoding: DataKeyEncoding,
    ) -> Result<DataKey, KeyError> {
        Ok(DataKey {
            plaintext: key.0.clone().into(),
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
