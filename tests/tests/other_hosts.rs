//! The very component that the crate embeds, in Python and in Node.js, through the examples that a
//! reader copies: they open and refuse what the crate opens and refuses, and what they seal it opens.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use iamseal_core::{Context, Form, Found, Policy};
use iamseal_tests::backend::{Backend, Opened};
use iamseal_tests::compact_vectors::compact;
use iamseal_tests::component::Component;
use iamseal_tests::errors::case;
use iamseal_tests::keys::Keys;
use iamseal_tests::other_host::OtherHost;
use iamseal_tests::vectors::{base64, minio};
use serde_json::{Value, json};

const NAME: &str = "my-minio-key";
const KEY: [u8; 32] = [9; 32];

#[test]
fn python_opens_and_refuses_what_minio_made() {
    minio_vectors(&mut OtherHost::python());
}

#[test]
fn node_opens_and_refuses_what_minio_made() {
    minio_vectors(&mut OtherHost::node());
}

#[test]
fn python_opens_and_refuses_compact_objects() {
    compact_vectors(&mut OtherHost::python());
}

#[test]
fn node_opens_and_refuses_compact_objects() {
    compact_vectors(&mut OtherHost::node());
}

#[test]
fn the_crate_opens_what_python_seals() {
    sealed(&mut OtherHost::python());
}

#[test]
fn the_crate_opens_what_node_seals() {
    sealed(&mut OtherHost::node());
}

#[test]
fn python_ends_a_call_that_reaches_for_what_is_not_lent() {
    denied(&mut OtherHost::python());
}

#[test]
fn node_ends_a_call_that_reaches_for_what_is_not_lent() {
    denied(&mut OtherHost::node());
}

#[test]
fn on_the_command_line_each_opens_what_the_other_seals() {
    let hosts = [OtherHost::python(), OtherHost::node()];
    let key = format!("{NAME}:{}", text(&KEY));
    let path = "config/iam/users/alice/identity.json";
    for (seals, opens) in [(0, 1), (1, 0)] {
        let sealed = hosts[seals].command_line(&key, "seal", path, b"{\"version\":1}");
        assert!(sealed.status.success(), "{sealed:?}");
        let opened = hosts[opens].command_line(&key, "unseal", path, &sealed.stdout);
        assert_eq!(opened.stdout, b"{\"version\":1}", "{opened:?}");

        let elsewhere = "config/iam/users/bob/identity.json";
        for (key, action, at, complaint) in [
            (&*key, "unseal", elsewhere, "iamseal: header-not-authentic"),
            ("", "unseal", path, "iamseal: a key is NAME:BASE64"),
            (&*key, "delete", path, "usage: "),
        ] {
            let refused = hosts[opens].command_line(key, action, at, &sealed.stdout);
            let said = String::from_utf8_lossy(&refused.stderr);
            assert!(said.contains(complaint), "{said}");
            assert_eq!(refused.status.code(), Some(1), "{complaint}");
            assert!(refused.stdout.is_empty(), "{complaint}");
        }
    }
}

fn minio_vectors(host: &mut OtherHost) {
    let mut crates = BTreeMap::new();
    let (mut opened, mut refused) = (0, 0);
    for vector in minio() {
        let [key, user, password] = vector.keyring();
        let ours = crates
            .entry(vector.keyring().map(str::to_string))
            .or_insert_with(|| Component::new(&vector.keys(), ""));
        let mut request = json!({
            "do": "unseal",
            "store": "",
            "path": text(&vector.path()),
            "stored": text(&vector.stored()),
            "policy": "compatible",
            "lend": {},
        });
        if !key.is_empty() {
            request["lend"]["key"] = key.into();
        }
        if !user.is_empty() {
            request["lend"]["credentials"] = json!([[user, password]]);
        }
        let wanted = ours.unseal(&vector.path(), &vector.stored(), Policy::Compatible);
        let wanted = wanted.map_err(|error| case(&error).to_string());
        if let Ok(object) = &wanted
            && vector.expect == "ok"
        {
            assert_eq!(object.plaintext, vector.plaintext(), "{}", vector.id);
        }
        *(if wanted.is_ok() {
            &mut opened
        } else {
            &mut refused
        }) += 1;
        same(&host.ask(&request), &wanted, &vector.id);
    }
    // As many as `vectors.rs` names; a file that was cut must not pass in silence.
    assert_eq!((opened, refused), (41, 43));
}

fn compact_vectors(host: &mut OtherHost) {
    for vector in compact() {
        let mut request = json!({
            "do": "unseal",
            "store": vector.store,
            "path": text(&vector.path),
            "stored": text(&vector.stored),
            "policy": "sealed",
            "lend": {},
        });
        let (name, _) = vector.key.rsplit_once(':').unwrap();
        request["lend"]["key"] = vector.key.clone().into();
        let wanted = match vector.expect.as_str() {
            "ok" => Ok(Opened {
                plaintext: vector.plaintext.clone(),
                found: Found {
                    form: Form::Compact,
                    key: Some(name.to_string()),
                    context: None,
                    user: None,
                },
            }),
            "key-not-found" => Err("key: not-found".to_string()),
            other => Err(other.to_string()),
        };
        same(&host.ask(&request), &wanted, &vector.id);
    }
}

fn sealed(host: &mut OtherHost) {
    let paths: [&[u8]; 3] = [
        b"config/iam/users/alice/identity.json",
        b"config/iam/users/bad\xff\xfe\xc3/identity.json",
        "config/iam/groups/gr\u{fc}n\u{2028}\u{1f600}/members.json".as_bytes(),
    ];
    let store = "site-a";
    let ours = Component::new(&Keys::one(NAME, &KEY), store);
    for (form, wanted) in [("minio", Form::Minio), ("compact", Form::Compact)] {
        for (path, size) in paths.into_iter().zip([0, 1, 70_000]) {
            let plaintext: Vec<u8> = (0..=250).cycle().take(size).collect();
            let request = json!({
                "do": "seal",
                "store": store,
                "path": text(path),
                "plaintext": text(&plaintext),
                "form": form,
                "lend": { "key": format!("{NAME}:{}", text(&KEY)) },
            });
            let answer = host.ask(&request).unwrap();
            let stored = base64(answer["stored"].as_str().unwrap());
            let opened = ours.unseal(path, &stored, Policy::Sealed).unwrap();
            assert_eq!(opened.plaintext, plaintext, "{form}, {size} bytes");
            assert_eq!(opened.found.form, wanted);
            assert_eq!(opened.found.key.as_deref(), Some(NAME));
        }
    }
}

/// Neither example lends a way to make data keys under a handle.
fn denied(host: &mut OtherHost) {
    let mut request = json!({
        "do": "seal",
        "store": "",
        "path": text(b"config/config.json"),
        "plaintext": text(b"{}"),
        "form": "minio",
        "lend": { "server": NAME },
    });
    let refusal = host.ask(&request).unwrap_err();
    assert!(refusal.starts_with("trap: "), "{refusal}");
    // The next call with the same keyring has a new instance and works.
    request["do"] = "unseal".into();
    request["policy"] = "sealed".into();
    request["stored"] = text(b"{}").into();
    assert_eq!(host.ask(&request).unwrap_err(), "form-refused");
}

fn same(answer: &Result<Value, String>, wanted: &Result<Opened, String>, id: &str) {
    match (answer, wanted) {
        (Ok(answer), Ok(wanted)) => {
            assert_eq!(answer["plaintext"], text(&wanted.plaintext), "{id}");
            let found = &answer["found"];
            let seen = ["form", "key", "context", "user"].map(|field| found[field].as_str());
            assert_eq!(seen, fields(&wanted.found), "{id}");
        }
        (Err(answer), Err(wanted)) => assert_eq!(answer, wanted, "{id}"),
        _ => panic!("{id}: got {answer:?}, wanted {wanted:?}"),
    }
}

/// The names that the contract gives.
fn fields(found: &Found) -> [Option<&str>; 4] {
    let form = match found.form {
        Form::Plaintext => "plaintext",
        Form::RootCredential => "root-credential",
        Form::Minio => "minio",
        Form::Compact => "compact",
    };
    let context = found.context.map(|context| match context {
        Context::Joined => "joined",
        Context::Bare => "bare",
    });
    [
        Some(form),
        found.key.as_deref(),
        context,
        found.user.as_deref(),
    ]
}

fn text(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}
