//! Between the contract's types and the core's, what only the world `plugin` has.

use crate::contract::exports::iamseal::plugin::{migration, sealing};
use crate::contract::iamseal::plugin::types;

iamseal_core::contract_to_write!();
