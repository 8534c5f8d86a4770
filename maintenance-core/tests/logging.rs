//! What a log is told of blocked requests, and what the filter keeps out of it.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use maintenance_mode::logging::{MaintenanceFilter, blocked, is_blocking};
use maintenance_mode::{
    Config, Decision, Facts, Mode, Policy, Reason, Snapshot, Timestamp, Verdict,
};
use maintenance_mode_conformance::log::Log;
use tracing::level_filters::LevelFilter;
use tracing::{Subscriber, debug_span, error, info, info_span};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Filter, SubscriberExt};
use tracing_subscriber::registry::{LookupSpan, Registry};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt};

/// Writes lines without time, colour and target.
fn layer<S>(log: &Log) -> impl Layer<S> + use<S>
where
    S: Subscriber + for<'lookup> LookupSpan<'lookup>,
{
    let layer = fmt::layer().with_writer(log.writer());
    layer.without_time().with_ansi(false).with_target(false)
}

/// Decides about a request as an adapter does, and says whether it was blocked.
fn ask(snapshot: &Snapshot, path: &str) -> bool {
    let facts = Facts::new("GET", path).query(Some("token=secret"));
    match snapshot.decide(&facts, Timestamp::from_millis(0)) {
        Decision::Block(block) => {
            blocked(&block, &facts);
            true
        }
        _ => false,
    }
}

fn offline() -> Snapshot {
    let config = Config::new().mode(Mode::Offline).allow_path("/open");
    Snapshot::new(Arc::new(Policy::compile(config).unwrap()), None)
}

/// Runs this with a layer behind the filter, and says what the layer wrote.
fn filtered<F>(filter: F, run: impl FnOnce()) -> String
where
    F: Filter<Registry> + Send + Sync + 'static,
{
    let log = Log::default();
    let subscriber = tracing_subscriber::registry().with(layer(&log).with_filter(filter));
    let _guard = subscriber.set_default();
    run();
    log.text()
}

#[test]
fn a_blocked_request_is_told_of_with_its_reason_and_without_its_query() {
    let text = filtered(LevelFilter::DEBUG, || {
        let request = info_span!("request", maintenance = tracing::field::Empty);
        let _entered = request.enter();
        assert!(ask(&offline(), "/cart"));
        info!("status=503");
        assert!(!ask(&offline(), "/open"));
    });
    let lines: Vec<_> = text.lines().map(str::trim).collect();
    assert_eq!(
        lines,
        [
            r#"DEBUG request: blocked maintenance="offline" site=default method="GET" path="/cart""#,
            r#"INFO request{maintenance="offline"}: status=503"#,
        ]
    );
}

#[test]
fn d19_what_is_logged_about_a_maintenance_answer_is_left_out_response_by_response() {
    let snapshot = offline();
    let text = filtered(MaintenanceFilter::new(), || {
        info!("before");
        {
            let request = info_span!("request", maintenance = tracing::field::Empty);
            let _entered = request.enter();
            assert!(ask(&snapshot, "/cart"));
            error!("503 of maintenance");
            info_span!("within").in_scope(|| error!("503 of maintenance, further in"));
        }
        {
            // The site is as closed as before; this 503 is the application's own.
            let request = info_span!("request", maintenance = tracing::field::Empty);
            let _entered = request.enter();
            assert!(!ask(&snapshot, "/open"));
            error!("503 of the application");
        }
        error!("after");
    });
    let lines: Vec<_> = text.lines().map(str::trim).collect();
    assert_eq!(
        lines,
        [
            "INFO before",
            "ERROR request: 503 of the application",
            "ERROR after"
        ]
    );
}

#[test]
fn an_event_with_the_verdict_of_its_response_needs_no_span() {
    let verdict = |path| {
        let snapshot = offline();
        match snapshot.decide(&Facts::new("GET", path), Timestamp::from_millis(0)) {
            Decision::Block(block) => Verdict::from(&block),
            Decision::Allow(allow) => Verdict::from(&allow),
            other => panic!("{other:?}"),
        }
    };
    let text = filtered(MaintenanceFilter::new(), || {
        for path in ["/cart", "/open"] {
            let verdict = verdict(path);
            info!(status = 503, maintenance = %verdict, "displayed {path}");
            info!(
                status = 503,
                maintenance = verdict.reason.code(),
                "code {path}"
            );
        }
        let none: Option<&str> = None;
        info!(status = 503, maintenance = none, "no verdict");
        info!(maintenance = true, "the application's own field");
    });
    assert_eq!(text.lines().count(), 4, "{text}");
    assert!(!text.contains("/cart"), "{text}");
    assert!(
        text.contains(r#"code /open status=503 maintenance="path""#),
        "{text}"
    );
}

#[test]
fn an_alarm_for_errors_sees_spans_that_its_level_hides() {
    let run = || {
        for path in ["/cart", "/open"] {
            let request = debug_span!("request", maintenance = tracing::field::Empty);
            let _entered = request.enter();
            ask(&offline(), path);
            info!("too low");
            error!("{path} failed");
        }
    };
    let text = filtered(MaintenanceFilter::around(LevelFilter::ERROR), run);
    assert_eq!(text.trim(), "ERROR request: /open failed");
    let only_other = Targets::new().with_target("elsewhere", LevelFilter::TRACE);
    assert_eq!(filtered(MaintenanceFilter::around(only_other), run), "");
}

#[test]
fn a_request_span_without_the_field_is_known_by_its_name() {
    let run = || {
        let process = info_span!("process");
        let _process = process.enter();
        {
            let request = info_span!("request");
            let _request = request.enter();
            info_span!("session").in_scope(|| {
                assert!(ask(&offline(), "/cart"));
                error!("503");
            });
            error!("503, further out");
        }
        error!("the next thing");
    };
    let named = MaintenanceFilter::around(LevelFilter::ERROR).request_span("request");
    assert_eq!(filtered(named, run).trim(), "ERROR the next thing");
    let with_all_spans = MaintenanceFilter::new().request_span("request");
    let text = filtered(with_all_spans, run);
    assert_eq!(text.trim(), "ERROR process: the next thing");
    // Nobody guesses: one span too far out would silence everything that comes after.
    let unnamed = filtered(MaintenanceFilter::around(LevelFilter::ERROR), run);
    assert_eq!(unnamed.lines().count(), 3, "{unnamed}");
}

#[test]
fn other_layers_hear_everything() {
    let (all, quiet, alarm) = (Log::default(), Log::default(), Log::default());
    let subscriber = tracing_subscriber::registry()
        .with(layer(&all))
        .with(layer(&quiet).with_filter(MaintenanceFilter::new()))
        .with(layer(&alarm).with_filter(MaintenanceFilter::around(LevelFilter::ERROR)));
    let _guard = subscriber.set_default();
    for round in 0..3 {
        let request = info_span!("request", maintenance = tracing::field::Empty);
        let _entered = request.enter();
        let path = if round == 1 { "/cart" } else { "/open" };
        ask(&offline(), path);
        error!("503");
    }
    assert_eq!(all.text().lines().count(), 4, "three and the adapter's own");
    assert_eq!(quiet.text().lines().count(), 2);
    assert_eq!(alarm.text().lines().count(), 2);
}

#[test]
fn only_reasons_to_block_are_signs() {
    for reason in Reason::BLOCKING {
        assert!(is_blocking(reason.code()), "{reason}");
    }
    for code in ["", "path", "online", "role", "OFFLINE", "offline "] {
        assert!(!is_blocking(code), "{code}");
    }
}
