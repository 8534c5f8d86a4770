//! The first inputs of every target, made from the vectors in `conformance/vectors`.

use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::failure::{Failure, Outcome};
use crate::shell::root;

const CONFIGS: [&str; 2] = [
    r#"backend = "memory:"
mode = "offline"
[allow]
paths = ["/robots.txt", "/assets/**", { prefix = "/admin" }, { regex = "/v[0-9]+/ping", methods = ["GET"] }]
addresses = ["192.0.2.0/24", "2001:db8::1"]
roles = ["staff"]
header = { name = "X-Bypass", value = "a-long-secret-a-long-secret-a-long" }
[client_ip]
source = "x-forwarded-for"
trusted = ["10.0.0.0/8"]
[logout]
authenticated = true
cookies = ["sessionid"]
[answer]
format = "auto"
retry_after = 120
rules = [{ prefix = "/api", format = "json" }]
"#,
    r#"[host]
source = "x-forwarded-host"
unknown = "open"
[sites.shop]
hosts = ["shop.example.com", "*.shop.example.com"]
mode = "read_only"
[sites.shop.answer]
redirect = "/closed"
redirect_status = 307
"#,
];

const STATES: [&str; 2] = [
    r#"{"sites": {"default": {"mode": "offline", "message": "back soon"}}}"#,
    r#"{"schema": 1, "epoch": "0000000000000007", "revision": 3, "sites": {"default": {"mode": "online",
"windows": [{"id": "0000000000000001", "mode": "offline", "start": "2030-01-01T00:00:00Z", "end": "2030-01-01T01:00:00Z"}],
"exemptions": {"paths": ["/a/*"], "addresses": ["192.0.2.1"]}}}, "log": []}"#,
];

const ACCEPTS: [&str; 6] = [
    "GET\nAccept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\nAccept-Language: de-CH, fr;q=0.9, en;q=0.5",
    "POST\nAccept: application/json\nContent-Type: application/json\nOrigin: https://app.example",
    "GET\nAccept: text/event-stream\nCache-Control: no-cache",
    "POST\nContent-Type: application/grpc+proto\nTE: trailers",
    "OPTIONS\nOrigin: https://app.example\nAccess-Control-Request-Method: PUT\nAccess-Control-Request-Headers: x-a, x-b",
    "HEAD\nAccept: text/plain;q=0.1, application/problem+json;q=0\nAccept-Language: *",
];

/// The targets, by the files that libFuzzer builds.
pub(super) fn targets() -> Outcome<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(root().join("fuzz/fuzz_targets"))? {
        let path = entry?.path();
        names.extend(
            path.file_stem()
                .map(|name| name.to_string_lossy().into_owned()),
        );
    }
    names.sort();
    Ok(names)
}

/// Where a target's inputs are.
pub(super) fn folder(target: &str) -> PathBuf {
    root().join("fuzz/corpus").join(target)
}

/// Writes the seeds of one target; inputs that a fuzzer has found stay.
pub(super) fn write(target: &str) -> Outcome {
    let seeds = seeds(target)?;
    if seeds.is_empty() {
        return Err(Failure::new(format!("the target `{target}` has no seeds")));
    }
    let folder = folder(target);
    fs::create_dir_all(&folder)?;
    for (number, seed) in seeds.iter().enumerate() {
        fs::write(folder.join(format!("seed-{number:04}")), seed)?;
    }
    println!("{target}: {} seeds", seeds.len());
    Ok(())
}

fn seeds(target: &str) -> Outcome<Vec<String>> {
    Ok(match target {
        "accept" => ACCEPTS.map(ToOwned::to_owned).to_vec(),
        "client_ip" => addresses()?.iter().filter_map(client_ip).collect(),
        "config" => CONFIGS.map(ToOwned::to_owned).to_vec(),
        "host" => paths()?.iter().flat_map(hosts).collect(),
        "path" => paths()?
            .iter()
            .map(|case| path_of(case).to_owned())
            .collect(),
        "request" => paths()?.iter().chain(&addresses()?).map(request).collect(),
        "request_line" => paths()?
            .iter()
            .chain(&addresses()?)
            .map(request_line)
            .collect(),
        "rules" => paths()?.iter().filter_map(rule).collect(),
        "state" => STATES.map(ToOwned::to_owned).to_vec(),
        other => {
            return Err(Failure::new(format!(
                "nobody says where the seeds of `{other}` come from"
            )));
        }
    })
}

fn paths() -> Outcome<Vec<Value>> {
    vectors("path.json")
}

fn addresses() -> Outcome<Vec<Value>> {
    let mut cases = vectors("client-ip.json")?;
    cases.extend(vectors("own-client-ip.json")?);
    Ok(cases)
}

fn vectors(name: &str) -> Outcome<Vec<Value>> {
    let file = root().join("conformance/vectors").join(name);
    let text = fs::read_to_string(&file)
        .map_err(|error| Failure::from(error).while_doing(file.display()))?;
    Ok(serde_json::from_str(&text)?)
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

fn path_of(case: &Value) -> &str {
    let target = text(&case["request"], "target");
    target.split_once('?').map_or(target, |(path, _)| path)
}

fn hosts(case: &Value) -> Vec<String> {
    let mut hosts: Vec<String> = headers(case)
        .filter(|(name, _)| name.eq_ignore_ascii_case("host"))
        .map(|(_, value)| value.to_owned())
        .collect();
    hosts.push("shop.example.com:8443".to_owned());
    hosts
}

fn headers(case: &Value) -> impl Iterator<Item = (&str, &str)> {
    case["request"]["headers"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|pair| Some((pair[0].as_str()?, pair[1].as_str()?)))
}

fn fields(case: &Value) -> String {
    let mut lines = String::new();
    for (name, value) in headers(case) {
        let _ = writeln!(lines, "{name}: {value}");
    }
    lines
}

fn client_ip(case: &Value) -> Option<String> {
    let config = &case["config"];
    let mut words: Vec<String> = config["trusted"]
        .as_array()?
        .iter()
        .filter_map(|network| network.as_str().map(ToOwned::to_owned))
        .collect();
    words.extend(config["hops"].as_u64().map(|hops| format!("hops={hops}")));
    if config["trust_unix"] == true {
        words.push("unix".to_owned());
    }
    Some(format!(
        "{}\n{}\n{}\n{}",
        text(config, "source"),
        words.join(" "),
        text(&case["request"], "peer"),
        fields(case)
    ))
}

fn request(case: &Value) -> String {
    let request = &case["request"];
    let method = request["method"].as_str().unwrap_or("GET");
    let mut words = String::new();
    for (word, key) in [
        ("authority", "authority"),
        ("routed", "routed_path"),
        ("effective", "effective_method"),
    ] {
        if let Some(value) = request[key].as_str() {
            let _ = write!(words, "{word}={value} ");
        }
    }
    format!(
        "{method}\n{}\n{}\n{words}\nCookie: sessionid=0123456789abcdef; theme=\"dark\"\n{}",
        path_of(case),
        text(request, "peer"),
        fields(case)
    )
}

fn request_line(case: &Value) -> String {
    let mut request = case["request"].clone();
    if request["target"].is_null() {
        request["target"] = "/".into();
    }
    request.to_string()
}

fn rule(case: &Value) -> Option<String> {
    let rule = &case["rule"];
    let kind = text(rule, "kind");
    let known = matches!(kind, "exact" | "prefix" | "glob");
    let path = rule["path"].as_str().filter(|_| known)?;
    let asked = path_of(case);
    Some(format!("{kind} {path}\n\n{asked}\n{path}\n{path}/below\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_has_seeds() -> Outcome {
        for target in targets()? {
            assert!(!seeds(&target)?.is_empty(), "{target}");
        }
        Ok(())
    }
}
