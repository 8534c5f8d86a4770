//! What is open while the site closes, and while the process stops.

use std::time::{Duration, Instant};

use maintenance_mode::On;
use maintenance_mode_conformance::backend_suite::Broken;
use maintenance_mode_conformance::ensure;
use maintenance_mode_conformance::wire::{Site, request};

const CONFIG: &str = "backend = \"file:state.json\"\n";

fn start() -> Result<Site, Broken> {
    Site::start(env!("CARGO_BIN_EXE_actix-site").as_ref(), CONFIG)
}

#[test]
fn a_socket_echoes_until_the_site_closes() -> Result<(), Broken> {
    let site = start()?;
    let mut socket = site.connect()?;
    let upgrade = [
        ("Connection", "Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    socket.send(&request("GET", "/ws", &upgrade, ""))?;
    let response = socket.response("GET")?;
    // The accept value of this key is RFC 6455's own example.
    let accept = response.field("sec-websocket-accept");
    let accepted = accept == Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    ensure!(response.status == 101 && accepted, "{response:?}");
    // A masked text frame with a mask of zeros: `hi`.
    socket.send(b"\x81\x82\0\0\0\0hi")?;
    socket.read_until(b"\x81\x02hi")?;

    site.close(&On::default())?;
    // A close frame with code 1012.
    let last = socket.read_until(b"\x03\xf4the site is closed for maintenance")?;
    ensure!(last.first() == Some(&0x88), "not a close frame: {last:?}");
    Ok(())
}

#[test]
fn an_event_stream_tells_that_the_site_closes() -> Result<(), Broken> {
    let site = start()?;
    let mut events = site.connect()?;
    let fields = [("Accept", "text/event-stream")];
    events.send(&request("GET", "/events", &fields, ""))?;
    events.read_until(b"content-type: text/event-stream")?;
    events.read_until(b"event: mode\ndata: online\n\n")?;
    site.close(&On::default())?;
    events.read_until(b"event: mode\ndata: offline\n\n")?;
    Ok(())
}

#[test]
fn a_running_request_ends_before_the_process_does() -> Result<(), Broken> {
    let site = start()?;
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

#[test]
fn bodies_are_counted_and_streamed() -> Result<(), Broken> {
    let site = start()?;
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

#[test]
fn the_commented_configuration_is_valid() -> Result<(), Broken> {
    let config = include_str!("../maintenance.toml");
    let site = Site::start(env!("CARGO_BIN_EXE_actix-site").as_ref(), config)?;
    site.close(&On::default())?;
    ensure!(site.get("/login")?.status == 200, "staff cannot log in");
    ensure!(site.get("/")?.is_closed(), "not closed");
    let api = site.get("/api/items")?;
    let is_json = api.field("content-type") == Some("application/problem+json");
    ensure!(is_json, "{api:?}");
    Ok(())
}
