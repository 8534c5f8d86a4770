//! German.

use super::{ModeTexts, Texts};

pub(super) const TEXTS: Texts = Texts {
    code: "de",
    tag: "de",
    offline: ModeTexts {
        title: "Wartungsarbeiten",
        heading: "Wir sind bald zurück",
        text: "Diese Website ist wegen Wartungsarbeiten vorübergehend geschlossen. Vielen Dank für Ihre Geduld.",
    },
    read_only: ModeTexts {
        title: "Nur Lesezugriff",
        heading: "Änderungen sind gerade nicht möglich",
        text: "Sie können alles wie gewohnt lesen, während der Wartungsarbeiten aber nichts ändern oder absenden.",
    },
    pending: ModeTexts {
        title: "Die Wartung beginnt gleich",
        heading: "Die Wartung beginnt gleich",
        text: "Wer bereits hier ist, kann Angefangenes noch beenden. Neue Besuche sind nach der Wartung wieder möglich.",
    },
    paused: ModeTexts {
        title: "Einen Moment bitte",
        heading: "Einen Moment bitte",
        text: "Wir nehmen gerade eine kurze Änderung vor. Gleich geht es weiter.",
    },
    expected_end: "Voraussichtliches Ende",
    overdue: "jeden Moment",
    reloads: "Diese Seite prüft selbst, wann es weitergeht, und lädt sich dann neu.",
    try_again: "Erneut versuchen",
    not_received: "Ihre Eingabe ist nicht angekommen. Bitte gehen Sie zurück und senden Sie sie später noch einmal.",
    go_back: "Zurück",
    returned: "Wir sind wieder da. Sie können zurückgehen und Ihre Eingabe noch einmal senden.",
};
