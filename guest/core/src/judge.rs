//! Judging an object that opens: whether it is what its path wants. To open proves who wrote it, not that a
//! server loads it. What a server does with each was seen with RELEASE.2025-10-15 (docs/formats/minio.md
//! section 14).

mod read;
mod token;

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use iamseal_data_key::json::{JsonError, Reader, document};

use self::read::{Config, Identity};

pub use token::Signer;

/// What an object that opens holds, as far as it is looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Content {
    /// What is wrong with it.
    pub faults: Vec<Fault>,
    /// The objects that it names: a mapping's policies, a group's members.
    pub names: Vec<Vec<u8>>,
    /// Whose secret signed the session token that it holds.
    pub signer: Option<Signer>,
}

impl Content {
    /// Why no server loads it.
    pub fn error(&self) -> Option<&str> {
        let mut errors = self.faults.iter().filter(|fault| fault.is_error);
        errors.next().map(|fault| fault.text.as_str())
    }
}

/// Something that is wrong with an object that opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Whether no server loads the object. Else one does, but not as whoever wrote it will have meant.
    pub is_error: bool,
    /// For people. No text of a secret.
    pub text: String,
}

/// What a path wants its object to be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind<'a> {
    /// `config/config.json`.
    Config,
    /// `config/iam/format.json`.
    Format,
    /// A user, service account or temporary credential of this name.
    Identity(&'a [u8]),
    Group,
    Policy,
    /// The policies of a user or group.
    Mapping,
}

impl<'a> Kind<'a> {
    /// By a path that is cleaned. None for a path whose objects are not judged.
    fn of(path: &'a [u8]) -> Option<Self> {
        if path == b"config/config.json" {
            return Some(Self::Config);
        }
        let path = path.strip_prefix(b"config/iam/")?;
        if path == b"format.json" {
            return Some(Self::Format);
        }
        let slash = path.iter().position(|byte| *byte == b'/')?;
        let (folder, rest) = path.split_at_checked(slash)?;
        // A name may have slashes in it.
        let name = |end: &[u8]| rest.strip_prefix(b"/")?.strip_suffix(end);
        match folder {
            b"users" | b"service-accounts" | b"sts" => name(b"/identity.json").map(Self::Identity),
            b"groups" => name(b"/members.json").map(|_| Self::Group),
            b"policies" => name(b"/policy.json").map(|_| Self::Policy),
            b"policydb" => name(b".json").map(|_| Self::Mapping),
            _ => None,
        }
    }
}

/// The policies that every server has without an object.
const BUILT_IN: [&[u8]; 5] = [
    b"readwrite",
    b"readonly",
    b"writeonly",
    b"diagnostics",
    b"consoleAdmin",
];

/// How many names of an object are looked at, and how many bytes of them, so that one object cannot take all
/// memory: far more than the members of any group that was seen.
const NAMES: usize = 10_000;
const NAMES_BYTES: usize = 1 << 20;

/// The shortest access key that a server lets anybody log in with.
const SHORTEST_NAME: usize = 3;

/// The shortest secret key that a server lets anybody log in with.
const SHORTEST_SECRET: usize = 8;

/// Judges the object of a cleaned path. `signer` tells whose secret signed a session token.
pub(crate) fn judge(
    path: &[u8],
    plaintext: &[u8],
    signer: impl FnOnce(&Identity<'_>) -> Signer,
) -> Content {
    let mut content = Content::default();
    let Some(kind) = Kind::of(path) else {
        return content;
    };
    let judged = match kind {
        Kind::Config => document(plaintext, Config::read).map(|config| content.config(&config)),
        Kind::Format => document(plaintext, read::version).map(drop),
        Kind::Identity(name) => document(plaintext, Identity::read).map(|identity| {
            content.identity(name, &identity);
            if !identity.session_token.is_empty() {
                content.signer = Some(signer(&identity));
            }
        }),
        Kind::Group => document(plaintext, read::group).map(|members| {
            let members = members.iter().map(Vec::as_slice);
            content.name(b"config/iam/users/", members, b"/identity.json");
        }),
        Kind::Policy => document(plaintext, read::policy).map(|has_statements| {
            if !has_statements {
                content.warn("it holds no statement, so it allows nothing".to_string());
            }
        }),
        Kind::Mapping => document(plaintext, read::mapping).map(|policies| {
            let names = policies.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
            let names = names.filter(|name| !name.is_empty() && !BUILT_IN.contains(name));
            content.name(b"config/iam/policies/", names, b"/policy.json");
        }),
    };
    match judged {
        // It may well be loaded: servers follow much deeper.
        Err(error) if error.is_too_deep() => {}
        Err(error) => content.faults = [unread(kind, plaintext, &error)].into(),
        Ok(()) => {}
    }
    content
}

/// U+FEFF in UTF-8, which some editors write at the beginning of a file and nobody sees.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

fn unread(kind: Kind<'_>, plaintext: &[u8], error: &JsonError) -> Fault {
    let so = match kind {
        Kind::Config => "a server writes its defaults over it",
        _ => "for it a server loads no identity at all",
    };
    let why = match plaintext.starts_with(BYTE_ORDER_MARK) {
        true => "it begins with a byte-order mark".to_string(),
        false => error.text(),
    };
    Fault {
        is_error: true,
        text: format!("not the JSON that its path wants, {why}: {so}"),
    }
}

impl Content {
    /// Takes the paths of what is named, each once.
    fn name<'n>(&mut self, begin: &[u8], names: impl Iterator<Item = &'n [u8]>, end: &[u8]) {
        let (mut seen, mut bytes) = (BTreeSet::new(), 0_usize);
        for name in names {
            if !seen.insert(name) {
                continue;
            }
            bytes = bytes.saturating_add(name.len());
            if seen.len() > NAMES || bytes > NAMES_BYTES {
                self.warn("it names more than is looked at, so more may be missing".to_string());
                break;
            }
            self.names.push([begin, name, end].concat());
        }
    }

    fn warn(&mut self, text: String) {
        self.faults.push(Fault {
            is_error: false,
            text,
        });
    }

    fn identity(&mut self, name: &[u8], identity: &Identity<'_>) {
        let key = match &*identity.access_key {
            [] => name,
            key => key,
        };
        if key.len() < SHORTEST_NAME {
            self.warn(format!(
                "its access key is shorter than {SHORTEST_NAME} bytes, so nobody logs in with it"
            ));
        }
        match identity.secret_key.len() {
            0 => self.warn("it holds no secret key, so nobody logs in with it".to_string()),
            1..SHORTEST_SECRET => self.warn(format!(
                "its secret key is shorter than {SHORTEST_SECRET} bytes, so nobody logs in with it"
            )),
            _ => {}
        }
        if key != name {
            self.warn(
                "it names another access key than its folder; servers take the folder's"
                    .to_string(),
            );
        }
    }

    fn config(&mut self, config: &Config) {
        if config.names_etcd {
            self.warn(
                "it has a server keep identities in an etcd: while that does not answer, none is loaded"
                    .to_string(),
            );
        }
    }
}

/// Takes a value that may also be null.
fn or_null<'a, T: Default>(
    reader: &mut Reader<'a>,
    read: impl FnOnce(&mut Reader<'a>) -> Result<T, JsonError>,
) -> Result<T, JsonError> {
    match reader.null()? {
        true => Ok(T::default()),
        false => read(reader),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const USER: &str = "config/iam/users/user/identity.json";
    const GROUP: &str = "config/iam/groups/g/members.json";
    const POLICY: &str = "config/iam/policies/p/policy.json";
    const MAPPING: &str = "config/iam/policydb/users/u.json";
    const FORMAT: &str = "config/iam/format.json";
    const CONFIG: &str = "config/config.json";

    fn judged(path: &str, text: &str) -> Content {
        judge(path.as_bytes(), text.as_bytes(), |_| Signer::Unknown)
    }

    #[test]
    fn what_a_server_does_not_load_is_an_error() {
        for (path, text) in [
            (USER, r#"{"version":1,"credentials":{"acce"#),
            (USER, "[]"),
            (
                USER,
                r#"{"version":1,"credentials":{"accessKey":"user","secretKey":12345678}}"#,
            ),
            (USER, r#"{"version":"1","credentials":{}}"#),
            (
                USER,
                r#"{"version":1,"credentials":{"secretKey":"longenough"}}x"#,
            ),
            (USER, r#"{"version":1,"credentials":"x"}"#),
            (
                USER,
                r#"{"version":1,"credentials":{"expiration":"yesterday"}}"#,
            ),
            (USER, r#"{"version":1,"updatedAt":""}"#),
            (GROUP, r#"{"updatedAt":"2026-11-29T17:52:38.Z"}"#),
            (POLICY, r#"{"Version":1,"Policy":{"Ver"#),
            (POLICY, "garbage"),
            (GROUP, r#"{"version":1,"sta"#),
            (GROUP, r#"{"version":1,"status":"enabled","members":"u"}"#),
            (MAPPING, r#"{"version":1,"pol"#),
            (MAPPING, r#"{"version":1,"policy":["p"]}"#),
            (FORMAT, r#"{"}rsion"}}"#),
            (CONFIG, r#"{"credentials":{}}y"#),
        ] {
            assert!(judged(path, text).error().is_some(), "{path}: {text}");
        }
    }

    #[test]
    fn a_byte_order_mark_is_named() {
        let error = |text| judged(USER, text).error().map(str::to_string);
        let marked = error("\u{feff}{}").unwrap();
        assert!(marked.contains("byte-order mark"), "{marked}");
        assert!(!error("[]").unwrap().contains("byte-order mark"));
    }

    #[test]
    fn what_a_server_loads_is_none() {
        for (path, text) in [
            (USER, "{}"),
            (USER, "null"),
            (USER, r#"{"version":1,"credentials":{"secretKey":"short"}}"#),
            (
                USER,
                r#"{"VERSION":1,"Credentials":{"secretkey":"longenough"}}"#,
            ),
            (
                USER,
                r#"{"more":{"x":[1,2]},"credentials":{"secretKey":"longenough","zz":1}}"#,
            ),
            (
                POLICY,
                r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:*"]}]}"#,
            ),
            (POLICY, r#"{"Version":1,"Policy":{"Statement":[]}}"#),
            (
                POLICY,
                r#"{"Version":1,"Policy":{"Version":"2022","Statement":[{"Action":"x"}]}}"#,
            ),
            (GROUP, r#"{"version":1,"status":"maybe","members":["u"]}"#),
            (MAPPING, "{}"),
            (
                MAPPING,
                r#"{"version":0,"policy":"p","updatedAt":"2026-11-29T17:52:38Z"}"#,
            ),
            (
                GROUP,
                r#"{"updatedAt":"2026-11-29T17:52:38.122535517+01:00"}"#,
            ),
            (FORMAT, r#"{"version":2}"#),
            (CONFIG, r#"{"version":"33","region":"","domain":["a"]}"#),
            ("config/iam/other.json", "garbage"),
            ("config/history/1.kv", "a=b"),
        ] {
            assert_eq!(judged(path, text).error(), None, "{path}: {text}");
        }
    }

    #[test]
    fn an_account_that_nobody_logs_in_with_is_a_warning() {
        let warned = |text| {
            let faults = judged(USER, text).faults;
            assert!(faults.iter().all(|fault| !fault.is_error));
            faults.len()
        };
        for (text, faults) in [
            (
                r#"{"credentials":{"accessKey":"user","secretKey":"longenough"}}"#,
                0,
            ),
            (r#"{"credentials":{"secretKey":"longenough"}}"#, 0),
            ("{}", 1),
            (
                r#"{"version":2,"credentials":{"secretkey":"longenough"}}"#,
                0,
            ),
            (
                r#"{"version":1,"credentials":{"SecretKey":"longenough"}}"#,
                0,
            ),
            (r#"{"credentials":{"secretKey":"short"}}"#, 1),
            (
                r#"{"credentials":{"accessKey":"other","secretKey":"longenough"}}"#,
                1,
            ),
            // Another name, too, than its folder's.
            (
                r#"{"credentials":{"accessKey":"v","secretKey":"longenough"}}"#,
                2,
            ),
        ] {
            assert_eq!(warned(text), faults, "{text}");
        }
        let etcd = r#"{"etcd":{"_":[{"key":"endpoints","value":"http://x:2379"}]}}"#;
        assert_eq!(judged(CONFIG, etcd).faults.len(), 1);
        let none = r#"{"etcd":{"_":[{"key":"endpoints","value":""}]}}"#;
        assert_eq!(judged(CONFIG, none).faults.len(), 0);
    }

    #[test]
    fn names_are_the_paths_of_what_is_named() {
        let mapping = judged(MAPPING, r#"{"policy":"p, q,readwrite,,"}"#);
        let wanted = ["p", "q"].map(|name| format!("config/iam/policies/{name}/policy.json"));
        assert_eq!(mapping.names, wanted.map(String::into_bytes));
        let group = judged(GROUP, r#"{"members":["user"]}"#);
        assert_eq!(group.names, [USER.as_bytes().to_vec()]);
    }

    #[test]
    fn a_name_may_have_slashes_in_it() {
        let identity = r#"{"credentials":{"accessKey":"a/b","secretKey":"longenough"}}"#;
        let path = "config/iam/users/a/b/identity.json";
        assert_eq!(judged(path, identity), Content::default());
        assert!(judged(path, "[]").error().is_some());
        assert_eq!(
            judged("config/iam/users/identity.json", "[]"),
            Content::default()
        );
    }

    #[test]
    fn what_names_without_end_is_bounded() {
        let many: Vec<String> = (0..50_000).map(|number| format!("p{number}")).collect();
        let mapping = judged(MAPPING, &format!(r#"{{"policy":"{}"}}"#, many.join(",")));
        assert_eq!((mapping.names.len(), mapping.faults.len()), (NAMES, 1));
        let group = judged(
            GROUP,
            &format!(r#"{{"members":["{}"]}}"#, many.join(r#"",""#)),
        );
        assert_eq!((group.names.len(), group.faults.len()), (NAMES, 1));
        let same = judged(
            MAPPING,
            &format!(r#"{{"policy":"{}"}}"#, "a,".repeat(50_000)),
        );
        assert_eq!((same.names.len(), same.faults.len()), (1, 0));
    }

    #[test]
    fn too_deep_is_no_verdict() {
        let deep = format!(r#"{{"Policy":{{"Condition":{}"#, "[".repeat(1000));
        assert_eq!(judged(POLICY, &deep), Content::default());
    }

    #[test]
    fn the_signer_is_asked_of_tokens_alone() {
        let none = judged(USER, r#"{"credentials":{"secretKey":"longenough"}}"#);
        assert_eq!(none.signer, None);
        let token = r#"{"credentials":{"secretKey":"longenough","sessionToken":"a.b.c"}}"#;
        assert_eq!(judged(USER, token).signer, Some(Signer::Unknown));
    }
}
