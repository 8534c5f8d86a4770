//! Reading a backend URL.

use std::path::Path;
use std::time::Duration;

use maintenance_mode::backend::{BackendUrl, BackendUrlError};

use crate::options::RedisOptions;

/// What the client is told, and what this crate reads itself.
pub(crate) fn options(
    url: &BackendUrl,
    base: &Path,
) -> Result<(String, RedisOptions), BackendUrlError> {
    let is_socket = url.scheme().ends_with("unix");
    let mut options = RedisOptions::default();
    let (mut certificate, mut private) = (None, None);
    let mut for_client = Vec::new();
    for (key, value) in url.parameters()? {
        match key.as_str() {
            "protocol" => for_client.push(format!("protocol={value}")),
            "db" | "user" | "pass" if is_socket => for_client.push(raw(url, &key)),
            "prefix" => options.prefix = value,
            "connect_timeout" => options.connect_within = seconds(url, &key, &value)?,
            "timeout" => options.answer_within = seconds(url, &key, &value)?,
            "wait" => {
                options.wait_replicas = value.parse().map_err(|_| {
                    url.wrong(format!("`wait={value}` must be a number of replicas"))
                })?;
            }
            "sentinel" => options.sentinel.get_or_insert_default().service = value,
            "sentinels" => {
                options.sentinel.get_or_insert_default().others = sentinels(url, &value)?;
            }
            "sentinel_user" => options.sentinel.get_or_insert_default().user = Some(value),
            "sentinel_pass" => options.sentinel.get_or_insert_default().password = Some(value),
            "ca" => options.certificates.authority = Some(pem(url, base, &key, &value)?),
            "cert" => certificate = Some(pem(url, base, &key, &value)?),
            "cert_key" => private = Some(pem(url, base, &key, &value)?),
            other => return Err(url.wrong(unknown(other, is_socket))),
        }
    }
    options.certificates.client = match (certificate, private) {
        (Some(certificate), Some(private)) => Some((certificate, private)),
        (None, None) => None,
        _ => return Err(url.wrong("`cert` and `cert_key` go together")),
    };
    options.check().map_err(|why| url.wrong(why))?;
    let mut told = format!("{}:{}", url.scheme(), url.rest());
    if !for_client.is_empty() {
        told = format!("{told}?{}", for_client.join("&"));
    }
    Ok((told, options))
}

fn unknown(key: &str, is_socket: bool) -> String {
    let more = if is_socket { ", db, user and pass" } else { "" };
    format!(
        "`{key}` is not a parameter of Redis; there are prefix, timeout, connect_timeout, wait, protocol, ca, cert, \
         cert_key, sentinel, sentinels, sentinel_user and sentinel_pass{more}"
    )
}

/// A parameter as it stands in the URL, escapes and all, for the client to read.
fn raw(url: &BackendUrl, key: &str) -> String {
    let query = url.as_str().split_once('?').map_or("", |(_, query)| query);
    let is_it = |pair: &&str| pair.split_once('=').is_some_and(|(name, _)| name == key);
    query.split('&').find(is_it).unwrap_or_default().to_owned()
}

fn seconds(url: &BackendUrl, key: &str, value: &str) -> Result<Duration, BackendUrlError> {
    let seconds = value.parse::<f64>().ok();
    seconds
        .filter(|seconds| (0.05..=60.0).contains(seconds))
        .map(Duration::from_secs_f64)
        .ok_or_else(|| url.wrong(format!("`{key}={value}` must be seconds, from 0.05 to 60")))
}

fn sentinels(url: &BackendUrl, value: &str) -> Result<Vec<(String, u16)>, BackendUrlError> {
    let one = |text: &str| {
        let (host, port) = text.rsplit_once(':')?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        Some((host.to_owned(), port.parse().ok()?)).filter(|(host, _)| !host.is_empty())
    };
    value
        .split(',')
        .map(|text| {
            one(text).ok_or_else(|| {
                url.wrong(format!(
                    "`{text}` is not a Sentinel; write `sentinels=HOST:PORT,HOST:PORT`"
                ))
            })
        })
        .collect()
}

fn pem(url: &BackendUrl, base: &Path, key: &str, value: &str) -> Result<Vec<u8>, BackendUrlError> {
    let path = base.join(value);
    std::fs::read(&path).map_err(|error| url.wrong(format!("`{key}`: {}: {error}", path.display())))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<(String, RedisOptions), BackendUrlError> {
        options(&text.parse().unwrap(), Path::new("/nowhere"))
    }

    #[test]
    fn parameters_are_read_here_and_the_rest_goes_to_the_client() {
        let (told, options) =
            read("redis://u:p@h:1/2?prefix=shop&timeout=0.5&connect_timeout=1&wait=2&protocol=3")
                .unwrap();
        assert_eq!(told, "redis://u:p@h:1/2?protocol=3");
        assert_eq!(options.prefix, "shop");
        assert_eq!(options.answer_within, Duration::from_millis(500));
        assert_eq!(options.connect_within, Duration::from_secs(1));
        assert_eq!(options.wait_replicas, 2);

        let (told, _) = read("unix:///run/r.sock?db=3&pass=a%26b&prefix=x").unwrap();
        assert_eq!(told, "unix:///run/r.sock?db=3&pass=a%26b");

        let (_, options) = read("redis://h:26379?sentinel=main&sentinels=a:1,[::1]:2").unwrap();
        let sentinel = options.sentinel.unwrap();
        assert_eq!(sentinel.service, "main");
        assert_eq!(
            sentinel.others,
            [("a".to_owned(), 1), ("::1".to_owned(), 2)]
        );
    }

    #[test]
    fn what_cannot_be_used_is_named_with_the_cure() {
        for (text, what) in [
            ("redis://h?prefx=a", "`prefx` is not a parameter"),
            ("redis://h?db=1", "`db` is not a parameter"),
            ("redis://h?prefix=a{b", "without white space and braces"),
            ("redis://h?timeout=0", "from 0.05 to 60"),
            ("redis://h?wait=all", "a number of replicas"),
            ("redis://h?sentinels=a", "HOST:PORT"),
            ("redis://h?sentinels=a:1", "sentinel=mymaster"),
            ("rediss://h?cert=missing.pem", "/nowhere/missing.pem"),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(what), "{text}: {error}");
        }
    }
}
