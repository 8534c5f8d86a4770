//! `maintenance run`: close, wait, run a command, open again.

mod command;
mod owner;

use maintenance_mode::live::{Author, Control, ControlError};
use maintenance_mode::state::{Activation, ActivationId, Version};
use maintenance_mode::{Mode, Off, On, SiteName, Snapshot, State, Timestamp};

use super::fleet;
use super::sites::{chosen, command_to_open};
use crate::arguments::{Global, RunArguments};
use crate::author::author;
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::settings::Settings;
use crate::when;
use command::{Ended, Signals};
use owner::Owner;

/// Sites that this program has closed, and how it opens them.
struct Closed<'a> {
    settings: &'a Settings,
    control: Control,
    author: Author,
    sites: Vec<(SiteName, ActivationId)>,
    version: Version,
}

pub(super) async fn run(
    global: &Global,
    arguments: RunArguments,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let settings = Settings::load(global, output)?;
    let sites = chosen(&arguments.sites, "maintenance run", &settings)?;
    let presence = settings.backend()?.presence();
    if let Err(error) = &presence
        && !arguments.no_wait
    {
        return Err(Failure::unknown(format!(
            "{error}; so it cannot be known when every instance has followed; --no-wait runs the command all the same"
        )));
    }
    let mut signals = Signals::new()?;
    let held = presence.is_ok() && !arguments.keep_closed_on_failure;
    let closed = close(&settings, &sites, &arguments, held).await?;
    let owner = match presence {
        Ok(presence) if held => Some(Owner::begin(presence, &closed.sites).await),
        _ => None,
    };
    let outcome = tokio::select! {
        outcome = quiet(&closed, &arguments, output) => outcome,
        signal = signals.next() => Err(Failure::interrupted(signal)),
    };
    let failure = match outcome {
        Ok(()) => {
            let ended = command::run(&arguments, &closed.sites, &mut signals).await;
            return finish(closed, owner, ended, &arguments, output).await;
        }
        Err(failure) => failure,
    };
    closed.open("the command was not run", output).await?;
    release(owner).await;
    Err(Failure {
        message: format!(
            "{}; {} was not run, and the site is open again",
            failure.message,
            arguments.program().display()
        ),
        ..failure
    })
}

async fn release(owner: Option<Owner>) {
    if let Some(owner) = owner {
        owner.release().await;
    }
}

/// Closes sites that are open. Whatever somebody else has closed is left to him.
async fn close<'a>(
    settings: &'a Settings,
    sites: &[SiteName],
    arguments: &RunArguments,
    held: bool,
) -> Result<Closed<'a>, Failure> {
    let control = settings.control()?;
    let author = author(arguments.by.clone());
    let now = when::now();
    refuse_closed(&control.snapshot().await?, sites, now)?;
    let why = arguments.why.clone().unwrap_or_else(|| {
        let words: Vec<_> = arguments
            .command
            .iter()
            .map(|word| word.to_string_lossy())
            .collect();
        format!("runs {}", words.join(" "))
    });
    let order = On::mode(arguments.mode)
        .message(arguments.message.clone())
        .ends_at(
            arguments
                .duration
                .map(|duration| when::end_of(duration, now)),
        )
        .why(Some(why))
        .held(held);
    let changed = control.on(sites, &order, &author, now).await?;
    let activations = ours(changed.state.as_deref(), sites, now)?;
    Ok(Closed {
        settings,
        control,
        author,
        sites: activations,
        version: changed.version,
    })
}

fn refuse_closed(snapshot: &Snapshot, sites: &[SiteName], now: Timestamp) -> Result<(), Failure> {
    for site in sites {
        let mode = snapshot
            .site(site, now)
            .map_or(Mode::Online, |view| view.mode);
        if mode != Mode::Online {
            return Err(Failure::failed(format!(
                "{site} is {mode} already, and would be opened at the end although somebody else has closed it; open it \
                 first, or run the command by itself; nothing was done"
            )));
        }
    }
    Ok(())
}

/// The periods that began by our order, and not by somebody else's at the same time.
fn ours(
    state: Option<&State>,
    sites: &[SiteName],
    began: Timestamp,
) -> Result<Vec<(SiteName, ActivationId)>, Failure> {
    let own = |site: &SiteName| -> Option<Activation> {
        state?
            .site(site)?
            .activation
            .filter(|activation| activation.since == began)
    };
    sites
        .iter()
        .map(|site| {
            own(site).map(|activation| (site.clone(), activation.id)).ok_or_else(|| {
                Failure::failed(format!(
                    "{site} was switched by somebody else at the same moment; run `maintenance status`"
                ))
            })
        })
        .collect()
}

/// Waits until every instance has followed and nothing from before is running.
async fn quiet(
    closed: &Closed<'_>,
    arguments: &RunArguments,
    output: &mut Output,
) -> Result<(), Failure> {
    if arguments.no_wait {
        return Ok(());
    }
    let instances = fleet::wait(closed.settings, closed.version, arguments.timeout, output).await?;
    output.note(format_args!(
        "closed: {instances} of {instances} instances have followed, and nothing from before is running"
    ));
    Ok(())
}

async fn finish(
    closed: Closed<'_>,
    owner: Option<Owner>,
    ended: Ended,
    arguments: &RunArguments,
    output: &mut Output,
) -> Result<Exit, Failure> {
    if let Some(trouble) = &ended.trouble {
        output.error(trouble);
    }
    if arguments.keep_closed_on_failure && !ended.succeeded() {
        output.warning(format_args!(
            "the command failed, so the site stays closed; to open it: {}",
            closed.commands_to_open()
        ));
        return Ok(ended.exit());
    }
    let opened = closed.open("the command has ended", output).await;
    // Should the sites not be open, the lease's end opens them.
    release(owner).await;
    opened?;
    Ok(ended.exit())
}

impl Closed<'_> {
    /// Opens what was closed, unless somebody else has taken it over.
    async fn open(&self, why: &str, output: &mut Output) -> Result<(), Failure> {
        for (site, id) in &self.sites {
            let order = Off::default()
                .if_activation(Some(*id))
                .why(Some(why.to_owned()));
            let sites = std::slice::from_ref(site);
            let opened = self
                .control
                .off(sites, &order, &self.author, when::now())
                .await;
            match opened {
                Ok(_) => output.note(format_args!("{site}: open again")),
                Err(ControlError::OtherActivation { .. }) => output.warning(format_args!(
                    "{site} was switched by somebody else meanwhile and is left as it is"
                )),
                Err(error) => {
                    let message = format!(
                        "{site} could not be opened: {error}; to open it: {}",
                        self.commands_to_open()
                    );
                    return Err(Failure {
                        message,
                        ..error.into()
                    });
                }
            }
        }
        Ok(())
    }

    fn commands_to_open(&self) -> String {
        let sites = self.sites.iter();
        let each = sites.map(|(site, id)| command_to_open(self.settings, site, *id));
        each.collect::<Vec<_>>().join("; ")
    }
}
