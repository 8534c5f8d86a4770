//! Times and durations as operators write and read them.
//!
//! A time without a zone is one of this machine's zone, clock changes counted. What a clock change makes
//! doubtful is refused: whoever plans a night's work around it wants to know.

use std::time::{Duration, SystemTime};

use jiff::civil::{DateTime, Time};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Timestamp as Instant, Zoned};
use maintenance_mode::Timestamp;

const FORMS: &str = "write 2026-11-21T02:00:00+01:00, or in this machine's zone 2026-11-21 02:00, 02:00 (the next one) \
                     or `tomorrow 02:00`";

/// The text is no time or duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WhenError {
    #[error("`{0}` is not a time; {FORMS}")]
    NotATime(String),
    #[error("{local} does not exist in {zone}: the clock is put forward over it; {FORMS}")]
    Skipped { local: DateTime, zone: String },
    #[error("{local} happens twice in {zone}; write {first} or {second}")]
    Twice {
        local: DateTime,
        zone: String,
        first: String,
        second: String,
    },
    #[error("`{0}` is not a duration; write 90s, 30m, 2h, 1h30m or 1d")]
    NotADuration(String),
}

/// So long from now, to the second.
pub(crate) fn end_of(duration: Duration, now: Timestamp) -> Timestamp {
    let end = now.after(duration).as_millis();
    Timestamp::from_millis(end - end.rem_euclid(1000))
}

/// The present.
pub(crate) fn now() -> Timestamp {
    Timestamp::from(SystemTime::now())
}

/// Reads a time as operators write it.
pub(crate) fn time(text: &str, now: Timestamp, zone: &TimeZone) -> Result<Timestamp, WhenError> {
    let text = text.trim();
    if let Ok(time) = text.parse() {
        return Ok(time);
    }
    let not_a_time = || WhenError::NotATime(text.to_owned());
    let present = zoned(now, zone).ok_or_else(not_a_time)?;
    let (day, clock) = match text.split_once(char::is_whitespace) {
        Some(("today", clock)) => (Some(present.date()), clock),
        Some(("tomorrow", clock)) => (
            Some(present.date().tomorrow().map_err(|_| not_a_time())?),
            clock,
        ),
        _ => (None, text),
    };
    match (day, time_of_day(clock.trim())) {
        (Some(day), Some(clock)) => local(day.to_datetime(clock), zone),
        (None, Some(clock)) => {
            let today = local(present.date().to_datetime(clock), zone)?;
            if today > now {
                return Ok(today);
            }
            let day = present.date().tomorrow().map_err(|_| not_a_time())?;
            local(day.to_datetime(clock), zone)
        }
        // A date alone could mean its beginning or its end.
        (None, None) if text.contains(':') => local(text.parse().map_err(|_| not_a_time())?, zone),
        (_, None) => Err(not_a_time()),
    }
}

/// `2:00`, `02:00`, `02:00:30`.
fn time_of_day(text: &str) -> Option<Time> {
    let mut parts = text.split(':').map(|part| {
        let plain = (1..=2).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        plain.then(|| part.parse::<i8>().ok()).flatten()
    });
    let (hour, minute) = (parts.next()??, parts.next()??);
    let second = match parts.next() {
        None => 0,
        Some(second) => second?,
    };
    match parts.next() {
        None => Time::new(hour, minute, second, 0).ok(),
        Some(_) => None,
    }
}

fn local(local: DateTime, zone: &TimeZone) -> Result<Timestamp, WhenError> {
    let ambiguous = zone.to_ambiguous_zoned(local);
    let name = || zone_name(zone);
    match ambiguous.offset() {
        AmbiguousOffset::Unambiguous { .. } => ambiguous
            .unambiguous()
            .map(|zoned| Timestamp::from_millis(zoned.timestamp().as_millisecond()))
            .map_err(|_| WhenError::NotATime(local.to_string())),
        AmbiguousOffset::Gap { .. } => Err(WhenError::Skipped {
            local,
            zone: name(),
        }),
        AmbiguousOffset::Fold { before, after } => Err(WhenError::Twice {
            local,
            zone: name(),
            first: format!("{local}{before}"),
            second: format!("{local}{after}"),
        }),
    }
}

fn zone_name(zone: &TimeZone) -> String {
    zone.iana_name().unwrap_or("this machine's zone").to_owned()
}

fn zoned(time: Timestamp, zone: &TimeZone) -> Option<Zoned> {
    let instant = Instant::from_millisecond(time.as_millis()).ok()?;
    Some(instant.to_zoned(zone.clone()))
}

/// Reads `90s`, `30m`, `2h`, `1h30m`, `1d`.
pub(crate) fn duration(text: &str) -> Result<Duration, WhenError> {
    let error = || WhenError::NotADuration(text.to_owned());
    let mut seconds = 0_u64;
    let mut digits = String::new();
    for c in text.trim().chars() {
        if c.is_ascii_digit() {
            digits.push(c);
            continue;
        }
        let unit = match c {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 86_400,
            _ => return Err(error()),
        };
        let number: u64 = digits.parse().map_err(|_| error())?;
        digits.clear();
        let part = number.checked_mul(unit).ok_or_else(error)?;
        seconds = seconds.checked_add(part).ok_or_else(error)?;
    }
    // Ten thousand years are more than any calendar here counts.
    if !digits.is_empty() || seconds == 0 || seconds > 86_400 * 3_652_425 {
        return Err(error());
    }
    Ok(Duration::from_secs(seconds))
}

/// A time in this zone, and how far it is: `2026-11-21 02:00 CET (in 2 h 10 min)`.
pub(crate) fn with_distance(time: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    let shown = absolute(time, zone);
    if time.until(now) < Duration::from_secs(1) && time <= now {
        format!("{shown} (now)")
    } else if time > now {
        format!("{shown} (in {})", rough(now.until(time)))
    } else {
        format!("{shown} ({} ago)", rough(time.until(now)))
    }
}

/// A time in this zone: `2026-11-21 02:00 CET`, with seconds where there are some.
pub(crate) fn absolute(time: Timestamp, zone: &TimeZone) -> String {
    match zoned(time, zone) {
        Some(zoned) if zoned.second() == 0 => zoned.strftime("%Y-%m-%d %H:%M %Z").to_string(),
        Some(zoned) => zoned.strftime("%Y-%m-%d %H:%M:%S %Z").to_string(),
        None => time.to_string(),
    }
}

/// A duration in at most two units: `45 s`, `10 min`, `2 h 10 min`, `3 d 4 h`.
pub(crate) fn rough(duration: Duration) -> String {
    const UNITS: [(u64, &str); 4] = [(86_400, "d"), (3600, "h"), (60, "min"), (1, "s")];
    let seconds = duration.as_secs();
    let Some(largest) = UNITS.iter().position(|(unit, _)| seconds >= *unit) else {
        return "0 s".to_owned();
    };
    let (unit, name) = UNITS[largest];
    let mut text = format!("{} {name}", seconds / unit);
    if let Some((smaller, name)) = UNITS.get(largest + 1).filter(|_| seconds < 10 * unit) {
        let rest = seconds % unit / smaller;
        if rest > 0 {
            text.push_str(&format!(" {rest} {name}"));
        }
    }
    text
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn berlin() -> TimeZone {
        TimeZone::get("Europe/Berlin").unwrap()
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn read(text: &str, now: &str) -> Result<String, WhenError> {
        time(text, at(now), &berlin()).map(|time| time.to_string())
    }

    #[test]
    fn times_are_of_this_machines_zone_unless_they_say_so() {
        let now = "2026-11-20T22:30:00Z";
        for (text, expected) in [
            ("2026-11-21T02:00:00Z", "2026-11-21T02:00:00Z"),
            ("2026-11-21T02:00:00+01:00", "2026-11-21T01:00:00Z"),
            ("2026-11-21 02:00", "2026-11-21T01:00:00Z"),
            ("2026-11-21T02:00:30", "2026-11-21T01:00:30Z"),
            ("2026-07-01 02:00", "2026-07-01T00:00:00Z"),
            ("02:00", "2026-11-21T01:00:00Z"),
            ("2:00", "2026-11-21T01:00:00Z"),
            ("23:45", "2026-11-20T22:45:00Z"),
            ("23:30", "2026-11-21T22:30:00Z"),
            ("today 23:45", "2026-11-20T22:45:00Z"),
            ("tomorrow 02:00", "2026-11-21T01:00:00Z"),
        ] {
            assert_eq!(read(text, now).as_deref(), Ok(expected), "{text}");
        }
        for text in [
            "",
            "soon",
            "25:00",
            "2026-11-21",
            "2026-13-01 02:00",
            "tomorrow",
            "2",
            "2:",
            "-2:00",
            "1:2:3:4",
        ] {
            assert!(
                matches!(read(text, now), Err(WhenError::NotATime(_))),
                "{text}"
            );
        }
    }

    #[test]
    fn what_a_clock_change_makes_doubtful_is_refused_with_the_cure() {
        let error = read("2026-10-25 02:30", "2026-10-24T00:00:00Z").unwrap_err();
        assert_eq!(
            error.to_string(),
            "2026-10-25T02:30:00 happens twice in Europe/Berlin; write 2026-10-25T02:30:00+02 or 2026-10-25T02:30:00+01"
        );
        for offset in ["+02", "+01"] {
            read(
                &format!("2026-10-25T02:30:00{offset}"),
                "2026-10-24T00:00:00Z",
            )
            .unwrap();
        }
        let error = read("02:30", "2026-03-28T23:30:00Z").unwrap_err();
        assert!(
            error
                .to_string()
                .contains("does not exist in Europe/Berlin"),
            "{error}"
        );
        assert_eq!(
            read("03:00", "2026-03-28T23:30:00Z").as_deref(),
            Ok("2026-03-29T01:00:00Z")
        );
    }

    #[test]
    fn durations_are_numbers_with_units() {
        for (text, seconds) in [
            ("90s", 90),
            ("30m", 1800),
            ("2h", 7200),
            ("1h30m", 5400),
            ("1d", 86_400),
            ("1d2h3m4s", 93_784),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in [
            "",
            "30",
            "m",
            "0s",
            "1.5h",
            "-1h",
            "1h30",
            "99999999999999999999d",
            "18446744073709551615s",
        ] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn distances_are_rough() {
        for (seconds, shown) in [
            (0, "0 s"),
            (45, "45 s"),
            (61, "1 min 1 s"),
            (600, "10 min"),
            (7800, "2 h 10 min"),
            (36_000, "10 h"),
            (273_600, "3 d 4 h"),
        ] {
            assert_eq!(rough(Duration::from_secs(seconds)), shown);
        }
        let zone = berlin();
        let now = at("2026-11-20T22:00:00Z");
        let shown = with_distance(at("2026-11-21T01:00:00Z"), now, &zone);
        assert_eq!(shown, "2026-11-21 02:00 CET (in 3 h)");
        let shown = with_distance(at("2026-11-20T21:59:30Z"), now, &zone);
        assert_eq!(shown, "2026-11-20 22:59:30 CET (30 s ago)");
        assert_eq!(with_distance(now, now, &zone), "2026-11-20 23:00 CET (now)");
    }
}
