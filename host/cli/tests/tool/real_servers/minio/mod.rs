//! MinIO with its IAM in etcd, before and after iamseal.

mod deployment;
mod journey;
mod meanwhile;
mod written;
