//! Between these types and those that a crate has generated from `wit/`. Names are the same on both
//! sides, so one list of them serves every generator.
//!
//! Each macro makes implementations of `From`, and finds the generated interfaces by their names in the
//! module that it stands in.

/// What a plugin answers, and what it wants of a key, from the generated `auditing`, `migration`, `opening` and `types`.
#[macro_export]
macro_rules! from_plugin {
    () => {
        $crate::same_cases! {
            types::Form => $crate::contract::Form
                { Plaintext, RootCredential, Minio, Compact }
            types::Cipher => $crate::contract::Cipher
                { Aes256Gcm, Aes128Gcm, Chacha20Poly1305, Xchacha20Poly1305 }
            types::DataKeyEncoding => $crate::contract::DataKeyEncoding
                { Binary, Json, MessagePack }
            types::WrittenEncoding => $crate::contract::WrittenEncoding
                { Binary, Json }
            types::KeyDerivation => $crate::contract::KeyDerivation
                { Argon2id, Pbkdf2 }
            types::Context => $crate::contract::Context
                { Joined, Bare }
            types::KeyError => $crate::contract::KeyError
                { NotFound, NotAuthentic; Denied, Unavailable, Other }
            types::StorageError => $crate::contract::StorageError
                { NotFound, Conflict; TooLarge, Refused, Other }
            types::Error => $crate::contract::ObjectError {
                Empty, NoKey, NoCredential, CredentialNotAuthentic, BodyNotAuthentic, CutShort;
                UnknownForm, Malformed, Unsupported, Refused, FormRefused, Outdated, Key,
                HeaderNotAuthentic, CredentialUntried, NotLoadable, Storage, Other
            }
            auditing::Reason => $crate::contract::Reason
                { OtherKeyBytes, EarlierKey, DamagedDataKey; OtherPath }
            auditing::Signer => $crate::contract::Signer
                { Account, Unknown; PresentRoot, EarlierRoot }
            auditing::Verdict => $crate::contract::Verdict
                { ; Opens, Exempt, Fails }
            migration::Outcome => $crate::contract::Outcome
                { ; Unchanged, Migrated, WouldMigrate, Exempt, Failed }
        }
        $crate::same_fields! {
            types::Found => $crate::contract::Found
                { form; key, context, user }
            types::KeyFailure => $crate::contract::KeyFailure
                { key, error; }
            types::SizeLimit => $crate::contract::SizeLimit
                { asked, allowed; }
            types::Tries => $crate::contract::Tries
                { tried, lent; }
            opening::Description => $crate::contract::Description
                { form, size, plaintext_size; key, cipher, data_key_encoding, key_derivation }
            auditing::Failure => $crate::contract::Failure
                { error; reason }
            auditing::Finding => $crate::contract::Finding
                { path, verdict, content; size, key }
            auditing::Fault => $crate::contract::Fault
                { is_error, text; }
            migration::Step => $crate::contract::Step
                { path, outcome, retries; }
        }
        impl From<auditing::Content> for $crate::contract::Content {
            fn from(it: auditing::Content) -> Self {
                Self {
                    faults: it.faults.into_iter().map(Into::into).collect(),
                    names: it.names,
                    signer: it.signer.map(Into::into),
                }
            }
        }
    };
}

/// What a plugin is asked for, as the generated `migration`, `opening`, `sealing` and `types`.
#[macro_export]
macro_rules! asked_of_plugin {
    () => {
        $crate::same_cases! {
            $crate::contract::Policy => opening::Policy
                { Compatible, Sealed, Current, Rustfs }
            $crate::contract::WrittenCipher => sealing::WrittenCipher
                { Aes256Gcm, Chacha20Poly1305 }
            $crate::contract::WrittenEncoding => types::WrittenEncoding
                { Binary, Json }
            $crate::contract::SealedForm => sealing::SealedForm
                { Compact, Rustfs; Minio }
            $crate::contract::Target => migration::Target
                { Plaintext; Sealed }
        }
        $crate::same_fields! {
            $crate::contract::MinioOptions => sealing::MinioOptions
                { ; cipher, data_key_encoding }
            $crate::contract::SealOptions => sealing::SealOptions
                { form; key }
            $crate::contract::Shard => migration::Shard
                { index, count; }
        }
    };
}

/// What a keyring or a store answers a plugin, as the generated `types`.
#[macro_export]
macro_rules! lent_to_plugin {
    () => {
        $crate::same_cases! {
            $crate::contract::KeyError => types::KeyError
                { NotFound, NotAuthentic; Denied, Unavailable, Other }
            $crate::contract::StorageError => types::StorageError
                { NotFound, Conflict; TooLarge, Refused, Other }
        }
        $crate::same_fields! {
            $crate::contract::SizeLimit => types::SizeLimit
                { asked, allowed; }
        }
    };
}

/// From one enumeration to another of the same cases; behind `;` those that hold something.
#[doc(hidden)]
#[macro_export]
macro_rules! same_cases {
    ($($from:ty => $to:ty { $($bare:ident),* $(; $($holds:ident),+)? })+) => {$(
        impl From<$from> for $to {
            fn from(it: $from) -> Self {
                type Here = $from;
                match it {
                    $(Here::$bare => Self::$bare,)*
                    $($(Here::$holds(held) => Self::$holds(held.into()),)+)?
                }
            }
        }
    )+};
}

/// From one record to another of the same fields; behind `;` those that may be missing.
#[doc(hidden)]
#[macro_export]
macro_rules! same_fields {
    ($($from:ty => $to:ty { $($field:ident),*; $($option:ident),* })+) => {$(
        impl From<$from> for $to {
            fn from(it: $from) -> Self {
                Self {
                    $($field: it.$field.into(),)*
                    $($option: it.$option.map(Into::into),)*
                }
            }
        }
    )+};
}
