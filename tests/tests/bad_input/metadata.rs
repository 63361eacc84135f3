//! MinIO's metadata: its size, and what its JSON reader takes and refuses.

use iamseal_core::{Policy, SealedForm};
use iamseal_tests::backend::backends;
use iamseal_tests::errors::outcome;
use iamseal_tests::keys::Keys;
use iamseal_tests::objects::{join, split, with_metadata};

use crate::samples::{KEY, NAME, PATH, PLAINTEXT, STORE, sealed};

/// MinIO's bound.
const MAX: usize = 1 << 20;

/// What is done to the metadata of an object.
type Change<'a> = &'a dyn Fn(&str) -> String;

/// What both backends make of an object: `ok` means that it holds what it should.
fn expect(stored: &[u8], wanted: &str, what: &str) {
    for backend in backends(&Keys::one(NAME, &KEY), STORE) {
        let opened = backend.unseal(PATH, stored, Policy::Compatible);
        assert_eq!(outcome(&opened), wanted, "{}: {what}", backend.name());
        if let Ok(opened) = opened {
            assert_eq!(opened.plaintext, PLAINTEXT, "{}: {what}", backend.name());
        }
    }
}

#[test]
fn metadata_may_have_one_mebibyte_and_no_more() {
    let stored = sealed(SealedForm::Minio);
    let (_, body) = split(&stored);
    let padded = |size: usize| {
        with_metadata(&stored, |json| {
            json.to_string() + &" ".repeat(size - json.len())
        })
    };
    expect(&padded(MAX), "ok", "1 MiB");
    expect(&padded(MAX + 1), "malformed", "1 MiB and a byte");
    expect(&join(b"", body), "malformed", "no metadata");
}

#[test]
fn metadata_is_not_believed_to_be_larger_than_it_is() {
    let stored = sealed(SealedForm::Minio);
    for size in [stored.len(), MAX, MAX + 1, u32::MAX as usize] {
        let mut claims = stored.clone();
        let size = u32::try_from(size).unwrap();
        claims[1..5].copy_from_slice(&size.to_le_bytes());
        expect(&claims, "malformed", &format!("a claim of {size} bytes"));
    }
}

#[test]
fn json_that_minio_reads_is_read() {
    let stored = sealed(SealedForm::Minio);
    let cases: [(&str, Change); 7] = [
        ("upper-case names", &|json| {
            json.replace("keyid", "KEYID").replace("nonce", "NoNCE")
        }),
        ("another order", &reversed),
        ("the last duplicate wins", &|json| {
            json.replace('{', r#"{"keyid":"other","nonce":"AAAA","#)
        }),
        ("unknown fields", &|json| {
            json.replace('{', r#"{"x":[1,{"keyid":"other"},null,-1e3],"y":"}","#)
        }),
        ("white space", &|json| {
            format!(
                "\n {} \t\r\n",
                json.replace(',', " ,\n\t").replace(':', " : ")
            )
        }),
        ("escapes in values", &|json| {
            json.replace(NAME, "m\\u0079-key")
        }),
        ("line ends in base64", &|json| {
            json.replace("\"nonce\":\"", "\"nonce\":\"\\r\\n")
        }),
    ];
    for (what, change) in cases {
        let changed = with_metadata(&stored, change);
        assert_ne!(changed, stored, "{what}");
        expect(&changed, "ok", what);
    }
}

#[test]
fn json_that_minio_refuses_is_refused() {
    let stored = sealed(SealedForm::Minio);
    let cases: [(&str, &str, Change); 14] = [
        ("a trailing byte", "malformed", &|json| format!("{json}x")),
        ("a second object", "malformed", &|json| {
            format!("{json}{json}")
        }),
        ("an array", "malformed", &|json| format!("[{json}]")),
        ("a bare string", "malformed", &|_| "\"keyid\"".to_string()),
        ("no end", "malformed", &|json| json.replace('}', "")),
        ("a name that is a number", "malformed", &|json| {
            json.replace(&format!("\"{NAME}\""), "5")
        }),
        ("values nested 100,000 deep", "malformed", &|json| {
            json.replace('{', &format!("{{\"x\":{},", "[".repeat(100_000)))
        }),
        ("base64 without padding", "malformed", &|json| {
            json.replace("=\"}", "\"}")
        }),
        ("no data key", "malformed", &|json| {
            json.replace("kmskey", "x")
        }),
        ("no nonce", "malformed", &|json| json.replace("nonce", "x")),
        ("no cipher", "unsupported", &|json| {
            json.replace("algorithm", "x")
        }),
        ("a cipher in lower case", "unsupported", &str::to_lowercase),
        ("no key name", "key: not-found", &|json| {
            json.replace("keyid", "x")
        }),
        (
            "a last duplicate that is wrong",
            "key: not-found",
            &|json| json.replace('}', ",\"keyid\":\"other\"}"),
        ),
    ];
    for (what, wanted, change) in cases {
        let changed = with_metadata(&stored, change);
        assert_ne!(changed, stored, "{what}");
        expect(&changed, wanted, what);
    }
}

/// The fields in the other order; no value holds a comma.
fn reversed(json: &str) -> String {
    let inner = json.trim_matches(['{', '}']);
    let fields: Vec<&str> = inner.split(',').rev().collect();
    format!("{{{}}}", fields.join(","))
}
