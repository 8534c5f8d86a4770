//! One store per cloud, from a URL and the environment.

#[cfg(feature = "aws")]
pub(crate) mod aws;
#[cfg(feature = "azure")]
pub(crate) mod azure;
#[cfg(feature = "gcp")]
pub(crate) mod gcp;

use std::time::Duration;

use maintenance_mode::backend::{BackendUrl, BackendUrlError};
use object_store::RetryConfig;

use crate::backend::TIMEOUT;
use crate::wire::Connector;

/// Variables of an environment, by name and value.
pub(crate) type Variables = [(String, String)];

/// What a URL says: `s3://BUCKET/KEY?…`.
#[derive(Debug)]
pub(crate) struct Address<'a> {
    pub(crate) url: &'a BackendUrl,
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) endpoint: Option<String>,
    pub(crate) allow_http: bool,
    pub(crate) timeout: Duration,
    /// What only some of the clouds know.
    own: Vec<(String, String)>,
}

/// The parameters of every cloud.
const COMMON: [&str; 3] = ["endpoint", "allow_http", "timeout"];

/// The shortest and the longest `timeout`, in seconds. A write takes up to twice as long, and the watcher gives a
/// read no more than 10 s.
const TIMEOUTS: std::ops::RangeInclusive<f64> = 0.1..=9.0;

impl<'a> Address<'a> {
    /// Reads a URL; `own` are the parameters that this cloud has beside those of every cloud.
    pub(crate) fn read(url: &'a BackendUrl, own: &[&str]) -> Result<Self, BackendUrlError> {
        let scheme = url.scheme();
        let place = url.rest().strip_prefix("//").unwrap_or_default();
        let (bucket, key) = place.split_once('/').unwrap_or_default();
        if bucket.contains('@') {
            return Err(url.wrong(CREDENTIALS));
        }
        let (bucket, key) = (url.unescape(bucket)?, url.unescape(key)?);
        if bucket.is_empty() || key.is_empty() || key.ends_with('/') {
            return Err(url.wrong(format!(
                "name a bucket and a key, such as `{scheme}://BUCKET/maintenance/state`"
            )));
        }
        if let Err(error) = object_store::path::Path::parse(&key) {
            return Err(url.wrong(format!("`{key}` cannot be a key: {error}")));
        }
        let mut address = Self {
            url,
            bucket,
            key,
            endpoint: None,
            allow_http: false,
            timeout: TIMEOUT,
            own: Vec::new(),
        };
        for (name, value) in url.parameters()? {
            address.take(own, name, value)?;
        }
        let plain = address
            .endpoint
            .as_ref()
            .is_some_and(|endpoint| endpoint.starts_with("http://"));
        if plain && !address.allow_http {
            return Err(url.wrong(
                "the endpoint is not encrypted; use `https://`, or write `allow_http=true` if nobody can listen",
            ));
        }
        Ok(address)
    }

    fn take(&mut self, own: &[&str], name: String, value: String) -> Result<(), BackendUrlError> {
        match name.as_str() {
            "endpoint" => self.endpoint = Some(value),
            "allow_http" => self.allow_http = self.flag(&name, &value)?,
            "timeout" => self.timeout = self.seconds(&value)?,
            known if own.contains(&known) => self.own.push((name, value)),
            secret if is_credential(secret) => return Err(self.url.wrong(CREDENTIALS)),
            other => {
                let known: Vec<_> = own.iter().chain(&COMMON).copied().collect();
                return Err(self.url.wrong(format!(
                    "`{other}` is not a parameter of `{}:`; there are {}",
                    self.url.scheme(),
                    known.join(", ")
                )));
            }
        }
        Ok(())
    }

    /// The value of a parameter that only this cloud has.
    #[cfg(any(feature = "aws", feature = "azure"))]
    pub(crate) fn own(&self, name: &str) -> Option<&str> {
        let found = self.own.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn flag(&self, name: &str, value: &str) -> Result<bool, BackendUrlError> {
        value.parse().map_err(|_| {
            self.url
                .wrong(format!("`{name}={value}` must be `true` or `false`"))
        })
    }

    fn seconds(&self, value: &str) -> Result<Duration, BackendUrlError> {
        let seconds = value.parse().ok().filter(|n| TIMEOUTS.contains(n));
        seconds.map(Duration::from_secs_f64).ok_or_else(|| {
            self.url.wrong(format!(
                "`timeout={value}` must be seconds, from {} to {}",
                TIMEOUTS.start(),
                TIMEOUTS.end()
            ))
        })
    }

    pub(crate) fn connector(&self) -> Connector {
        Connector {
            timeout: self.timeout,
        }
    }

    /// The client's word for what it cannot work with.
    pub(crate) fn unusable(&self, error: &object_store::Error) -> BackendUrlError {
        self.url.wrong(error.to_string())
    }
}

/// The backend itself tries again, where that is safe, and within its time.
pub(crate) fn no_retries() -> RetryConfig {
    RetryConfig {
        max_retries: 0,
        ..RetryConfig::default()
    }
}

const CREDENTIALS: &str = "credentials do not belong in the URL, which is shown and logged; set them in the environment, \
                           as for the cloud's own tools";

fn is_credential(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["key", "secret", "token", "password", "credential", "sig"]
        .iter()
        .any(|part| name.contains(part))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<(String, String, Duration), String> {
        let url: BackendUrl = text.parse().unwrap();
        let address = Address::read(&url, &["region"]).map_err(|error| error.to_string())?;
        Ok((address.bucket, address.key, address.timeout))
    }

    #[test]
    fn a_bucket_a_key_and_parameters() {
        let seconds = Duration::from_secs_f64;
        for (text, bucket, key, timeout) in [
            ("s3://b/state", "b", "state", 3.0),
            (
                "s3://b/shop/state.json?region=eu-west-1",
                "b",
                "shop/state.json",
                3.0,
            ),
            ("s3://b/a%20b?timeout=0.5", "b", "a b", 0.5),
            (
                "s3://b/k?endpoint=http://h:9000&allow_http=true",
                "b",
                "k",
                3.0,
            ),
        ] {
            let expected = (bucket.to_owned(), key.to_owned(), seconds(timeout));
            assert_eq!(read(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_meant_is_refused_with_the_cure() {
        for (text, says) in [
            ("s3://b", "name a bucket and a key"),
            ("s3:b/k", "name a bucket and a key"),
            ("s3:///k", "name a bucket and a key"),
            ("s3://b/k/", "name a bucket and a key"),
            ("s3://b/a//b", "cannot be a key"),
            ("s3://b/a/../b", "cannot be a key"),
            ("s3://id:secret@b/k", "do not belong in the URL"),
            ("s3://b/k?secret_access_key=x", "do not belong in the URL"),
            ("s3://b/k?endpoint=http://h", "allow_http=true"),
            ("s3://b/k?allow_http=yes", "must be `true` or `false`"),
            ("s3://b/k?timeout=99", "from 0.1 to 9"),
            ("s3://b/k?timeout=NaN", "from 0.1 to 9"),
            (
                "s3://b/k?regoin=x",
                "there are region, endpoint, allow_http, timeout",
            ),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(says), "{text}: {error}");
            assert!(
                !error.contains("secret@") && !error.contains("=x;"),
                "{error}"
            );
        }
    }
}
