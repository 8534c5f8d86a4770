//! Changes of leases as bytes: a header, then frames, each with its length and checksum.
//!
//! ```text
//! header    maintenance-mode-leases 1 GENERATION LONGEST\n     16 hexadecimal digits each
//! frame     length (u32), CRC32C (u32), changes
//! change    what (u8), bytes of site (u8), of name (u8), of note (u16), stamp (u64), began (u64), lasts (u32),
//!           holder (u128, if there is one), site, name, note
//! ```
//!
//! Numbers begin with their lowest byte. A file that is appended to may end in the middle of a frame: its writer
//! was killed, or is at it.

use super::clock::AHEAD;
use crate::presence::{Holder, LeaseKind};

pub(super) const HEADER_BYTES: usize = 60;
const MAGIC: &str = "maintenance-mode-leases 1 ";
/// A frame is closed when it has so many bytes.
pub(super) const FULL: usize = 256 << 10;
/// No frame is longer: the last change may reach over [`FULL`].
const LONGEST_FRAME: usize = FULL + (8 << 10);
/// Length and checksum.
pub(super) const FRAME_START: usize = 8;
const FIXED: usize = 25;

const RELEASED: u8 = 0x80;
const HOLDER: u8 = 0x40;

#[derive(Debug, thiserror::Error)]
pub(super) enum Damage {
    #[error("it does not begin with {MAGIC:?}")]
    Header,
    #[error("it was written by another version of this software")]
    Version,
    #[error("a checksum is wrong")]
    Checksum,
    #[error("it has a change that means nothing")]
    Change,
    #[error("it ends in the middle")]
    Short,
}

/// What a file says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// Another one for each content that does not go on from the one before. Inodes would not tell: they are
    /// used again.
    pub(super) generation: u64,
    /// No lease of the file lasts longer, in milliseconds.
    pub(super) longest: u64,
}

impl Header {
    pub(super) fn encode(self) -> String {
        format!("{MAGIC}{:016x} {:016x}\n", self.generation, self.longest)
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, Damage> {
        let text = std::str::from_utf8(bytes).map_err(|_| Damage::Header)?;
        let Some(rest) = text.strip_prefix(MAGIC) else {
            let ours = text.starts_with(MAGIC.trim_end_matches([' ', '1']));
            return Err(if ours {
                Damage::Version
            } else {
                Damage::Header
            });
        };
        let number = |text: &str| u64::from_str_radix(text, 16).map_err(|_| Damage::Header);
        let (generation, longest) = rest
            .strip_suffix('\n')
            .and_then(|rest| rest.split_once(' '))
            .ok_or(Damage::Header)?;
        Ok(Self {
            generation: number(generation)?,
            longest: number(longest)?,
        })
    }
}

/// One change of one lease: begun or renewed, or released.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Change<'a> {
    pub(super) kind: LeaseKind,
    pub(super) site: &'a str,
    pub(super) name: &'a str,
    pub(super) note: &'a str,
    pub(super) holder: Holder,
    pub(super) term: Term,
}

/// When a lease began, was changed last, and ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Term {
    /// When it was renewed or released.
    pub(super) stamp: u64,
    pub(super) began: u64,
    /// How long it lasts from the stamp; of a release, how long that is to be remembered. In milliseconds.
    pub(super) lasts: u32,
    pub(super) released: bool,
}

impl Term {
    pub(super) const fn ends(&self) -> u64 {
        self.stamp.saturating_add(self.lasts as u64 * 1_000_000)
    }

    /// Whether it still says anything.
    pub(super) const fn counts(&self, now: u64) -> bool {
        self.stamp <= now.saturating_add(AHEAD) && now < self.ends()
    }

    pub(super) const fn lives(&self, now: u64) -> bool {
        !self.released && self.counts(now)
    }
}

impl<'a> Change<'a> {
    pub(super) fn encode(&self, to: &mut Vec<u8>) {
        let held = self.holder != Holder::EVERYBODY;
        let number = LeaseKind::ALL.iter().position(|kind| *kind == self.kind);
        let mut what = u8::try_from(number.unwrap_or(0)).unwrap_or(0);
        what |= if held { HOLDER } else { 0 };
        what |= if self.term.released { RELEASED } else { 0 };
        // Sites, names and notes are bounded where they are made: at 63, 128 and 4096 bytes.
        let (site, name) = (self.site.len() as u8, self.name.len() as u8);
        to.extend_from_slice(&[what, site, name]);
        to.extend_from_slice(&(self.note.len() as u16).to_le_bytes());
        to.extend_from_slice(&self.term.stamp.to_le_bytes());
        to.extend_from_slice(&self.term.began.to_le_bytes());
        to.extend_from_slice(&self.term.lasts.to_le_bytes());
        if held {
            to.extend_from_slice(&self.holder.bits().to_le_bytes());
        }
        for text in [self.site, self.name, self.note] {
            to.extend_from_slice(text.as_bytes());
        }
    }

    /// The first change, and the bytes behind it.
    fn decode(bytes: &'a [u8]) -> Result<(Self, &'a [u8]), Damage> {
        fn take<'a>(bytes: &mut &'a [u8], count: usize) -> Result<&'a [u8], Damage> {
            let (taken, rest) = bytes.split_at_checked(count).ok_or(Damage::Change)?;
            *bytes = rest;
            Ok(taken)
        }
        fn number(bytes: &[u8]) -> u64 {
            bytes
                .iter()
                .rev()
                .fold(0, |sum, byte| sum << 8 | u64::from(*byte))
        }
        fn text(bytes: &[u8]) -> Result<&str, Damage> {
            std::str::from_utf8(bytes).map_err(|_| Damage::Change)
        }
        let mut rest = bytes;
        let fixed = take(&mut rest, FIXED)?;
        let what = fixed[0];
        let kind = LeaseKind::ALL.get(usize::from(what & !(HOLDER | RELEASED)));
        let holder = if what & HOLDER == 0 {
            Holder::EVERYBODY
        } else {
            let bits = take(&mut rest, 16)?.try_into();
            Holder::from_bits(u128::from_le_bytes(bits.map_err(|_| Damage::Change)?))
        };
        let change = Self {
            kind: *kind.ok_or(Damage::Change)?,
            site: text(take(&mut rest, usize::from(fixed[1]))?)?,
            name: text(take(&mut rest, usize::from(fixed[2]))?)?,
            note: text(take(&mut rest, number(&fixed[3..5]) as usize)?)?,
            holder,
            term: Term {
                stamp: number(&fixed[5..13]),
                began: number(&fixed[13..21]),
                lasts: number(&fixed[21..25]) as u32,
                released: what & RELEASED != 0,
            },
        };
        Ok((change, rest))
    }
}

/// Fills in the first [`FRAME_START`] bytes of a frame whose changes are complete.
pub(super) fn close_frame(frame: &mut [u8]) {
    let Some((start, changes)) = frame.split_at_mut_checked(FRAME_START) else {
        return;
    };
    let (length, sum) = start.split_at_mut(4);
    length.copy_from_slice(&(changes.len() as u32).to_le_bytes());
    sum.copy_from_slice(&crc32c::crc32c(changes).to_le_bytes());
}

/// What stands at the start of some bytes.
pub(super) enum Frame<'a> {
    Whole(&'a [u8]),
    /// So many bytes are needed to say more.
    Needs(usize),
}

pub(super) fn frame(bytes: &[u8]) -> Result<Frame<'_>, Damage> {
    let Some(start) = bytes.first_chunk::<FRAME_START>() else {
        return Ok(Frame::Needs(FRAME_START));
    };
    let [a, b, c, d, e, f, g, h] = *start;
    let length = u32::from_le_bytes([a, b, c, d]) as usize;
    if length == 0 || length > LONGEST_FRAME {
        return Err(Damage::Checksum);
    }
    let Some(changes) = bytes.get(FRAME_START..FRAME_START + length) else {
        return Ok(Frame::Needs(FRAME_START + length));
    };
    if crc32c::crc32c(changes) != u32::from_le_bytes([e, f, g, h]) {
        return Err(Damage::Checksum);
    }
    Ok(Frame::Whole(changes))
}

/// Each change of a frame.
pub(super) fn changes(
    mut bytes: &[u8],
    each: &mut dyn FnMut(Change<'_>) -> Result<(), Damage>,
) -> Result<(), Damage> {
    while !bytes.is_empty() {
        let (change, rest) = Change::decode(bytes)?;
        each(change)?;
        bytes = rest;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change() -> Change<'static> {
        Change {
            kind: LeaseKind::Owner,
            site: "shop",
            name: "été",
            note: "since noon",
            holder: Holder::from_bits(7 << 100),
            term: Term {
                stamp: 1 << 60,
                began: 3,
                lasts: 86_400_000,
                released: true,
            },
        }
    }

    fn framed() -> Vec<u8> {
        let mut bytes = vec![0; FRAME_START];
        change().encode(&mut bytes);
        let everybody = Change {
            holder: Holder::EVERYBODY,
            kind: LeaseKind::Session,
            ..change()
        };
        everybody.encode(&mut bytes);
        close_frame(&mut bytes);
        bytes
    }

    #[test]
    fn changes_come_back() -> Result<(), Damage> {
        let bytes = framed();
        let Frame::Whole(inner) = frame(&bytes)? else {
            return Err(Damage::Short);
        };
        let mut found = Vec::new();
        changes(inner, &mut |change| {
            found.push((change.kind, change.holder, change.term, change.name.len()));
            Ok(())
        })?;
        let term = change().term;
        assert_eq!(
            found,
            [
                (LeaseKind::Owner, change().holder, term, 5),
                (LeaseKind::Session, Holder::EVERYBODY, term, 5)
            ]
        );
        Ok(())
    }

    #[test]
    fn half_a_frame_is_short_and_a_changed_one_is_damaged() {
        let bytes = framed();
        for length in 0..bytes.len() {
            assert!(matches!(frame(&bytes[..length]), Ok(Frame::Needs(more)) if more > length));
        }
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 0x10;
            let whole = matches!(frame(&changed), Ok(Frame::Whole(_)));
            assert!(!whole, "byte {at} may be anything");
        }
        assert!(frame(&[0; 64]).is_err(), "zeros are no frames");
    }

    #[test]
    fn any_bytes_are_changes_or_damage() {
        let mut seed = 1_u32;
        for _ in 0..20_000 {
            let bytes: Vec<u8> = (0..60)
                .map(|_| {
                    seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    (seed >> 24) as u8 & if seed & 0x100 == 0 { 0xff } else { 3 }
                })
                .collect();
            let _ = changes(&bytes, &mut |_| Ok(()));
        }
    }

    #[test]
    fn headers_come_back() {
        let header = Header {
            generation: u64::MAX,
            longest: 5,
        };
        let text = header.encode();
        assert_eq!(text.len(), HEADER_BYTES);
        assert_eq!(Header::decode(text.as_bytes()).ok(), Some(header));
        let newer = text.replace("leases 1", "leases 2");
        assert!(matches!(
            Header::decode(newer.as_bytes()),
            Err(Damage::Version)
        ));
        assert!(matches!(Header::decode(b"{}"), Err(Damage::Header)));
    }

    #[test]
    fn nothing_lives_longer_than_it_lasts() {
        let term = Term {
            stamp: 100 * AHEAD,
            began: 0,
            lasts: 10_000,
            released: false,
        };
        assert!(term.lives(100 * AHEAD) && term.lives(110 * AHEAD - 1));
        assert!(!term.lives(110 * AHEAD));
        // The clock was set back: the lease would live for as long as that again.
        assert!(!term.lives(98 * AHEAD));
    }
}
