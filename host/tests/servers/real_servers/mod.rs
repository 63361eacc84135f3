//! One file per server. The name of this module tells `cargo xtask test` which tests need them.

mod etcd_access;
mod etcd_answers;
mod etcd_cluster;
mod etcd_sample;
mod etcd_shards;
mod etcd_store;
mod minio;
mod start;
