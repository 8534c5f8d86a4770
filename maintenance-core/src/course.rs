//! How a site's mode runs on in time: the plain mode, and the windows laid over it.
//!
//! Windows are evaluated from the state alone, so that every instance switches at the planned moment
//! without a message. A window can only tighten: an operator who closes a site by hand during a
//! read-only window means it.

use std::sync::{Arc, OnceLock};

use crate::answer::{AnswerPolicy, AnswerSet, Notice};
use crate::state::{ActivationId, Message, Mode, SiteName, SiteState, Window};
use crate::time::Timestamp;

/// A span in which nothing changes by itself.
#[derive(Debug)]
pub(crate) struct Segment {
    /// Its first moment; it lasts until the next segment's.
    pub(crate) from: Timestamp,
    pub(crate) mode: Mode,
    pub(crate) message: Option<Message>,
    pub(crate) ends_at: Option<Timestamp>,
    pub(crate) activation: Option<ActivationId>,
    retry_after: Option<u32>,
    answers: OnceLock<Box<AnswerSet>>,
}

/// All segments, in order; the first begins before everything.
#[derive(Debug)]
pub(crate) struct Course {
    segments: Vec<Segment>,
}

impl Course {
    /// A site's course.
    pub(crate) fn of_site(pinned: Option<Mode>, state: Option<&SiteState>) -> Self {
        let windows: Vec<&Window> = match (pinned, state) {
            (None, Some(state)) => state.windows.iter().filter(|w| w.is_enabled()).collect(),
            _ => Vec::new(),
        };
        let mut turns = vec![Timestamp::MIN];
        turns.extend(windows.iter().flat_map(|w| [w.start(), w.end()]).flatten());
        turns.sort_unstable();
        turns.dedup();
        let segments = turns
            .into_iter()
            .map(|from| segment(from, pinned, state, &windows))
            .collect();
        Self { segments }
    }

    /// The strictest of several courses, for hosts that belong to none of them.
    pub(crate) fn strictest(courses: &[&Self]) -> Self {
        let mut turns: Vec<Timestamp> = courses
            .iter()
            .flat_map(|course| &course.segments)
            .map(|s| s.from)
            .collect();
        turns.sort_unstable();
        turns.dedup();
        let mode_from = |from| {
            courses.iter().fold(Mode::Online, |mode, course| {
                mode.stricter(course.at(from).1.mode)
            })
        };
        let segments = turns
            .into_iter()
            .map(|from| Segment {
                from,
                mode: mode_from(from),
                message: None,
                ends_at: None,
                activation: None,
                retry_after: None,
                answers: OnceLock::new(),
            })
            .collect();
        Self { segments }
    }

    /// The segment that `now` lies in, with its number.
    pub(crate) fn at(&self, now: Timestamp) -> (usize, &Segment) {
        let next = self.segments.partition_point(|segment| segment.from <= now);
        let number = next.saturating_sub(1);
        (number, &self.segments[number])
    }

    pub(crate) fn segment(&self, number: usize) -> &Segment {
        &self.segments[number]
    }

    /// Whether the site is online from `now` on, for all that is known.
    pub(crate) fn stays_online(&self, now: Timestamp) -> bool {
        let (number, _) = self.at(now);
        self.segments[number..]
            .iter()
            .all(|segment| segment.mode == Mode::Online)
    }

    /// When the mode changes next by itself.
    pub(crate) fn next_turn(&self, now: Timestamp) -> Option<&Segment> {
        let (number, segment) = self.at(now);
        self.segments[number + 1..]
            .iter()
            .find(|later| later.mode != segment.mode)
    }
}

impl Segment {
    /// The answers of this segment, prepared at first use. A route that is forced on answers as if offline.
    pub(crate) fn answers(&self, site: &SiteName, policy: &Arc<AnswerPolicy>) -> &AnswerSet {
        self.answers.get_or_init(|| {
            let mode = if self.mode == Mode::Online {
                Mode::Offline
            } else {
                self.mode
            };
            let notice = Notice {
                site: site.clone(),
                mode,
                message: self.message.clone(),
                ends_at: self.ends_at,
                retry_after: self.retry_after,
                activation: self.activation,
            };
            Box::new(AnswerSet::new(Arc::clone(policy), notice))
        })
    }
}

fn segment(
    from: Timestamp,
    pinned: Option<Mode>,
    state: Option<&SiteState>,
    windows: &[&Window],
) -> Segment {
    let plain = pinned.or(state.map(|s| s.mode)).unwrap_or_default();
    let in_force: Vec<&Window> = windows
        .iter()
        .filter(|w| w.in_force(from))
        .copied()
        .collect();
    let mode = in_force
        .iter()
        .fold(plain, |mode, window| mode.stricter(window.mode()));
    let by_hand = plain != Mode::Online;
    let closed = mode != Mode::Online;
    let leading = in_force.iter().max_by_key(|window| window.mode());
    let message = leading
        .and_then(|window| window.text())
        .or_else(|| state.and_then(|s| s.message.as_ref()))
        .filter(|_| closed);
    let last_window_end = in_force
        .iter()
        .map(|window| window.end())
        .reduce(|a, b| Some(a?.max(b?)))
        .flatten();
    let ends_at = if by_hand {
        let expected = state.and_then(|s| s.expected_end);
        if in_force.is_empty() {
            expected
        } else {
            expected.zip(last_window_end).map(|(a, b)| a.max(b))
        }
    } else {
        last_window_end
    };
    Segment {
        from,
        mode,
        message: message.cloned(),
        ends_at,
        activation: state
            .and_then(|s| s.activation)
            .filter(|_| by_hand)
            .map(|activation| activation.id)
            .or_else(|| leading.map(|window| window.id())),
        retry_after: state.and_then(|s| s.retry_after).filter(|_| closed),
        answers: OnceLock::new(),
    }
}

#[cfg(test)]
mod tests {
    use crate::state::Mode::{Offline, Online, ReadOnly};

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    fn window(id: u128, mode: Mode, start: Option<i64>, end: Option<i64>) -> Window {
        Window::new(
            ActivationId::from_bits(id),
            mode,
            start.map(at),
            end.map(at),
        )
        .unwrap_or_else(|e| panic!("{e}"))
    }

    fn modes(state: &SiteState, pinned: Option<Mode>, times: &[i64]) -> Vec<Mode> {
        let course = Course::of_site(pinned, Some(state));
        times.iter().map(|t| course.at(at(*t)).1.mode).collect()
    }

    #[test]
    fn a_window_begins_at_its_start_and_is_over_at_its_end() {
        let state = SiteState {
            windows: vec![window(1, Offline, Some(10), Some(20))],
            ..Default::default()
        };
        assert_eq!(
            modes(&state, None, &[9, 10, 19, 20]),
            [Online, Offline, Offline, Online]
        );
        assert_eq!(
            modes(&state, Some(Online), &[10]),
            [Online],
            "a pinned mode beats windows"
        );
        let course = Course::of_site(None, Some(&state));
        assert!(!course.stays_online(at(0)) && course.stays_online(at(20)));
        assert_eq!(
            course.next_turn(at(0)).map(|s| (s.from, s.ends_at)),
            Some((at(10), Some(at(20))))
        );
    }

    #[test]
    fn overlapping_windows_hold_the_stricter_mode_and_never_open_what_was_closed_by_hand() {
        let mut state = SiteState {
            windows: vec![
                window(1, ReadOnly, Some(10), Some(40)),
                window(2, Offline, Some(20), Some(30)),
                window(3, Offline, None, Some(0)).enabled(false),
            ],
            ..Default::default()
        };
        assert_eq!(
            modes(&state, None, &[-1, 10, 20, 30, 40]),
            [Online, ReadOnly, Offline, ReadOnly, Online]
        );
        state.mode = Offline;
        assert_eq!(
            modes(&state, None, &[-1, 10, 40]),
            [Offline, Offline, Offline]
        );
    }

    #[test]
    fn a_window_without_end_has_no_expected_end() {
        let state = SiteState {
            windows: vec![
                window(1, Offline, Some(10), None),
                window(2, Offline, Some(10), Some(20)),
            ],
            ..Default::default()
        };
        let course = Course::of_site(None, Some(&state));
        assert_eq!(course.at(at(15)).1.ends_at, None);
    }
}
