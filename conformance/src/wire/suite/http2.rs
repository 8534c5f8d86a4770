//! HTTP/2 over cleartext. Where the framework does not speak it, that is what is checked.

use std::time::{Duration, Instant};

use super::{OFFLINE, shown};
use crate::backend_suite::Broken;
use crate::ensure;
use crate::wire::{Http2, Response, Same, Site, Subject, http2_request, table};

/// An answer "at once" takes less than this.
const AT_ONCE: Duration = Duration::from_millis(900);

/// The site and a connection to it; `None` where the framework does not speak HTTP/2 and keeps to that.
fn start(subject: &Subject, config: &str) -> Result<Option<(Site, Http2)>, Broken> {
    let site = Site::start(subject.program(), config)?;
    if subject.framework.http2 {
        let connection = site.connect_http2()?;
        return Ok(Some((site, connection)));
    }
    let answered = site
        .connect_http2()
        .and_then(|connection| connection.ask("GET", "/healthz", &[]));
    ensure!(
        answered.is_err(),
        "the framework speaks HTTP/2 although its description says otherwise"
    );
    Ok(None)
}

fn offline(subject: &Subject, more: &str) -> Result<Option<(Site, Http2)>, Broken> {
    start(subject, &format!("{OFFLINE}{more}"))
}

/// The same status, fields and body as over HTTP/1.1, and nothing about the connection
/// (RFC 9113, section 8.2.2).
///
/// # Errors
///
/// What was not kept.
pub fn http_2_gets_the_same_answers(subject: &Subject) -> Result<(), Broken> {
    let Some((site, connection)) = offline(subject, "[answer]\nretry_after = 60\n")? else {
        return Ok(());
    };
    for (method, target, accept) in [
        ("GET", "/", "text/html"),
        ("GET", "/nowhere", "application/json"),
        ("GET", "/", "text/plain"),
        ("GET", "/events", "text/event-stream"),
        ("HEAD", "/", "text/html"),
        ("DELETE", "/api/items", "application/json"),
    ] {
        let fields = [("Accept", accept)];
        let first = site.ask(method, target, &fields, "")?;
        let second = connection.ask(method, target, &fields)?;
        let difference = Same::of(&first, &[]).difference(&Same::of(&second, &[]));
        ensure!(
            second.is_maintenance() && difference.is_none(),
            "{method} {target} as {accept}: HTTP/1.1 and HTTP/2 differ in {difference:?}"
        );
        for name in [
            "connection",
            "keep-alive",
            "transfer-encoding",
            "proxy-connection",
        ] {
            ensure!(second.field(name).is_none(), "{name}: {}", shown(&second));
        }
    }
    Ok(())
}

/// The whole [`table`]: what the engine itself gives.
///
/// # Errors
///
/// What was not kept.
pub fn http_2_gets_the_engines_own_answers(subject: &Subject) -> Result<(), Broken> {
    table::answers_over_http_2_as_the_engine_does(subject)
}

/// HEAD has the length of GET and no body.
///
/// # Errors
///
/// What was not kept.
pub fn http_2_head_is_like_get(subject: &Subject) -> Result<(), Broken> {
    let Some((_site, connection)) = offline(subject, "[answer]\nretry_after = 60\n")? else {
        return Ok(());
    };
    let get = connection.ask("GET", "/", &[])?;
    let request = http2_request("HEAD", Some("localhost"), "/", &[])?;
    let (head, ended) = connection.finish(connection.begin(request, true)?)?;
    let length = get.body.len().to_string();
    ensure!(
        ended && head.body.is_empty() && head.field("content-length") == Some(&length),
        "HEAD: {}, and GET has {length} bytes",
        shown(&head)
    );
    let fields = |response: &Response| Same::of(response, &[]).fields;
    ensure!(
        fields(&head) == fields(&get),
        "GET: {}, HEAD: {}",
        shown(&get),
        shown(&head)
    );
    Ok(())
}

/// `:authority` names the site; a `Host` that says something else opens nothing.
///
/// # Errors
///
/// What was not kept.
pub fn http_2_authority_names_the_site(subject: &Subject) -> Result<(), Broken> {
    let config = "backend = \"memory:\"\n[sites.shop]\nhosts = [\"shop.example\"]\nmode = \"offline\"\n\
                  [sites.blog]\nhosts = [\"blog.example\"]\n";
    let Some((_site, connection)) = start(subject, config)? else {
        return Ok(());
    };
    for (authority, host, closed) in [
        ("shop.example", None, true),
        ("blog.example", None, false),
        ("BLOG.example:443", None, false),
        ("other.example", None, true),
        ("shop.example", Some("blog.example"), true),
        ("blog.example", Some("shop.example"), true),
    ] {
        let fields: Vec<(&str, &str)> = host.map(|host| ("host", host)).into_iter().collect();
        let request = http2_request("GET", Some(authority), "/", &fields)?;
        let response = connection.finish(connection.begin(request, true)?)?.0;
        // A server may refuse a contradiction by itself (RFC 9113, section 8.3.1).
        let refused = host.is_some() && closed && response.status == 400;
        ensure!(
            response.is_closed() == closed || refused,
            ":authority {authority}, host {host:?}: {}",
            shown(&response)
        );
    }
    Ok(())
}

/// Bodies that nobody reads: the answer comes at once, and the connection's other streams go on.
///
/// # Errors
///
/// What was not kept.
pub fn http_2_bodies_hold_nothing_up(subject: &Subject) -> Result<(), Broken> {
    let Some((_site, connection)) = offline(subject, "")? else {
        return Ok(());
    };
    let post = || http2_request("POST", Some("localhost"), "/upload", &[]);

    let never = connection.begin(post()?, false)?;
    let mut large = connection.begin(post()?, false)?;
    connection.send(&mut large, vec![b'x'; 1 << 20], false)?;
    let mut small = connection.begin(post()?, false)?;
    connection.send(&mut small, "hello", true)?;
    let began = Instant::now();
    let open = connection.ask("GET", "/healthz", &[])?;
    ensure!(
        open.status == 200,
        "beside waiting bodies: {}",
        shown(&open)
    );
    let mut waiting = vec![("small", small), ("large", large)];
    if subject.framework.answers_before_body {
        waiting.push(("no", never));
    } else {
        never.cancel();
    }
    for (body, exchange) in waiting {
        let (response, _) = connection.finish(exchange)?;
        ensure!(response.is_closed(), "{body} body: {}", shown(&response));
    }
    ensure!(
        began.elapsed() < AT_ONCE,
        "answered after {:?}",
        began.elapsed()
    );
    let next = connection.ask("GET", "/", &[])?;
    ensure!(next.is_closed(), "the next request: {}", shown(&next));
    Ok(())
}

/// gRPC's `Trailers-Only`: status 14 in one block of fields that ends the stream.
///
/// # Errors
///
/// What was not kept.
pub fn http_2_grpc_gets_its_status(subject: &Subject) -> Result<(), Broken> {
    let Some((_site, connection)) = offline(subject, "")? else {
        return Ok(());
    };
    for content_type in ["application/grpc", "application/grpc+proto"] {
        let fields = [("content-type", content_type), ("te", "trailers")];
        let request = http2_request("POST", Some("localhost"), "/shop.Cart/Add", &fields)?;
        let mut exchange = connection.begin(request, false)?;
        // An empty message: not compressed, no bytes.
        connection.send(&mut exchange, &b"\0\0\0\0\0"[..], true)?;
        let (response, ended_with_head) = connection.finish(exchange)?;
        let is_status = response.status == 200
            && response.field("grpc-status") == Some("14")
            && response
                .field("content-type")
                .is_some_and(|its| its.starts_with("application/grpc"));
        ensure!(
            is_status && ended_with_head && response.is_maintenance(),
            "{content_type}: ended with its head: {ended_with_head}, {}",
            shown(&response)
        );
    }
    Ok(())
}

/// Many streams at once, blocked and exempt ones mixed, answered in whatever order.
///
/// # Errors
///
/// What was not kept.
pub fn http_2_streams_do_not_mix(subject: &Subject) -> Result<(), Broken> {
    let Some((site, connection)) = offline(subject, "")? else {
        return Ok(());
    };
    let targets = [
        "/",
        "/healthz",
        "/always-open",
        "/nowhere",
        "/always-closed",
    ];
    let mut begun = Vec::new();
    for target in targets.iter().cycle().take(90) {
        let request = http2_request("GET", Some("localhost"), target, &[])?;
        begun.push((target, connection.begin(request, true)?));
    }
    for (target, exchange) in begun.into_iter().rev() {
        let (response, _) = connection.finish(exchange)?;
        let fits = match *target {
            "/healthz" | "/always-open" => response.status == 200 && !response.is_maintenance(),
            _ => response.is_closed(),
        };
        ensure!(fits, "{target}: {}", shown(&response));
    }
    site.wait_for_in_flight((0, 0), "after ninety streams")
}
