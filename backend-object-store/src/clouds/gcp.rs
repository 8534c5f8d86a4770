//! `gs:` – Google Cloud Storage.

use std::sync::Arc;

use maintenance_mode::backend::BackendUrlError;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::{ClientOptions, ObjectStore};

use super::{Address, Variables, no_retries};

pub(crate) fn store(
    address: &Address<'_>,
    variables: &Variables,
) -> Result<Arc<dyn ObjectStore>, BackendUrlError> {
    let mut builder = GoogleCloudStorageBuilder::new();
    for (name, value) in variables {
        let key = name.to_ascii_lowercase();
        if name == "SERVICE_ACCOUNT" {
            builder = builder.with_service_account_path(value);
        } else if let (true, Ok(key)) = (key.starts_with("google_"), key.parse()) {
            builder = builder.with_config(key, value);
        }
    }
    builder = builder
        .with_bucket_name(&address.bucket)
        .with_retry(no_retries())
        .with_http_connector(address.connector());
    if address.allow_http {
        builder = builder.with_client_options(ClientOptions::new().with_allow_http(true));
    }
    if let Some(endpoint) = &address.endpoint {
        builder = builder.with_base_url(endpoint);
    }
    let store = builder.build().map_err(|error| address.unusable(&error))?;
    Ok(Arc::new(store))
}
