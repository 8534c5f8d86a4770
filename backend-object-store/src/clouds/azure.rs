//! `az:` – Azure Blob Storage; the bucket is what Azure calls a container.

use std::sync::Arc;

use maintenance_mode::backend::BackendUrlError;
use object_store::ObjectStore;
use object_store::azure::MicrosoftAzureBuilder;

use super::{Address, Variables, no_retries};

/// The parameters that only `az:` has.
pub(crate) const OWN: [&str; 1] = ["account"];

pub(crate) fn store(
    address: &Address<'_>,
    variables: &Variables,
) -> Result<Arc<dyn ObjectStore>, BackendUrlError> {
    let mut builder = MicrosoftAzureBuilder::new();
    for (name, value) in variables {
        let key = name.to_ascii_lowercase();
        if name == "IDENTITY_ENDPOINT" {
            builder = builder.with_msi_endpoint(value);
        } else if let (true, Ok(key)) = (key.starts_with("azure_"), key.parse()) {
            builder = builder.with_config(key, value);
        }
    }
    builder = builder
        .with_container_name(&address.bucket)
        .with_retry(no_retries())
        .with_http_connector(address.connector());
    if address.allow_http {
        builder = builder.with_allow_http(true);
    }
    if let Some(endpoint) = &address.endpoint {
        builder = builder.with_endpoint(endpoint.clone());
    }
    if let Some(account) = address.own("account") {
        builder = builder.with_account(account);
    }
    let store = builder.build().map_err(|error| address.unusable(&error))?;
    Ok(Arc::new(store))
}
