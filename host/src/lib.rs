//! Opens, seals, audits and migrates the IAM and configuration objects of MinIO and
//! MinIO-compatible servers, inside a WebAssembly component that has no authority of its own.

pub mod contract;
mod error;
pub mod keys;
mod plugin;
pub mod storage;

pub use error::{Error, describe, describe_key, describe_storage};
pub use plugin::{
    Audit, AuditScope, CompileCache, Identity, Limit, Limits, Migration, MigrationPlan, Plugin,
    PluginBuilder,
};
