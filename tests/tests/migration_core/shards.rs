//! The work divided among several workers.

use std::collections::BTreeMap;

use iamseal_core::{Run, SealedForm, Shard};
use iamseal_tests::errors::case;
use iamseal_tests::lent::Lent;
use iamseal_tests::store::MemoryStore;
use sha2::{Digest, Sha256};

use crate::mixed::secret_keys;
use crate::plans::{outcomes, run, to};

#[test]
fn shards_hold_every_object_exactly_once_as_the_contract_says() {
    let paths: Vec<_> = (0..100).map(|n| format!("config/iam/users/{n}")).collect();
    for count in [1, 2, 3, 7] {
        let store = MemoryStore::with(paths.iter().map(|path| (path, "{}")));
        let mut holders = BTreeMap::new();
        for index in 0..count {
            let mut plan = to(SealedForm::Minio, "a");
            plan.shard = Some(Shard { index, count });
            for (path, outcome) in outcomes(&run(&secret_keys(), &store, plan)) {
                assert_eq!(outcome, "migrated");
                assert_eq!(holders.insert(path, index), None, "two shards hold it");
            }
        }
        assert_eq!(holders.len(), paths.len());
        for (path, index) in holders {
            let digest = Sha256::digest(&path);
            let head = u64::from_be_bytes(*digest.first_chunk().unwrap());
            assert_eq!(head % u64::from(count), u64::from(index), "{path}");
        }
    }
}

#[test]
fn a_shard_that_cannot_be_is_refused() {
    for (index, count) in [(0, 0), (1, 1), (7, 3), (u32::MAX, u32::MAX)] {
        let mut plan = to(SealedForm::Minio, "a");
        plan.shard = Some(Shard { index, count });
        let begun = Run::new(Lent::keys(secret_keys()), plan);
        assert_eq!(case(&begun.err().unwrap()), "refused");
    }
}
