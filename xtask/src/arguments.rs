//! Words and `--name value` pairs of a command line.

use std::collections::VecDeque;
use std::str::FromStr;

use crate::failure::{Failure, Outcome};

#[derive(Debug)]
pub(crate) struct Arguments(VecDeque<String>);

impl Arguments {
    pub(crate) fn from_process() -> Self {
        Self(std::env::args().skip(1).collect())
    }

    pub(crate) fn next_word(&mut self) -> Option<String> {
        self.0.pop_front()
    }

    /// The value after `name`, taken out; both `--name value` and `--name=value`.
    pub(crate) fn value<T: FromStr>(&mut self, name: &str) -> Outcome<Option<T>> {
        let joined = format!("{name}=");
        let Some(at) = self
            .0
            .iter()
            .position(|word| word == name || word.starts_with(&joined))
        else {
            return Ok(None);
        };
        let word = self.0.remove(at).unwrap_or_default();
        let text = match word.strip_prefix(&joined) {
            Some(text) => text.to_owned(),
            None => self
                .0
                .remove(at)
                .ok_or_else(|| Failure::new(format!("{name} needs a value")))?,
        };
        text.parse()
            .map(Some)
            .map_err(|_| Failure::new(format!("`{text}` is not a value for {name}")))
    }

    /// Whether `name` was given; taken out.
    pub(crate) fn flag(&mut self, name: &str) -> bool {
        let at = self.0.iter().position(|word| word == name);
        at.is_some_and(|at| self.0.remove(at).is_some())
    }

    /// Everything that is left, none of which may look like an option.
    pub(crate) fn words(&mut self) -> Outcome<Vec<String>> {
        if let Some(option) = self.0.iter().find(|word| word.starts_with('-')) {
            return Err(Failure::new(format!("`{option}` is not an option here")));
        }
        Ok(self.0.drain(..).collect())
    }

    /// Nothing may be left.
    pub(crate) fn finish(&mut self) -> Outcome {
        match self.words()?.first() {
            None => Ok(()),
            Some(word) => Err(Failure::new(format!("`{word}` is too much"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(line: &str) -> Arguments {
        Arguments(line.split_whitespace().map(ToOwned::to_owned).collect())
    }

    #[test]
    fn takes_values_flags_and_words_in_any_order() -> Outcome {
        let mut line = arguments("path --seconds 5 --quiet host --engine=plain");
        assert_eq!(line.value::<u64>("--seconds")?, Some(5));
        assert_eq!(line.value::<String>("--engine")?.as_deref(), Some("plain"));
        assert!(line.flag("--quiet"));
        assert_eq!(line.words()?, ["path", "host"]);
        Ok(())
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        assert!(arguments("--sceonds 5").words().is_err());
        assert!(
            arguments("--seconds five")
                .value::<u64>("--seconds")
                .is_err()
        );
        assert!(arguments("--seconds").value::<u64>("--seconds").is_err());
        assert!(arguments("more").finish().is_err());
    }
}
