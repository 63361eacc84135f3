//! What component and core are lent: keys, randomness and a store, as a host that may misbehave.
//!
//! A script says how. Each call that is made of the host takes the script's next byte: up to 127, and
//! when the script is at its end, the answer is right; above that the byte chooses a wrong one. The
//! same script and the same calls give the same answers, so that two runs can be compared.

use std::collections::BTreeMap;

use iamseal_core::{
    Candidate, DataKey, KeyError, Keyring, Replacement, Secret, StorageError, Stored, Version,
};

use crate::samples;

/// One call that was made of the host, with everything it was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// `keyring.default-key`
    DefaultKey,
    /// `keyring.candidates`
    Candidates(String),
    /// `keyring.key.open`, by the name that the key was lent under
    Open(String, Vec<u8>, Vec<u8>),
    /// `keyring.root-credentials`
    RootCredentials,
    /// `key-maker.make`
    Make(String, Vec<u8>),
    /// `random.get-random-bytes`
    Random(usize),
    /// `storage.list`
    List(Vec<u8>, Option<Vec<u8>>),
    /// `storage.cursor.next`
    Next,
    /// `storage.read`
    Read(Vec<u8>),
    /// `storage-writer.stage`: paths, versions and bytes
    Stage(Vec<(Vec<u8>, Version, Vec<u8>)>),
    /// `storage-writer.draft.read-back`, by the draft's number
    ReadBack(usize),
    /// `storage-writer.commit`
    Commit(Vec<usize>),
}

/// A data key that the key service made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// The key's name.
    pub name: String,
    /// What it is bound to.
    pub context: Vec<u8>,
    /// The data key, encrypted.
    pub ciphertext: Vec<u8>,
    /// The data key.
    pub plaintext: Vec<u8>,
}

/// An object that took the place of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replaced {
    /// Where.
    pub path: Vec<u8>,
    /// The version that the caller had read.
    pub expected: Version,
    /// The new bytes.
    pub bytes: Vec<u8>,
}

/// A listing that is under way.
pub struct Listing(Vec<Vec<u8>>);

/// A draft, by its number.
pub struct Staged(pub usize);

/// The handle of a key, by the name that it was lent under.
#[derive(Clone)]
pub struct Handle(pub String);

impl Handle {
    /// `keyring.key.id`: a number for each name (FNV-1a).
    pub fn id(&self) -> u64 {
        let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        self.0.bytes().fold(0xcbf2_9ce4_8422_2325, mix)
    }
}

/// Of root credentials the passphrase is lent.
pub enum NoRootKey {}

/// The host. Two of them that were made alike and asked alike are equal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct World {
    /// Whether root credentials are lent, which costs some 100 ms for each object that they are
    /// tried on.
    pub credentials: bool,
    /// Paths that come in one page of a listing.
    pub page: usize,
    /// All calls so far.
    pub calls: Vec<Call>,
    /// Whether the keyring gave out key bytes that are not the key's.
    pub lied: bool,
    /// What the key service made.
    pub made: Vec<Made>,
    /// What was handed out as this version of this path.
    pub read: BTreeMap<(Vec<u8>, Version), Vec<u8>>,
    /// What took another's place.
    pub replaced: Vec<Replaced>,
    objects: BTreeMap<Vec<u8>, (Vec<u8>, u64)>,
    drafts: Vec<Draft>,
    script: Vec<u8>,
    at: usize,
    random: u64,
    writes: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Draft {
    replacement: Replaced,
    open: bool,
}

impl World {
    /// A host with the samples' keys and an empty store.
    pub fn new(script: &[u8]) -> Self {
        Self {
            credentials: false,
            page: 3,
            calls: Vec::new(),
            lied: false,
            made: Vec::new(),
            read: BTreeMap::new(),
            replaced: Vec::new(),
            objects: BTreeMap::new(),
            drafts: Vec::new(),
            script: script.to_vec(),
            at: 0,
            random: 1,
            writes: 0,
        }
    }

    /// Whether every answer will be right.
    pub fn is_honest(&self) -> bool {
        self.script.iter().all(|byte| *byte < WRONG)
    }

    /// Puts an object into the store.
    pub fn put(&mut self, path: &[u8], bytes: &[u8]) {
        self.writes += 1;
        self.objects
            .insert(path.to_vec(), (bytes.to_vec(), self.writes));
    }

    /// The objects that are there, past all misbehaviour.
    pub fn objects(&self) -> BTreeMap<&[u8], &[u8]> {
        self.objects
            .iter()
            .map(|(path, (bytes, _))| (path.as_slice(), bytes.as_slice()))
            .collect()
    }

    /// How many drafts were neither committed nor dropped.
    pub fn open_drafts(&self) -> usize {
        self.drafts.iter().filter(|draft| draft.open).count()
    }

    /// `keyring.default-key`
    pub fn default_key(&mut self) -> Option<String> {
        self.calls.push(Call::DefaultKey);
        match self.trick(4) {
            None => samples::keys().default_key(),
            Some(0) => None,
            Some(1) => Some(String::new()),
            Some(2) => Some("k".repeat(1025)),
            Some(_) => Some(samples::REMOTE.to_string()),
        }
    }

    /// `keyring.candidates`
    pub fn candidates(&mut self, name: &str) -> Result<Vec<Candidate<Handle>>, KeyError> {
        self.calls.push(Call::Candidates(name.to_string()));
        let secret = |bytes: &[u8]| Candidate::Secret(bytes.to_vec().into());
        let handle = || Handle(name.to_string());
        let genuine = || -> Result<Vec<Candidate<Handle>>, KeyError> {
            let candidates = samples::keys().candidates(name)?.into_iter();
            let lend = candidates.map(|candidate| match candidate {
                Candidate::Secret(bytes) => Candidate::Secret(bytes),
                Candidate::Local(_) | Candidate::Server(_) => Candidate::Server(handle()),
            });
            Ok(lend.collect())
        };
        match self.trick(10) {
            None => genuine(),
            Some(0) => Ok(Vec::new()),
            Some(1) => Ok(vec![secret(&vec![1; usize::from(self.byte())])]),
            Some(2) => Ok(vec![Candidate::Server(handle())]),
            Some(3) => {
                self.lied = true;
                Ok(vec![secret(&[self.byte(); 32])])
            }
            Some(4) => {
                let mut candidates = genuine()?;
                candidates.reverse();
                Ok(candidates)
            }
            // Odd ones before the right ones must not keep those from being tried.
            Some(5) => {
                let mut candidates = vec![secret(&[0; 31]), Candidate::Server(handle())];
                candidates.extend(genuine()?);
                Ok(candidates)
            }
            Some(6) => Ok(vec![Candidate::Local(handle())]),
            Some(_) => Err(self.key_error()),
        }
    }

    /// `keyring.key.open`
    pub fn open(
        &mut self,
        name: &str,
        ciphertext: &[u8],
        context: &[u8],
    ) -> Result<Secret, KeyError> {
        let (name, ciphertext) = (name.to_string(), ciphertext.to_vec());
        self.calls.push(Call::Open(
            name.clone(),
            ciphertext.clone(),
            context.to_vec(),
        ));
        match self.trick(6) {
            None => {
                let made = self.made.iter().chain(samples::made());
                open(made, &name, &ciphertext, context)
            }
            Some(0) => {
                self.lied = true;
                Ok(vec![self.byte(); 32].into())
            }
            Some(1) => {
                self.lied = true;
                Ok(vec![7; usize::from(self.byte())].into())
            }
            Some(_) => Err(self.key_error()),
        }
    }

    /// `keyring.root-credentials`: users and passphrases
    pub fn root_credentials(&mut self) -> Vec<(String, String)> {
        self.calls.push(Call::RootCredentials);
        if !self.credentials || self.trick(1).is_some() {
            return Vec::new();
        }
        samples::passphrases()
    }

    /// `key-maker.make`
    pub fn make(&mut self, name: &str, context: &[u8]) -> Result<DataKey, KeyError> {
        self.calls
            .push(Call::Make(name.to_string(), context.to_vec()));
        let mut made = Made {
            name: name.to_string(),
            context: context.to_vec(),
            ciphertext: self.draw(76),
            plaintext: self.draw(32),
        };
        let answer = |made: &Made| {
            Ok(DataKey {
                plaintext: made.plaintext.clone().into(),
                ciphertext: made.ciphertext.clone(),
            })
        };
        match self.trick(6) {
            None => {}
            Some(0) => made.plaintext.truncate(usize::from(self.byte() % 32)),
            Some(1) => made.ciphertext.clear(),
            Some(2) => made.ciphertext = vec![b'{'; 20_000],
            // It will not open what it has made.
            Some(3) => return answer(&made),
            Some(_) => return Err(self.key_error()),
        }
        self.made.push(made.clone());
        answer(&made)
    }

    /// `random.get-random-bytes`. Always right: a host that gives too few bytes is stopped by a
    /// panic, on purpose.
    pub fn random(&mut self, size: usize) -> Vec<u8> {
        self.calls.push(Call::Random(size));
        self.draw(size)
    }

    /// `storage.list`
    pub fn list(
        &mut self,
        prefix: &[u8],
        start_after: Option<&[u8]>,
    ) -> Result<Listing, StorageError> {
        self.calls
            .push(Call::List(prefix.to_vec(), start_after.map(<[u8]>::to_vec)));
        if self.trick(1).is_some() {
            return Err(self.storage_error());
        }
        let wanted = |path: &&Vec<u8>| {
            path.starts_with(prefix) && start_after.is_none_or(|after| path.as_slice() > after)
        };
        // The next one is taken off the end.
        Ok(Listing(
            self.objects.keys().filter(wanted).rev().cloned().collect(),
        ))
    }

    /// `storage.cursor.next`
    pub fn next(&mut self, listing: &mut Listing) -> Result<Vec<Vec<u8>>, StorageError> {
        self.calls.push(Call::Next);
        let Listing(paths) = listing;
        let rest = paths.len().saturating_sub(self.page);
        let again = paths.clone();
        let mut page: Vec<_> = paths.drain(rest..).rev().collect();
        match self.trick(10) {
            None => {}
            Some(0) => return Err(self.storage_error()),
            Some(1) => *paths = again,
            Some(2) => page.reverse(),
            Some(3) => page.clear(),
            Some(4) => page.insert(0, b"../outside".to_vec()),
            Some(5) => page.push(page.last().map_or_else(Vec::new, |last| last.repeat(200))),
            // Below or beside the last one, and not there.
            Some(kind) => {
                let mut path = page.last().cloned().unwrap_or_default();
                path.extend_from_slice(match kind {
                    6 => b"/../../../x",
                    7 => b"/",
                    8 => b"\xff\0",
                    _ => b"",
                });
                page.push(path);
            }
        }
        Ok(page)
    }

    /// `storage.read`
    pub fn read(&mut self, path: &[u8]) -> Result<Stored, StorageError> {
        self.calls.push(Call::Read(path.to_vec()));
        let trick = self.trick(6);
        let (bytes, version) = self.objects.get(path).ok_or(StorageError::NotFound)?;
        let (mut bytes, mut version) = (bytes.clone(), version.to_le_bytes().to_vec());
        match trick {
            None => {}
            Some(0) => bytes.clear(),
            Some(1) => bytes.truncate(bytes.len() / 2),
            Some(2) => {
                let at = usize::from(self.byte());
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1;
                }
            }
            Some(3) => version.clear(),
            Some(_) => return Err(self.storage_error()),
        }
        self.read
            .insert((path.to_vec(), version.clone()), bytes.clone());
        Ok(Stored { bytes, version })
    }

    /// `storage-writer.stage`
    pub fn stage(&mut self, replacements: Vec<Replacement>) -> Vec<Result<Staged, StorageError>> {
        let told = |new: &Replacement| (new.path.clone(), new.expected.clone(), new.bytes.clone());
        self.calls
            .push(Call::Stage(replacements.iter().map(told).collect()));
        let trick = self.trick(4);
        let mut staged = Vec::new();
        for new in replacements {
            staged.push(Ok(Staged(self.drafts.len())));
            self.drafts.push(Draft {
                replacement: Replaced {
                    path: new.path,
                    expected: new.expected,
                    bytes: new.bytes,
                },
                open: true,
            });
        }
        match trick {
            None => {}
            Some(0) => self.forget(staged.pop()),
            Some(1) => {
                let one = self.drafts.last().cloned();
                staged.push(Ok(Staged(self.drafts.len())));
                self.drafts.extend(one);
            }
            Some(_) => {
                let at = usize::from(self.byte()) % staged.len().max(1);
                if at < staged.len() {
                    let gone = std::mem::replace(&mut staged[at], Err(self.storage_error()));
                    self.forget(Some(gone));
                }
            }
        }
        staged
    }

    /// `storage-writer.draft.read-back`
    pub fn read_back(&mut self, draft: usize) -> Result<Vec<u8>, StorageError> {
        self.calls.push(Call::ReadBack(draft));
        let mut bytes = self.drafts[draft].replacement.bytes.clone();
        match self.trick(6) {
            None => {}
            Some(0) => bytes.clear(),
            Some(1) => bytes.truncate(bytes.len() / 2),
            Some(2) => {
                let at = usize::from(self.byte()) % bytes.len().max(1);
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 0x80;
                }
            }
            // What somebody else keeps there, or the object's own old bytes.
            Some(3) => {
                let path = &self.drafts[draft].replacement.path;
                let other = self.objects.iter().find(|(there, _)| *there >= path);
                bytes = other
                    .map(|(_, (bytes, _))| bytes.clone())
                    .unwrap_or_default();
            }
            Some(_) => return Err(self.storage_error()),
        }
        if bytes != self.drafts[draft].replacement.bytes {
            // It must not be committed, see `Self::commit`.
            self.drafts[draft].replacement.expected = b"damaged".to_vec();
        }
        Ok(bytes)
    }

    /// `storage-writer.commit`
    pub fn commit(&mut self, drafts: &[usize]) -> Vec<Result<Version, StorageError>> {
        self.calls.push(Call::Commit(drafts.to_vec()));
        let trick = self.trick(4);
        if trick == Some(0) {
            // Somebody else was faster.
            let at = usize::from(self.byte()) % drafts.len().max(1);
            if let Some(draft) = drafts.get(at) {
                let path = self.drafts[*draft].replacement.path.clone();
                self.put(&path, b"theirs");
            }
        }
        let mut committed = Vec::new();
        for draft in drafts {
            committed.push(self.replace(*draft));
        }
        match trick {
            Some(1) => drop(committed.pop()),
            Some(2) => committed.push(Err(self.storage_error())),
            _ => {}
        }
        committed
    }

    /// The caller is done with a draft.
    pub fn drop_draft(&mut self, draft: usize) {
        self.drafts[draft].open = false;
    }

    fn replace(&mut self, draft: usize) -> Result<Version, StorageError> {
        let Draft { replacement, open } = &mut self.drafts[draft];
        assert!(*open, "a draft was committed twice");
        *open = false;
        let new = replacement.clone();
        assert_ne!(
            new.expected, b"damaged",
            "a draft was committed that reads back as something else"
        );
        match self.objects.get(&new.path) {
            None => return Err(StorageError::NotFound),
            Some((_, version)) if version.to_le_bytes() != *new.expected => {
                return Err(StorageError::Conflict);
            }
            Some(_) => {}
        }
        self.put(&new.path, &new.bytes);
        self.replaced.push(new);
        Ok(self.writes.to_le_bytes().to_vec())
    }

    fn forget(&mut self, staged: Option<Result<Staged, StorageError>>) {
        if let Some(Ok(Staged(draft))) = staged {
            self.drop_draft(draft);
        }
    }

    /// Which wrong answer to give to this call, out of so many.
    fn trick(&mut self, kinds: u8) -> Option<u8> {
        self.byte().checked_sub(WRONG).map(|kind| kind % kinds)
    }

    fn byte(&mut self) -> u8 {
        let byte = self.script.get(self.at).copied().unwrap_or_default();
        self.at += 1;
        byte
    }

    fn key_error(&mut self) -> KeyError {
        match self.byte() % 5 {
            0 => KeyError::NotFound,
            1 => KeyError::Denied("no\u{2028}\0".to_string()),
            2 => KeyError::Unavailable(String::new()),
            3 => KeyError::NotAuthentic,
            _ => KeyError::Other("x".repeat(5000)),
        }
    }

    fn storage_error(&mut self) -> StorageError {
        match self.byte() % 5 {
            0 => StorageError::NotFound,
            1 => StorageError::Conflict,
            2 => StorageError::TooLarge {
                asked: u64::MAX,
                allowed: 0,
            },
            3 => StorageError::Refused("no\u{2028}\0".to_string()),
            _ => StorageError::Other("x".repeat(5000)),
        }
    }

    /// Bytes that are never the same again (`SplitMix64`).
    fn draw(&mut self, size: usize) -> Vec<u8> {
        let word = |_| {
            self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut word = self.random;
            word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            (word ^ (word >> 31)).to_le_bytes()
        };
        let words = (0..size.div_ceil(8)).flat_map(word);
        words.take(size).collect()
    }
}

/// The first byte of a script that means a wrong answer.
const WRONG: u8 = 0x80;

/// What a key service says to a data key, if these are all that it ever made.
///
/// # Errors
/// [`KeyError::NotAuthentic`] for any other.
pub fn open<'a>(
    made: impl IntoIterator<Item = &'a Made>,
    name: &str,
    ciphertext: &[u8],
    context: &[u8],
) -> Result<Secret, KeyError> {
    let fits = |made: &&Made| {
        made.name == name && made.ciphertext == ciphertext && made.context == context
    };
    let known = made.into_iter().find(fits).ok_or(KeyError::NotAuthentic)?;
    Ok(known.plaintext.clone().into())
}
