//! Bounds that every host keeps to.

/// The largest object in bytes, unless told otherwise. MinIO keeps the same objects in etcd, which
/// takes 1.5 MiB at most; ten times that leaves room for a large `config.json`, and every worker
/// can hold one in memory.
pub const OBJECT_BYTES: u64 = 16 * 1024 * 1024;

/// How many root credentials are tried on an object, some 60 ms each: all of them together stay well
/// within the time that one call of the plugin may take.
pub const ROOT_CREDENTIALS: usize = 100;

/// The longest file of keys or root credentials in bytes. It holds some fifteen thousand keys; a longer
/// one is the wrong file, and a device without an end must not fill the memory.
pub const KEYS_FILE_BYTES: usize = 1024 * 1024;
