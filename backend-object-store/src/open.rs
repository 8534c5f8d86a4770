//! From a URL to a backend.

use std::path::Path;
use std::sync::Arc;

use maintenance_mode::backend::{BackendError, BackendRegistry, BackendUrl, StateBackend};

use crate::ObjectStoreBackend;
use crate::clouds::{Address, Variables};

/// Opens `s3:`, `gs:` and `az:` with the environment of this process. Nothing is connected before the first use.
///
/// # Errors
///
/// The URL is wrong, or its cloud's feature is not part of this program.
pub fn open(url: &BackendUrl, _base: &Path) -> Result<Arc<dyn StateBackend>, BackendError> {
    // A variable that is no text is none of a cloud's.
    let variables = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    Ok(Arc::new(open_with(url, variables)?))
}

/// Opens a URL with these variables in the place of the environment: `AWS_ACCESS_KEY_ID` and so on.
///
/// # Errors
///
/// As [`open`].
pub fn open_with(
    url: &BackendUrl,
    variables: impl IntoIterator<Item = (String, String)>,
) -> Result<ObjectStoreBackend, BackendError> {
    let variables: Vec<_> = variables.into_iter().collect();
    let variables: &Variables = &variables;
    let (store, address) = match url.scheme() {
        #[cfg(feature = "aws")]
        "s3" => {
            let address = Address::read(url, &crate::clouds::aws::OWN)?;
            (crate::clouds::aws::store(&address, variables)?, address)
        }
        #[cfg(feature = "gcp")]
        "gs" => {
            let address = Address::read(url, &[])?;
            (crate::clouds::gcp::store(&address, variables)?, address)
        }
        #[cfg(feature = "azure")]
        "az" => {
            let address = Address::read(url, &crate::clouds::azure::OWN)?;
            (crate::clouds::azure::store(&address, variables)?, address)
        }
        other => {
            let known = SCHEMES.join(", ");
            let why = format!("`{other}` is no object store of this program, which knows {known}");
            return Err(url.wrong(why).into());
        }
    };
    let backend = ObjectStoreBackend::new(store, &address.key, url.to_string());
    Ok(backend.timeout(address.timeout))
}

/// Adds the schemes of the clouds that were built in.
pub fn register(registry: &mut BackendRegistry) {
    for scheme in SCHEMES {
        registry.register(scheme, open);
    }
}

/// The schemes that were built in.
const SCHEMES: &[&str] = &[
    #[cfg(feature = "aws")]
    "s3",
    #[cfg(feature = "azure")]
    "az",
    #[cfg(feature = "gcp")]
    "gs",
];
