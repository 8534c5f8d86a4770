//! Changing seeds: bits, bytes, blocks, words, and halves of two seeds.

/// No input is longer.
const MAX_BYTES: usize = 4096;

/// Makes inputs out of seeds; the same start and seeds make the same inputs.
pub(crate) struct Changer<'a> {
    state: u64,
    seeds: &'a [Vec<u8>],
    words: &'a [&'a str],
}

impl<'a> Changer<'a> {
    pub(crate) fn new(start: u64, seeds: &'a [Vec<u8>], words: &'a [&'a str]) -> Self {
        Self {
            state: start,
            seeds,
            words,
        }
    }

    /// The next input.
    pub(crate) fn next(&mut self) -> Vec<u8> {
        let mut input = self.seed().to_vec();
        for _ in 0..=self.below(6) {
            self.change(&mut input);
        }
        input.truncate(MAX_BYTES);
        input
    }

    fn change(&mut self, input: &mut Vec<u8>) {
        let at = self.below(input.len() + 1);
        match self.below(8) {
            0 if at < input.len() => input[at] ^= 1 << self.below(8),
            1 if at < input.len() => input[at] = self.byte(),
            2 => input.insert(at, self.byte()),
            3 => {
                let end = input.len().min(at + self.below(16));
                input.drain(at..end);
            }
            4 => {
                let end = input.len().min(at + self.below(32));
                let block = input[at..end].to_vec();
                let to = self.below(input.len() + 1);
                input.splice(to..to, block);
            }
            5 => {
                let other = self.seed();
                let from = self.below(other.len() + 1);
                input.truncate(at);
                input.extend_from_slice(&other[from..]);
            }
            _ if !self.words.is_empty() => {
                let word = self.words[self.below(self.words.len())].bytes();
                // In place of as many bytes, or between.
                let end = input.len().min(at + self.below(2) * word.len());
                input.splice(at..end, word);
            }
            _ => input.truncate(at),
        }
    }

    fn seed(&mut self) -> &'a [u8] {
        let seeds = self.seeds;
        &seeds[self.below(seeds.len())]
    }

    fn byte(&mut self) -> u8 {
        (self.random() >> 32) as u8
    }

    fn below(&mut self, end: usize) -> usize {
        (self.random() % end.max(1) as u64) as usize
    }

    /// The generator `SplitMix64`.
    fn random(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeats_itself_and_changes_something() {
        let seeds = [b"hello, world".to_vec(), b"/admin/users".to_vec()];
        let inputs = |start| {
            let mut changer = Changer::new(start, &seeds, &["word"]);
            (0..1000).map(|_| changer.next()).collect::<Vec<_>>()
        };
        assert_eq!(inputs(1), inputs(1));
        assert_ne!(inputs(1), inputs(2));
        let changed = inputs(1)
            .iter()
            .filter(|input| !seeds.contains(input))
            .count();
        assert!(changed > 900, "{changed} of 1000 are new");
        assert!(inputs(3).iter().all(|input| input.len() <= MAX_BYTES));
    }
}
