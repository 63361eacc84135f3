//! Identities: what the objects of IAM hold, in the form of an archive that MinIO imports. Both layouts are in
//! docs/formats/minio.md, section 13.

mod account;
mod alike;
pub mod archive;
mod entry;
mod object;
mod pattern;
mod place;
mod refused;
mod token;

use clap::ValueEnum;
use serde_json::{Map, Value};
use zeroize::Zeroize as _;

pub use self::account::signed_by_account;
pub use self::alike::is_alike;
pub use self::entry::entry;
pub use self::object::object;
pub use self::pattern::Pattern;
pub use self::place::{Place, path, place};
pub use self::refused::Refused;

/// What there is in an archive, a file for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Kind {
    Policies,
    Users,
    Groups,
    Svcaccts,
    UserMappings,
    GroupMappings,
    StsuserMappings,
}

impl Kind {
    pub const ALL: [Self; 7] = [
        Self::Policies,
        Self::Users,
        Self::Groups,
        Self::Svcaccts,
        Self::UserMappings,
        Self::GroupMappings,
        Self::StsuserMappings,
    ];

    /// The name of its file in an archive, without what it ends with.
    pub fn name(self) -> &'static str {
        match self {
            Self::Policies => "policies",
            Self::Users => "users",
            Self::Groups => "groups",
            Self::Svcaccts => "svcaccts",
            Self::UserMappings => "user_mappings",
            Self::GroupMappings => "group_mappings",
            Self::StsuserMappings => "stsuser_mappings",
        }
    }

    /// For people, of one.
    pub fn word(self) -> &'static str {
        match self {
            Self::Policies => "policy",
            Self::Users => "user",
            Self::Groups => "group",
            Self::Svcaccts => "service account",
            Self::UserMappings => "policies of a user",
            Self::GroupMappings => "policies of a group",
            Self::StsuserMappings => "policies of a temporary user",
        }
    }
}

/// A field by its name, whose case servers do not look at.
fn field<'a>(fields: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    let is_it = |(other, _): &(&String, _)| other.eq_ignore_ascii_case(name);
    let named = || fields.iter().filter(is_it).map(|(_, value)| value).next();
    fields.get(name).or_else(named)
}

/// JSON that holds secrets, wiped when it is dropped.
pub struct Secret(pub Value);

impl Drop for Secret {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

/// Objects of JSON within others are as deep as their reader lets them be.
fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(values) => values.iter_mut().for_each(wipe),
        Value::Object(fields) => fields.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
