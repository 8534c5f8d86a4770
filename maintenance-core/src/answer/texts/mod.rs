//! What the answers say, in every language that is built in. One file per language.

mod de;
mod en;
mod es;
mod fr;
mod it;
mod ja;
mod pt;
mod zh;

use crate::state::Mode;

/// What is said in one mode.
#[derive(Debug)]
pub(super) struct ModeTexts {
    /// The page's title.
    pub(super) title: &'static str,
    /// The headline.
    pub(super) heading: &'static str,
    /// One or two sentences.
    pub(super) text: &'static str,
}

/// Everything that is said in one language.
#[derive(Debug)]
pub(super) struct Texts {
    /// The primary language subtag, which configuration and `Accept-Language` name.
    pub(super) code: &'static str,
    /// The full tag for `lang` and `Content-Language` (BCP 47).
    pub(super) tag: &'static str,
    pub(super) offline: ModeTexts,
    pub(super) read_only: ModeTexts,
    pub(super) pending: ModeTexts,
    pub(super) paused: ModeTexts,
    /// Label before the expected end.
    pub(super) expected_end: &'static str,
    /// Stands for the remaining time once the expected end has passed.
    pub(super) overdue: &'static str,
    /// That the page reloads by itself.
    pub(super) reloads: &'static str,
    /// Link that loads the page again.
    pub(super) try_again: &'static str,
    /// That what the visitor sent did not arrive.
    pub(super) not_received: &'static str,
    /// Button that goes back to the form.
    pub(super) go_back: &'static str,
    /// That the site is open again and the form can be sent again.
    pub(super) returned: &'static str,
}

/// Every built-in language; the first is the fallback of a policy that names none.
pub(super) const LANGUAGES: [&Texts; 8] = [
    &en::TEXTS,
    &de::TEXTS,
    &fr::TEXTS,
    &es::TEXTS,
    &it::TEXTS,
    &pt::TEXTS,
    &ja::TEXTS,
    &zh::TEXTS,
];

impl Texts {
    /// The language with this primary subtag or full tag.
    pub(super) fn of(code: &str) -> Option<&'static Self> {
        LANGUAGES.into_iter().find(|texts| {
            code.eq_ignore_ascii_case(texts.code) || code.eq_ignore_ascii_case(texts.tag)
        })
    }

    /// What is said in this mode. A route that is forced on while its site is online is closed: `Offline`.
    pub(super) const fn mode(&self, mode: Mode) -> &ModeTexts {
        match mode {
            Mode::ReadOnly => &self.read_only,
            Mode::Pending => &self.pending,
            Mode::Paused => &self.paused,
            Mode::Offline | Mode::Online => &self.offline,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn all_of(texts: &Texts) -> Vec<&'static str> {
        let mut all = vec![
            texts.expected_end,
            texts.overdue,
            texts.reloads,
            texts.try_again,
            texts.not_received,
            texts.go_back,
            texts.returned,
        ];
        for mode in [
            &texts.offline,
            &texts.read_only,
            &texts.pending,
            &texts.paused,
        ] {
            all.extend([mode.title, mode.heading, mode.text]);
        }
        all
    }

    #[test]
    fn every_language_is_complete() {
        for texts in LANGUAGES {
            for text in all_of(texts) {
                assert!(!text.trim().is_empty(), "{}", texts.code);
                assert_eq!(text, text.trim(), "{}", texts.code);
                assert!(!text.contains(['<', '>', '&', '\n', '"']), "{text}");
            }
            assert!(texts.tag.starts_with(texts.code));
        }
    }

    #[test]
    fn no_sentence_is_said_twice() {
        let mut seen = BTreeSet::new();
        for texts in LANGUAGES {
            for mode in [
                &texts.offline,
                &texts.read_only,
                &texts.pending,
                &texts.paused,
            ] {
                assert!(seen.insert(mode.text), "{} is in two places", mode.text);
            }
            for sentence in [texts.reloads, texts.not_received, texts.returned] {
                assert!(seen.insert(sentence), "{sentence} is in two places");
            }
        }
        let codes: BTreeSet<_> = LANGUAGES.iter().map(|texts| texts.code).collect();
        assert_eq!(codes.len(), LANGUAGES.len());
    }

    #[test]
    fn found_by_code_or_tag() {
        assert_eq!(Texts::of("ZH").map(|t| t.tag), Some("zh-Hans"));
        assert_eq!(Texts::of("zh-hans").map(|t| t.code), Some("zh"));
        assert!(Texts::of("nl").is_none());
    }
}
