//! `maintenance off`.

use jiff::tz::TimeZone;
use maintenance_mode::Off;

use super::sites::chosen;
use super::switched::Switched;
use crate::arguments::{Global, OffArguments};
use crate::author::author;
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::settings::Settings;
use crate::when;

pub(super) async fn run(
    global: &Global,
    arguments: OffArguments,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let settings = Settings::load(global, output)?;
    let sites = chosen(&arguments.sites, "maintenance off", &settings)?;
    let order = Off::default()
        .if_activation(arguments.if_activation)
        .why(arguments.why);
    let now = when::now();
    let changed = settings
        .control()?
        .off(&sites, &order, &author(arguments.by), now)
        .await?;
    let mut switched = Switched::new(&settings, &sites, changed, now);
    switched
        .finish(&settings, &arguments.wait, &TimeZone::system(), output)
        .await
}
