//! Who is trusted, and with which cryptography.

use std::path::Path;
use std::sync::Arc;

use async_nats::rustls::crypto::ring;
use async_nats::rustls::pki_types::CertificateDer;
use async_nats::rustls::pki_types::pem::PemObject;
use async_nats::rustls::{ClientConfig, RootCertStore};

use crate::trouble::Trouble;

/// Named outright, because a program that links two providers has no default one.
pub(crate) fn config(ca: Option<&Path>) -> Result<ClientConfig, Trouble> {
    let mut roots = RootCertStore::empty();
    match ca {
        Some(file) => {
            let unusable = |why: &dyn std::fmt::Display| {
                Trouble::Unsent(format!(
                    "the certificates in {} cannot be used: {why}; `ca` names a PEM file",
                    file.display()
                ))
            };
            for certificate in CertificateDer::pem_file_iter(file).map_err(|e| unusable(&e))? {
                let certificate = certificate.map_err(|e| unusable(&e))?;
                roots.add(certificate).map_err(|e| unusable(&e))?;
            }
            if roots.is_empty() {
                return Err(unusable(&"there are none"));
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder
        .with_safe_default_protocol_versions()
        .map_err(|error| Trouble::Unsent(format!("TLS cannot be set up: {error}")))?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}
