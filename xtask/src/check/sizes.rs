//! How long the files are: a report, for people to look at.

use std::fs;

use crate::failure::Outcome;
use crate::shell::{capture, command, root};

/// Worth a hard look.
const LONG: usize = 500;

pub(super) fn report() -> Outcome {
    let names = capture(command("git").args(["ls-files", "*.rs"]))?;
    let mut lines: Vec<(usize, &str)> = names
        .lines()
        .filter_map(|name| {
            let text = fs::read_to_string(root().join(name)).ok()?;
            Some((text.lines().count(), name))
        })
        .collect();
    lines.sort_unstable();
    let median = lines.get(lines.len() / 2).map_or(0, |(count, _)| *count);
    println!("{} Rust files, median {median} lines", lines.len());
    for (count, name) in lines.iter().rev().take_while(|(count, _)| *count > LONG) {
        println!("{count:6} {name}");
    }
    Ok(())
}
