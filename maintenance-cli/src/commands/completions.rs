//! `maintenance completions`.

use crate::arguments::CompletionsArguments;
use crate::command;
use crate::exit::{Exit, Failure};
use crate::output::Output;

pub(super) fn run(arguments: &CompletionsArguments, output: &mut Output) -> Result<Exit, Failure> {
    let mut command = command();
    let Some(folder) = &arguments.out_dir else {
        let mut text = Vec::new();
        clap_complete::generate(arguments.shell, &mut command, "maintenance", &mut text);
        output.raw(&text);
        return Ok(Exit::Done);
    };
    let file = clap_complete::generate_to(arguments.shell, &mut command, "maintenance", folder)
        .map_err(|error| Failure::failed(format!("{}: {error}", folder.display())))?;
    output.line(file.display());
    Ok(Exit::Done)
}
