//! IAM in etcd as MinIO has it, and what the tool makes of it.

use std::collections::BTreeMap;

use iamseal_servers::etcd::{Etcd, Seen};

use crate::kit::migration::{NAMES, content};
use crate::kit::{KEY, OTHER_KEY, Tool, tool, with};

/// What all keys of the store begin with.
pub const PREFIX: &str = "minio-1/";
/// The keys of others, close by. The first is what the old migration of MinIO would have rewritten.
pub const NEIGHBOURS: [&str; 5] = [
    "minio-1/configuration/x",
    "minio-1/confi",
    "minio-1/iam/format.json",
    "minio-10/config/iam/format.json",
    "config/iam/format.json",
];

/// Plaintext objects, and neighbours.
pub fn fill(etcd: &Etcd) {
    etcd.put_all(NAMES.map(|name| ([PREFIX.as_bytes(), name].concat(), content(name))));
    etcd.put_all(NEIGHBOURS.map(|key| (key, "{\"of\":\"somebody else\"}")));
}

/// Many plaintext objects.
pub fn fill_with(etcd: &Etcd, count: usize) {
    etcd.put_all((0..count).map(|number| {
        let path = format!("config/iam/users/user-{number:05}/identity.json");
        (format!("{PREFIX}{path}"), content(path.as_bytes()))
    }));
}

/// The address of the sample.
pub fn address(etcd: &Etcd) -> String {
    format!("etcd://{}/{PREFIX}", etcd.addresses().join(","))
}

/// A command over the sample with both keys lent and journals in this folder.
pub fn on(etcd: &Etcd, line: &str) -> Tool {
    tool(with(line, address(etcd)))
        .key(KEY)
        .file("--keys", &format!("{OTHER_KEY}\n{KEY}"))
}

/// The values of the sample's objects.
pub fn values(etcd: &Etcd) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let seen = etcd.everything(&format!("{PREFIX}config/")).into_iter();
    seen.map(|(key, seen)| (key, seen.value)).collect()
}

/// What neighbours have.
pub fn neighbours(etcd: &Etcd) -> Vec<Seen> {
    let everything = etcd.everything("");
    let there = NEIGHBOURS.map(|key| everything[key.as_bytes()].clone());
    there.into()
}

/// The drafts that lie about.
pub fn drafts(etcd: &Etcd) -> BTreeMap<Vec<u8>, Seen> {
    etcd.everything(&format!("{PREFIX}iamseal-draft/"))
}
