//! The census: which keys are named on the drives beside those of the objects that are read.

use alloc::string::String;
use alloc::vec::Vec;
use core::cell::RefCell;

use iamseal_drives::{Census, Counts, Need, Place, Sse, Store, needed};

use crate::contract::exports::iamseal::plugin::census::{self, Encryption, GuestWalk, Walk};
use crate::contract::iamseal::plugin::types::StorageError;
use crate::{DriveStore, with};

/// A census that is under way.
pub(crate) struct Counting(RefCell<Census>);

impl census::Guest for DriveStore {
    type Walk = Counting;

    fn buckets() -> Result<Option<Vec<Vec<u8>>>, StorageError> {
        if with(Store::is_of_another_server)? {
            return Err(StorageError::Refused(
                "the drives are RustFS', and how it names keys is not known".into(),
            ));
        }
        with(|store| store.buckets())?.map_err(StorageError::Other)
    }

    fn start(place: census::Place) -> Result<Walk, StorageError> {
        let place = match place {
            census::Place::Bucket(name) => Place::Bucket(name),
            census::Place::Uploads => Place::Uploads,
        };
        let census = with(|store| Census::new(store, place))?;
        Ok(Walk::new(Counting(RefCell::new(census))))
    }

    fn object(path: Vec<u8>) -> Result<census::Counts, StorageError> {
        with(|store| store.sealed(&path)).map(Into::into)
    }

    fn needs(path: Vec<u8>, bytes: Vec<u8>) -> Result<Vec<census::Needed>, String> {
        let all = needed(&path, &bytes).map_err(String::from)?.into_iter();
        let all = all.map(|needed| census::Needed {
            what: match needed.need {
                Need::Targets => census::Need::Targets,
                Need::Default => census::Need::DefaultEncryption,
                Need::Tiers => census::Need::Tiers,
            },
            encryption: encryption(&needed.sse),
            key: needed.sse.key,
        });
        Ok(all.collect())
    }
}

impl GuestWalk for Counting {
    fn next(&self) -> Result<Option<census::Counts>, StorageError> {
        let counts = with(|store| self.0.borrow_mut().next(store))?;
        Ok(counts.map(Into::into))
    }
}

impl From<Counts> for census::Counts {
    fn from(counts: Counts) -> Self {
        let sealed = counts.sealed.into_iter().map(|sealed| census::Sealed {
            path: sealed.path,
            encryption: encryption(&sealed.sse),
            key: sealed.sse.key,
            versions: sealed.versions,
            bytes: sealed.bytes,
        });
        let unread = counts.unread.into_iter().map(|unread| census::Unread {
            path: unread.path,
            why: unread.why,
        });
        Self {
            objects: counts.objects,
            versions: counts.versions,
            sealed: sealed.collect(),
            unread: unread.collect(),
            damaged: counts.damaged,
        }
    }
}

fn encryption(sse: &Sse) -> Encryption {
    match sse.encryption {
        iamseal_drives::Encryption::S3 => Encryption::S3,
        iamseal_drives::Encryption::Kms => Encryption::Kms,
        iamseal_drives::Encryption::Customer => Encryption::Customer,
        iamseal_drives::Encryption::Other => Encryption::Other,
    }
}
