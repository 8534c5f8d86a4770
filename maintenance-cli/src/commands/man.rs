//! `maintenance man`.

use clap_mangen::Man;

use crate::arguments::ManArguments;
use crate::command;
use crate::exit::{Exit, Failure};
use crate::output::Output;

pub(super) fn run(arguments: &ManArguments, output: &mut Output) -> Result<Exit, Failure> {
    let Some(folder) = &arguments.out_dir else {
        let mut page = Vec::new();
        Man::new(command())
            .render(&mut page)
            .map_err(|error| Failure::failed(error.to_string()))?;
        output.raw(&page);
        return Ok(Exit::Done);
    };
    clap_mangen::generate_to(command(), folder)
        .map_err(|error| Failure::failed(format!("{}: {error}", folder.display())))?;
    output.line(folder.display());
    Ok(Exit::Done)
}
