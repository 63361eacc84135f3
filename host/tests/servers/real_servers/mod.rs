//! One file per server. The name of this module tells `cargo xtask test` which tests need them.

mod s3;
mod s3_keys;
mod s3_trouble;
mod start;
