//! Numbers in the compact form's header that are longer than they need be.

use iamseal_core::{Error, SealedForm};
use iamseal_tests::backend::backends;
use iamseal_tests::keys::Keys;

use crate::samples::{NAME, STORE, sealed};

/// Where the size of the key's name stands: after prefix and salt.
const SIZE: usize = 36;

/// The most bytes that a number of 64 bits takes, 7 bits each.
const LONGEST: usize = 10;

#[test]
fn a_number_in_a_longer_form_is_malformed_in_the_same_words_on_32_and_64_bits() {
    let stored = sealed(SealedForm::Compact);
    assert_eq!(usize::from(stored[SIZE]), NAME.len());
    for zeros in 1..=LONGEST {
        let mut longer = stored.clone();
        longer[SIZE] |= 0x80;
        let mut tail = vec![0x80; zeros];
        tail[zeros - 1] = 0;
        longer.splice(SIZE + 1..SIZE + 1, tail);
        for backend in backends(&Keys::none(), STORE) {
            let said = "its header is damaged, cut short or longer than need be".to_string();
            let what = format!("{}: {zeros} more", backend.name());
            assert_eq!(
                backend.inspect(&longer),
                Err(Error::Malformed(said)),
                "{what}"
            );
        }
    }
}
