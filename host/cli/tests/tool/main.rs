//! The tool as its users meet it: the real binary on real files, and in `real_servers` against etcd, KES and
//! MinIO themselves, on loopback.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

mod archives;
mod archives_whole;
mod audit;
mod bad_objects;
mod cat;
mod census;
mod command;
mod command_drives;
mod command_store;
mod demo;
mod drives;
mod drives_applied;
mod drives_degraded;
mod drives_written;
mod edit;
mod encrypted;
mod ends;
mod export;
mod failing_disk;
mod field;
mod help;
mod import;
mod inspect;
mod journal_place;
mod keys;
mod keys_needed;
mod kill;
mod kit;
mod ls;
mod manifest;
mod migrate;
mod odd_stores;
mod only_the_named_server;
mod pages;
mod plugin_file;
mod prepared;
mod private_files;
mod proof;
mod real_servers;
mod reference;
mod rights;
mod rustfs;
mod secrets;
mod set_aside;
mod shards;
mod shown;
mod sign_tokens;
mod single_objects;
mod sweep;
mod undo;
mod untouched;
mod watch;
mod writers;
