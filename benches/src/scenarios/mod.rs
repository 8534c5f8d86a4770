//! What is run many times, by name.

mod actix;
mod answer;
mod decide;
mod live;
pub mod rules;

use crate::Trouble;

/// Runs an operation this many times.
pub type Runner = Box<dyn FnMut(u64)>;

/// One operation, ready to be prepared.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// Its name.
    pub name: &'static str,
    /// Everything that is not measured; gives back what is.
    pub prepare: fn() -> Result<Runner, Trouble>,
}

/// The scenario with that name.
///
/// # Errors
///
/// There is none.
pub fn find(name: &str) -> Result<Scenario, Trouble> {
    all()
        .find(|scenario| scenario.name == name)
        .ok_or_else(|| format!("`{name}` is not a scenario").into())
}

/// Every scenario.
pub fn all() -> impl Iterator<Item = Scenario> {
    [decide::ALL, live::ALL, answer::ALL, actix::ALL]
        .into_iter()
        .flatten()
        .copied()
}
