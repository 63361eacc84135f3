//! How the key of a run is kept in the head of its journal, and opened again.
//!
//! For each key and credential that is lent, ChaCha20-Poly1305 (RFC 8439) seals the run's key under a key
//! that is used for this alone, with a nonce of zeros. That key is HMAC-SHA256, under the label `iamseal
//! wrap 1`, of the word for its kind, the salt of the run, and its name; and the HMAC's own key is
//!
//! | kind | is |
//! |---|---|
//! | `key`, `kes` | a data key that the static key, or the key in KES, made for this, bound to `iamseal run key 1`; its ciphertext is kept. No component gets to make or open one that is bound to this |
//! | `credential` | Argon2id (RFC 9106) of the password, with the run's salt and the user for its salt |
//!
//! Keys cannot be guessed, so what is sealed under them may be shown around. A password can be, however
//! slowly: what is sealed under credentials stands in journals, which are for their owner alone, and not
//! in proofs.

use argon2::{Algorithm, Argon2, Block, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead as _, KeyInit as _};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};
use hmac::Mac as _;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize as _, Zeroizing};

use super::JournalError;
use super::key::{BYTES, Secret, mac, random};
use crate::contract::{KeyError, WrittenEncoding};
use crate::describe::name;
use crate::keys::key::RUN_KEY;
use crate::keys::{Key, Keyring, RootCredential};

/// How many static keys a run's key is sealed under: the head of a journal stays under 100 KiB.
const KEYS: usize = 256;
/// How many root credentials: each costs some 0.2 s when a run begins.
const CREDENTIALS: usize = 8;
/// The size of a run's salt in bytes.
const SALT: usize = 16;
/// Argon2id's costs are the second that RFC 9106 recommends: 64 MiB in KiB, three passes, four lanes.
const ARGON2_MEMORY: u32 = 64 * 1024;
const ARGON2_PASSES: u32 = 3;
const ARGON2_LANES: u32 = 4;

/// A run's key, sealed under each key and credential that was lent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wrapped {
    salt: String,
    wraps: Vec<Wrap>,
}

/// The run's key under one of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Wrap {
    under: Under,
    /// The key's name or the credential's user.
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    data_key: Option<String>,
    sealed: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Under {
    Key,
    Kes,
    Credential,
}

/// Keys that were left out, by their names, and why.
type Skipped = Vec<(String, KeyError)>;

impl Wrapped {
    /// The same without what a guessed password would open.
    pub fn to_be_shown(&self) -> Self {
        let is_shown = |wrap: &&Wrap| wrap.under != Under::Credential;
        Self {
            salt: self.salt.clone(),
            wraps: self.wraps.iter().filter(is_shown).cloned().collect(),
        }
    }

    /// What opens it, for people.
    pub fn opened_by(&self) -> String {
        let one = |wrap: &Wrap| {
            let name = name(&wrap.name);
            match wrap.under {
                Under::Key => format!("the key {name}"),
                Under::Kes => format!("the key {name} in KES"),
                Under::Credential => format!("the root credential of {name}"),
            }
        };
        let all: Vec<_> = self.wraps.iter().map(one).collect();
        all.join(", ")
    }
}

/// Seals a run's key under every key of these names and every root credential, up to a number of each, and
/// says which key of a service had to be left out. None if nothing is lent.
///
/// # Errors
/// [`JournalError::Key`] if nothing is left; [`JournalError::NoRandomness`].
pub(super) async fn wrap(
    secret: &Secret,
    names: &[String],
    keyring: &impl Keyring,
) -> Result<Option<(Wrapped, Skipped)>, JournalError> {
    let salt = random::<SALT>()?;
    let (mut wraps, mut skipped) = (Vec::new(), Vec::new());
    let mut seal = |under, name: &str, material: &[u8], data_key: Option<&[u8]>| {
        wraps.extend(
            seal(secret, under, &*salt, name, material).map(|sealed| Wrap {
                under,
                name: name.to_owned(),
                data_key: data_key.map(|bytes| STANDARD.encode(bytes)),
                sealed: STANDARD.encode(sealed),
            }),
        );
    };
    let mut keys = 0;
    for (name, key) in lent(names, keyring) {
        let under = Under::of(&key);
        if under == Under::Key {
            keys += 1;
            if keys > KEYS {
                continue;
            }
        }
        match key.make(RUN_KEY, WrittenEncoding::Binary).await {
            Ok(made) => seal(under, name, &made.plaintext, Some(&made.ciphertext)),
            Err(error) => skipped.push((name.to_owned(), error)),
        }
    }
    let credentials = keyring.root_credentials();
    for credential in credentials.into_iter().take(CREDENTIALS) {
        let user = credential.user.clone();
        let material = stretched(credential, salt.to_vec()).await?;
        seal(Under::Credential, &user, &*material, None);
    }
    if wraps.is_empty() {
        return match skipped.pop() {
            Some((name, error)) => Err(JournalError::Key { name, error }),
            None => Ok(None),
        };
    }
    let salt = STANDARD.encode(*salt);
    Ok(Some((Wrapped { salt, wraps }, skipped)))
}

/// Opens a run's key with anything that is lent: static keys first, which cost nothing, credentials last.
/// None if nothing opens it.
///
/// # Errors
/// [`JournalError::Key`] if a key service fails and nothing else opens it.
pub(super) async fn open(
    wrapped: &Wrapped,
    keyring: &impl Keyring,
) -> Result<Option<Secret>, JournalError> {
    let Ok(salt) = STANDARD.decode(&wrapped.salt) else {
        return Ok(None);
    };
    let under = |kind| wrapped.wraps.iter().filter(move |wrap| wrap.under == kind);
    let mut failed = None;
    // A run is lent one key of a server.
    let wraps = under(Under::Key)
        .take(KEYS)
        .chain(under(Under::Kes).take(1));
    for wrap in wraps {
        let data_key = wrap.data_key.as_deref().map(|text| STANDARD.decode(text));
        let Some(Ok(data_key)) = data_key else {
            continue;
        };
        let keys = keyring.candidates(&wrap.name).unwrap_or_default();
        for key in keys.iter().filter(|key| Under::of(key) == wrap.under) {
            match key.open(&data_key, RUN_KEY).await {
                Ok(bytes) => {
                    if let Some(secret) = wrap.open(&salt, &bytes) {
                        return Ok(Some(secret));
                    }
                }
                // A key of that name that is another one, or none, is none that opens it.
                Err(KeyError::NotAuthentic | KeyError::NotFound) => {}
                Err(error) => failed = Some((wrap.name.clone(), error)),
            }
        }
    }
    let wraps: Vec<_> = under(Under::Credential).take(CREDENTIALS).collect();
    for credential in keyring.root_credentials() {
        let user = credential.user.clone();
        if wraps.iter().all(|wrap| wrap.name != user) {
            continue;
        }
        let material = stretched(credential, salt.clone()).await?;
        let mut of_user = wraps.iter().filter(|wrap| wrap.name == user);
        if let Some(secret) = of_user.find_map(|wrap| wrap.open(&salt, &*material)) {
            return Ok(Some(secret));
        }
    }
    match failed {
        Some((name, error)) => Err(JournalError::Key { name, error }),
        None => Ok(None),
    }
}

impl Wrap {
    fn open(&self, salt: &[u8], material: &[u8]) -> Option<Secret> {
        let sealed = STANDARD.decode(&self.sealed).ok()?;
        let cipher = cipher(self.under, salt, &self.name, material);
        let opened = cipher.decrypt(&Nonce::default(), &*sealed).ok()?;
        let opened = Zeroizing::new(opened);
        let mut secret = Zeroizing::new([0; BYTES]);
        if opened.len() != BYTES {
            return None;
        }
        secret.copy_from_slice(&opened);
        Some(secret)
    }
}

impl Under {
    fn of(key: &Key) -> Self {
        match key.is_server() {
            true => Self::Kes,
            false => Self::Key,
        }
    }
}

/// Every key that is lent under these names, that for new objects first.
fn lent<'a>(names: &'a [String], keyring: &impl Keyring) -> Vec<(&'a str, Key)> {
    let default = keyring.default_key();
    let (first, others): (Vec<_>, Vec<_>) = names
        .iter()
        .partition(|name| Some(name.as_str()) == default.as_deref());
    let names = first.into_iter().chain(others);
    let all = names.flat_map(|name| {
        let keys = keyring.candidates(name).unwrap_or_default();
        keys.into_iter().map(move |key| (name.as_str(), key))
    });
    // A server may lend under any name, and is asked under that of its own key alone.
    let is_asked = |name: &str| default.as_deref() == Some(name);
    all.filter(|(name, key)| !key.is_server() || is_asked(name))
        .collect()
}

fn seal(
    secret: &Secret,
    under: Under,
    salt: &[u8],
    name: &str,
    material: &[u8],
) -> Option<Vec<u8>> {
    let cipher = cipher(under, salt, name, material);
    cipher.encrypt(&Nonce::default(), secret.as_slice()).ok()
}

/// The cipher for one kind, run, name and material. It seals one text.
fn cipher(under: Under, salt: &[u8], name: &str, material: &[u8]) -> ChaCha20Poly1305 {
    let kind: &[u8] = match under {
        Under::Key => b"key",
        Under::Kes => b"kes",
        Under::Credential => b"credential",
    };
    let parts = [kind, salt, name.as_bytes()];
    let mut key = mac(material, "iamseal wrap 1", &parts)
        .finalize()
        .into_bytes();
    let cipher = ChaCha20Poly1305::new(&key);
    key.as_mut_slice().zeroize();
    cipher
}

/// A key made of a password, at a cost to whoever guesses. Not on a thread that others wait for.
async fn stretched(credential: RootCredential, salt: Vec<u8>) -> Result<Secret, JournalError> {
    let work = move || {
        let mut key = Zeroizing::new([0; BYTES]);
        let params = Params::new(ARGON2_MEMORY, ARGON2_PASSES, ARGON2_LANES, Some(BYTES))?;
        let mut memory = vec![Block::new(); params.block_count()];
        let salt = [&*salt, credential.user.as_bytes()].concat();
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let password = credential.password.as_bytes();
        let made = argon2.hash_password_into_with_memory(password, &salt, &mut *key, &mut memory);
        // With the memory the key could be made again.
        memory.zeroize();
        made.map(|()| key)
    };
    let failed = |why: String| JournalError::Argon2id(why);
    let made = tokio::task::spawn_blocking(work).await;
    let made = made.map_err(|error| failed(error.to_string()))?;
    made.map_err(|error| failed(error.to_string()))
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;

    use super::*;
    use crate::keys::{DataKey, ServerKey, StaticKey, StaticKeyring};

    const IN_KES: &str = "in-kes";

    /// Static keys, credentials, and a service with one key, if it answers.
    #[derive(Clone, Default)]
    struct Lent {
        statics: StaticKeyring,
        service: Option<Answer>,
    }

    #[derive(Clone, Copy)]
    enum Answer {
        Yes,
        Away,
    }

    impl Lent {
        fn key(mut self, name: &str, byte: u8) -> Self {
            let key = StaticKey::new(name, Zeroizing::new([byte; 32]));
            self.statics = self.statics.key(key);
            self
        }

        fn credential(mut self, text: &str) -> Self {
            let credential = RootCredential::parse(text).unwrap();
            self.statics = self.statics.root_credential(credential);
            self
        }

        fn service(mut self, answer: Answer) -> Self {
            self.service = Some(answer);
            self
        }

        fn names(&self) -> Vec<String> {
            let names = self.statics.key_names().map(str::to_owned);
            names.chain(self.service.map(|_| IN_KES.into())).collect()
        }
    }

    impl Keyring for Lent {
        fn default_key(&self) -> Option<String> {
            self.service.as_ref().map(|_| IN_KES.into())
        }

        fn candidates(&self, name: &str) -> Result<Vec<Key>, KeyError> {
            match self.service {
                Some(answer) if name == IN_KES => Ok(vec![Key::server(answer)]),
                _ => self.statics.candidates(name),
            }
        }

        fn root_credentials(&self) -> Vec<RootCredential> {
            self.statics.root_credentials()
        }
    }

    impl Answer {
        fn answer<T>(self, answer: T) -> Result<T, KeyError> {
            match self {
                Self::Yes => Ok(answer),
                Self::Away => Err(KeyError::Unavailable("away".into())),
            }
        }
    }

    #[async_trait]
    impl ServerKey for Answer {
        async fn make(&self, associated_data: &[u8]) -> Result<DataKey, KeyError> {
            assert_eq!(associated_data, RUN_KEY);
            let plaintext = random::<32>().unwrap().to_vec();
            self.answer(DataKey {
                ciphertext: plaintext.iter().map(|byte| !byte).collect(),
                plaintext: Zeroizing::new(plaintext),
            })
        }

        async fn open(
            &self,
            ciphertext: &[u8],
            associated_data: &[u8],
        ) -> Result<Zeroizing<Vec<u8>>, KeyError> {
            assert_eq!(associated_data, RUN_KEY);
            let plaintext = ciphertext.iter().map(|byte| !byte).collect();
            self.answer(Zeroizing::new(plaintext))
        }
    }

    fn wait<T>(future: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.unwrap().block_on(future)
    }

    fn wrapped(lent: &Lent) -> (Secret, Wrapped, Skipped) {
        let secret = random().unwrap();
        let made = wait(wrap(&secret, &lent.names(), lent)).unwrap().unwrap();
        (secret, made.0, made.1)
    }

    fn opened(wrapped: &Wrapped, lent: &Lent) -> Option<Secret> {
        wait(open(wrapped, lent)).unwrap()
    }

    #[test]
    fn any_one_of_what_was_lent_opens_it_and_nothing_else() {
        let all = Lent::default().key("a", 1).key("a", 2).key("b", 3);
        let all = all.credential("root:password").credential("root:older");
        let (secret, wrapped, skipped) = wrapped(&all.service(Answer::Yes));
        assert!(skipped.is_empty());
        let none = Lent::default;
        for lent in [
            none().key("a", 1),
            none().key("a", 2),
            none().key("b", 3),
            none().service(Answer::Yes),
            none().credential("root:password"),
            none().credential("other:password").credential("root:older"),
            // One that fits among others that do not, and a service that is gone.
            none().key("a", 9).key("b", 3).service(Answer::Away),
        ] {
            assert_eq!(opened(&wrapped, &lent).as_deref(), Some(&*secret));
        }
        for lent in [
            none(),
            none().key("a", 3).key("c", 1),
            none().credential("root:wrong"),
            none().credential("other:password"),
        ] {
            assert!(opened(&wrapped, &lent).is_none());
        }
        let error = wait(open(&wrapped, &none().service(Answer::Away)));
        assert!(matches!(error, Err(JournalError::Key { .. })));
        // What may be shown is opened by no password.
        let shown = wrapped.to_be_shown();
        assert!(opened(&shown, &none().credential("root:password")).is_none());
        assert!(opened(&shown, &none().key("b", 3)).is_some());
        let text = serde_json::to_string(&shown).unwrap();
        assert_eq!(serde_json::from_str::<Wrapped>(&text).unwrap(), shown);
    }

    #[test]
    fn a_service_that_does_not_answer_is_left_out_where_something_else_is_lent() {
        let away = Lent::default().service(Answer::Away);
        let error = wait(wrap(&random().unwrap(), &away.names(), &away));
        assert!(matches!(error, Err(JournalError::Key { .. })));
        let lent = away.key("a", 1);
        let (secret, wrapped, skipped) = wrapped(&lent);
        assert_eq!(skipped.len(), 1);
        assert_eq!(opened(&wrapped, &lent).as_deref(), Some(&*secret));
    }

    #[test]
    fn without_keys_there_is_none_and_of_many_not_all_are_taken() {
        let none = Lent::default();
        assert!(
            wait(wrap(&random().unwrap(), &[], &none))
                .unwrap()
                .is_none()
        );
        let many = (0..KEYS + 20).fold(none, |lent, number| {
            let byte = u8::try_from(number % 251).unwrap();
            lent.key(&format!("{number:04}"), byte)
        });
        let (_, wrapped, _) = wrapped(&many);
        assert_eq!(wrapped.wraps.len(), KEYS);
        assert!(serde_json::to_string(&wrapped).unwrap().len() < 100 << 10);
    }

    #[test]
    fn what_was_damaged_does_not_open() {
        let lent = Lent::default().key("a", 1);
        let (_, whole, _) = wrapped(&lent);
        for change in [
            (|wrapped: &mut Wrapped| wrapped.salt.insert(0, '?')) as fn(&mut Wrapped),
            |wrapped| wrapped.salt.replace_range(..4, "AAAA"),
            |wrapped| wrapped.wraps[0].sealed.replace_range(..4, "AAAA"),
            |wrapped| wrapped.wraps[0].sealed.clear(),
            |wrapped| wrapped.wraps[0].under = Under::Kes,
            |wrapped| wrapped.wraps[0].name = "b".into(),
        ] {
            let mut damaged = whole.clone();
            change(&mut damaged);
            assert!(opened(&damaged, &lent.clone().key("b", 1)).is_none());
        }
    }
}
