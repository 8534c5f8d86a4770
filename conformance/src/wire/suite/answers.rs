//! What a blocked client gets.

use super::{offline, shown};
use crate::backend_suite::Broken;
use crate::ensure;
use crate::wire::{Response, Same, Subject, table};

fn content_type(response: &Response) -> &str {
    response.field("content-type").unwrap_or_default()
}

/// A page, JSON or text, by `Accept`.
///
/// # Errors
///
/// What was not kept.
pub fn takes_the_form_that_the_client_asks_for(subject: &Subject) -> Result<(), Broken> {
    let site = offline(subject, "")?;
    for (accept, expected, starts) in [
        (
            "text/html,application/xhtml+xml,*/*;q=0.8",
            "text/html",
            "<!",
        ),
        ("application/json", "application/problem+json", "{"),
        ("text/plain", "text/plain", ""),
        (
            "text/html;q=0.1, application/json",
            "application/problem+json",
            "{",
        ),
    ] {
        let response = site.ask("GET", "/", &[("Accept", accept)], "")?;
        let fits = response.is_closed() && content_type(&response).starts_with(expected);
        ensure!(fits, "Accept: {accept}: {}", shown(&response));
        ensure!(
            response.has_token("vary", "accept"),
            "Accept: {accept}: no Vary in {}",
            shown(&response)
        );
        let text = response.text();
        ensure!(
            !text.is_empty() && text.trim_start().starts_with(starts),
            "Accept: {accept}: {text}"
        );
    }
    Ok(())
}

/// gRPC gets its status, an `EventSource` a stream that it comes back to.
///
/// # Errors
///
/// What was not kept.
pub fn speaks_to_grpc_and_event_streams(subject: &Subject) -> Result<(), Broken> {
    let site = offline(subject, "")?;
    let fields = [
        ("Content-Type", "application/grpc"),
        ("TE", "trailers"),
        ("Content-Length", "0"),
    ];
    let grpc = site.ask("POST", "/shop.Cart/Add", &fields, "")?;
    let is_status = grpc.status == 200 && grpc.field("grpc-status") == Some("14");
    ensure!(is_status && grpc.is_maintenance(), "gRPC: {}", shown(&grpc));
    let events = site.ask("GET", "/events", &[("Accept", "text/event-stream")], "")?;
    let is_stream = content_type(&events).starts_with("text/event-stream");
    ensure!(
        is_stream && events.is_maintenance(),
        "EventSource: {}",
        shown(&events)
    );
    ensure!(
        events.text().contains("retry:"),
        "no time to come back: {}",
        events.text()
    );
    Ok(())
}

/// A redirect goes to its target, which is open.
///
/// # Errors
///
/// What was not kept.
pub fn redirects_but_not_its_own_target(subject: &Subject) -> Result<(), Broken> {
    let site = offline(
        subject,
        "[answer]\nformat = \"redirect\"\nredirect = \"/closed\"\n",
    )?;
    let response = site.ask("GET", "/cart?page=2", &[("Accept", "text/html")], "")?;
    let goes = (300..400).contains(&response.status)
        && response
            .field("location")
            .is_some_and(|to| to.starts_with("/closed"));
    ensure!(
        goes && response.has_token("cache-control", "no-store"),
        "{}",
        shown(&response)
    );
    let target = site.get("/closed")?;
    ensure!(!target.is_maintenance(), "the target: {}", shown(&target));
    Ok(())
}

/// HEAD has the fields of GET, the length among them, and no body; the connection goes on.
///
/// # Errors
///
/// What was not kept.
pub fn answers_head_like_get(subject: &Subject) -> Result<(), Broken> {
    let site = offline(subject, "[answer]\nretry_after = 60\n")?;
    let mut connection = site.connect()?;
    let mut answers = Vec::new();
    for method in ["GET", "HEAD", "GET"] {
        connection.send(&crate::wire::request(
            method,
            "/",
            &[("Accept", "text/html")],
            "",
        ))?;
        answers.push(connection.response(method)?);
    }
    let fields = |response: &Response| Same::of(response, &[]).fields;
    let [get, head, again] = &answers[..] else {
        return Ok(());
    };
    ensure!(
        head.status == get.status && fields(head) == fields(get),
        "GET: {}, HEAD: {}",
        shown(get),
        shown(head)
    );
    let length = head.field("content-length").map(str::to_owned);
    ensure!(
        length == Some(get.body.len().to_string()),
        "HEAD promises {length:?} of {}",
        get.body.len()
    );
    ensure!(
        again.body == get.body,
        "the connection is out of step after HEAD"
    );
    Ok(())
}

/// A preflight of an allowed origin succeeds, and the page may read the 503 that follows.
///
/// # Errors
///
/// What was not kept.
pub fn lets_preflights_see_the_answer(subject: &Subject) -> Result<(), Broken> {
    let site = offline(subject, "[answer]\ncors = [\"https://app.example\"]\n")?;
    let origin = ("Origin", "https://app.example");
    let asks = ("Access-Control-Request-Method", "POST");
    let preflight = site.ask("OPTIONS", "/api/items", &[origin, asks], "")?;
    let allowed = preflight.field("access-control-allow-origin") == Some(origin.1);
    ensure!(
        preflight.status == 204 && allowed,
        "the preflight: {}",
        shown(&preflight)
    );
    ensure!(
        preflight.field("content-length").is_none(),
        "204 with a length: {}",
        shown(&preflight)
    );
    let real = site.ask("POST", "/api/items", &[origin, ("Content-Length", "0")], "")?;
    let visible = real.field("access-control-allow-origin") == Some(origin.1)
        && real.has_token("access-control-expose-headers", "retry-after");
    ensure!(real.is_closed() && visible, "the request: {}", shown(&real));
    let stranger = site.ask(
        "OPTIONS",
        "/api/items",
        &[("Origin", "https://evil.example"), asks],
        "",
    )?;
    ensure!(
        stranger.field("access-control-allow-origin").is_none(),
        "a stranger: {}",
        shown(&stranger)
    );
    Ok(())
}

/// Conditional and range requests get the plain answer.
///
/// # Errors
///
/// What was not kept.
pub fn has_no_validators(subject: &Subject) -> Result<(), Broken> {
    let site = offline(subject, "")?;
    for field in [
        ("Range", "bytes=0-9"),
        ("If-None-Match", "*"),
        ("If-Match", "\"x\""),
        ("If-Modified-Since", "Sun, 06 Nov 2094 08:49:37 GMT"),
        ("If-Range", "\"x\""),
    ] {
        let response = site.ask("GET", "/", &[field], "")?;
        ensure!(response.is_closed(), "{field:?}: {}", shown(&response));
        for name in [
            "etag",
            "last-modified",
            "accept-ranges",
            "content-range",
            "expires",
            "age",
        ] {
            ensure!(
                response.field(name).is_none(),
                "{name} in {}",
                shown(&response)
            );
        }
    }
    Ok(())
}

/// The whole [`table`] of requests: status, fields and bytes that the engine itself gives.
///
/// # Errors
///
/// What was not kept.
pub fn are_the_engines_own(subject: &Subject) -> Result<(), Broken> {
    table::answers_as_the_engine_does(subject)
}
