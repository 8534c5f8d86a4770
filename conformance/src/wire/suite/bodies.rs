//! Requests with bodies that nobody reads.

use std::time::{Duration, Instant};

use super::{offline, shown};
use crate::backend_suite::Broken;
use crate::ensure;
use crate::wire::{Connection, Subject, request};

/// An answer "at once" takes less than this.
const AT_ONCE: Duration = Duration::from_millis(900);

/// The connection goes on, or it is said and seen that it does not.
fn goes_on_or_ends(connection: &mut Connection, closes: bool) -> Result<(), Broken> {
    if closes {
        let ended = connection.is_closed_within(Duration::from_secs(5))?;
        ensure!(
            ended,
            "`Connection: close` was said, and the connection stays open"
        );
        return Ok(());
    }
    connection.send(&request("GET", "/", &[], ""))?;
    let next = connection.response("GET")?;
    ensure!(next.is_closed(), "the next request: {}", shown(&next));
    Ok(())
}

/// A small body that has come with the request.
///
/// # Errors
///
/// What was not kept.
pub fn answers_a_small_body_at_once(subject: &Subject) -> Result<(), Broken> {
    let site = offline(subject, "")?;
    let mut connection = site.connect()?;
    connection.send(&request(
        "POST",
        "/upload",
        &[("Content-Length", "5")],
        "hello",
    ))?;
    let response = connection.response("POST")?;
    ensure!(response.is_closed(), "{}", shown(&response));
    goes_on_or_ends(&mut connection, response.has_token("connection", "close"))
}

/// A small body that comes later.
///
/// # Errors
///
/// What was not kept.
pub fn answers_before_a_late_body(subject: &Subject) -> Result<(), Broken> {
    let site = offline(subject, "")?;
    let mut connection = site.connect()?;
    let began = Instant::now();
    connection.send(&request("POST", "/upload", &[("Content-Length", "5")], ""))?;
    let response = if subject.framework.answers_before_body {
        let response = connection.response("POST")?;
        ensure!(
            began.elapsed() < AT_ONCE,
            "answered after {:?}",
            began.elapsed()
        );
        connection.send(b"hello")?;
        response
    } else {
        std::thread::sleep(Duration::from_millis(150));
        connection.send(b"hello")?;
        connection.response("POST")?
    };
    ensure!(response.is_closed(), "{}", shown(&response));
    goes_on_or_ends(&mut connection, response.has_token("connection", "close"))
}

/// A large body is announced, and not a byte of it comes.
///
/// # Errors
///
/// What was not kept.
pub fn answers_a_body_that_never_comes(subject: &Subject) -> Result<(), Broken> {
    if !subject.framework.answers_before_body {
        return Ok(());
    }
    let site = offline(subject, "")?;
    let mut connection = site.connect()?;
    let began = Instant::now();
    connection.send(&request(
        "POST",
        "/upload",
        &[("Content-Length", "1000000")],
        "",
    ))?;
    let response = connection.response("POST")?;
    ensure!(
        began.elapsed() < AT_ONCE,
        "answered after {:?}",
        began.elapsed()
    );
    ensure!(response.is_closed(), "{}", shown(&response));
    ensure!(
        response.has_token("connection", "close"),
        "the connection must end, and nobody says so: {}",
        shown(&response)
    );
    Ok(())
}

/// A chunked body.
///
/// # Errors
///
/// What was not kept.
pub fn answers_a_chunked_body(subject: &Subject) -> Result<(), Broken> {
    let site = offline(subject, "")?;
    let mut connection = site.connect()?;
    let chunks = "5\r\nhello\r\n0\r\n\r\n";
    connection.send(&request(
        "POST",
        "/upload",
        &[("Transfer-Encoding", "chunked")],
        chunks,
    ))?;
    let response = connection.response("POST")?;
    ensure!(response.is_closed(), "{}", shown(&response));
    goes_on_or_ends(&mut connection, response.has_token("connection", "close"))
}

/// A client that waits for `100 Continue`.
///
/// # Errors
///
/// What was not kept.
pub fn answers_expect_continue(subject: &Subject) -> Result<(), Broken> {
    let site = offline(subject, "")?;
    let mut connection = site.connect()?;
    let fields = [("Expect", "100-continue"), ("Content-Length", "100000")];
    connection.send(&request("POST", "/upload", &fields, ""))?;
    if !subject.framework.answers_before_body {
        connection.send(&[b'x'; 100_000])?;
    }
    let response = connection.response("POST")?;
    ensure!(response.is_closed(), "{}", shown(&response));
    let continued = response.interim.contains(&100);
    ensure!(
        continued == subject.framework.continues_first,
        "100 Continue: {continued}, the framework says otherwise"
    );
    Ok(())
}

/// A client that sends ten megabytes before it looks for an answer finds it.
///
/// # Errors
///
/// What was not kept.
pub fn lets_an_uploader_read_its_answer(subject: &Subject) -> Result<(), Broken> {
    const BODY: usize = 10 << 20;
    let part = vec![b'x'; 64 << 10];
    let length = BODY.to_string();
    upload(
        subject,
        20,
        ("Content-Length", &length),
        &part,
        BODY / part.len(),
    )
}

/// The same with a chunked body, whose length nobody knows.
///
/// # Errors
///
/// What was not kept.
pub fn lets_a_chunked_uploader_read_its_answer(subject: &Subject) -> Result<(), Broken> {
    let mut chunk = b"10000\r\n".to_vec();
    chunk.extend([b'x'; 0x10000]);
    chunk.extend(b"\r\n");
    upload(subject, 10, ("Transfer-Encoding", "chunked"), &chunk, 32)
}

/// Sends all parts, then looks for the answer.
fn upload(
    subject: &Subject,
    attempts: u32,
    framing: (&str, &str),
    part: &[u8],
    parts: usize,
) -> Result<(), Broken> {
    let site = offline(subject, "")?;
    for attempt in 0..attempts {
        let mut connection = site.connect()?;
        connection.send(&request("POST", "/upload", &[framing], ""))?;
        for _ in 0..parts {
            // The server may end the connection; what it said before must still be there.
            if connection.send(part).is_err() {
                break;
            }
        }
        if framing.1 == "chunked" {
            let _ = connection.send(b"0\r\n\r\n");
        }
        let response = connection.response("POST")?;
        ensure!(
            response.is_closed(),
            "attempt {attempt}: {}",
            shown(&response)
        );
    }
    Ok(())
}
