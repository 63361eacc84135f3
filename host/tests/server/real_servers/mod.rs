//! Documents in a real etcd and in a bucket of a real MinIO, and keys in a real KES.

mod full_rate;
mod kes;
mod several;
