//! An object of a store, opened, to be sealed again as it was: in its form, and under the very key that opened it.

mod sealers;

use iamseal::Plugin;
use iamseal::contract::{
    Cipher, DataKeyEncoding, Description, Form, Found, MinioOptions, Policy, SealOptions,
    SealedForm, WrittenCipher, WrittenEncoding,
};
use iamseal::storage::{Change, Replacement, Stored};
use zeroize::Zeroizing;

pub use self::sealers::Sealers;
use crate::failure::Failure;
use crate::put::Put;
use crate::report::notes;

/// An object, as it was read and what it holds.
pub struct Object {
    pub path: Vec<u8>,
    pub stored: Stored,
    pub plaintext: Zeroizing<Vec<u8>>,
    /// How it was sealed; none if it is plaintext.
    pub how: Option<SealOptions>,
}

impl Object {
    /// # Errors
    /// It does not open, or its form is only read.
    pub async fn open(plugin: &Plugin, path: &[u8], stored: Stored) -> Result<Self, Failure> {
        let opener = plugin.reader();
        let opened = opener
            .unseal(path, &stored.bytes, Policy::Compatible)
            .await?;
        let seen = opener.inspect(&stored.bytes).await?;
        let how = how(&opened.found, &seen)?;
        Ok(Self {
            path: path.to_vec(),
            stored,
            plaintext: opened.plaintext,
            how,
        })
    }

    /// Its replacement, which holds this instead.
    ///
    /// # Errors
    /// It cannot be sealed.
    pub async fn with(&self, sealer: &Plugin, new: &Zeroizing<Vec<u8>>) -> Result<Put, Failure> {
        let bytes = match &self.how {
            None => new.to_vec(),
            Some(how) => sealer.seal(&self.path, new, how).await?,
        };
        Ok(Put {
            change: Change::Replace(Replacement {
                path: self.path.clone(),
                expected: self.stored.version.clone(),
                bytes,
            }),
            plaintext: new.clone(),
            policy: match self.how {
                None => Policy::Compatible,
                Some(_) => Policy::Sealed,
            },
        })
    }
}

/// How to seal an object that was this; none of plaintext. What nobody writes any more becomes what is
/// written by default.
fn how(found: &Found, seen: &Description) -> Result<Option<SealOptions>, Failure> {
    let form = match found.form {
        Form::Plaintext => return Ok(None),
        Form::RootCredential => return Err(notes::ROOT_CREDENTIAL_IS_READ.into()),
        Form::Compact => SealedForm::Compact,
        Form::Minio => SealedForm::Minio(MinioOptions {
            cipher: match seen.cipher {
                Some(Cipher::Aes256Gcm) => Some(WrittenCipher::Aes256Gcm),
                Some(Cipher::Chacha20Poly1305) => Some(WrittenCipher::Chacha20Poly1305),
                _ => None,
            },
            data_key_encoding: match seen.data_key_encoding {
                Some(DataKeyEncoding::Json) => Some(WrittenEncoding::Json),
                _ => None,
            },
        }),
    };
    let key = found.key.clone();
    Ok(Some(SealOptions { form, key }))
}
