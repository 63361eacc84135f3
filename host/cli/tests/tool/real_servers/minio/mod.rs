//! MinIO with its IAM in etcd and on its drives, before and after iamseal.

mod census;
mod dead_objects;
mod degraded;
mod deployment;
mod drives;
mod environment;
mod hosts;
mod identities;
mod journey;
mod judged;
mod meanwhile;
mod prepared;
mod served;
mod tokens;
mod written;
