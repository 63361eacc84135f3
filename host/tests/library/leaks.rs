//! What a component walks off with that betrays all that it is lent: the data keys that it opened and made
//! and the keys that were derived for it, and neither a master key nor a password.

use std::sync::Arc;

use iamseal::Plugin;
use iamseal::contract::{Policy, SealOptions, WrittenEncoding};
use iamseal::keys::{Key, RootCredential, StaticKey, StaticKeyring};
use zeroize::Zeroizing;

use iamseal_tests::hostile::{self, Guest, ILL};

const NAME: &str = "the-key";
const SECRET: [u8; 32] = *b"a master key that nobody may see";
const PASSWORD: &str = "a-password-that-nobody-may-see";
/// What data keys of the object are bound to.
const CONTEXT: &[u8] = b"{\"a\":\"b\"}";

/// PBKDF2-HMAC-SHA256 of `root:a-password-that-nobody-may-see`, the salt of 32 `s` and 8192 rounds, made
/// with Python's `hashlib`.
const DERIVED: [u8; 32] = [
    0x3e, 0x56, 0x7e, 0xc7, 0xf1, 0xa7, 0x10, 0xc3, 0x96, 0x0a, 0xe1, 0xca, 0x01, 0xd9, 0x3e, 0x88,
    0x21, 0xc5, 0x23, 0x52, 0xe3, 0x0c, 0x0f, 0x40, 0x77, 0x6f, 0x54, 0xde, 0x42, 0x03, 0xc4, 0x6c,
];

/// Where things stand in the component's memory.
const DATA_KEY: usize = 300;
const SALT: usize = 500;
const MADE: usize = 760;

/// A component that uses everything that it is lent and gives back its whole memory for the object.
fn leaking(data_key: &[u8]) -> Guest {
    let imports = [
        hostile::IMPORT_CANDIDATES,
        hostile::IMPORT_CREDENTIALS,
        hostile::IMPORT_OPEN,
        hostile::IMPORT_DERIVE,
        hostile::IMPORT_MAKE,
    ];
    let data = |at: usize, bytes: &[u8]| {
        let bytes: String = bytes.iter().map(|byte| format!("\\{byte:02x}")).collect();
        format!(r#"(data (i32.const {at}) "{bytes}")"#)
    };
    let items = [
        data(200, NAME.as_bytes()),
        data(220, CONTEXT),
        data(DATA_KEY, data_key),
        data(SALT, &[b's'; 32]),
    ];
    let (name, context, size) = (NAME.len(), CONTEXT.len(), data_key.len());
    // A list of handles: each is four bytes into its candidate.
    let lend = format!(
        "(call $candidates (i32.const 200) (i32.const {name}) (i32.const 640))
         (local.set 0 (i32.load offset=4 (i32.load (i32.const 644))))"
    );
    let everything = "(call $ok (i32.const 0) (i32.mul (memory.size) (i32.const 65536)))";
    let seal = format!(
        "{lend}
         (call $make (local.get 0) (i32.const 220) (i32.const {context}) (i32.const 0)
            (i32.const {MADE}))
         {everything}"
    );
    let unseal = format!(
        "{lend}
         (call $open (local.get 0) (i32.const {DATA_KEY}) (i32.const {size}) (i32.const 220)
            (i32.const {context}) (i32.const 660))
         (call $root_credentials (i32.const 680))
         (call $derive (i32.load offset=12 (i32.load (i32.const 680))) (i32.const {SALT})
            (i32.const 32) (i32.const 1) (i32.const 700))
         {everything}"
    );
    Guest {
        imports: imports.concat().leak(),
        items: items.concat().leak(),
        seal: seal.leak(),
        unseal: unseal.leak(),
        ..Guest::default()
    }
}

async fn plugin(data_key: &[u8]) -> Plugin {
    let key = StaticKey::new(NAME, Zeroizing::new(SECRET));
    let credential = RootCredential::parse(&format!("root:{PASSWORD}")).unwrap();
    let keyring = StaticKeyring::new().key(key).root_credential(credential);
    let keyring = keyring.default_key(NAME).unwrap();
    let builder = leaking(data_key).plugin().keyring(Arc::new(keyring));
    builder.load().await.unwrap()
}

fn holds(memory: &[u8], bytes: &[u8]) -> bool {
    memory.windows(bytes.len()).any(|window| window == bytes)
}

/// No part of them that is worth anything.
fn holds_no_secret(memory: &[u8]) {
    for part in SECRET.windows(6).chain(PASSWORD.as_bytes().windows(6)) {
        assert!(!holds(memory, part));
    }
    // But what was lent in the open.
    assert!(holds(memory, NAME.as_bytes()));
}

#[tokio::test]
async fn opening_gives_away_data_keys_and_derived_keys_alone() {
    let key = Key::local(Zeroizing::new(SECRET));
    let made = key.make(CONTEXT, WrittenEncoding::Binary).await.unwrap();
    let plugin = plugin(&made.ciphertext).await;
    let memory = plugin.unseal(b"path", b"stored", Policy::Compatible).await;
    let memory = memory.unwrap().plaintext;
    assert!(holds(&memory, &made.plaintext) && holds(&memory, &DERIVED));
    holds_no_secret(&memory);
    // Where the policy opens no such objects, nothing is derived.
    let refused = plugin.unseal(b"path", b"stored", Policy::Sealed).await;
    assert!(refused.is_err());
}

#[tokio::test]
async fn sealing_gives_away_the_data_key_alone() {
    let plugin = plugin(b"none").await;
    let memory = plugin
        .seal(ILL, b"", &SealOptions::default())
        .await
        .unwrap();
    let word = |at: usize| u32::from_le_bytes(memory[at..at + 4].try_into().unwrap()) as usize;
    let list = |at: usize| &memory[word(at)..][..word(at + 4)];
    let (plaintext, ciphertext) = (list(MADE + 4), list(MADE + 12));
    let key = Key::local(Zeroizing::new(SECRET));
    let opened = key.open(ciphertext, CONTEXT).await.unwrap();
    assert_eq!(*opened, plaintext);
    holds_no_secret(&memory);
}
