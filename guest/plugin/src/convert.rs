//! Between the contract's types and the core's.

use crate::contract::exports::iamseal::plugin::{auditing, opening};
use crate::contract::iamseal::plugin::types;

iamseal_core::contract_to_read!();
