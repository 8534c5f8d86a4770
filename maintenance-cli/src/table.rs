//! Columns for people.

use clap::builder::styling::Style;

use crate::output::{BOLD, styled};

/// Lines of equally many cells, with their width counted in characters.
#[derive(Debug)]
pub(crate) struct Table {
    widths: Vec<usize>,
    lines: Vec<Vec<(String, Style)>>,
}

impl Table {
    /// A table with these headings.
    pub(crate) fn new<const COLUMNS: usize>(headings: [&str; COLUMNS]) -> Self {
        let mut table = Self {
            widths: vec![0; COLUMNS],
            lines: Vec::new(),
        };
        table.add(headings.map(|heading| (heading.to_owned(), BOLD)));
        table
    }

    /// Adds a line.
    pub(crate) fn add<const COLUMNS: usize>(&mut self, cells: [(String, Style); COLUMNS]) {
        for (width, (text, _)) in self.widths.iter_mut().zip(&cells) {
            *width = (*width).max(text.chars().count());
        }
        self.lines.push(cells.into());
    }

    /// The lines, with two spaces between columns and none at the end.
    pub(crate) fn lines(&self) -> impl Iterator<Item = String> {
        self.lines.iter().map(|cells| {
            let filled = cells
                .iter()
                .rposition(|(text, _)| !text.is_empty())
                .map_or(0, |last| last + 1);
            let mut line = String::new();
            for (column, (text, style)) in cells[..filled].iter().enumerate() {
                line.push_str(&styled(*style, text));
                if column + 1 < filled {
                    let gap = self.widths[column] - text.chars().count() + 2;
                    line.extend(std::iter::repeat_n(' ', gap));
                }
            }
            line
        })
    }
}
