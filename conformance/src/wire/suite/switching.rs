//! Open and closed.

use maintenance_mode::{Mode, On};

use super::shown;
use crate::backend_suite::Broken;
use crate::ensure;
use crate::wire::{Site, Subject, http2_request, request};

const BY_FILE: &str = "backend = \"file:state.json\"\n";

/// Closes and opens by the state's file: every path, known or not; health and control stay open.
///
/// # Errors
///
/// What was not kept.
pub fn closes_and_opens_for_every_path(subject: &Subject) -> Result<(), Broken> {
    let site = Site::start(subject.program(), BY_FILE)?;
    for round in 0..2 {
        for (path, status) in [
            ("/", 200),
            ("/healthz", 200),
            ("/nowhere", 404),
            ("/api/items", 200),
        ] {
            let response = site.get(path)?;
            ensure!(
                response.status == status && !response.is_maintenance(),
                "round {round}, open, {path}: {}",
                shown(&response)
            );
        }
        site.close(&On::default())?;
        for path in ["/", "/nowhere", "/api/items", "/a//b/../c", "/login"] {
            let response = site.get(path)?;
            ensure!(
                response.is_closed(),
                "round {round}, closed, {path}: {}",
                shown(&response)
            );
        }
        let length = [
            ("Content-Length", "2"),
            ("Content-Type", "application/json"),
        ];
        let response = site.ask("POST", "/api/items", &length, "{}")?;
        ensure!(response.is_closed(), "closed, POST: {}", shown(&response));
        for path in ["/healthz", "/maintenance/status"] {
            let response = site.get(path)?;
            ensure!(
                response.status == 200,
                "closed, {path}: {}",
                shown(&response)
            );
        }
        site.open()?;
    }
    Ok(())
}

/// The site's own commented configuration is valid: staff may log in, and programs get JSON.
///
/// # Errors
///
/// What was not kept.
pub fn closes_by_its_commented_configuration(
    subject: &Subject,
    config: &str,
) -> Result<(), Broken> {
    let site = Site::start(subject.program(), config)?;
    site.close(&On::default())?;
    ensure!(site.get("/login")?.status == 200, "staff cannot log in");
    ensure!(site.get("/")?.is_closed(), "not closed");
    let api = site.get("/api/items")?;
    let is_json = api.field("content-type") == Some("application/problem+json");
    ensure!(is_json, "{}", shown(&api));
    Ok(())
}

/// A read-only site answers GET and HEAD and refuses POST.
///
/// # Errors
///
/// What was not kept.
pub fn read_only_lets_safe_methods_through(subject: &Subject) -> Result<(), Broken> {
    let site = Site::start(subject.program(), BY_FILE)?;
    site.close(&On::mode(Mode::ReadOnly))?;
    let items = site.get("/api/items")?;
    ensure!(items.status == 200, "GET: {}", shown(&items));
    let head = site.ask("HEAD", "/", &[], "")?;
    ensure!(!head.is_maintenance(), "HEAD: {}", shown(&head));
    let fields = [
        ("Content-Length", "12"),
        ("Content-Type", "application/json"),
    ];
    let post = site.ask("POST", "/api/items", &fields, "{\"name\":\"a\"}")?;
    ensure!(post.is_closed(), "POST: {}", shown(&post));
    let hidden = site.ask(
        "GET",
        "/api/items",
        &[("X-HTTP-Method-Override", "DELETE")],
        "",
    )?;
    ensure!(
        hidden.is_closed(),
        "an unsafe method in an override field: {}",
        shown(&hidden)
    );
    Ok(())
}

/// One of two sites is closed, and hosts that nobody claims with it.
///
/// # Errors
///
/// What was not kept.
pub fn closes_one_site_of_two(subject: &Subject) -> Result<(), Broken> {
    let config = "backend = \"memory:\"\n[sites.shop]\nhosts = [\"shop.example\"]\nmode = \"offline\"\n\
                  [sites.blog]\nhosts = [\"blog.example\"]\n";
    let site = Site::start(subject.program(), config)?;
    let is_closed = |host: &str| -> Result<bool, Broken> {
        Ok(site.ask("GET", "/", &[("Host", host)], "")?.is_closed())
    };
    ensure!(is_closed("shop.example")?, "the closed site");
    ensure!(
        is_closed("SHOP.example.:8080")?,
        "the closed site in another spelling"
    );
    ensure!(!is_closed("blog.example")?, "the open site");
    ensure!(is_closed("other.example")?, "a host that nobody claims");
    let forged = site.ask(
        "GET",
        "/",
        &[
            ("Host", "shop.example"),
            ("X-Forwarded-Host", "blog.example"),
        ],
        "",
    )?;
    ensure!(
        forged.is_closed(),
        "a forged field opened it: {}",
        shown(&forged)
    );
    Ok(())
}

/// Routes that are forced on or off do not follow the mode.
///
/// # Errors
///
/// What was not kept.
pub fn leaves_overridden_routes_alone(subject: &Subject) -> Result<(), Broken> {
    let site = Site::start(subject.program(), BY_FILE)?;
    for closed in [false, true] {
        if closed {
            site.close(&On::default())?;
        }
        let open = site.get("/always-open")?;
        ensure!(
            open.status == 200,
            "forced off, closed = {closed}: {}",
            shown(&open)
        );
        let shut = site.get("/always-closed")?;
        ensure!(
            shut.is_closed(),
            "forced on, closed = {closed}: {}",
            shown(&shut)
        );
    }
    Ok(())
}

/// Requests that were admitted before the switch end as if there were none; the next request on the same
/// connection does not come through.
///
/// # Errors
///
/// What was not kept.
pub fn lets_admitted_requests_end_well(subject: &Subject) -> Result<(), Broken> {
    let site = Site::start(subject.program(), BY_FILE)?;
    let mut idle = site.connect()?;
    idle.send(&request("GET", "/", &[], ""))?;
    let before = idle.response("GET")?;
    ensure!(before.status == 200, "before: {}", shown(&before));
    let mut slow = site.connect()?;
    slow.send(&request("GET", "/slow?ms=2000", &[], ""))?;
    let mut stream = site.connect()?;
    stream.send(&request("GET", "/stream?chunks=40&ms=50", &[], ""))?;
    let mut upload = site.connect()?;
    let (length, half) = (("Content-Length", "2000"), "x".repeat(1000));
    upload.send(&request("POST", "/upload", &[length], &half))?;
    site.wait_for_in_flight((3, 0), "before the switch")?;

    site.close(&On::default())?;
    idle.send(&request("GET", "/", &[], ""))?;
    let next = idle.response("GET")?;
    ensure!(
        next.is_closed(),
        "a connection from before: {}",
        shown(&next)
    );
    site.wait_for_in_flight((3, 0), "after the switch, with what was admitted before")?;

    upload.send(half.as_bytes())?;
    let uploaded = upload.response("POST")?;
    ensure!(
        uploaded.text() == "{\"bytes\":2000}",
        "the upload: {}",
        shown(&uploaded)
    );
    for (what, connection, bytes) in [
        ("slow", &mut slow, None),
        ("stream", &mut stream, Some(40 << 10)),
    ] {
        let response = connection.response("GET")?;
        ensure!(
            response.status == 200 && !response.is_maintenance(),
            "{what}: {}",
            shown(&response)
        );
        let whole = bytes.is_none_or(|bytes: usize| response.body.len() == bytes);
        ensure!(whole, "{what} ended after {} bytes", response.body.len());
        connection.send(&request("GET", "/", &[], ""))?;
        let next = connection.response("GET")?;
        ensure!(next.is_closed(), "after {what}: {}", shown(&next));
    }
    site.wait_for_in_flight((0, 0), "when all have ended")
}

/// The same over HTTP/2, on one connection.
///
/// # Errors
///
/// What was not kept.
pub fn lets_admitted_streams_end_well(subject: &Subject) -> Result<(), Broken> {
    if !subject.framework.http2 {
        return Ok(());
    }
    let site = Site::start(subject.program(), BY_FILE)?;
    let connection = site.connect_http2()?;
    let upload = http2_request("POST", Some("localhost"), "/upload", &[])?;
    let mut upload = connection.begin(upload, false)?;
    // Some frameworks look at the first bytes before anything else.
    connection.send(&mut upload, vec![b'x'; 64], false)?;
    let slow = http2_request("GET", Some("localhost"), "/slow?ms=2000", &[])?;
    let slow = connection.begin(slow, true)?;
    site.wait_for_in_flight((2, 0), "before the switch")?;

    site.close(&On::default())?;
    let next = connection.ask("GET", "/", &[])?;
    ensure!(
        next.is_closed(),
        "a connection from before: {}",
        shown(&next)
    );
    connection.send(&mut upload, "world", true)?;
    let (uploaded, _) = connection.finish(upload)?;
    ensure!(
        uploaded.text() == "{\"bytes\":69}",
        "the upload: {}",
        shown(&uploaded)
    );
    let (slow, _) = connection.finish(slow)?;
    ensure!(slow.status == 200, "slow: {}", shown(&slow));
    site.wait_for_in_flight((0, 0), "when both have ended")
}
