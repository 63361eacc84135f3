//! One file per server. The name of this module tells `cargo xtask test` which tests need them.

mod etcd_access;
mod etcd_answers;
mod etcd_cluster;
mod etcd_sample;
mod etcd_shards;
mod etcd_store;
mod kes;
mod kes_import;
mod kes_mixed;
mod kes_odd;
mod kes_outage;
mod kes_store;
mod minio;
mod s3;
mod s3_beside;
mod s3_between;
mod s3_drafts;
mod s3_identities;
mod s3_keys;
mod s3_trouble;
mod start;
mod watch;
