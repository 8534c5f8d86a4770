//! What every adapter promises about counting: a request counts until its response body ends, whatever
//! ends it.

use std::net::SocketAddr;
use std::time::Duration;

use maintenance_mode::{Maintenance, Mode, Off, On, SiteName};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::backend_suite::{Broken, broken};
use crate::ensure;

/// Small, quick and the same each time (Marsaglia's xorshift).
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Default for Dice {
    fn default() -> Self {
        Self(0x9E37_79B9_7F4A_7C15)
    }
}

impl Dice {
    /// Dice that fall in a way of their own.
    #[must_use]
    pub const fn seeded(seed: u64) -> Self {
        // Zero would stay zero.
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// A number below `sides`.
    pub const fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

/// Opens the default site, closes it, or makes it read-only, in turns.
///
/// # Errors
///
/// The switch was refused.
pub async fn switch_for_round(maintenance: &Maintenance, round: u32) -> Result<(), Broken> {
    let sites = [SiteName::default()];
    match round % 3 {
        0 => maintenance.off(&sites, &Off::default()).await?,
        1 => maintenance.on(&sites, &On::default()).await?,
        _ => maintenance.on(&sites, &On::mode(Mode::ReadOnly)).await?,
    };
    Ok(())
}

/// What becomes of a handler whose client has gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Abandoned {
    Stops,
    RunsOn,
}

/// Drives a server of these routes: `/` says `hello`, `/slow` takes half a minute, `/panic` panics,
/// `/stream` never ends, `/breaks` fails in the middle of its body, `/ws` is a WebSocket.
///
/// # Errors
///
/// What was not kept.
pub async fn whatever_ends_a_request_ends_its_count(
    address: SocketAddr,
    maintenance: &Maintenance,
) -> Result<(), Broken> {
    ends(address, maintenance, Abandoned::Stops).await
}

/// The same for a framework that lets handlers run to their end; there, `/slow` takes a second.
///
/// # Errors
///
/// What was not kept.
pub async fn whatever_ends_a_handler_ends_its_count(
    address: SocketAddr,
    maintenance: &Maintenance,
) -> Result<(), Broken> {
    ends(address, maintenance, Abandoned::RunsOn).await
}

async fn ends(
    address: SocketAddr,
    maintenance: &Maintenance,
    abandoned: Abandoned,
) -> Result<(), Broken> {
    let mut stream = send(address, "/", "Connection: close\r\n").await?;
    let mut text = String::new();
    stream.read_to_string(&mut text).await?;
    ensure!(text.ends_with("hello"), "{text}");
    wait_for(maintenance, 0, 0, "an ordinary request").await?;

    // The client aborts while the handler runs. (One that closes in an orderly way might still read, so
    // some servers let the handler finish, and the count goes on.)
    let stream = send(address, "/slow", "").await?;
    wait_for(maintenance, 1, 0, "in a slow handler").await?;
    stream.set_zero_linger()?;
    drop(stream);
    if abandoned == Abandoned::RunsOn {
        tokio::time::sleep(Duration::from_millis(200)).await;
        wait_for(maintenance, 1, 0, "in a handler that runs on").await?;
    }
    wait_for(maintenance, 0, 0, "after an abort").await?;

    // The connection ends, now or with the answer; the server goes on.
    let mut stream = send(address, "/panic", "Connection: close\r\n").await?;
    let _ = stream.read_to_end(&mut Vec::new()).await;
    wait_for(maintenance, 0, 0, "after a panic").await?;

    let mut stream = send(address, "/stream", "").await?;
    stream.read_exact(&mut [0; 4096]).await?;
    wait_for(maintenance, 1, 0, "in the middle of a body").await?;
    drop(stream);
    wait_for(maintenance, 0, 0, "the client went away").await?;

    let mut stream = send(address, "/breaks", "Connection: close\r\n").await?;
    let _ = stream.read_to_end(&mut Vec::new()).await;
    wait_for(maintenance, 0, 0, "after a body that fails").await?;

    // An upgraded connection counts apart, as long as it is open.
    let fields = "Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                  Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let mut stream = send(address, "/ws", fields).await?;
    let mut head = [0; 12];
    stream.read_exact(&mut head).await?;
    ensure!(&head == b"HTTP/1.1 101", "no WebSocket: {head:?}");
    wait_for(maintenance, 0, 1, "in a WebSocket").await?;
    drop(stream);
    wait_for(maintenance, 0, 0, "after a WebSocket").await
}

async fn send(address: SocketAddr, path: &str, fields: &str) -> Result<TcpStream, Broken> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n");
    stream.write_all(request.as_bytes()).await?;
    Ok(stream)
}

/// Waits until the counts are these.
async fn wait_for(
    maintenance: &Maintenance,
    requests: u64,
    upgraded: u64,
    moment: &str,
) -> Result<(), Broken> {
    let in_flight = maintenance.in_flight();
    for _ in 0..1000 {
        if (in_flight.count(), in_flight.upgraded()) == (requests, upgraded) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Err(broken(format!(
        "{moment}: waited for {requests} and {upgraded}, there are {} and {}",
        in_flight.count(),
        in_flight.upgraded()
    )))
}
