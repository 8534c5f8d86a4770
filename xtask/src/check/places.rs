//! Whether a file names the machine that it was written on.

use std::fs;
use std::path::Path;

use crate::failure::{Failure, Outcome};
use crate::shell::{capture, command, root};

/// Where people have their folders. A document that names one works on one machine only.
const FOLDERS_OF_PEOPLE: [&str; 3] = ["home", "root", "Users"];

pub(super) fn check() -> Outcome {
    let own = own_places();
    let mut wrong = Vec::new();
    for name in capture(command("git").args(["ls-files"]))?.lines() {
        let Ok(text) = fs::read_to_string(root().join(name)) else {
            continue;
        };
        let mut places = own.clone();
        if Path::new(name).extension().is_some_and(|e| e == "md") {
            places.extend(FOLDERS_OF_PEOPLE.map(|folder| format!("/{folder}/")));
        }
        for (number, line) in (1..).zip(text.lines()) {
            if let Some(place) = places.iter().find(|place| line.contains(place.as_str())) {
                wrong.push(format!("{name}:{number} names {place}"));
            }
        }
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(Failure::new(wrong.join("\n")))
    }
}

/// This checkout and this user's home, where they are deep enough to be told from a URL's path.
fn own_places() -> Vec<String> {
    let home = std::env::var_os("HOME").unwrap_or_default();
    [root().canonicalize().unwrap_or_default(), home.into()]
        .iter()
        .filter(|place| place.components().count() > 2)
        .map(|place| format!("{}/", place.display()))
        .collect()
}
