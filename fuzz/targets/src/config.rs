//! Configurations: accepted, or refused with the places that are wrong.

use std::sync::Arc;

use maintenance_mode::policy::Complaints;
use maintenance_mode::policy::config::AllowConfig;
use maintenance_mode::{AnswerConfig, Config, Facts, Policy, Snapshot};

use crate::Target;
use crate::request::agree;

/// Of [`Config`] and [`Policy`].
pub const TARGET: Target = Target {
    name: "config",
    run,
    words: &[
        "backend = \"memory:\"\n",
        "mode = \"offline\"\n",
        "[allow]\n",
        "health = []\n",
        "paths = [\"/a\", { prefix = \"/b\" }]\n",
        "{ regex = \"/v[0-9]+\" }",
        "methods = [\"GET\"]",
        "addresses = [\"192.0.2.0/24\"]\n",
        "roles = [\"staff\"]\n",
        "[host]\n",
        "unknown = \"open\"\n",
        "[client_ip]\n",
        "source = \"forwarded\"\n",
        "trusted = [\"10.0.0.0/8\"]\n",
        "hops = 1\n",
        "[logout]\n",
        "cookies = [\"a\"]\n",
        "[answer]\n",
        "status = 503\n",
        "redirect = \"/closed\"\n",
        "retry_after = \"auto\"\n",
        "languages = [\"de\"]\n",
        "rules = [{ prefix = \"/api\", format = \"json\" }]\n",
        "[sites.shop]\n",
        "hosts = [\"shop.example\", \"*.shop.example\"]\n",
        "[sites.shop.allow]\n",
        "[state]\n",
        "poll_seconds = 1.0\n",
        "[read_only]\n",
        "safe_methods = [\"GET\"]\n",
        "= ",
        "{}",
        "nan",
    ],
};

/// The text of a configuration file.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let config = match Config::from_toml(text) {
        Ok(config) => config,
        Err(complaints) => return says_where(&complaints),
    };
    if reads_files(&config) {
        return;
    }
    match Policy::compile(config) {
        Err(complaints) => says_where(&complaints),
        Ok(policy) => {
            let snapshot = Snapshot::new(Arc::new(policy), None);
            agree(&snapshot, &Facts::new("GET", "/"));
        }
    }
}

fn says_where(complaints: &Complaints) {
    assert!(!complaints.is_empty(), "refused, and nothing is wrong");
    for complaint in complaints {
        assert!(!complaint.place().is_empty(), "{complaint}");
        assert!(!complaint.problem().is_empty(), "{complaint}");
    }
}

/// A fuzzer must not open what it makes up.
fn reads_files(config: &Config) -> bool {
    let by_header = |allow: &AllowConfig| {
        allow
            .header
            .as_ref()
            .is_some_and(|header| header.value_file.is_some())
    };
    let by_answer = |answer: &AnswerConfig| answer.template.is_some() || answer.page.is_some();
    by_header(&config.allow)
        || by_answer(&config.answer)
        || config
            .sites
            .values()
            .any(|site| by_header(&site.allow) || by_answer(&site.answer))
}
