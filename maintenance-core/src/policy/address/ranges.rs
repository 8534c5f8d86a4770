//! Sorted, merged ranges of integers, and a first-level index over them.

/// An address as an integer.
pub(super) trait Bits: Copy + Ord {
    /// The integer after this one, if there is one.
    fn next(self) -> Option<Self>;
}

impl Bits for u32 {
    fn next(self) -> Option<Self> {
        self.checked_add(1)
    }
}

impl Bits for u128 {
    fn next(self) -> Option<Self> {
        self.checked_add(1)
    }
}

/// Disjoint, non-adjacent, ascending ranges; both ends inclusive.
#[derive(Clone)]
pub(super) struct Ranges<T> {
    // Two arrays, because the search reads only the starts: half the cache lines.
    starts: Box<[T]>,
    ends: Box<[T]>,
}

impl<T: Bits> Ranges<T> {
    /// Sorts the ranges and merges those that overlap or touch.
    pub(super) fn merged(mut ranges: Vec<(T, T)>) -> Self {
        ranges.sort_unstable();
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
        Self {
            starts: starts.into_boxed_slice(),
            ends: ends.into_boxed_slice(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.starts.len()
    }

    pub(super) fn contains(&self, value: T) -> bool {
        self.contains_within(value, 0, self.starts.len())
    }

    /// Whether `value` is in a range, when every range that starts in the value's neighbourhood has an
    /// index from `from` to `to` (exclusive) and those before `from` start below it.
    fn contains_within(&self, value: T, from: usize, to: usize) -> bool {
        let after = from + self.starts[from..to].partition_point(|start| *start <= value);
        after > 0 && self.ends[after - 1] >= value
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (T, T)> {
        self.starts.iter().copied().zip(self.ends.iter().copied())
    }
}

/// IPv4 ranges; from [`Self::INDEXED_FROM`] on with an index by the upper 16 bits.
#[derive(Clone)]
pub(super) struct RangesV4 {
    ranges: Ranges<u32>,
    /// For each upper half, how many ranges start below it; one more for the end. 65 537 numbers.
    blocks: Option<Box<[u32]>>,
}

impl RangesV4 {
    /// The index takes 256 KiB and saves about ten steps of a search; below this many ranges the
    /// whole search stays in the nearest cache and the index would only cost memory.
    pub(super) const INDEXED_FROM: usize = 2_048;

    pub(super) fn merged(ranges: Vec<(u32, u32)>) -> Self {
        let ranges = Ranges::merged(ranges);
        let blocks = (ranges.len() >= Self::INDEXED_FROM).then(|| index(&ranges.starts));
        Self { ranges, blocks }
    }

    pub(super) fn contains(&self, value: u32) -> bool {
        let Some(blocks) = &self.blocks else {
            return self.ranges.contains(value);
        };
        let block = (value >> 16) as usize;
        let (from, to) = (blocks[block] as usize, blocks[block + 1] as usize);
        self.ranges.contains_within(value, from, to)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, u32)> {
        self.ranges.iter()
    }
}

fn index(starts: &[u32]) -> Box<[u32]> {
    let mut blocks = vec![0_u32; (1 << 16) + 1];
    for start in starts {
        blocks[(start >> 16) as usize + 1] += 1;
    }
    let mut below = 0;
    for block in &mut blocks {
        below += *block;
        *block = below;
    }
    blocks.into_boxed_slice()
}

#[cfg(test)]
mod tests {
    use super::{Ranges, RangesV4};

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
        let mut ranges: Vec<(u32, u32)> = (0..4_096).map(|i| (i * 2, i * 2)).collect();
        ranges.push((0x0a00_ffff, 0x0b01_0000));
        let indexed = RangesV4::merged(ranges);
        assert!(indexed.blocks.is_some());
        for (value, expected) in [
            (0, true),
            (1, false),
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
    fn a_small_set_has_no_index() {
        assert!(RangesV4::merged(vec![(1, 1)]).blocks.is_none());
    }
}
