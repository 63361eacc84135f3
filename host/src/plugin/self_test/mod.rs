//! Whether a component does its work: it opens objects whose plaintext is known, refuses what was
//! changed, and opens what it sealed. A component that fits the world can still lie; this is asked
//! before it is trusted with anybody's keys.
//!
//! The calls are made beneath what is traced and counted: nobody asked for them, and most of the
//! refusals are as they should be.

mod known;

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::contract::{Form, Policy, SealOptions, SealedForm};
use crate::describe::line;
use crate::error::Error;
use crate::keys::{RootCredential, StaticKey, StaticKeyring};

use super::auditor::Auditor;
use super::lend::Lent;
use super::{Identity, Plugin};

use known::{KEYS, KNOWN, Known, ROOT_CREDENTIAL};

/// A path that none of the known objects has.
const ELSEWHERE: &[u8] = b"config/iam/elsewhere.json";

/// What is sealed and opened again: long enough for a second fragment of each sealed form (64 KiB).
const ROUND_TRIP_BYTES: usize = (64 << 10) + 1;

impl Auditor {
    /// Lets the component open objects whose plaintext is known, with keys that are published. What
    /// was lent to this auditor is not touched. Takes about 0.2 s, most of it two Argon2id.
    ///
    /// # Errors
    /// [`Error::Unfit`] with the first check that fails.
    pub async fn self_test(&self) -> Result<(), Error> {
        for known in &KNOWN {
            let tester = Tester::new(self, known.store_name)?;
            tester.known(known).await?;
        }
        Tester::new(self, "")?.plaintext().await
    }
}

impl Plugin {
    /// The same as [`Auditor::self_test`], and lets it seal in all forms and open that again.
    ///
    /// # Errors
    /// [`Error::Unfit`] with the first check that fails.
    pub async fn self_test(&self) -> Result<(), Error> {
        self.reader.self_test().await?;
        let tester = Tester::new(&self.reader, "store")?;
        for form in [
            SealedForm::default(),
            SealedForm::Compact,
            SealedForm::Rustfs,
        ] {
            tester.round_trip(form).await?;
        }
        Ok(())
    }

    /// Whether this plugin and `other`, with what each of them was lent, open what the other seals.
    /// Without a default key there is nothing to ask.
    ///
    /// # Errors
    /// [`Error::Unfit`], also if a key service gives no answer: then nothing is known.
    pub(super) async fn agrees_with(&self, other: &Self) -> Result<(), Error> {
        let keyring = self.reader.pool.lent().keyring.as_ref();
        if keyring.is_none_or(|keyring| keyring.default_key().is_none()) {
            return Ok(());
        }
        for form in [SealedForm::default(), SealedForm::Compact] {
            for (from, to) in [(self, other), (other, self)] {
                let check = format!(
                    "{} opens what {} seals, {}",
                    to.identity(),
                    from.identity(),
                    name(form)
                );
                let unfit = |error: Error| unfit(other.identity(), &check, &error.to_string());
                let plaintext = random(256).map_err(unfit)?; // a small document
                let sealed = from.call_seal(ELSEWHERE, &plaintext, &options(form)).await;
                let opened = to
                    .reader
                    .call_unseal(ELSEWHERE, &sealed.map_err(unfit)?, Policy::Sealed)
                    .await
                    .map_err(unfit)?;
                expect(
                    other.identity(),
                    &check,
                    *opened.plaintext == plaintext,
                    "the plaintext is another",
                )?;
            }
        }
        Ok(())
    }
}

/// The component with the published keys.
struct Tester(Plugin);

impl Tester {
    fn new(auditor: &Auditor, store_name: &str) -> Result<Self, Error> {
        let broken = |error: String| unfit(auditor.identity(), "the published keys", &error);
        let mut keyring = StaticKeyring::new();
        for key in KEYS {
            keyring =
                keyring.key(StaticKey::parse(key).map_err(|error| broken(error.to_string()))?);
        }
        let credential =
            RootCredential::parse(ROOT_CREDENTIAL).map_err(|error| broken(error.to_string()))?;
        let keyring = keyring
            .root_credential(credential)
            .default_key("a-key")
            .map_err(|error| broken(error.to_string()))?;
        let lent = Lent {
            keyring: Some(Arc::new(keyring)),
            ..Lent::default()
        };
        Ok(Self(Plugin {
            reader: Auditor {
                pool: Arc::new(auditor.pool.with(lent)),
                store_name: store_name.into(),
            },
        }))
    }

    /// A known object opens, is described, and does not open changed or elsewhere.
    async fn known(&self, known: &Known) -> Result<(), Error> {
        let check = format!("opens a known object ({})", known.what);
        let stored = self.decode(&check, known.stored)?;
        let plaintext = self.decode(&check, known.plaintext)?;
        let path = known.path.as_bytes();
        let opened = self
            .0
            .reader
            .call_unseal(path, &stored, Policy::Compatible)
            .await;
        let opened = opened.map_err(|error| self.unfit(&check, &error.to_string()))?;
        self.expect(
            &check,
            *opened.plaintext == plaintext,
            "the plaintext is another",
        )?;
        self.expect(
            &check,
            opened.found.form == known.form,
            "the form is another",
        )?;

        let check = format!("describes a known object ({})", known.what);
        let seen = self.0.reader.call_inspect(&stored).await;
        let seen = seen.map_err(|error| self.unfit(&check, &error.to_string()))?;
        let right = seen.form == known.form
            && seen.size == stored.len() as u64
            && seen.plaintext_size == plaintext.len() as u64;
        self.expect(&check, right, "the form or a size is another")?;

        let check = format!("refuses a known object that was changed ({})", known.what);
        self.refuses(&check, path, &changed(&stored), Policy::Compatible)
            .await?;
        if known.form == Form::RootCredential {
            // It is not bound to its path, and no policy but MinIO's opens it.
            let check = format!("refuses, where sealed is required, {}", known.what);
            return self.refuses(&check, path, &stored, Policy::Sealed).await;
        }
        let check = format!("refuses a known object at another path ({})", known.what);
        self.refuses(&check, ELSEWHERE, &stored, Policy::Compatible)
            .await?;
        if known.form == Form::Minio {
            // Each is under the other key.
            let check = format!("refuses, where current is required, {}", known.what);
            return self.refuses(&check, path, &stored, Policy::Current).await;
        }
        Ok(())
    }

    async fn plaintext(&self) -> Result<(), Error> {
        let check = "passes plaintext through";
        let opened = self
            .0
            .reader
            .call_unseal(ELSEWHERE, b"{}", Policy::Compatible)
            .await;
        let opened = opened.map_err(|error| self.unfit(check, &error.to_string()))?;
        self.expect(
            check,
            *opened.plaintext == b"{}",
            "the plaintext is another",
        )?;
        let check = "refuses plaintext where sealed is required";
        self.refuses(check, ELSEWHERE, b"{}", Policy::Sealed).await
    }

    /// What is sealed opens, and nowhere else.
    async fn round_trip(&self, form: SealedForm) -> Result<(), Error> {
        let check = format!("opens what it seals ({})", name(form));
        let failed = |error: Error| self.unfit(&check, &error.to_string());
        let plaintext = random(ROUND_TRIP_BYTES).map_err(failed)?;
        // The only part of a store that has objects in all forms.
        let path = b"config/iam/format.json";
        let (strict, current) = match form {
            SealedForm::Minio(_) | SealedForm::Compact => (Policy::Sealed, Policy::Current),
            SealedForm::Rustfs => (Policy::Rustfs, Policy::Rustfs),
        };
        let options = options(form);
        let sealed = self
            .0
            .call_seal(path, &plaintext, &options)
            .await
            .map_err(failed)?;
        let again = self
            .0
            .call_seal(path, &plaintext, &options)
            .await
            .map_err(failed)?;
        self.expect(&check, sealed != again, "sealing twice gave the same bytes")?;
        let opened = self
            .0
            .reader
            .call_unseal(path, &sealed, current)
            .await
            .map_err(failed)?;
        self.expect(
            &check,
            *opened.plaintext == plaintext,
            "the plaintext is another",
        )?;
        let hides = !sealed
            .windows(32)
            .any(|window| plaintext.starts_with(window));
        self.expect(&check, hides, "the plaintext stands in the sealed object")?;

        // Nothing binds RustFS' form to its path.
        if form != SealedForm::Rustfs {
            let check = format!("refuses what it sealed for another path ({})", name(form));
            self.refuses(&check, ELSEWHERE, &sealed, strict).await?;
        }
        let check = format!(
            "refuses what it sealed when it was changed ({})",
            name(form)
        );
        self.refuses(&check, path, &changed(&sealed), strict).await
    }

    async fn refuses(
        &self,
        check: &str,
        path: &[u8],
        stored: &[u8],
        policy: Policy,
    ) -> Result<(), Error> {
        match self.0.reader.call_unseal(path, stored, policy).await {
            Err(Error::Object(_)) => Ok(()),
            Err(other) => Err(self.unfit(check, &other.to_string())),
            Ok(_) => Err(self.unfit(check, "it opened")),
        }
    }

    fn decode(&self, check: &str, text: &str) -> Result<Vec<u8>, Error> {
        let bytes = BASE64.decode(text);
        bytes.map_err(|error| self.unfit(check, &error.to_string()))
    }

    fn expect(&self, check: &str, holds: bool, otherwise: &str) -> Result<(), Error> {
        expect(self.0.identity(), check, holds, otherwise)
    }

    fn unfit(&self, check: &str, message: &str) -> Error {
        unfit(self.0.identity(), check, message)
    }
}

/// The same bytes but for the last, which every form authenticates.
fn changed(stored: &[u8]) -> Vec<u8> {
    let mut changed = stored.to_vec();
    if let Some(last) = changed.last_mut() {
        *last ^= 1;
    }
    changed
}

fn options(form: SealedForm) -> SealOptions {
    SealOptions { form, key: None }
}

fn name(form: SealedForm) -> &'static str {
    match form {
        SealedForm::Minio(_) => "MinIO's form",
        SealedForm::Compact => "compact",
        SealedForm::Rustfs => "RustFS' form",
    }
}

/// Bytes that a component cannot have known before.
fn random(size: usize) -> Result<Vec<u8>, Error> {
    let mut bytes = vec![0; size];
    getrandom::fill(&mut bytes).map_err(|error| Error::Load {
        component: "iamseal".to_owned(),
        message: format!("no random bytes: {error}"),
    })?;
    Ok(bytes)
}

fn expect(identity: &Identity, check: &str, holds: bool, otherwise: &str) -> Result<(), Error> {
    match holds {
        true => Ok(()),
        false => Err(unfit(identity, check, otherwise)),
    }
}

fn unfit(identity: &Identity, check: &str, message: &str) -> Error {
    Error::Unfit {
        component: identity.to_string(),
        check: line(check),
        message: line(message),
    }
}
