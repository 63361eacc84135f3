//! The host, lent to the component.

use iamseal_core as core;
use wasmtime::component::{Resource, ResourceTable};
use wasmtime::{Result, StoreLimits};

use crate::contract::iamseal::plugin::{diagnostics, storage, storage_writer, types};
use crate::contract::keys::iamseal::plugin::{key_maker, keyring};
use crate::contract::wasi::random::random;
use crate::world::{Handle, Listing, NoRootKey, Staged, World};

/// What belongs to one instance.
pub struct State {
    pub world: World,
    pub limits: StoreLimits,
    pub handles: ResourceTable,
    pub panicked: Option<String>,
}

impl types::Host for State {}

impl diagnostics::Host for State {
    fn panicked(&mut self, message: String) -> Result<()> {
        self.panicked = Some(message);
        Ok(())
    }
}

impl keyring::Host for State {
    fn default_key(&mut self) -> Result<Option<String>> {
        Ok(self.world.default_key())
    }

    fn candidates(
        &mut self,
        name: String,
    ) -> Result<Result<Vec<keyring::Candidate>, types::KeyError>> {
        let candidates = match self.world.candidates(&name) {
            Ok(candidates) => candidates,
            Err(error) => return Ok(Err(error.into())),
        };
        let mut lent = Vec::new();
        for candidate in candidates {
            lent.push(match candidate {
                core::Candidate::Local(key) => keyring::Candidate::Local(self.handles.push(key)?),
                core::Candidate::Server(key) => keyring::Candidate::Server(self.handles.push(key)?),
                core::Candidate::Secret(bytes) => keyring::Candidate::Secret(bytes.to_vec()),
            });
        }
        Ok(Ok(lent))
    }

    fn root_credentials(&mut self) -> Result<Vec<keyring::RootCredential>> {
        let lend = |(user, passphrase)| keyring::RootCredential {
            user,
            key: keyring::RootCandidate::Passphrase(passphrase),
        };
        let credentials = self.world.root_credentials();
        Ok(credentials.into_iter().map(lend).collect())
    }
}

impl keyring::HostKey for State {
    fn id(&mut self, key: Resource<Handle>) -> Result<u64> {
        Ok(self.handles.get(&key)?.id())
    }

    fn open(
        &mut self,
        key: Resource<Handle>,
        ciphertext: Vec<u8>,
        context: Vec<u8>,
    ) -> Result<Result<Vec<u8>, types::KeyError>> {
        let Handle(name) = self.handles.get(&key)?;
        let opened = self.world.open(name, &ciphertext, &context);
        Ok(opened.map(|bytes| bytes.to_vec()).map_err(Into::into))
    }

    fn drop(&mut self, key: Resource<Handle>) -> Result<()> {
        self.handles.delete(key)?;
        Ok(())
    }
}

impl keyring::HostRootKey for State {
    fn derive(
        &mut self,
        key: Resource<NoRootKey>,
        _salt: Vec<u8>,
        _how: types::KeyDerivation,
    ) -> Result<Result<Vec<u8>, types::KeyError>> {
        match *self.handles.get(&key)? {}
    }

    fn signed(
        &mut self,
        key: Resource<NoRootKey>,
        _message: Vec<u8>,
        _signature: Vec<u8>,
    ) -> Result<Result<bool, types::KeyError>> {
        match *self.handles.get(&key)? {}
    }

    fn drop(&mut self, key: Resource<NoRootKey>) -> Result<()> {
        self.handles.delete(key)?;
        Ok(())
    }
}

impl key_maker::Host for State {
    fn make(
        &mut self,
        key: Resource<Handle>,
        context: Vec<u8>,
        _encoding: types::WrittenEncoding,
    ) -> Result<Result<key_maker::DataKey, types::KeyError>> {
        let lend = |made: core::DataKey| key_maker::DataKey {
            plaintext: made.plaintext.to_vec(),
            ciphertext: made.ciphertext,
        };
        let Handle(name) = self.handles.get(&key)?;
        let made = self.world.make(name, &context);
        Ok(made.map(lend).map_err(Into::into))
    }
}

impl random::Host for State {
    fn get_random_bytes(&mut self, size: u64) -> Result<Vec<u8>> {
        Ok(self.world.random(usize::try_from(size)?))
    }

    fn get_random_u64(&mut self) -> Result<u64> {
        wasmtime::bail!("the core draws bytes alone")
    }
}

impl storage::Host for State {
    fn list(
        &mut self,
        prefix: Vec<u8>,
        start_after: Option<Vec<u8>>,
    ) -> Result<Result<Resource<Listing>, types::StorageError>> {
        Ok(match self.world.list(&prefix, start_after.as_deref()) {
            Ok(listing) => Ok(self.handles.push(listing)?),
            Err(error) => Err(error.into()),
        })
    }

    fn read(&mut self, path: Vec<u8>) -> Result<Result<storage::Stored, types::StorageError>> {
        let lend = |stored: core::Stored| storage::Stored {
            bytes: stored.bytes,
            version: stored.version,
        };
        Ok(self.world.read(&path).map(lend).map_err(Into::into))
    }
}

impl storage::HostCursor for State {
    fn next(
        &mut self,
        cursor: Resource<Listing>,
    ) -> Result<Result<Vec<Vec<u8>>, types::StorageError>> {
        let listing = self.handles.get_mut(&cursor)?;
        Ok(self.world.next(listing).map_err(Into::into))
    }

    fn drop(&mut self, cursor: Resource<Listing>) -> Result<()> {
        self.handles.delete(cursor)?;
        Ok(())
    }
}

impl storage_writer::Host for State {
    fn stage(
        &mut self,
        changes: Vec<storage_writer::Change>,
    ) -> Result<Vec<Result<Resource<Staged>, types::StorageError>>> {
        let replacements = changes.into_iter().map(|change| match change {
            storage_writer::Change::Replace(new) => core::Replacement {
                path: new.path,
                expected: new.expected,
                bytes: new.bytes,
            },
            _ => panic!("no migration creates or removes"),
        });
        let mut answer = Vec::new();
        for staged in self.world.stage(replacements.collect()) {
            answer.push(match staged {
                Ok(staged) => Ok(self.handles.push(staged)?),
                Err(error) => Err(error.into()),
            });
        }
        Ok(answer)
    }

    fn commit(
        &mut self,
        drafts: Vec<Resource<Staged>>,
    ) -> Result<Vec<Result<Option<Vec<u8>>, types::StorageError>>> {
        let mut numbers = Vec::new();
        for draft in drafts {
            let Staged(draft) = self.handles.delete(draft)?;
            numbers.push(draft);
        }
        let committed = self.world.commit(&numbers);
        for draft in numbers {
            self.world.drop_draft(draft);
        }
        let lend = |version: core::Version| -> Option<Vec<u8>> { Some(version) };
        let committed = committed.into_iter();
        Ok(committed
            .map(|version| version.map(lend).map_err(Into::into))
            .collect())
    }
}

impl storage_writer::HostDraft for State {
    fn read_back(
        &mut self,
        draft: Resource<Staged>,
    ) -> Result<Result<Vec<u8>, types::StorageError>> {
        let Staged(draft) = *self.handles.get(&draft)?;
        Ok(self.world.read_back(draft).map_err(Into::into))
    }

    fn drop(&mut self, draft: Resource<Staged>) -> Result<()> {
        let Staged(draft) = self.handles.delete(draft)?;
        self.world.drop_draft(draft);
        Ok(())
    }
}
