//! What a census has counted. However many objects there are, it holds no more than some names.

use std::collections::{BTreeMap, BTreeSet};

use iamseal::storage::census::{Encryption, Need, Needed};

use crate::cause::Cause;
use crate::tally::Tally;

/// How many keys are counted one by one. A deployment has a few, seldom one for each customer.
const KEYS: usize = 10_000;
/// How many bytes of their names are held: far more than so many have, which hostile objects may name at any length.
const KEYS_BYTES: usize = 4 << 20;
/// How many buckets of a key are remembered, and how many of the first paths.
const BUCKETS: usize = 100;
const PATHS: usize = 10;

/// What needs a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Use {
    /// Objects of IAM and of the configuration.
    Config,
    /// The tiers.
    Tiers,
    /// The replication targets of buckets.
    Targets,
    /// What buckets encrypt new objects with.
    Default,
    /// Objects in buckets.
    S3,
    Kms,
    Other,
    /// Uploads that were begun.
    Uploads,
}

impl Use {
    /// In JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Tiers => "tiers",
            Self::Targets => "replication-targets",
            Self::Default => "default-encryption",
            Self::S3 => "sse-s3",
            Self::Kms => "sse-kms",
            Self::Other => "sse-other",
            Self::Uploads => "uploads",
        }
    }

    /// For people.
    pub fn words(self) -> &'static str {
        match self {
            Self::Config => "IAM and configuration",
            Self::Tiers => "tiers",
            Self::Targets => "replication targets",
            Self::Default => "default encryption",
            Self::S3 => "SSE-S3",
            Self::Kms => "SSE-KMS",
            Self::Other => "encrypted otherwise",
            Self::Uploads => "unfinished uploads",
        }
    }
}

/// What is counted of one key and use.
#[derive(Default)]
pub struct Group {
    /// Objects; of a bucket's settings, buckets.
    pub objects: u64,
    pub versions: u64,
    pub bytes: u64,
    /// The first buckets, and whether there are more.
    pub buckets: BTreeSet<Vec<u8>>,
    pub has_more_buckets: bool,
    /// The first paths.
    pub first: Vec<Vec<u8>>,
}

/// One more for a group.
pub struct One<'a> {
    pub bucket: Option<&'a [u8]>,
    pub path: &'a [u8],
    pub versions: u64,
    pub bytes: u64,
}

impl<'a> One<'a> {
    /// Something that is in no bucket.
    pub fn at(path: &'a [u8]) -> Self {
        Self {
            bucket: None,
            path,
            versions: 1,
            bytes: 0,
        }
    }
}

impl Group {
    fn add(&mut self, one: &One<'_>) {
        self.objects += 1;
        self.versions = self.versions.saturating_add(one.versions);
        self.bytes = self.bytes.saturating_add(one.bytes);
        if let Some(bucket) = one.bucket.filter(|bucket| !self.buckets.contains(*bucket)) {
            match self.buckets.len() < BUCKETS {
                true => {
                    self.buckets.insert(bucket.to_vec());
                }
                false => self.has_more_buckets = true,
            }
        }
        if self.first.len() < PATHS {
            let bucket = one.bucket.map(|bucket| [bucket, b"/"].concat());
            let bucket = bucket.unwrap_or_default();
            self.first.push([&bucket, one.path].concat());
        }
    }
}

/// Where a census looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    Config,
    Tiers,
    Buckets,
    Objects,
    Uploads,
}

impl Part {
    /// All of them, in the order in which they are told.
    pub const ALL: [Self; 5] = [
        Self::Config,
        Self::Tiers,
        Self::Buckets,
        Self::Objects,
        Self::Uploads,
    ];

    /// In JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Tiers => "tiers",
            Self::Buckets => "bucket-metadata",
            Self::Objects => "objects",
            Self::Uploads => "uploads",
        }
    }

    /// For people.
    pub fn words(self) -> &'static str {
        match self {
            Self::Config => "IAM and configuration",
            Self::Tiers => "tiers",
            Self::Buckets => "metadata of buckets",
            Self::Objects => "objects in buckets",
            Self::Uploads => "unfinished uploads",
        }
    }
}

/// What was counted.
#[derive(Default)]
pub struct Figures {
    /// By key, those without a name last, and by use.
    groups: BTreeMap<(bool, String, Use), Group>,
    keys: BTreeSet<String>,
    keys_bytes: usize,
    /// Whether there were more keys than are counted.
    pub has_more_keys: bool,
    /// What is encrypted under keys that clients bring.
    pub customer: Group,
    /// Objects of IAM in the root-credential form, which no key of a KMS opens.
    pub root_credential: u64,
    /// Objects in buckets and their versions, encrypted or not.
    pub objects: u64,
    pub versions: u64,
    /// Objects that were read though some drives' metadata of them is damaged.
    pub damaged: u64,
    /// What could not be read.
    pub unread: u64,
    /// What was looked at to its end, and how many there were of it.
    pub looked: BTreeMap<Part, u64>,
    /// What was not looked at, and why.
    pub not_looked: BTreeMap<Part, String>,
    failed: Tally,
}

impl Figures {
    /// Counts something that needs this key.
    pub fn add(&mut self, key: Option<&str>, of: Use, one: &One<'_>) {
        let name = key.unwrap_or_default().to_owned();
        if key.is_some() && !self.keys.contains(&name) {
            let bytes = self.keys_bytes + name.len();
            if self.keys.len() >= KEYS || bytes > KEYS_BYTES {
                self.has_more_keys = true;
                return;
            }
            self.keys_bytes = bytes;
            self.keys.insert(name.clone());
        }
        let group = self.groups.entry((key.is_none(), name, of)).or_default();
        group.add(one);
    }

    /// Counts versions in a bucket, or of an upload that has none.
    pub fn sealed(&mut self, encryption: Encryption, key: Option<&str>, one: &One<'_>) {
        let of = match (encryption, one.bucket) {
            (Encryption::Customer, _) => return self.customer.add(one),
            (_, None) => Use::Uploads,
            (Encryption::S3, _) => Use::S3,
            (Encryption::Kms, _) => Use::Kms,
            (Encryption::Other, _) => Use::Other,
        };
        self.add(key, of, one);
    }

    /// Counts what needs a key in a file.
    pub fn needed(&mut self, needed: &Needed, one: &One<'_>) {
        let of = match needed.what {
            Need::Targets => Use::Targets,
            Need::DefaultEncryption => Use::Default,
            Need::Tiers => Use::Tiers,
        };
        self.add(needed.key.as_deref(), of, one);
    }

    /// Takes into account that something could not be read.
    pub fn unread(&mut self, cause: Cause) {
        self.unread += 1;
        self.fail(cause);
    }

    /// Takes into account that something else failed.
    pub fn fail(&mut self, cause: Cause) {
        self.failed.beside(cause);
    }

    /// The one code of all failures, or the code for several.
    pub fn exit_code(&self) -> u8 {
        self.failed.exit_code()
    }

    /// Every key and use, with what was counted; no name where none is named.
    pub fn groups(&self) -> impl Iterator<Item = (Option<&str>, Use, &Group)> {
        self.groups.iter().map(|((is_nameless, name, of), group)| {
            let key = (!is_nameless).then_some(name.as_str());
            (key, *of, group)
        })
    }

    /// The keys that are named.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().map(String::as_str)
    }

    /// What needs a key and does not name it. A bucket's default means the key that the server has then.
    pub fn nameless(&self) -> u64 {
        let groups = self.groups();
        let nameless = groups.filter(|(key, of, _)| key.is_none() && *of != Use::Default);
        nameless.map(|(_, _, group)| group.objects).sum()
    }

    /// Whether a key that is not among them is needed by nothing, as far as a cluster's drives go.
    pub fn is_complete(&self) -> bool {
        self.unread == 0
            && self.nameless() == 0
            && !self.has_more_keys
            && Part::ALL.iter().all(|part| self.looked.contains_key(part))
    }
}
