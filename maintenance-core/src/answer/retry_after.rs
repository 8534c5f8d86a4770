//! `Retry-After` (RFC 9110, section 10.2.3).

use std::fmt;

use super::{Notice, RetryAfterSetting};
use crate::policy::Complaints;
use crate::request::Peer;
use crate::state::Mode;
use crate::time::Timestamp;

/// Seconds until clients come back when nobody knows the end.
const UNKNOWN_END: u32 = 120;

/// The same for a paused site, which goes on in a moment.
const PAUSED: u32 = 10;

/// Seconds until clients come back when the expected end has passed: it may be any moment now.
const OVERDUE: u32 = 30;

/// When clients are asked to come back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum RetryPolicy {
    /// From the expected end, with jitter.
    Auto,
    /// Not said.
    Off,
    /// Always this many seconds.
    Seconds(u32),
    /// At this time; once it has passed, soon.
    At(Timestamp, RetryAfter),
}

impl RetryPolicy {
    pub(super) fn compile(
        setting: Option<&RetryAfterSetting>,
        place: &str,
        complaints: &mut Complaints,
    ) -> Self {
        const HINT: &str = "write \"auto\", \"off\", a number of seconds, or a date such as \
            \"Fri, 20 Nov 2026 22:00:00 GMT\" or \"2026-11-20T22:00:00Z\"";
        let mut complain = |problem: String| {
            complaints.add_with_hint(format_args!("{place}.retry_after"), problem, HINT);
            Self::Auto
        };
        let seconds = match setting {
            None => return Self::Auto,
            Some(RetryAfterSetting::Seconds(seconds)) => *seconds,
            Some(RetryAfterSetting::Text(text)) => match text.as_str() {
                "auto" => return Self::Auto,
                "off" => return Self::Off,
                text => match text.parse() {
                    Ok(seconds) => seconds,
                    Err(_) => {
                        return date(text).unwrap_or_else(|| {
                            complain(format!("`{text}` is neither seconds nor a date"))
                        });
                    }
                },
            },
        };
        match u32::try_from(seconds) {
            Ok(0) => complain("0 seconds would make every client come back at once".to_owned()),
            Ok(seconds) => Self::Seconds(seconds),
            Err(_) => complain(format!(
                "{seconds} is not a number of seconds from 1 to {}",
                u32::MAX
            )),
        }
    }

    /// The value for one request. Jitter is derived from `now` and the peer, so it needs no source of
    /// random numbers; it spreads clients out so that they do not all return in the same second.
    pub(super) fn value(&self, notice: &Notice, now: Timestamp, peer: Peer) -> Option<RetryAfter> {
        if let Some(seconds) = notice.retry_after {
            return Some(RetryAfter::seconds(seconds.max(1)));
        }
        let jittered = |seconds: u32| Some(RetryAfter::seconds(with_jitter(seconds, now, peer)));
        match self {
            Self::Off => None,
            Self::Seconds(seconds) => Some(RetryAfter::seconds(*seconds)),
            Self::At(at, value) if *at > now => Some(*value),
            Self::At(..) => jittered(OVERDUE),
            Self::Auto => match notice.ends_at {
                Some(end) if end > now => {
                    let seconds = now.until(end).as_millis().div_ceil(1000);
                    jittered(u32::try_from(seconds).unwrap_or(u32::MAX).max(1))
                }
                Some(_) => jittered(OVERDUE),
                None if notice.mode == Mode::Paused => jittered(PAUSED),
                None => jittered(UNKNOWN_END),
            },
        }
    }
}

/// A date that has passed is not refused: a configuration that was right yesterday must not keep an
/// application from starting today.
fn date(text: &str) -> Option<RetryPolicy> {
    let at = match httpdate::parse_http_date(text) {
        Ok(time) => Timestamp::from(time),
        Err(_) => text.parse().ok()?,
    };
    // Years beyond 9999 have no HTTP date.
    const YEAR_10000: i64 = 253_402_300_800_000;
    (0..YEAR_10000).contains(&at.as_millis()).then(|| {
        let written = httpdate::fmt_http_date(at.to_system_time());
        RetryPolicy::At(at, RetryAfter::text(&written))
    })
}

/// `seconds` and up to a tenth more.
fn with_jitter(seconds: u32, now: Timestamp, peer: Peer) -> u32 {
    let spread = u64::from(seconds / 10) + 1;
    let extra = mix(now, peer) % spread;
    seconds.saturating_add(u32::try_from(extra).unwrap_or(0))
}

/// 64 well-mixed bits of the time and the peer (the finalizer of `SplitMix64`).
pub(super) fn mix(now: Timestamp, peer: Peer) -> u64 {
    let peer = match peer {
        Peer::Addr(std::net::IpAddr::V4(addr)) => u64::from(addr.to_bits()),
        Peer::Addr(std::net::IpAddr::V6(addr)) => {
            let bits = addr.to_bits();
            (bits as u64) ^ ((bits >> 64) as u64).rotate_left(32)
        }
        Peer::Unix => 1,
        Peer::Unknown => 0,
    };
    let mut bits = (now.as_millis() as u64) ^ peer.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// The length of an HTTP date, the longest value that there is.
const LONGEST: usize = 29;

/// The numbers below this are also kept as static text.
const STATIC_SECONDS: usize = 1000;

/// `000001002…999`.
static DIGITS: [u8; 3 * STATIC_SECONDS] = {
    let mut digits = [0; 3 * STATIC_SECONDS];
    let mut number = 0;
    while number < STATIC_SECONDS {
        digits[3 * number] = b'0' + (number / 100) as u8;
        digits[3 * number + 1] = b'0' + (number / 10 % 10) as u8;
        digits[3 * number + 2] = b'0' + (number % 10) as u8;
        number += 1;
    }
    digits
};

/// A value of `Retry-After`, written without allocating.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RetryAfter {
    text: [u8; LONGEST],
    len: u8,
    seconds: Option<u32>,
}

impl RetryAfter {
    fn seconds(seconds: u32) -> Self {
        let mut digits = [0; 10];
        let mut start = digits.len();
        let mut rest = seconds;
        loop {
            start -= 1;
            digits[start] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        Self {
            seconds: Some(seconds),
            ..Self::bytes(&digits[start..])
        }
    }

    fn text(text: &str) -> Self {
        Self::bytes(text.as_bytes())
    }

    fn bytes(bytes: &[u8]) -> Self {
        let mut text = [0; LONGEST];
        let len = bytes.len().min(LONGEST);
        text[..len].copy_from_slice(&bytes[..len]);
        Self {
            text,
            len: len as u8,
            seconds: None,
        }
    }

    /// The field's value.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Only ASCII is ever written into it.
        std::str::from_utf8(&self.text[..usize::from(self.len)]).unwrap_or_default()
    }

    /// The field's value as static text, if it is less than 1000 seconds: most frameworks take that
    /// without allocating.
    #[must_use]
    pub fn as_static(&self) -> Option<&'static str> {
        let seconds = usize::try_from(self.seconds?).ok()?;
        let end = seconds.checked_mul(3)?.checked_add(3)?;
        let digits = DIGITS.get(end - usize::from(self.len).min(3)..end)?;
        std::str::from_utf8(digits).ok()
    }

    /// The seconds, unless it is a date.
    #[must_use]
    pub const fn as_seconds(&self) -> Option<u32> {
        self.seconds
    }
}

impl fmt::Debug for RetryAfter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RetryAfter({})", self.as_str())
    }
}

impl fmt::Display for RetryAfter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    fn compiled(setting: &RetryAfterSetting) -> Result<RetryPolicy, String> {
        let mut complaints = Complaints::new();
        let policy = RetryPolicy::compile(Some(setting), "answer", &mut complaints);
        match complaints.iter().next() {
            None => Ok(policy),
            Some(complaint) => {
                assert_eq!(complaint.place(), "answer.retry_after");
                Err(complaint.problem().to_owned())
            }
        }
    }

    fn auto(ends_at: Option<i64>, peer: Peer) -> Option<u32> {
        let ends_at = ends_at.map(|ms| Timestamp::from_millis(NOW.as_millis() + ms));
        let notice = Notice {
            ends_at,
            ..Notice::new(Mode::Offline)
        };
        RetryPolicy::Auto.value(&notice, NOW, peer)?.as_seconds()
    }

    #[test]
    fn settings() {
        assert_eq!(compiled(&"auto".into()), Ok(RetryPolicy::Auto));
        assert_eq!(compiled(&"off".into()), Ok(RetryPolicy::Off));
        assert_eq!(compiled(&"90".into()), Ok(RetryPolicy::Seconds(90)));
        assert_eq!(compiled(&90.into()), Ok(RetryPolicy::Seconds(90)));
        for bad in [
            "soon",
            "",
            "-5",
            "0",
            "1.5",
            "Fri, 99 Nov 2026 22:00:00 GMT",
            "99999999999",
        ] {
            assert!(compiled(&bad.into()).is_err(), "{bad}");
        }
        assert!(compiled(&RetryAfterSetting::Seconds(-1)).is_err());
        assert!(compiled(&RetryAfterSetting::Seconds(i64::MAX)).is_err());
    }

    #[test]
    fn both_kinds_of_date_are_sent_as_an_http_date_until_they_have_passed() -> Result<(), String> {
        let notice = Notice::new(Mode::Offline);
        for text in ["Fri, 15 Jan 2027 09:00:00 GMT", "2027-01-15T10:00:00+01:00"] {
            let policy = compiled(&text.into())?;
            let value = policy
                .value(&notice, NOW, Peer::Unknown)
                .map(|v| v.to_string());
            assert_eq!(value.as_deref(), Some("Fri, 15 Jan 2027 09:00:00 GMT"));
            let later = Timestamp::from_millis(1_800_100_000_000);
            let overdue = policy
                .value(&notice, later, Peer::Unknown)
                .and_then(|v| v.as_seconds());
            assert!(
                overdue.is_some_and(|s| (30..=33).contains(&s)),
                "{overdue:?}"
            );
        }
        Ok(())
    }

    #[test]
    fn from_the_expected_end_with_at_most_a_tenth_more() {
        let values: BTreeSet<u32> = (0..=255)
            .filter_map(|last| auto(Some(600_000), Peer::Addr([192, 0, 2, last].into())))
            .collect();
        assert!(values.iter().all(|s| (600..=660).contains(s)), "{values:?}");
        assert!(values.len() > 20, "peers are spread out: {values:?}");
        assert_eq!(auto(Some(1), Peer::Unknown), Some(1), "never 0");
        assert_eq!(
            auto(Some(8_001), Peer::Unknown),
            Some(9),
            "never before the end"
        );
        assert!(auto(Some(-1), Peer::Unknown).is_some_and(|s| (30..=33).contains(&s)));
        assert!(auto(Some(0), Peer::Unknown).is_some_and(|s| (30..=33).contains(&s)));
        assert!(auto(None, Peer::Unix).is_some_and(|s| (120..=132).contains(&s)));
        assert_eq!(
            auto(Some(i64::MAX - NOW.as_millis()), Peer::Unknown),
            Some(u32::MAX)
        );
    }

    #[test]
    fn the_operators_number_is_sent_as_it_is() {
        let notice = Notice {
            retry_after: Some(7),
            ..Notice::new(Mode::Offline)
        };
        for policy in [
            RetryPolicy::Auto,
            RetryPolicy::Off,
            RetryPolicy::Seconds(90),
        ] {
            let value = policy.value(&notice, NOW, Peer::Unknown);
            assert_eq!(value.map(|v| v.to_string()).as_deref(), Some("7"));
        }
        let zero = Notice {
            retry_after: Some(0),
            ..Notice::new(Mode::Offline)
        };
        assert_eq!(
            RetryPolicy::Auto
                .value(&zero, NOW, Peer::Unknown)
                .and_then(|v| v.as_seconds()),
            Some(1)
        );
    }

    #[test]
    fn numbers_are_written_in_full() {
        for seconds in [0, 9, 10, 120, u32::MAX] {
            assert_eq!(RetryAfter::seconds(seconds).as_str(), seconds.to_string());
        }
        for seconds in 0..1000 {
            assert_eq!(
                RetryAfter::seconds(seconds).as_static(),
                Some(seconds.to_string().as_str())
            );
        }
        assert_eq!(RetryAfter::seconds(1000).as_static(), None);
        assert_eq!(RetryAfter::seconds(u32::MAX).as_static(), None);
    }
}
