//! A client that uploads to a closed site reads its answer.
#![allow(clippy::unwrap_used)]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use actix_web::{App, HttpServer, web};
use maintenance_mode::{Config, Maintenance, Mode};
use maintenance_mode_actix::MaintenanceMw;

const BODY: usize = 10 << 20;
const TRIES: u32 = 1_000;
/// How many clients upload at once.
const CLIENTS: u32 = 4;

/// Sends everything, however the server behaves, and says whether the answer was read.
fn upload(address: SocketAddr, chunk: &[u8]) -> std::io::Result<bool> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    stream.set_write_timeout(Some(Duration::from_secs(10)))?;
    let head =
        format!("POST /upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: {BODY}\r\n\r\n");
    stream.write_all(head.as_bytes())?;
    let mut sent = 0;
    while sent < BODY {
        // Most clients stop at the first error and then look for an answer.
        match stream.write(&chunk[..chunk.len().min(BODY - sent)]) {
            Ok(bytes) => sent += bytes,
            Err(_) => break,
        }
    }
    let head = read_head(&mut stream)?;
    Ok(head.starts_with("HTTP/1.1 503 ") && head.contains("x-maintenance: 1"))
}

/// Reads up to the empty line. A client that waits for the end of the connection instead would wait for
/// the server's linger.
fn read_head(stream: &mut TcpStream) -> std::io::Result<String> {
    let mut head = Vec::new();
    let mut part = [0; 4096];
    while !head.windows(4).any(|window| window == b"\r\n\r\n") {
        match stream.read(&mut part)? {
            0 => break,
            bytes => head.extend_from_slice(&part[..bytes]),
        }
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

#[actix_web::test]
async fn a_large_upload_to_a_closed_site_reads_its_answer() {
    let config = Config::new().backend("memory:").mode(Mode::Offline);
    let maintenance = Maintenance::start(config).await.unwrap();
    let in_flight = maintenance.in_flight().clone();
    let server = HttpServer::new(move || {
        App::new()
            .wrap(MaintenanceMw::new(maintenance.clone()))
            .route(
                "/upload",
                web::post().to(async |body: web::Bytes| body.len().to_string()),
            )
    })
    .workers(1)
    .disable_signals()
    .bind(("127.0.0.1", 0))
    .unwrap();
    let address = server.addrs()[0];
    let server = server.run();
    let handle = server.handle();
    actix_web::rt::spawn(server);

    let began = Instant::now();
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            actix_web::rt::task::spawn_blocking(move || {
                let chunk = vec![b'x'; 256 << 10];
                (0..TRIES / CLIENTS)
                    .filter(|_| upload(address, &chunk).unwrap_or(false))
                    .count()
            })
        })
        .collect();
    let mut answered = 0;
    for client in clients {
        answered += client.await.unwrap();
    }
    println!(
        "{answered} of {TRIES} uploads of {BODY} bytes read their 503 in {:?}",
        began.elapsed()
    );
    assert!(
        answered * 1000 >= 999 * TRIES as usize,
        "{answered} of {TRIES}"
    );
    assert!(
        began.elapsed() < Duration::from_secs(60),
        "{:?}",
        began.elapsed()
    );
    assert_eq!(in_flight.count(), 0);
    handle.stop(false).await;
}
