//! What is in flight, whatever ends it.

use std::time::{Duration, Instant};

use maintenance_mode::{Mode, On};

use crate::backend_suite::Broken;
use crate::ensure;
use crate::in_flight::Dice;
use crate::wire::{Connection, Http2, Site, Subject, http2_request, request};

const CONFIG: &str = "backend = \"file:state.json\"\n";

/// Nothing runs but the request that asks.
const NOTHING: (u64, u64) = (0, 0);

/// A handler that runs until somebody stops it, or where nobody does, until it may be waited for.
const fn slow(is_stopped: bool) -> &'static str {
    if is_stopped {
        "/slow?ms=60000"
    } else {
        "/slow?ms=1500"
    }
}

fn begin(site: &Site, method: &str, target: &str, length: &str) -> Result<Connection, Broken> {
    let mut connection = site.connect()?;
    let fields = [("Content-Length", length)];
    connection.send(&request(method, target, &fields, ""))?;
    Ok(connection)
}

/// A client that resets its connection while the handler runs, while the answer is sent, and in the middle
/// of its own upload.
///
/// # Errors
///
/// What was not kept.
pub fn an_aborted_request_is_no_longer_counted(subject: &Subject) -> Result<(), Broken> {
    let site = Site::start(subject.program(), CONFIG)?;
    site.wait_for_in_flight(NOTHING, "at the start")?;

    let connection = begin(&site, "GET", slow(subject.framework.cancels_handlers), "0")?;
    site.wait_for_in_flight((1, 0), "in a handler")?;
    connection.abort()?;
    site.wait_for_in_flight(NOTHING, "after an abort in a handler")?;

    let mut connection = begin(&site, "GET", "/stream?chunks=100000&ms=1", "0")?;
    connection.read_until(b"\r\n\r\n")?;
    connection.read_until(b"........")?;
    site.wait_for_in_flight((1, 0), "in the middle of an answer")?;
    connection.abort()?;
    site.wait_for_in_flight(NOTHING, "after an abort in the middle of an answer")?;

    let mut connection = begin(&site, "POST", "/upload", "100000")?;
    connection.send(&[b'x'; 1000])?;
    site.wait_for_in_flight((1, 0), "in the middle of an upload")?;
    connection.abort()?;
    site.wait_for_in_flight(NOTHING, "after an abort in the middle of an upload")
}

/// A client that ends its connection in good order in the middle of its own upload, and one that pipelines
/// requests and leaves.
///
/// # Errors
///
/// What was not kept.
pub fn a_client_that_leaves_is_no_longer_counted(subject: &Subject) -> Result<(), Broken> {
    let site = Site::start(subject.program(), CONFIG)?;
    let mut connection = begin(&site, "POST", "/upload", "100000")?;
    connection.send(&[b'x'; 1000])?;
    site.wait_for_in_flight((1, 0), "in the middle of an upload")?;
    drop(connection);
    site.wait_for_in_flight(NOTHING, "after an upload that was broken off")?;

    for aborts in [false, true] {
        let mut connection = site.connect()?;
        let targets = [
            "/",
            "/slow?ms=100",
            "/stream?chunks=3&ms=10",
            "/healthz",
            "/",
        ];
        let bytes: Vec<u8> = targets
            .iter()
            .flat_map(|target| request("GET", target, &[], ""))
            .collect();
        connection.send(&bytes)?;
        connection.read_until(b"HTTP/1.1 200")?;
        if aborts {
            connection.abort()?;
        } else {
            drop(connection);
        }
        site.wait_for_in_flight(NOTHING, "after a client that pipelined and left")?;
    }
    Ok(())
}

/// A WebSocket that is closed, and one whose client dies.
///
/// # Errors
///
/// What was not kept.
pub fn an_upgraded_connection_is_counted_apart(subject: &Subject) -> Result<(), Broken> {
    let site = Site::start(subject.program(), CONFIG)?;
    for aborts in [false, true] {
        let mut socket = site.connect()?;
        socket.open_web_socket("/ws")?;
        site.wait_for_in_flight((0, 1), "in a WebSocket")?;
        if aborts {
            socket.abort()?;
        } else {
            // A masked close frame with code 1000.
            socket.send(b"\x88\x82\0\0\0\0\x03\xe8")?;
            socket.read_until(b"\x88\x02\x03\xe8")?;
        }
        site.wait_for_in_flight(NOTHING, "after a WebSocket")?;
    }
    Ok(())
}

fn begin_http2(connection: &Http2, target: &str) -> Result<crate::wire::Exchange, Broken> {
    let request = http2_request("GET", Some("localhost"), target, &[])?;
    connection.begin(request, true)
}

/// Streams that are reset (`RST_STREAM`), in a handler, in an answer and in an upload; then a connection that
/// is lost with streams on it.
///
/// # Errors
///
/// What was not kept.
pub fn a_reset_stream_is_no_longer_counted(subject: &Subject) -> Result<(), Broken> {
    if !subject.framework.http2 {
        return Ok(());
    }
    let site = Site::start(subject.program(), CONFIG)?;
    let connection = site.connect_http2()?;

    let exchange = begin_http2(&connection, slow(subject.framework.cancels_streams))?;
    site.wait_for_in_flight((1, 0), "in a handler")?;
    exchange.cancel();
    site.wait_for_in_flight(NOTHING, "after a stream was reset in a handler")?;

    let mut exchange = begin_http2(&connection, "/stream?chunks=100000&ms=1")?;
    let rest = connection.read_first_bytes(&mut exchange)?;
    site.wait_for_in_flight((1, 0), "in the middle of an answer")?;
    exchange.cancel();
    drop(rest);
    site.wait_for_in_flight(
        NOTHING,
        "after a stream was reset in the middle of an answer",
    )?;

    let upload = http2_request("POST", Some("localhost"), "/upload", &[])?;
    let mut exchange = connection.begin(upload, false)?;
    // Some frameworks look at the first bytes before anything else.
    connection.send(&mut exchange, &[b'x'; 64][..], false)?;
    site.wait_for_in_flight((1, 0), "in the middle of an upload")?;
    exchange.cancel();
    site.wait_for_in_flight(
        NOTHING,
        "after a stream was reset in the middle of an upload",
    )?;

    let running: Vec<_> = (0..8)
        .map(|_| begin_http2(&connection, slow(subject.framework.cancels_streams)))
        .collect::<Result<_, _>>()?;
    site.wait_for_in_flight((8, 0), "in eight streams")?;
    connection.abort()?;
    drop(running);
    site.wait_for_in_flight(NOTHING, "after a connection was lost")
}

/// Ten thousand requests that clients end in every way they can, while the site is switched: nothing is left.
///
/// # Errors
///
/// What was not kept.
pub fn ten_thousand_broken_requests_leave_nothing(subject: &Subject) -> Result<(), Broken> {
    // A rule for roles, so that blocked requests look for their visitors before they are let go.
    let config = format!("{CONFIG}[allow]\nroles = [\"staff\"]\n");
    let site = Site::start(subject.program(), &config)?;
    let began = Instant::now();
    for mode in [None, Some(Mode::Offline), Some(Mode::ReadOnly), None] {
        match mode {
            Some(mode) => site.close(&On::mode(mode))?,
            None => site.open()?,
        }
        site.storm(2_500)?;
        site.wait_for_in_flight(NOTHING, "after a storm")?;
    }
    println!("10 000 requests in {:?}", began.elapsed());
    Ok(())
}

/// A thousand streams on forty connections, finished, reset or lost as the dice say, on an open and on a closed
/// site: nothing is left.
///
/// # Errors
///
/// What was not kept.
pub fn a_thousand_broken_streams_leave_nothing(subject: &Subject) -> Result<(), Broken> {
    if !subject.framework.http2 {
        return Ok(());
    }
    let site = Site::start(subject.program(), CONFIG)?;
    let mut dice = Dice::default();
    for round in 0..40 {
        if round == 20 {
            site.close(&On::default())?;
        }
        let connection = site.connect_http2()?;
        let mut kept = Vec::new();
        for _ in 0..25 {
            let target = ["/", "/slow?ms=5", "/stream?chunks=5&ms=1", "/healthz"];
            let exchange = begin_http2(&connection, target[dice.roll(4) as usize])?;
            match dice.roll(3) {
                // Servers end connections with many more resets than this (CVE-2023-44487).
                0 => exchange.cancel(),
                _ => kept.push(exchange),
            }
        }
        if dice.roll(2) == 0 {
            for exchange in kept.drain(..) {
                connection.finish(exchange)?;
            }
        }
        if dice.roll(2) == 0 {
            connection.abort()?;
        }
    }
    site.wait_for_in_flight(NOTHING, "after a storm of streams")
}

/// A head that never ends, and a body that never comes to its end while the site is closed: the server
/// answers or ends the connection, or waits on; it counts nothing either way.
///
/// # Errors
///
/// What was not kept.
pub fn clients_that_stall_are_not_counted(subject: &Subject) -> Result<(), Broken> {
    let site = super::offline(subject, "")?;
    let mut loris = site.connect()?;
    for part in ["GET / HT", "TP/1.1\r\nHo", "st: localhost\r\nX-Slow: "] {
        loris.send(part.as_bytes())?;
        std::thread::sleep(Duration::from_millis(20));
    }
    let mut stalled = begin(&site, "POST", "/upload", "1000")?;
    stalled.send(b"a part")?;
    let mut chunked = site.connect()?;
    let fields = [("Transfer-Encoding", "chunked")];
    chunked.send(&request("POST", "/upload", &fields, "5\r\nhe"))?;
    if subject.framework.answers_before_body {
        for stalled in [&mut stalled, &mut chunked] {
            let response = stalled.response("POST")?;
            ensure!(response.is_closed(), "{}", super::shown(&response));
        }
        site.wait_for_in_flight(NOTHING, "beside a head and bodies that stall")?;
        let ended = stalled.is_closed_within(super::LINGER)?;
        ensure!(ended, "a body that stalls keeps its connection open");
        let ended = chunked.is_closed_within(super::LINGER / 4)?;
        ensure!(
            ended != subject.framework.waits_for_chunks,
            "a chunked body that stalls: the connection ends: {ended}"
        );
    }
    loris.send(b"1\r\n\r\n")?;
    let response = loris.response("GET")?;
    ensure!(
        response.is_closed(),
        "the slow head: {}",
        super::shown(&response)
    );
    drop((loris, stalled, chunked));
    site.wait_for_in_flight(NOTHING, "after clients that stalled")
}
