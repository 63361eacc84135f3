//! One file per server. The name of this module tells `cargo xtask test` which tests need them.

mod minio;
mod start;
