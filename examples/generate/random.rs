//! Chance, the same on every machine: SplitMix64 and the few draws that the calls need.

/// A stream of random numbers.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Random {
        Random(mix(seed))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// From 0 to below 1.
    pub(crate) fn fraction(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// From 0 to below `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.next()) * bound as u128) >> 64) as usize
    }

    /// From `least` to `most`, both included.
    pub(crate) fn between(&mut self, least: i64, most: i64) -> i64 {
        least + self.below((most - least + 1) as usize) as i64
    }

    pub(crate) fn percent(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// How long until what happens at random, every `mean` on average.
    pub(crate) fn wait(&mut self, mean: f64) -> f64 {
        -logarithm(1.0 - self.fraction()) * mean
    }

    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    /// Some are called far more often than others: the first of a list most of all.
    pub(crate) fn pick_popular<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        let fraction = self.fraction();
        &from[(fraction * fraction * from.len() as f64) as usize]
    }

    /// One of `choices`, each as likely as its weight.
    pub(crate) fn weighted<T: Copy>(&mut self, choices: &[(usize, T)]) -> T {
        let mut rest = self.below(choices.iter().map(|choice| choice.0).sum());
        for &(weight, choice) in choices {
            if rest < weight {
                return choice;
            }
            rest -= weight;
        }
        unreachable!("the rest is below the sum of the weights")
    }
}

/// The natural logarithm of a number above 0, to nine digits, by operations that round alike on every
/// machine (a system's own `ln` need not): `m * 2^e` with m near 1, and a series for `ln m`.
fn logarithm(number: f64) -> f64 {
    let bits = number.to_bits();
    let exponent = (bits >> 52) as i64 - 1023;
    let mantissa = f64::from_bits(bits & ((1 << 52) - 1) | 1023 << 52);
    let s = (mantissa - 1.0) / (mantissa + 1.0);
    let squared = s * s;
    let series = (0..10).rev().fold(0.0, |sum, place| sum * squared + 1.0 / f64::from(2 * place + 1));
    exponent as f64 * std::f64::consts::LN_2 + 2.0 * s * series
}

/// A number that looks random but is always the same for the same `value`.
pub(crate) fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}
