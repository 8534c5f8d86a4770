//! `s3:` – Amazon S3, and every store that speaks its protocol and honours conditions.

use std::sync::Arc;

use maintenance_mode::backend::BackendUrlError;
use object_store::ObjectStore;
use object_store::aws::AmazonS3Builder;

use super::{Address, Variables, no_retries};

/// The parameters that only `s3:` has.
pub(crate) const OWN: [&str; 2] = ["region", "virtual_hosted"];

pub(crate) fn store(
    address: &Address<'_>,
    variables: &Variables,
) -> Result<Arc<dyn ObjectStore>, BackendUrlError> {
    let mut builder = AmazonS3Builder::new();
    for (name, value) in variables {
        let key = name.to_ascii_lowercase();
        if let (true, Ok(key)) = (key.starts_with("aws_"), key.parse()) {
            builder = builder.with_config(key, value);
        }
    }
    builder = builder
        .with_bucket_name(&address.bucket)
        .with_retry(no_retries())
        .with_http_connector(address.connector());
    if address.allow_http {
        builder = builder.with_allow_http(true);
    }
    if let Some(endpoint) = &address.endpoint {
        builder = builder.with_endpoint(endpoint);
    }
    if let Some(region) = address.own("region") {
        builder = builder.with_region(region);
    }
    if let Some(value) = address.own("virtual_hosted") {
        builder = builder.with_virtual_hosted_style_request(address.flag("virtual_hosted", value)?);
    }
    let store = builder.build().map_err(|error| address.unusable(&error))?;
    Ok(Arc::new(store))
}
