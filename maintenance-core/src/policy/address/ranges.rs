//! Sorted, merged ranges of integers, and a first-level index over them.

/// An address as an integer.
pub(super) trait Bits: Copy + Ord {
    /// The integer after this one, if there is one.
    fn next(self) -> Option<Self>;

    /// How many bits the distance to a smaller or equal integer needs.
    fn distance_bits(self, from: Self) -> u32;

    /// The distance to a smaller or equal integer, without its lower bits.
    fn block(self, from: Self, shift: u32) -> usize;
}

impl Bits for u32 {
    fn next(self) -> Option<Self> {
        self.checked_add(1)
    }

    fn distance_bits(self, from: Self) -> u32 {
        Self::BITS - (self - from).leading_zeros()
    }

    fn block(self, from: Self, shift: u32) -> usize {
        ((self - from) >> shift) as usize
    }
}

impl Bits for u128 {
    fn next(self) -> Option<Self> {
        self.checked_add(1)
    }

    fn distance_bits(self, from: Self) -> u32 {
        Self::BITS - (self - from).leading_zeros()
    }

    fn block(self, from: Self, shift: u32) -> usize {
        ((self - from) >> shift) as usize
    }
}

/// Disjoint, non-adjacent, ascending ranges; both ends inclusive.
#[derive(Clone)]
pub(super) struct Ranges<T> {
    // Two arrays, because the search reads only the starts: half the cache lines.
    starts: Box<[T]>,
    ends: Box<[T]>,
    index: Option<Index<T>>,
}

impl<T: Bits> Ranges<T> {
    /// The index takes two to four blocks a range, at most 256 KiB, and leaves a step or two of the
    /// search; with fewer ranges than this the search alone is as quick.
    const INDEXED_FROM: usize = 64;

    /// Sorts the ranges and merges those that overlap or touch.
    pub(super) fn merged(mut ranges: Vec<(T, T)>) -> Self {
        ranges.sort_unstable_by_key(|(start, _)| *start);
        let mut starts = Vec::with_capacity(ranges.len());
        let mut ends: Vec<T> = Vec::with_capacity(ranges.len());
        for (start, end) in ranges {
            match ends.last_mut() {
                Some(last) if last.next().is_none_or(|next| start <= next) => {
                    *last = end.max(*last);
                }
                _ => {
                    starts.push(start);
                    ends.push(end);
                }
            }
        }
        let index = match (starts.first(), ends.last()) {
            (Some(&first), Some(&last)) if starts.len() >= Self::INDEXED_FROM => {
                Some(Index::new(first, last, &starts))
            }
            _ => None,
        };
        Self {
            starts: starts.into_boxed_slice(),
            ends: ends.into_boxed_slice(),
            index,
        }
    }

    pub(super) fn contains(&self, value: T) -> bool {
        let (from, to) = match &self.index {
            None => (0, self.starts.len()),
            Some(index) => match index.neighbours(value) {
                None => return false,
                Some(neighbours) => neighbours,
            },
        };
        // Every range before `from` starts at or below the value, every range from `to` on above it.
        let after = from + self.starts[from..to].partition_point(|start| *start <= value);
        after > 0 && self.ends[after - 1] >= value
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (T, T)> {
        self.starts.iter().copied().zip(self.ends.iter().copied())
    }
}

/// Cuts the span between the first and the last address into at most 65 536 blocks of one size. It
/// follows the data: addresses that all lie in one small network get small blocks.
#[derive(Clone)]
struct Index<T> {
    first: T,
    last: T,
    shift: u32,
    /// For each block, how many ranges start below it; one more for the end.
    below: Box<[u32]>,
}

impl<T: Bits> Index<T> {
    fn new(first: T, last: T, starts: &[T]) -> Self {
        let block_bits = (starts.len().ilog2() + 2).min(16);
        let shift = last.distance_bits(first).saturating_sub(block_bits);
        let mut below = vec![0_u32; last.block(first, shift) + 2];
        for start in starts {
            below[start.block(first, shift) + 1] += 1;
        }
        let mut sum = 0;
        for count in &mut below {
            sum += *count;
            *count = sum;
        }
        Self {
            first,
            last,
            shift,
            below: below.into_boxed_slice(),
        }
    }

    /// Which ranges start in the value's block; none if the value lies outside of all ranges.
    fn neighbours(&self, value: T) -> Option<(usize, usize)> {
        if value < self.first || value > self.last {
            return None;
        }
        let block = value.block(self.first, self.shift);
        Some((self.below[block] as usize, self.below[block + 1] as usize))
    }
}

#[cfg(test)]
mod tests {
    use super::Ranges;

    #[test]
    fn overlapping_touching_and_repeated_ranges_become_one() {
        let ranges = Ranges::merged(vec![(9_u32, 12), (1, 3), (4, 6), (5, 5), (9, 12), (14, 14)]);
        assert_eq!(
            ranges.iter().collect::<Vec<_>>(),
            [(1, 6), (9, 12), (14, 14)]
        );
    }

    #[test]
    fn a_range_up_to_the_last_integer_swallows_what_follows() {
        let ranges = Ranges::merged(vec![(7, u128::MAX), (8, 9), (u128::MAX, u128::MAX)]);
        assert_eq!(ranges.iter().collect::<Vec<_>>(), [(7, u128::MAX)]);
    }

    #[test]
    fn a_range_that_begins_many_blocks_earlier_is_found_through_the_index() {
        let mut ranges: Vec<(u32, u32)> = (1..4_096).map(|i| (i * 2, i * 2)).collect();
        ranges.push((0x0a00_ffff, 0x0b01_0000));
        let indexed = Ranges::merged(ranges);
        assert!(indexed.index.is_some());
        for (value, expected) in [
            (0, false),
            (2, true),
            (3, false),
            (8_190, true),
            (8_192, false),
            (0x0a00_fffe, false),
            (0x0a00_ffff, true),
            (0x0a7f_1234, true),
            (0x0b01_0000, true),
            (0x0b01_0001, false),
            (u32::MAX, false),
        ] {
            assert_eq!(indexed.contains(value), expected, "{value:#x}");
        }
    }

    #[test]
    fn the_index_reaches_both_ends_of_the_integers() {
        let far = |i: u128| i << 112;
        let mut ranges: Vec<(u128, u128)> = (0..4_096).map(|i| (far(i * 2), far(i * 2))).collect();
        ranges.push((u128::MAX, u128::MAX));
        let indexed = Ranges::merged(ranges);
        assert_eq!(
            indexed.index.as_ref().map(|index| index.below.len()),
            Some(16_385)
        );
        for (value, expected) in [
            (0, true),
            (1, false),
            (far(2), true),
            (far(2) - 1, false),
            (far(3), false),
            (u128::MAX, true),
            (u128::MAX - 1, false),
        ] {
            assert_eq!(indexed.contains(value), expected, "{value:#x}");
        }
    }

    #[test]
    fn the_blocks_are_as_small_as_the_span_allows() {
        let dense: Vec<(u32, u32)> = (0..4_096).map(|i| (9 + i * 2, 9 + i * 2)).collect();
        let ranges = Ranges::merged(dense);
        assert_eq!(ranges.index.as_ref().map(|index| index.shift), Some(0));
        assert!(
            (0..10_000).all(|i| ranges.contains(i) == ((9..=8_199).contains(&i) && i % 2 == 1))
        );
    }

    #[test]
    fn a_small_set_has_no_index() {
        assert!(Ranges::merged(vec![(1_u32, 1)]).index.is_none());
        assert!(Ranges::<u32>::merged(Vec::new()).index.is_none());
    }
}
