//! placeholder
use crate::arguments::Arguments;
use crate::failure::Outcome;
#[derive(Debug)]
pub(crate) struct Options;
impl Options {
    pub(crate) fn from_arguments(_a: &mut Arguments) -> Outcome<Self> {
        Ok(Self)
    }
}
pub(crate) fn run(_o: &Options) -> Outcome {
    Ok(())
}
