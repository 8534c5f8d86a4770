//! The decision of a closed site, nothing of whose rules matches.

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use maintenance_mode::{Config, Facts, Mode, Peer, Policy, Snapshot, Timestamp};

use super::rules::{self, Size};
use super::{Runner, Scenario};
use crate::Trouble;

pub(super) const ALL: &[Scenario] = &[
    Scenario {
        name: "decide/offline/none",
        prepare: || offline(rules::NONE),
    },
    Scenario {
        name: "decide/offline/many",
        prepare: || offline(rules::MANY),
    },
    Scenario {
        name: "decide/offline/huge",
        prepare: || offline(rules::HUGE),
    },
    Scenario {
        name: "decide/header/without",
        prepare: || with_header(None, None),
    },
    Scenario {
        name: "decide/header/absent",
        prepare: || with_header(Some(SECRET), None),
    },
    Scenario {
        name: "decide/header/valid",
        prepare: || with_header(Some(SECRET), Some(SECRET)),
    },
    Scenario {
        name: "decide/header/wrong",
        prepare: || with_header(Some(SECRET), Some("another-value-of-the-very-same-length")),
    },
];

const SECRET: &str = "a-value-that-nobody-would-ever-guess-";

/// What a browser sends, about 266 bytes of header.
const BROWSER: [(&str, &str); 5] = [
    ("host", "www.example.com"),
    (
        "user-agent",
        "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    ),
    (
        "accept",
        "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    ),
    ("accept-language", "de-CH,de;q=0.8,en-US;q=0.5,en;q=0.3"),
    ("accept-encoding", "gzip, deflate, br, zstd"),
];

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

pub(super) fn peer() -> Peer {
    Peer::Addr(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 77)))
}

fn offline(size: Size) -> Result<Runner, Trouble> {
    let policy = Policy::compile(rules::config(size).mode(Mode::Offline))?;
    let snapshot = Snapshot::new(Arc::new(policy), None);
    Ok(Box::new(move |count| {
        for _ in 0..count {
            let facts = Facts::new("GET", "/section-7/articles/2031/leaf").peer(peer());
            let decision = snapshot.decide(black_box(&facts), NOW);
            assert!(!black_box(&decision).is_allowed());
        }
    }))
}

fn with_header(configured: Option<&str>, sent: Option<&str>) -> Result<Runner, Trouble> {
    let mut config = Config::new().mode(Mode::Offline);
    if let Some(value) = configured {
        config = config.allow_header("X-Maintenance-Bypass", value);
    }
    let policy = Policy::compile(config)?;
    let snapshot = Snapshot::new(Arc::new(policy), None);
    let mut headers = http::HeaderMap::new();
    for (name, value) in BROWSER {
        headers.insert(name, http::HeaderValue::from_static(value));
    }
    if let Some(value) = sent {
        headers.insert("x-maintenance-bypass", value.parse()?);
    }
    let expected = configured.is_some() && configured == sent;
    Ok(Box::new(move |count| {
        for _ in 0..count {
            let facts = Facts::new("GET", "/articles")
                .headers(&headers)
                .peer(peer());
            let decision = snapshot.decide(black_box(&facts), NOW);
            assert_eq!(black_box(&decision).is_allowed(), expected);
        }
    }))
}
