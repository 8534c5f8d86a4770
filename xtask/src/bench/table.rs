//! The table: what, ours, what people write by hand, the bar, and whether it is met.

use std::fmt;

/// A figure and its unit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Figure {
    pub(super) value: f64,
    pub(super) unit: &'static str,
}

/// Rows in the order in which they were measured.
#[derive(Debug, Default)]
pub(super) struct Table {
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    what: String,
    ours: String,
    beside: String,
    bar: String,
    verdict: Verdict,
}

#[derive(Clone, Debug, PartialEq)]
enum Verdict {
    Met,
    /// By how much, in words.
    Missed(String),
    /// No bar: for comparison.
    Told,
}

pub(super) const fn figure(value: f64, unit: &'static str) -> Figure {
    Figure { value, unit }
}

impl Table {
    pub(super) const fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// A figure that must be at most `bar`, with what the alternative takes.
    pub(super) fn at_most(&mut self, what: &str, ours: Figure, beside: Option<f64>, bar: f64) {
        let verdict = if ours.value <= bar {
            Verdict::Met
        } else if bar > 0.0 {
            Verdict::Missed(format!("by {:.1} %", (ours.value / bar - 1.0) * 100.0))
        } else {
            Verdict::Missed(format!("by {ours}"))
        };
        self.rows.push(Row {
            what: what.to_owned(),
            ours: ours.to_string(),
            beside: beside.map_or_else(String::new, |b| figure(b, ours.unit).to_string()),
            bar: format!("≤ {}", figure(bar, ours.unit)),
            verdict,
        });
    }

    /// A figure without a bar.
    pub(super) fn tell(&mut self, what: &str, ours: Figure, beside: Option<f64>) {
        self.rows.push(Row {
            what: what.to_owned(),
            ours: ours.to_string(),
            beside: beside.map_or_else(String::new, |b| figure(b, ours.unit).to_string()),
            bar: String::new(),
            verdict: Verdict::Told,
        });
    }

    /// Something that this project will have.
    pub(super) fn not_there_yet(&mut self, what: &str, bar: &str) {
        self.rows.push(Row {
            what: what.to_owned(),
            ours: "not there yet".to_owned(),
            beside: String::new(),
            bar: bar.to_owned(),
            verdict: Verdict::Told,
        });
    }

    pub(super) fn misses(&self) -> usize {
        let missed = |row: &&Row| matches!(row.verdict, Verdict::Missed(_));
        self.rows.iter().filter(missed).count()
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { value, unit } = *self;
        let digits = match value.abs() {
            large if large >= 100.0 => 0,
            middle if middle >= 10.0 => 1,
            _ => 2,
        };
        let number = format!("{value:.digits$}");
        let number = match number.split_once('.') {
            Some((whole, rest)) if rest.bytes().all(|b| b == b'0') => whole.to_owned(),
            _ => number,
        };
        if unit.is_empty() {
            f.write_str(&number)
        } else {
            write!(f, "{number} {unit}")
        }
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| what | ours | beside it | bar | verdict |")?;
        writeln!(f, "|---|---|---|---|---|")?;
        for row in &self.rows {
            let verdict = match &row.verdict {
                Verdict::Met => "met",
                Verdict::Missed(by) => &format!("MISSED {by}"),
                Verdict::Told => "",
            };
            let Row {
                what,
                ours,
                beside,
                bar,
                ..
            } = row;
            writeln!(f, "| {what} | {ours} | {beside} | {bar} | {verdict} |")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn judges_and_counts() {
        let mut table = Table::default();
        table.at_most("a", figure(20.0, "instructions"), Some(9.0), 20.0);
        table.at_most("b", figure(1.5, "ns"), None, 1.0);
        table.at_most("c", figure(0.25, ""), None, 0.0);
        table.tell("d", figure(1234.5, "ns"), None);
        assert_eq!(table.misses(), 2);
        let shown = table.to_string();
        assert!(
            shown.contains("| a | 20 instructions | 9 instructions | ≤ 20 instructions | met |")
        );
        assert!(shown.contains("| b | 1.50 ns |  | ≤ 1 ns | MISSED by 50.0 % |"));
        assert!(shown.contains("| c | 0.25 |  | ≤ 0 | MISSED by 0.25 |"));
    }
}
