//! The parts of a verb: each is named, timed, and fails loudly.

use std::time::Instant;

use crate::failure::{Failure, Outcome};

/// Runs stages one after the other. A failed stage does not hide what the later ones would have said.
#[derive(Debug, Default)]
pub(crate) struct Stages {
    failed: Vec<String>,
}

impl Stages {
    pub(crate) fn run(&mut self, name: &str, stage: impl FnOnce() -> Outcome) {
        println!("== {name}");
        let begin = Instant::now();
        let outcome = stage();
        let seconds = begin.elapsed().as_secs_f64();
        match outcome {
            Ok(()) => println!("-- {name}: ok, {seconds:.1} s"),
            Err(failure) => {
                println!("-- {name}: FAILED, {seconds:.1} s\n{failure}");
                self.failed.push(name.to_owned());
            }
        }
    }

    /// Fails if any stage has failed, and names them.
    pub(crate) fn finish(self) -> Outcome {
        if self.failed.is_empty() {
            Ok(())
        } else {
            Err(Failure::new(format!("failed: {}", self.failed.join(", "))))
        }
    }
}
