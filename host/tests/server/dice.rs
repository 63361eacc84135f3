//! Choices that look random and are the same in each run.

/// A die with any number of sides.
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, sides: usize) -> usize {
        // Knuth's multiplier for 64 bits; the upper half is the better one.
        self.0 = self.0.wrapping_mul(6364136223846793005);
        self.0 = self.0.wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % sides
    }
}
