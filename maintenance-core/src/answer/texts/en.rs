//! English.

use super::{ModeTexts, Texts};

pub(super) const TEXTS: Texts = Texts {
    code: "en",
    tag: "en",
    offline: ModeTexts {
        title: "Maintenance",
        heading: "We’ll be back soon",
        text: "This site is closed for maintenance at the moment. Thank you for your patience.",
    },
    read_only: ModeTexts {
        title: "Read-only",
        heading: "Changes are on hold",
        text: "You can read everything as usual, but nothing can be changed or sent during the maintenance.",
    },
    pending: ModeTexts {
        title: "Maintenance is about to begin",
        heading: "Maintenance is about to begin",
        text: "Visitors who are already here can finish what they are doing. New visits are possible again after the maintenance.",
    },
    paused: ModeTexts {
        title: "One moment, please",
        heading: "One moment, please",
        text: "We are making a short change. The site continues in a moment.",
    },
    expected_end: "Expected end",
    overdue: "any moment now",
    reloads: "This page checks by itself and reloads when we are back.",
    try_again: "Try again",
    not_received: "What you sent was not received. Please go back and send it again later.",
    go_back: "Go back",
    returned: "We are back. You can go back and send it again.",
};
