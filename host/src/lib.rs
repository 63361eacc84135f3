//! Opens, seals, audits and migrates the IAM and configuration objects of MinIO and
//! MinIO-compatible servers, inside a WebAssembly component that has no authority of its own.

pub mod contract;
pub mod keys;
pub mod storage;
