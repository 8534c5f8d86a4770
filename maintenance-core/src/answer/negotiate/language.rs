//! The language of the answer, by `Accept-Language` (RFC 9110, section 12.5.4; RFC 4647, section 3.4).

use super::weighted;
use crate::answer::texts::{LANGUAGES, Texts};
use crate::request::Headers;

/// What the field says of one language that the policy offers.
#[derive(Clone, Copy, Default)]
struct Wish {
    /// The greatest weight; of equals, the first.
    weight: u16,
    named: bool,
    refused: bool,
    /// The best weight of a relative that a reader of it can make do with.
    distant: u16,
}

/// The place in `languages` of the one that the client likes best; the first if none fits.
///
/// Lookup shortens a range from its end until it names a language (`pt-BR` finds `pt`). Chinese is
/// offered in simplified characters: a range for traditional ones finds it only when nothing else is
/// acceptable.
pub(in crate::answer) fn pick(headers: &dyn Headers, languages: &[&'static Texts]) -> usize {
    let mut wishes = [Wish::default(); LANGUAGES.len()];
    let mut star = 0;
    let mut best: Option<(u16, usize)> = None;
    let mut heard = false;
    weighted::for_each(headers, "accept-language", |range, weight| {
        heard = true;
        if range == b"*" {
            star = weight;
            return;
        }
        let mut subtags = range.split(|b| *b == b'-');
        let Some(primary) = subtags.next() else {
            return;
        };
        let Some(place) = languages
            .iter()
            .position(|texts| primary.eq_ignore_ascii_case(texts.code.as_bytes()))
        else {
            return;
        };
        let Some(wish) = wishes.get_mut(place) else {
            return;
        };
        let narrow = range.len() > primary.len();
        if weight == 0 {
            // `pt-BR;q=0` refuses Brazilian Portuguese, not every Portuguese.
            wish.refused |= !narrow;
        } else if primary.eq_ignore_ascii_case(b"zh") && is_traditional(subtags) {
            wish.distant = wish.distant.max(weight);
        } else {
            wish.named = true;
            wish.weight = wish.weight.max(weight);
            if best.is_none_or(|(found, _)| weight > found) {
                best = Some((weight, place));
            }
        }
    });
    if !heard {
        return 0;
    }
    let offered = wishes.iter().take(languages.len());
    if let Some((weight, place)) = best.filter(|(_, place)| !wishes[*place].refused)
        && weight >= star
    {
        return place;
    }
    if star > 0
        && let Some(place) = offered
            .clone()
            .position(|wish| !wish.named && !wish.refused)
    {
        return place;
    }
    let next_best = |score: fn(&Wish) -> u16| {
        wishes
            .iter()
            .take(languages.len())
            .enumerate()
            .filter(|(_, wish)| !wish.refused && score(wish) > 0)
            .max_by_key(|(place, wish)| (score(wish), std::cmp::Reverse(*place)))
            .map(|(place, _)| place)
    };
    next_best(|wish| wish.weight)
        .or_else(|| next_best(|wish| wish.distant))
        .or_else(|| {
            wishes
                .iter()
                .take(languages.len())
                .position(|wish| !wish.refused)
        })
        .unwrap_or(0)
}

/// Whether the subtags after `zh` mean traditional characters, by script or else by region.
fn is_traditional<'a>(subtags: impl Iterator<Item = &'a [u8]>) -> bool {
    let mut by_region = false;
    for subtag in subtags {
        if subtag.eq_ignore_ascii_case(b"hans") {
            return false;
        }
        if subtag.eq_ignore_ascii_case(b"hant") {
            return true;
        }
        by_region |= [&b"tw"[..], b"hk", b"mo"]
            .iter()
            .any(|r| subtag.eq_ignore_ascii_case(r));
    }
    by_region
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picked(value: &str) -> &'static str {
        let all: Vec<&'static Texts> = LANGUAGES.to_vec();
        all[pick(&vec![("accept-language", value)], &all)].code
    }

    fn picked_of(codes: &[&str], value: &str) -> &'static str {
        let some: Vec<&'static Texts> = codes.iter().filter_map(|c| Texts::of(c)).collect();
        some[pick(&vec![("accept-language", value)], &some)].code
    }

    #[test]
    fn lookup() {
        for (value, expected) in [
            ("", "en"),
            ("de", "de"),
            ("DE-ch", "de"),
            ("pt-BR,pt;q=0.9", "pt"),
            ("fr;q=0.5, es;q=0.8", "es"),
            ("it, de", "it"),
            ("xx, ja;q=0.1", "ja"),
            ("nl, *", "en"),
            ("fr;q=0.1, *", "en"),
            ("*;q=0.1, fr", "fr"),
            ("en;q=0, *", "de"),
            ("en;q=0", "de"),
            ("pt-BR;q=0, pt-PT", "pt"),
            ("de;q=0, de-AT, fr;q=0.1", "fr"),
            ("not a language!", "en"),
            ("dexx", "en"),
        ] {
            assert_eq!(picked(value), expected, "{value}");
        }
    }

    #[test]
    fn chinese() {
        for (value, expected) in [
            ("zh", "zh"),
            ("zh-CN", "zh"),
            ("zh-Hans-HK", "zh"),
            ("zh-TW,zh;q=0.9,en-US;q=0.8", "zh"),
            ("zh-Hant", "zh"),
            ("zh-TW, ja;q=0.4", "ja"),
            ("zh-Hant-CN, fr;q=0.1", "fr"),
        ] {
            assert_eq!(picked(value), expected, "{value}");
        }
    }

    #[test]
    fn the_first_language_of_the_policy_is_the_fallback() {
        assert_eq!(picked_of(&["fr", "en"], "nl"), "fr");
        assert_eq!(picked_of(&["fr", "en"], "*"), "fr");
        assert_eq!(picked_of(&["fr", "en"], "de, en;q=0.2"), "en");
        assert_eq!(picked_of(&["fr"], "fr;q=0"), "fr");
    }

    #[test]
    fn ten_thousand_languages() {
        let value = format!("{}de", "xx,".repeat(10_000));
        assert_eq!(
            picked(&value),
            "en",
            "what lies beyond the bound is not read"
        );
        assert_eq!(picked(&format!("de,{}", "fr;q=0.9,".repeat(10_000))), "de");
    }
}
