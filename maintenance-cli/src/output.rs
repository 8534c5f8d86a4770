//! What is said, and where: answers on standard output, everything else on standard error.

use std::fmt::Display;
use std::io::{self, Write};

use anstream::AutoStream;
use clap::builder::styling::{AnsiColor, Style};
use serde::Serialize;

use crate::arguments::{Colour, Global};
use crate::exit::Exit;

pub(crate) const BOLD: Style = Style::new().bold();
pub(crate) const DIM: Style = Style::new().dimmed();
pub(crate) const GOOD: Style = AnsiColor::Green.on_default().bold();
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
pub(crate) const ODD: Style = AnsiColor::Yellow.on_default().bold();

/// `text` in this style.
pub(crate) fn styled(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}

/// Standard output and standard error, with colour where a terminal shows it.
///
/// A reader that has gone (`maintenance history | head -1`) is no error: what it did not want is not written.
#[derive(Debug)]
pub(crate) struct Output {
    answers: AutoStream<io::Stdout>,
    remarks: AutoStream<io::Stderr>,
    pub(crate) json: bool,
    quiet: bool,
    verbose: bool,
    failed: Option<io::Error>,
}

impl Output {
    pub(crate) fn new(global: &Global) -> Self {
        let choice = match global.color {
            Colour::Auto => None,
            Colour::Always => Some(anstream::ColorChoice::Always),
            Colour::Never => Some(anstream::ColorChoice::Never),
        };
        let answers = choice.unwrap_or_else(|| AutoStream::choice(&io::stdout()));
        let remarks = choice.unwrap_or_else(|| AutoStream::choice(&io::stderr()));
        Self {
            answers: AutoStream::new(io::stdout(), answers),
            remarks: AutoStream::new(io::stderr(), remarks),
            json: global.json,
            quiet: global.quiet,
            verbose: global.verbose,
            failed: None,
        }
    }

    /// An answer for people.
    pub(crate) fn line(&mut self, line: impl Display) {
        self.answer(|out| writeln!(out, "{line}"));
    }

    /// An answer for programs, on one line.
    pub(crate) fn json(&mut self, value: &impl Serialize) {
        self.answer(|out| {
            let text = serde_json::to_string(value)?;
            writeln!(out, "{text}")
        });
    }

    /// An answer that is complete as it is.
    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.answer(|out| out.write_all(bytes));
    }

    fn answer(&mut self, write: impl FnOnce(&mut AutoStream<io::Stdout>) -> io::Result<()>) {
        if self.failed.is_none() {
            self.failed = write(&mut self.answers).err();
        }
    }

    /// Whether nobody takes answers any more.
    pub(crate) const fn is_over(&self) -> bool {
        self.failed.is_some()
    }

    /// Something that went wrong.
    pub(crate) fn error(&mut self, message: impl Display) {
        self.remark(BAD, "error", message);
    }

    /// Something that the operator may not want.
    pub(crate) fn warning(&mut self, message: impl Display) {
        if !self.quiet {
            self.remark(ODD, "warning", message);
        }
    }

    /// Something that the operator should know.
    pub(crate) fn note(&mut self, message: impl Display) {
        if !self.quiet {
            self.remark(BOLD, "note", message);
        }
    }

    /// Something that only who asks wants to know.
    pub(crate) fn detail(&mut self, message: impl Display) {
        if self.verbose {
            self.remark(DIM, "info", message);
        }
    }

    /// One line that takes the place of the one before, on a terminal.
    pub(crate) fn progress(&mut self, message: impl Display) {
        if !self.quiet {
            let _ = write!(self.remarks, "\r\x1b[2K{message}");
            let _ = self.remarks.flush();
        }
    }

    /// Takes the last line of progress away.
    pub(crate) fn end_progress(&mut self) {
        if !self.quiet {
            let _ = write!(self.remarks, "\r\x1b[2K");
            let _ = self.remarks.flush();
        }
    }

    fn remark(&mut self, style: Style, word: &str, message: impl Display) {
        // There is nowhere else to say that standard error is gone.
        let _ = writeln!(self.remarks, "{style}{word}:{style:#} {message}");
    }

    /// Flushes, and gives the exit code that holds after all.
    pub(crate) fn finish(mut self, exit: Exit) -> Exit {
        self.answer(Write::flush);
        match self.failed.take() {
            Some(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                self.error(format_args!("the answer could not be written: {error}"));
                if exit == Exit::Done {
                    Exit::Failed
                } else {
                    exit
                }
            }
            _ => exit,
        }
    }
}

/// Foreign text with control characters made visible, so that it cannot steer the terminal.
pub(crate) fn visible(text: &str) -> String {
    text.chars()
        .flat_map(|c| {
            let escaped = c.is_control().then(|| c.escape_default());
            let plain = escaped.is_none().then_some(c);
            escaped.into_iter().flatten().chain(plain)
        })
        .collect()
}

/// One indented line of a report: a name, and what belongs to it.
pub(crate) fn field(name: &str, value: impl Display) -> String {
    format!("  {DIM}{name:<11}{DIM:#} {value}")
}
