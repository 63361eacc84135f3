//! Which identity the object at a path is.

use super::Kind;

/// What stands below `config/iam/` and is an identity: how its path begins, how it ends, and what it is.
const PLACES: [(&[u8], &[u8], Kind); 7] = [
    (b"policies/", b"/policy.json", Kind::Policies),
    (b"users/", b"/identity.json", Kind::Users),
    (b"groups/", b"/members.json", Kind::Groups),
    (b"service-accounts/", b"/identity.json", Kind::Svcaccts),
    (b"policydb/users/", b".json", Kind::UserMappings),
    (b"policydb/groups/", b".json", Kind::GroupMappings),
    (b"policydb/sts-users/", b".json", Kind::StsuserMappings),
];
/// Where all identities stand.
const IAM: &[u8] = b"config/iam/";
/// The layout's version.
const FORMAT: &[u8] = b"format.json";
const TEMPORARY: &[u8] = b"sts/";

/// What the object at a path is.
#[derive(Debug, PartialEq, Eq)]
pub enum Place<'a> {
    /// An identity of this name.
    Identity(Kind, &'a [u8]),
    /// A temporary credential, which ends by itself.
    Temporary,
    /// Nothing that an archive has a place for, although it may be about an identity.
    Unknown,
    /// Not about identities.
    Other,
}

pub fn place(path: &[u8]) -> Place<'_> {
    let Some(below) = path.strip_prefix(IAM) else {
        return Place::Other;
    };
    if below == FORMAT {
        return Place::Other;
    }
    for (begin, end, kind) in PLACES {
        let rest = below.strip_prefix(begin);
        // A name may have slashes in it.
        let name = rest.and_then(|rest| rest.strip_suffix(end));
        if let Some(name) = name.filter(|name| !name.is_empty()) {
            return Place::Identity(kind, name);
        }
    }
    match below.starts_with(TEMPORARY) && !below.ends_with(b"/") {
        true => Place::Temporary,
        false => Place::Unknown,
    }
}

/// Where the identity of a kind and name stands.
pub fn path(kind: Kind, name: &str) -> Vec<u8> {
    let places = PLACES.into_iter();
    let (begin, end) = places
        .filter(|(_, _, of)| *of == kind)
        .map(|(begin, end, _)| (begin, end))
        .next()
        .unwrap_or_default();
    [IAM, begin, name.as_bytes(), end].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_found_where_it_stands() {
        for kind in Kind::ALL {
            for name in [
                "alice",
                "dev/carol",
                "cn=admins,dc=org",
                "identity.json",
                "zo\u{eb}",
            ] {
                let path = path(kind, name);
                assert_eq!(place(&path), Place::Identity(kind, name.as_bytes()));
            }
        }
    }

    #[test]
    fn what_is_no_identity_is_told_apart() {
        for (path, is) in [
            ("config/iam/sts/KEY/identity.json", Place::Temporary),
            ("config/iam/sts/", Place::Unknown),
            ("config/iam/users/alice/policy.json", Place::Unknown),
            ("config/iam/users//identity.json/", Place::Unknown),
            (
                "config/iam/policydb/service-accounts/A.json",
                Place::Unknown,
            ),
            ("config/iam/policydb/users/.json", Place::Unknown),
            ("config/iam/format.json", Place::Other),
            ("config/config.json", Place::Other),
        ] {
            assert_eq!(place(path.as_bytes()), is, "{path}");
        }
    }
}
