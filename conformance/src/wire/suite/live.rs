//! What is open while the site closes and while the process stops, and the routes that take their time.

use std::time::{Duration, Instant};

use maintenance_mode::On;

use crate::backend_suite::Broken;
use crate::ensure;
use crate::wire::{Site, Subject, request};

const CONFIG: &str = "backend = \"file:state.json\"\n";

fn start(subject: &Subject) -> Result<Site, Broken> {
    Site::start(subject.program(), CONFIG)
}

/// A WebSocket echoes, and is told when the site closes.
///
/// # Errors
///
/// What was not kept.
pub fn a_socket_echoes_until_the_site_closes(subject: &Subject) -> Result<(), Broken> {
    let site = start(subject)?;
    let mut socket = site.connect()?;
    socket.open_web_socket("/ws")?;
    // A masked text frame with a mask of zeros: `hi`.
    socket.send(b"\x81\x82\0\0\0\0hi")?;
    socket.read_until(b"\x81\x02hi")?;

    site.close(&On::default())?;
    // A close frame with code 1012.
    let last = socket.read_until(b"\x03\xf4the site is closed for maintenance")?;
    ensure!(last.first() == Some(&0x88), "not a close frame: {last:?}");
    Ok(())
}

/// An event stream tells the mode, and each change.
///
/// # Errors
///
/// What was not kept.
pub fn an_event_stream_tells_that_the_site_closes(subject: &Subject) -> Result<(), Broken> {
    let site = start(subject)?;
    let mut events = site.connect()?;
    let fields = [("Accept", "text/event-stream")];
    events.send(&request("GET", "/events", &fields, ""))?;
    events.read_until(b"content-type: text/event-stream")?;
    events.read_until(b"event: mode\ndata: online\n\n")?;
    site.close(&On::default())?;
    events.read_until(b"event: mode\ndata: offline\n\n")?;
    Ok(())
}

/// At SIGTERM running requests may end.
///
/// # Errors
///
/// What was not kept.
pub fn a_running_request_ends_before_the_process_does(subject: &Subject) -> Result<(), Broken> {
    let site = start(subject)?;
    let mut slow = site.connect()?;
    slow.send(&request("GET", "/slow?ms=700", &[], ""))?;
    // The request must have arrived before the signal does.
    std::thread::sleep(Duration::from_millis(200));
    let began = Instant::now();
    let exit = site.terminate()?;
    ensure!(exit.success(), "{exit}");
    ensure!(
        began.elapsed() < Duration::from_secs(9),
        "stopped after {:?}",
        began.elapsed()
    );
    let response = slow.response("GET")?;
    ensure!(response.status == 200, "{response:?}");
    Ok(())
}

/// Uploads, long bodies and items work on an open site.
///
/// # Errors
///
/// What was not kept.
pub fn bodies_are_counted_and_streamed(subject: &Subject) -> Result<(), Broken> {
    let site = start(subject)?;
    let upload = site.ask("POST", "/upload", &[("Content-Length", "5")], "hello")?;
    ensure!(upload.text() == "{\"bytes\":5}", "{upload:?}");
    let stream = site.get("/stream?chunks=64&ms=0")?;
    ensure!(stream.body.len() == 64 << 10, "{} bytes", stream.body.len());
    let fields = [
        ("Content-Type", "application/json"),
        ("Content-Length", "14"),
    ];
    let added = site.ask("POST", "/api/items", &fields, "{\"name\":\"Tea\"}")?;
    ensure!(added.status == 201, "{added:?}");
    ensure!(
        site.get("/api/items")?.text().contains("\"Tea\""),
        "the item is not there"
    );
    ensure!(
        site.get("/")?.text().contains("<li>Tea</li>"),
        "the page does not have it"
    );
    Ok(())
}
