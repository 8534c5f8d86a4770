//! The elements of a list header, over all its lines.

use crate::request::Headers;

use super::answer::Unresolved;
use super::element::{self, Element};
use super::forwarded;
use super::source::ListHeader;
use super::watch::Watch;

/// The longest list that is read. Chains of proxies have a handful; longer ones are attempts.
pub(super) const MAX_ELEMENTS: usize = 64;

/// The elements in the order of the header: the farthest first, the nearest last.
pub(super) struct Elements {
    list: [Element; MAX_ELEMENTS],
    len: usize,
}

impl Elements {
    pub(super) const fn none() -> Self {
        Self {
            list: [Err(Unresolved::NoHeader); MAX_ELEMENTS],
            len: 0,
        }
    }

    /// Reads all lines with the header's name, in order, as one list. Empty elements do not count
    /// (RFC 9110, section 5.6.1.2).
    ///
    /// # Errors
    ///
    /// What makes the list as a whole unusable: too many elements, or a line whose elements cannot be
    /// told apart.
    pub(super) fn read(
        &mut self,
        header: ListHeader,
        headers: &dyn Headers,
        watch: &mut impl Watch,
    ) -> Result<&[Element], Unresolved> {
        let mut outcome = Ok(());
        headers.for_each(header.name(), &mut |line| {
            if outcome.is_ok() {
                let mut add = |raw: &[u8], element| {
                    watch.element(raw);
                    self.push(element)
                };
                outcome = match header {
                    ListHeader::XForwardedFor => comma_separated(line, &mut add),
                    ListHeader::Forwarded => forwarded::elements(line, &mut add),
                };
            }
        });
        outcome.map(|()| &self.list[..self.len])
    }

    fn push(&mut self, element: Element) -> Result<(), Unresolved> {
        let slot = self
            .list
            .get_mut(self.len)
            .ok_or(Unresolved::TooManyElements)?;
        *slot = element;
        self.len += 1;
        Ok(())
    }
}

/// Takes an element: its text on the wire, and what it says.
pub(super) type Add<'a> = dyn FnMut(&[u8], Element) -> Result<(), Unresolved> + 'a;

fn comma_separated(line: &[u8], add: &mut Add<'_>) -> Result<(), Unresolved> {
    for element in line.split(|byte| *byte == b',') {
        let element = trim(element);
        if !element.is_empty() {
            add(element, element::plain(element))?;
        }
    }
    Ok(())
}

/// Cuts optional white space (RFC 9110, section 5.6.3) from both ends: spaces and tabs, nothing else.
pub(super) fn trim(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = bytes {
        bytes = rest;
    }
    while let [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}
