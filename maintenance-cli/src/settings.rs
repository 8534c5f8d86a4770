//! The configuration and the backend that a command works with.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use maintenance_mode::backend::{BackendError, BackendUrl, StateBackend};
use maintenance_mode::live::Control;
use maintenance_mode::policy::config::process_environment;
use maintenance_mode::policy::{Complaints, Policy};
use maintenance_mode::{Mode, SiteName};

use crate::arguments::Global;
use crate::backends::registry;
use crate::exit::Failure;
use crate::output::Output;

/// The file that is read when it exists and none is named.
const DEFAULT_FILE: &str = "maintenance.toml";

/// The configuration, compiled, and where state lives.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) policy: Arc<Policy>,
    /// The file, if there is one.
    pub(crate) file: Option<PathBuf>,
    backend: String,
    /// The folder that a relative backend path starts from.
    folder: PathBuf,
    backend_named: bool,
}

impl Settings {
    /// Reads and compiles, and says what is odd.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with the configuration.
    pub(crate) fn load(global: &Global, output: &mut Output) -> Result<Self, Failure> {
        let (settings, warnings) = Self::read(global, output)?;
        for warning in &warnings {
            output.warning(warning);
        }
        Ok(settings)
    }

    /// The same with the warnings.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with the configuration.
    pub(crate) fn read(
        global: &Global,
        output: &mut Output,
    ) -> Result<(Self, Complaints), Complaints> {
        let file = global.config.clone().or_else(|| {
            let default = Path::new(DEFAULT_FILE);
            default.exists().then(|| default.to_path_buf())
        });
        match &file {
            Some(file) => output.detail(format_args!("configuration: {}", file.display())),
            None => output.detail(format_args!(
                "configuration: the defaults, because there is no {DEFAULT_FILE} here and no --config"
            )),
        }
        let loaded = Policy::load(file.as_deref(), process_environment())?;
        let backend_named = global.backend.is_some() || loaded.policy.config().backend.is_some();
        let (backend, folder) = match &global.backend {
            Some(url) => (url.clone(), PathBuf::new()),
            None => (loaded.policy.config().backend_url().to_owned(), loaded.base),
        };
        let settings = Self {
            policy: Arc::new(loaded.policy),
            file,
            backend,
            folder,
            backend_named,
        };
        Ok((settings, loaded.warnings))
    }

    /// The backend's URL.
    ///
    /// # Errors
    ///
    /// It is none, or none that this program can open.
    pub(crate) fn url(&self) -> Result<BackendUrl, Failure> {
        let url: BackendUrl = self.backend.parse().map_err(BackendError::from)?;
        registry().check(&url).map_err(BackendError::from)?;
        Ok(url)
    }

    /// Whether state lives in the memory of one process, where this program cannot see it.
    pub(crate) fn is_in_memory(&self) -> bool {
        self.url().is_ok_and(|url| url.scheme() == "memory")
    }

    /// The backend, for reading.
    ///
    /// # Errors
    ///
    /// It cannot be opened, or cannot be seen from here.
    pub(crate) fn backend(&self) -> Result<Arc<dyn StateBackend>, Failure> {
        let url = self.url()?;
        if self.is_in_memory() {
            return Err(Failure::unknown(
                "`memory:` keeps state in one process, and no other process sees it; ask the application itself, or \
                 configure a backend that is shared, such as `file:maintenance-state.json`",
            ));
        }
        registry()
            .open(&url, &self.folder)
            .map_err(|error| Failure::unread(&error))
    }

    /// The backend for people: with a whole path, where it is a file.
    ///
    /// # Errors
    ///
    /// The URL is none, or none that this program can open.
    pub(crate) fn backend_in_words(&self) -> Result<String, Failure> {
        match self.backend() {
            Ok(backend) => Ok(backend.describe()),
            Err(_) => Ok(self.url()?.to_string()),
        }
    }

    /// Whether nobody has said where state lives, so that it is in the folder that happens to be the present one.
    pub(crate) fn is_anywhere(&self) -> bool {
        self.file.is_none() && !self.backend_named
    }

    /// The verbs.
    ///
    /// # Errors
    ///
    /// As [`backend`](Self::backend).
    pub(crate) fn control(&self) -> Result<Control, Failure> {
        Ok(Control::new(self.backend()?, Arc::clone(&self.policy)))
    }

    /// The site, if it is configured.
    ///
    /// # Errors
    ///
    /// It is not; the message names those that are.
    pub(crate) fn known(&self, site: &SiteName) -> Result<(), Failure> {
        if self.policy.has_site(site) {
            return Ok(());
        }
        Err(Failure::usage(format!(
            "no site `{site}` is configured; known: {}",
            self.names()
        )))
    }

    /// The sites' names, for people.
    pub(crate) fn names(&self) -> String {
        let names: Vec<&str> = self.policy.site_names().map(SiteName::as_str).collect();
        names.join(", ")
    }

    /// The mode that the configuration pins for each site, if it pins every one.
    pub(crate) fn pinned_throughout(&self) -> Option<Vec<Mode>> {
        self.policy
            .site_names()
            .map(|name| self.policy.pinned_mode(name))
            .collect()
    }

    /// What pins the mode of a site, for people.
    pub(crate) fn pinned_by(&self, site: &SiteName) -> String {
        let own = self
            .policy
            .config()
            .sites
            .get(site)
            .and_then(|own| own.mode);
        let (key, variable) = match own {
            Some(_) => {
                let name = site.as_str().to_ascii_uppercase().replace('-', "_");
                (
                    format!("sites.{site}.mode"),
                    format!("MAINTENANCE_SITES_{name}_MODE"),
                )
            }
            None => ("mode".to_owned(), "MAINTENANCE_MODE".to_owned()),
        };
        if std::env::var_os(&variable).is_some() {
            format!("the environment variable {variable}")
        } else {
            format!("`{key}` in the configuration")
        }
    }
}
