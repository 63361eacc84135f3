//! Which of the keys and root credentials that are lent the objects of a store need: what an operator
//! wants to see before one is deleted.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::words::NO_USER;
use super::{notes, paint};
use crate::contract::{Finding, Form, KeyError, ObjectError, Signer, Verdict};
use crate::shown::shown;

const KEY: &str = "key";
const USER: &str = "user";
/// Where objects with session tokens stand.
const TOKENS: [&[u8]; 2] = [b"config/iam/service-accounts/", b"config/iam/sts/"];
const TIERS: &[u8] = b"config/tier-config.bin";
const REPLICATION: &[u8] = b"config/site-replication/";

/// What an audit tells of the keys and root credentials that it was lent, by name: the contract does not
/// say which of several keys under one name opened an object.
pub struct Needs {
    keys: BTreeMap<String, Uses>,
    users: BTreeMap<String, Uses>,
    /// Only what begins with this was looked at.
    prefix: Vec<u8>,
    /// Whether there was any object: an empty folder is no evidence.
    has_seen: bool,
    /// Objects that do not open and do not say which key they need.
    silent: u64,
    /// Objects that do not open and that may hold a session token, which a root secret may have signed.
    unread_tokens: u64,
    /// Objects in the root-credential form that do not open. They never say whose they are.
    without_user: u64,
    /// Objects under a key that is not lent, or whose bytes under that name are others.
    foreign: u64,
    /// Session tokens that nobody signed whose secret is lent.
    foreign_tokens: u64,
    /// Whether there are objects that were not looked at.
    is_broken_off: bool,
    /// Files that no audit opens and that may need a key of a KMS.
    exempt: u64,
    /// Whether what names a key beside objects was looked at: those files, and the settings of buckets.
    has_settings: bool,
}

/// What one of them is needed for.
#[derive(Default)]
struct Uses {
    /// How many objects it opened.
    opened: u64,
    /// How many objects that fail ask for it.
    asked_for: u64,
    /// How many session tokens its secret key signed.
    signed: u64,
    /// Whether the manifest that was compared with is sealed under it.
    seals_manifest: bool,
    /// How many tiers and settings of buckets name it.
    named: u64,
}

impl Uses {
    /// Whether it is needed. That it is not is known only where all that could need it was seen.
    fn needed(&self, has_all: bool) -> Option<bool> {
        let objects = self.opened + self.asked_for + self.signed;
        let is_needed = objects > 0 || self.seals_manifest || self.named > 0;
        (is_needed || has_all).then_some(is_needed)
    }
}

impl Needs {
    /// With the names of the keys and the user names of the root credentials that are lent, to an audit
    /// of what begins with `prefix`.
    pub fn new(
        keys: impl IntoIterator<Item = String>,
        users: impl IntoIterator<Item = String>,
        prefix: &[u8],
    ) -> Self {
        let unused = |name| (name, Uses::default());
        Self {
            keys: keys.into_iter().map(unused).collect(),
            users: users.into_iter().map(unused).collect(),
            prefix: prefix.to_vec(),
            has_seen: false,
            silent: 0,
            unread_tokens: 0,
            without_user: 0,
            foreign: 0,
            foreign_tokens: 0,
            is_broken_off: false,
            exempt: 0,
            has_settings: false,
        }
    }

    /// Takes an object into account.
    pub fn see(&mut self, finding: &Finding) {
        self.has_seen = true;
        if let Some(Signer::PresentRoot(user) | Signer::EarlierRoot(user)) = &finding.content.signer
            && let Some(uses) = self.users.get_mut(user)
        {
            uses.signed += 1;
        }
        if finding.content.signer == Some(Signer::Unknown) {
            self.foreign_tokens += 1;
        }
        let is_read = !matches!(finding.verdict, Verdict::Fails(_));
        if !is_read && TOKENS.iter().any(|place| finding.path.starts_with(place)) {
            self.unread_tokens += 1;
        }
        match &finding.verdict {
            // MinIO never encrypts what it notes of replication between sites.
            Verdict::Exempt(_) if finding.path.starts_with(REPLICATION) => {}
            Verdict::Exempt(_) if finding.path == TIERS => self.exempt += 1,
            // What RustFS does not read a MinIO may have sealed under any key.
            Verdict::Exempt(_) => self.silent += 1,
            Verdict::Opens(found) => {
                let key = found.key.as_ref().and_then(|key| self.keys.get_mut(key));
                let user = found.user.as_ref();
                let user = user.and_then(|user| self.users.get_mut(user));
                for uses in key.into_iter().chain(user) {
                    uses.opened += 1;
                }
            }
            Verdict::Fails(failure) => match &finding.key {
                Some(key) => {
                    self.foreign += u64::from(is_of_another_key(&failure.error));
                    if let Some(uses) = self.keys.get_mut(key) {
                        uses.asked_for += 1;
                    }
                }
                None => self.see_nameless(&failure.error),
            },
        }
    }

    /// Takes into account an object that fails and names no key.
    fn see_nameless(&mut self, error: &ObjectError) {
        match error {
            ObjectError::FormRefused(Form::Plaintext) => {}
            ObjectError::FormRefused(Form::RootCredential)
            | ObjectError::NoCredential
            | ObjectError::CredentialNotAuthentic
            | ObjectError::CredentialUntried(_)
            // Of an object without a key's name a root credential opened the header.
            | ObjectError::BodyNotAuthentic
            | ObjectError::CutShort => self.without_user += 1,
            _ => self.silent += 1,
        }
    }

    /// How many session tokens the secrets of root credentials signed that are lent.
    pub fn signed(&self) -> u64 {
        self.users.values().map(|uses| uses.signed).sum()
    }

    /// Takes into account that the audit did not come to its end, or not to all of the store.
    pub fn break_off(&mut self) {
        self.is_broken_off = true;
    }

    /// Takes into account that the manifest is sealed under this key.
    pub fn see_manifest(&mut self, key: &str) {
        if let Some(uses) = self.keys.get_mut(key) {
            uses.seals_manifest = true;
        }
    }

    /// Takes into account that so many tiers or settings of buckets need this key, or do not say which.
    pub fn see_settings(&mut self, key: Option<&str>, count: u64) {
        match key {
            None => self.silent += count,
            Some(key) => {
                if let Some(uses) = self.keys.get_mut(key) {
                    uses.named += count;
                }
            }
        }
    }

    /// Takes into account that all of these were looked at.
    pub fn has_settings(&mut self) {
        self.has_settings = true;
    }

    /// The JSON field `keys` of a summary: for each key `key`, for each root credential `user`, with
    /// `opened`, `asked_for` and `needed`, which is null where it is not known; for each root credential also
    /// `signed`, and for a key that tiers or settings of buckets name `named`.
    pub fn json(&self) -> Value {
        let lines = self.all().map(|(kind, name, uses, needed)| {
            let (opened, asked_for, signed) = (uses.opened, uses.asked_for, uses.signed);
            match kind {
                USER => json!({
                    kind: name, "opened": opened, "asked_for": asked_for, "signed": signed, "needed": needed,
                }),
                kind => {
                    let mut line = json!({
                        kind: name, "opened": opened, "asked_for": asked_for, "needed": needed,
                    });
                    if let Some(fields) = line.as_object_mut().filter(|_| uses.named > 0) {
                        fields.insert("named".into(), uses.named.into());
                    }
                    line
                }
            }
        });
        lines.collect()
    }

    /// A table and what limits it; nothing where the only key or credential is needed.
    pub fn table(&self) -> Option<String> {
        let all: Vec<_> = self.all().collect();
        if matches!(*all, [] | [(.., Some(true))]) {
            return None;
        }
        let signs = all.iter().any(|(_, _, uses, _)| uses.signed > 0);
        let names = all.iter().any(|(_, _, uses, _)| uses.named > 0);
        let rows = all.iter().map(|(kind, name, uses, needed)| {
            let name = match (*kind, name.as_str()) {
                (USER, "") => NO_USER.to_owned(),
                (USER, user) => format!("root credential {}", shown(user.as_bytes())),
                (kind, name) => format!("{kind} {}", shown(name.as_bytes())),
            };
            let verdict = match needed {
                Some(true) => paint::verdict("needed", false),
                Some(false) => "no object needs it".to_owned(),
                None => "not known".to_owned(),
            };
            let mut row = vec![name, uses.opened.to_string(), uses.asked_for.to_string()];
            row.extend(signs.then(|| uses.signed.to_string()));
            row.extend(names.then(|| uses.named.to_string()));
            row.push(verdict);
            row
        });
        let mut header = vec!["", "opened", "fail and ask for it"];
        header.extend(signs.then_some("signed tokens"));
        header.extend(names.then_some("tiers and buckets"));
        header.push("");
        let mut lines = vec![paint::table(&header, rows.collect())];
        if all.iter().any(|(.., needed)| needed.is_none()) {
            lines.extend(self.limits());
        }
        if all.iter().any(|(.., needed)| *needed == Some(false)) {
            let beyond = match self.has_settings {
                true => notes::BEYOND_SETTINGS,
                false => notes::BEYOND_AUDIT,
            };
            lines.push(beyond.into());
        }
        Some(lines.join("\n"))
    }

    /// Every key, then every root credential: what it is, its name, its uses, and whether it is needed.
    fn all(&self) -> impl Iterator<Item = (&'static str, &String, &Uses, Option<bool>)> {
        let has_all = self.has_seen
            && !self.is_broken_off
            && self.prefix == notes::CONFIG
            && self.silent == 0;
        let has_all_users = has_all
            && self.without_user == 0
            && self.unread_tokens == 0
            && self.foreign_tokens == 0;
        // What is exempt is sealed as an S3 object, under a key alone.
        let has_all_keys = has_all && self.foreign == 0 && (self.exempt == 0 || self.has_settings);
        let keys = self.keys.iter();
        let keys = keys.map(move |(name, uses)| (KEY, name, uses, uses.needed(has_all_keys)));
        let users = self.users.iter();
        let users = users.map(move |(name, uses)| (USER, name, uses, uses.needed(has_all_users)));
        keys.chain(users)
    }

    /// Why something is not known.
    fn limits(&self) -> impl Iterator<Item = String> {
        let silent = (self.silent > 0).then(|| notes::silent(self.silent));
        let foreign =
            (self.foreign > 0 && !self.keys.is_empty()).then(|| notes::foreign(self.foreign));
        let foreign_tokens = (self.foreign_tokens > 0 && !self.users.is_empty())
            .then(|| notes::foreign_tokens(self.foreign_tokens));
        let without_user = (self.without_user > 0 && !self.users.is_empty())
            .then(|| notes::without_user(self.without_user));
        let unread_tokens = (self.unread_tokens > 0 && !self.users.is_empty())
            .then(|| notes::unread_tokens(self.unread_tokens));
        let exempt = (self.exempt > 0 && !self.has_settings && !self.keys.is_empty())
            .then(|| notes::unopened(self.exempt));
        let narrow = (self.prefix != notes::CONFIG).then(|| notes::narrow(&self.prefix));
        let broken_off = self.is_broken_off.then(|| notes::BROKEN_OFF.into());
        silent
            .into_iter()
            .chain(foreign)
            .chain(foreign_tokens)
            .chain(without_user)
            .chain(unread_tokens)
            .chain(exempt)
            .chain(narrow)
            .chain(broken_off)
    }
}

/// Whether an object that names a key may open with other bytes than those that are lent under that name.
pub fn is_of_another_key(error: &ObjectError) -> bool {
    match error {
        ObjectError::HeaderNotAuthentic(_) => true,
        ObjectError::Key(failure) => matches!(failure.error, KeyError::NotFound),
        _ => false,
    }
}
