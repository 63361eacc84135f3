//! One file per server. The name of this module tells `cargo xtask test` which tests need them.

mod kes;
mod kes_import;
mod kes_mixed;
mod kes_odd;
mod kes_outage;
mod start;
