//! What is run many times, by name.

mod answer;
mod decide;
mod live;
pub mod rules;

use crate::Trouble;
use crate::sites::{FRAMEWORKS, VARIANTS};

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

/// Prepares the scenario with that name: one of the engine's, or `FRAMEWORK/plain`,
/// `FRAMEWORK/ten-liner/online`, `FRAMEWORK/ours/offline` and so on.
///
/// # Errors
///
/// There is none, or it cannot be prepared.
pub fn prepare(name: &str) -> Result<Runner, Trouble> {
    let own = [decide::ALL, live::ALL, answer::ALL].into_iter().flatten();
    if let Some(scenario) = own.into_iter().find(|scenario| scenario.name == name) {
        return (scenario.prepare)();
    }
    for framework in FRAMEWORKS {
        let rest = name.strip_prefix(framework.name);
        let wanted = rest.and_then(|rest| rest.strip_prefix('/'));
        let variant = VARIANTS
            .into_iter()
            .find(|variant| Some(variant.name()) == wanted);
        if let Some(variant) = variant {
            return (framework.prepare)(variant);
        }
    }
    Err(format!("`{name}` is not a scenario").into())
}
