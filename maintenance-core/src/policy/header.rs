//! The bypass header: a secret that a machine shows.

use std::path::Path;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::Complaints;
use super::config::HeaderConfig;
use crate::request::{Headers, Single};

/// Longer values are not even compared.
const MAX_VALUE_BYTES: usize = 1024;

/// Shorter values can be guessed.
const SHORT_VALUE_BYTES: usize = 16;

/// Fields that carry something else; a secret in one of them would be seen, stored or rewritten.
const TAKEN: [&str; 8] = [
    "host",
    "cookie",
    "connection",
    "content-length",
    "content-type",
    "transfer-encoding",
    "user-agent",
    "referer",
];

/// Keeps a digest only, so that the comparison neither shows the length nor the first wrong byte.
#[derive(Clone)]
pub(crate) struct BypassHeader {
    name: String,
    shown: String,
    digest: [u8; 32],
}

impl std::fmt::Debug for BypassHeader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BypassHeader")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl BypassHeader {
    pub(crate) fn compile(
        config: &HeaderConfig,
        place: &str,
        base: &Path,
        complaints: &mut Complaints,
        warnings: &mut Complaints,
    ) -> Option<Self> {
        let name = config.name.to_ascii_lowercase();
        let is_token = !name.is_empty()
            && name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b));
        if !is_token {
            complaints.add_with_hint(
                format_args!("{place}.name"),
                format_args!("`{}` is not a header name", config.name),
                "give a name such as X-Maintenance-Bypass",
            );
        } else if TAKEN.contains(&name.as_str()) {
            complaints.add_with_hint(
                format_args!("{place}.name"),
                format_args!("`{}` has a meaning of its own", config.name),
                "give a name such as X-Maintenance-Bypass",
            );
        }
        let value = read_value(config, place, base, complaints)?;
        if value.is_empty() {
            complaints.add_with_hint(
                place,
                "the secret value is empty: anyone could send it",
                "give a random value, for instance 32 hexadecimal digits",
            );
            return None;
        }
        if value.len() > MAX_VALUE_BYTES || value.chars().any(char::is_control) {
            complaints.add(
                place,
                format_args!("the secret value cannot be sent in a header: it has control characters or more than {MAX_VALUE_BYTES} bytes"),
            );
            return None;
        }
        if value.trim() != value {
            complaints.add(
                place,
                "the secret value begins or ends with white space, which no header keeps",
            );
            return None;
        }
        if value.len() < SHORT_VALUE_BYTES {
            warnings.add_with_hint(
                place,
                format_args!(
                    "the secret value has only {} bytes and can be guessed",
                    value.len()
                ),
                "give at least 16 random bytes, for instance 32 hexadecimal digits",
            );
        }
        Some(Self {
            name,
            shown: config.name.clone(),
            digest: Sha256::digest(&value).into(),
        })
    }

    /// The name as configured. The value is shown nowhere.
    pub(crate) fn shown(&self) -> &str {
        &self.shown
    }

    /// Whether the request has the field exactly once, with the right value.
    pub(crate) fn admits(&self, headers: &dyn Headers) -> bool {
        match headers.single(&self.name) {
            Single::One(value) if value.len() <= MAX_VALUE_BYTES => {
                let digest: [u8; 32] = Sha256::digest(value).into();
                digest.ct_eq(&self.digest).into()
            }
            Single::One(_) | Single::Absent | Single::Many => false,
        }
    }
}

fn read_value(
    config: &HeaderConfig,
    place: &str,
    base: &Path,
    complaints: &mut Complaints,
) -> Option<String> {
    match (&config.value, &config.value_env, &config.value_file) {
        (Some(value), None, None) => Some(value.reveal().to_owned()),
        (None, Some(variable), None) => match std::env::var(variable) {
            Ok(value) => Some(value),
            Err(error) => {
                complaints.add(
                    format_args!("{place}.value_env"),
                    format_args!("`{variable}`: {error}"),
                );
                None
            }
        },
        (None, None, Some(file)) => match std::fs::read_to_string(base.join(file)) {
            Ok(value) => Some(value.trim_end_matches(['\r', '\n']).to_owned()),
            Err(error) => {
                complaints.add(
                    format_args!("{place}.value_file"),
                    format_args!("`{file}`: {error}"),
                );
                None
            }
        },
        _ => {
            complaints.add_with_hint(
                place,
                "the secret value must come from exactly one place",
                "give one of value, value_env and value_file",
            );
            None
        }
    }
}
