//! Everything that is wrong with a configuration, at once.

use std::collections::HashSet;
use std::fmt;

/// How places of sites begin; names of sites have no dots.
const SITES: &str = "sites.";

/// One thing that is wrong: where, what, and the cure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    place: String,
    problem: String,
    hint: Option<String>,
}

impl Complaint {
    /// Where: the key, `sites.shop.allow.paths[2]`, with a line where one is known.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }

    /// What is wrong, with the offending value.
    #[must_use]
    pub fn problem(&self) -> &str {
        &self.problem
    }

    /// The cure, where one is known.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.problem)?;
        match &self.hint {
            Some(hint) => write!(f, "\n  hint: {hint}"),
            None => Ok(()),
        }
    }
}

/// All complaints about one configuration. As an error it has at least one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Complaints {
    list: Vec<Complaint>,
}

impl Complaints {
    /// None yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { list: Vec::new() }
    }

    /// Adds one without a hint.
    pub fn add(&mut self, place: impl fmt::Display, problem: impl fmt::Display) {
        self.list.push(Complaint {
            place: place.to_string(),
            problem: problem.to_string(),
            hint: None,
        });
    }

    /// Adds one with the cure.
    pub fn add_with_hint(
        &mut self,
        place: impl fmt::Display,
        problem: impl fmt::Display,
        hint: impl fmt::Display,
    ) {
        self.list.push(Complaint {
            place: place.to_string(),
            problem: problem.to_string(),
            hint: Some(hint.to_string()),
        });
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Each of them.
    pub fn iter(&self) -> std::slice::Iter<'_, Complaint> {
        self.list.iter()
    }

    /// `value`, if there are none.
    ///
    /// # Errors
    ///
    /// These complaints, if there are any.
    pub fn none_or<T>(self, value: T) -> Result<T, Self> {
        if self.list.is_empty() {
            Ok(value)
        } else {
            Err(self)
        }
    }

    /// Adds all of `more`.
    pub fn append(&mut self, more: Self) {
        self.list.extend(more.list);
    }

    /// Drops what was said twice: of a list that several sites take over, and of a site's key and, in the
    /// same words, of the general key that the site takes over.
    pub(crate) fn say_inherited_once(&mut self) {
        let mut seen = HashSet::new();
        self.list
            .retain(|c| seen.insert((c.place.clone(), c.problem.clone())));
        let general: HashSet<(String, String)> = self
            .list
            .iter()
            .filter(|complaint| !complaint.place.starts_with(SITES))
            .map(|complaint| (complaint.place.clone(), complaint.problem.clone()))
            .collect();
        self.list.retain(|complaint| {
            let inherited = complaint
                .place
                .strip_prefix(SITES)
                .and_then(|rest| rest.split_once('.'))
                .map(|(_, key)| (key.to_owned(), complaint.problem.clone()));
            inherited.is_none_or(|inherited| !general.contains(&inherited))
        });
    }

    /// Adds those of `more` whose place, or a part or the whole of it, has no complaint yet: they may only
    /// follow from what is wrong there.
    pub(crate) fn add_where_nothing_was_said(&mut self, more: Self) {
        let said = std::mem::take(&mut self.list);
        let follows = |complaint: &Complaint| {
            said.iter().any(|old| {
                complaint.place.starts_with(&old.place) || old.place.starts_with(&complaint.place)
            })
        };
        self.list = more.list.into_iter().filter(|c| !follows(c)).collect();
        self.list.splice(..0, said);
    }

    pub(crate) fn rename_places(&mut self, mut rename: impl FnMut(&str) -> String) {
        for complaint in &mut self.list {
            complaint.place = rename(&complaint.place);
        }
    }
}

impl<'a> IntoIterator for &'a Complaints {
    type Item = &'a Complaint;
    type IntoIter = std::slice::Iter<'a, Complaint>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for Complaints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, complaint) in self.list.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            complaint.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Complaints {}
