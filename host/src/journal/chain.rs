//! Lines that cannot be changed, exchanged, left out or taken from elsewhere without being noticed.
//!
//! A line that the run's key vouches for is an object of JSON whose last field is `mac`: HMAC-SHA256, in
//! hexadecimal digits, of the MAC of the line before (32 zeros before the first) and of the line's own text
//! up to the comma before `"mac"`. What a file ends with can be cut off: that a kill does too.

use std::sync::Arc;

use hmac::Mac as _;

use super::key::{BYTES, RunKey};
use crate::plugin::hex;

/// What stands between a line's own text and its MAC, and after that.
const BEGIN: &str = ",\"mac\":\"";
const END: &str = "\"}\n";
/// How long a MAC is in hexadecimal digits.
const DIGITS: usize = 2 * BYTES;

/// Which kind of file lines are of: those of one are none of another.
#[derive(Clone, Copy)]
pub(super) enum Of {
    Journal,
    Proof,
}

/// The lines of one file, so far.
pub(super) struct Chain {
    key: Arc<RunKey>,
    of: Of,
    last: [u8; BYTES],
}

impl Chain {
    /// Before the first line.
    pub fn new(key: Arc<RunKey>, of: Of) -> Self {
        Self {
            key,
            of,
            last: [0; BYTES],
        }
    }

    /// The same where there may be no key: lines without one have no MAC.
    pub fn begin(key: Option<&Arc<RunKey>>, of: Of) -> Option<Self> {
        key.map(|key| Self::new(Arc::clone(key), of))
    }

    /// Puts its MAC on each of these further lines.
    pub fn seal(&mut self, lines: &str) -> String {
        let mut sealed = String::with_capacity(lines.len() + BEGIN.len() + DIGITS);
        for line in lines.lines() {
            let own = line.strip_suffix('}').unwrap_or(line);
            self.last = self.mac(own.as_bytes()).finalize().into_bytes().into();
            sealed.extend([own, BEGIN, &hex(&self.last), END]);
        }
        sealed
    }

    /// Whether this is the next line, whose own text and MAC are these.
    pub fn check(&mut self, own: &[u8], digits: &[u8]) -> bool {
        let Some(said) = bytes(digits) else {
            return false;
        };
        let is_next = self.mac(own).verify_slice(&said).is_ok();
        self.last = said;
        is_next
    }

    fn mac(&self, own: &[u8]) -> hmac::Hmac<sha2::Sha256> {
        let label = match self.of {
            Of::Journal => "iamseal journal 1",
            Of::Proof => "iamseal proof 1",
        };
        self.key.mac(label, &[&self.last, own])
    }
}

/// A line's own text, without the brace at its end, and its MAC; none if it has no MAC.
pub(super) fn parts(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let line = line.strip_suffix(END.as_bytes())?;
    let (rest, mac) = line.split_at_checked(line.len().checked_sub(DIGITS)?)?;
    Some((rest.strip_suffix(BEGIN.as_bytes())?, mac))
}

fn bytes(digits: &[u8]) -> Option<[u8; BYTES]> {
    let mut bytes = [0; BYTES];
    let text = str::from_utf8(digits).ok()?;
    for (at, byte) in bytes.iter_mut().enumerate() {
        let pair = text.get(2 * at..2 * at + 2)?;
        *byte = u8::from_str_radix(pair, 16).ok()?;
    }
    // There is one way to write it.
    (hex(&bytes) == text).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::super::testing::run_key;
    use super::*;

    fn chain(key: &Arc<RunKey>, of: Of) -> Chain {
        Chain::new(Arc::clone(key), of)
    }

    /// Whether all of these lines, in this order, are what the run wrote.
    fn is_whole(key: &Arc<RunKey>, of: Of, lines: &[&str]) -> bool {
        let mut chain = chain(key, of);
        lines.iter().all(|line| {
            let line = format!("{line}\n");
            parts(line.as_bytes()).is_some_and(|(own, mac)| chain.check(own, mac))
        })
    }

    #[test]
    fn every_kind_of_tampering_is_noticed() {
        let (key, other) = (Arc::new(run_key()), Arc::new(run_key()));
        let text = "{\"a\":1}\n{\"b\":2}\n{\"c\":3}\n{\"d\":4}\n";
        let sealed = chain(&key, Of::Journal).seal(text);
        let lines: Vec<_> = sealed.lines().collect();
        assert!(is_whole(&key, Of::Journal, &lines));
        // What a kill leaves.
        assert!(is_whole(&key, Of::Journal, &lines[..3]));
        let foreign = chain(&other, Of::Journal).seal(text);
        let foreign: Vec<_> = foreign.lines().collect();
        let [a, b, c, d] = lines[..] else {
            panic!("four lines")
        };
        for tampered in [
            vec![b, c, d],          // without its beginning
            vec![a, c, d],          // one dropped
            vec![a, c, b, d],       // two exchanged
            vec![a, b, b, c, d],    // one doubled
            vec![a, b, foreign[2]], // one of another run
            vec![a, "{\"b\":2}", c],
        ] {
            assert!(!is_whole(&key, Of::Journal, &tampered), "{tampered:?}");
        }
        for at in 0..b.len() {
            let mut bytes = b.as_bytes().to_vec();
            bytes[at] ^= 1;
            let flipped = String::from_utf8(bytes).unwrap();
            assert!(!is_whole(&key, Of::Journal, &[a, &flipped]), "{flipped}");
        }
        assert!(!is_whole(&key, Of::Proof, &lines));
        assert!(!is_whole(&other, Of::Journal, &lines));
    }

    #[test]
    fn lines_are_put_down_as_json_in_one_go_or_in_several() {
        let key = Arc::new(run_key());
        let whole = chain(&key, Of::Proof).seal("{\"a\":1}\n{\"b\":{}}\n");
        let mut chain = chain(&key, Of::Proof);
        let parts = chain.seal("{\"a\":1}\n") + &chain.seal("{\"b\":{}}\n");
        assert_eq!(whole, parts);
        for line in whole.lines() {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            assert_eq!(line["mac"].as_str().unwrap().len(), DIGITS);
        }
    }
}
