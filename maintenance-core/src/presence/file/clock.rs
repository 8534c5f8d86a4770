//! The store's clock: that of the machine.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

/// A stamp may lie this far ahead of the clock, in nanoseconds; one that lies farther ahead was made by a clock
/// that has been set back since, and counts for nothing.
pub(super) const AHEAD: u64 = 1_000_000_000;

/// Nanoseconds since a moment that all processes of a machine agree on.
#[derive(Debug)]
pub(super) struct Clock {
    /// Names the run of the machine that the nanoseconds belong to: 32 hexadecimal digits, or `wall`.
    pub(super) run: String,
    last: AtomicU64,
}

impl Clock {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self {
            run: run()?,
            last: AtomicU64::new(0),
        })
    }

    pub(super) fn now(&self) -> u64 {
        nanoseconds()
    }

    /// Now, and later than every stamp before: of two changes of one lease the later one counts.
    pub(super) fn stamp(&self) -> u64 {
        let now = self.now();
        let next = |last: u64| {
            // Unless the clock was set back: then the old stamps count for nothing.
            let ahead = last >= now && last - now < AHEAD / 2;
            if ahead { last + 1 } else { now }
        };
        let before = self
            .last
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |last| Some(next(last)));
        next(before.unwrap_or_else(|last| last))
    }
}

/// Goes on while the machine sleeps, begins anew when it starts, and nobody sets it.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn nanoseconds() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let (seconds, rest) = (u64::try_from(time.tv_sec), u64::try_from(time.tv_nsec));
    seconds.unwrap_or(0) * 1_000_000_000 + rest.unwrap_or(0)
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn run() -> io::Result<String> {
    const PATH: &str = "/proc/sys/kernel/random/boot_id";
    let text = std::fs::read_to_string(PATH)
        .map_err(|e| io::Error::new(e.kind(), format!("{PATH}: {e}")))?;
    let run: String = text.chars().filter(char::is_ascii_hexdigit).collect();
    if run.len() == 32 {
        Ok(run)
    } else {
        Err(io::Error::other(format!("{PATH} has no identifier")))
    }
}

/// The clock on the wall, since no other one names the run of the machine that it belongs to.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn nanoseconds() -> u64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |time| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX))
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn run() -> io::Result<String> {
    Ok("wall".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_rise_and_stay_with_the_clock() -> io::Result<()> {
        let clock = Clock::new()?;
        let mut last = clock.now();
        for _ in 0..10_000 {
            let stamp = clock.stamp();
            assert!(stamp > last);
            last = stamp;
        }
        assert!(last < clock.now() + AHEAD);
        clock.last.store(last + 10 * AHEAD, Ordering::Release);
        assert!(clock.stamp() < clock.now() + AHEAD, "stays in the future");
        Ok(())
    }
}
