//! Thousands of requests that end in every way that a client can end them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::backend_suite::{Broken, broken};
use crate::in_flight::Dice;

/// How many clients there are at any moment.
const CLIENTS: u64 = 64;

/// The longest that a client waits for an answer before it leaves.
const LONGEST: Duration = Duration::from_millis(1500);

/// Sends this many requests; each client reads its answer, leaves early, or dies, as the dice say. The dice
/// fall the same each time; what the server has done by then does not.
///
/// # Errors
///
/// The server does not listen.
pub(super) async fn unleash(address: SocketAddr, requests: u32) -> Result<(), Broken> {
    let left = Arc::new(AtomicU32::new(requests));
    let mut clients = JoinSet::new();
    for number in 0..CLIENTS {
        let left = Arc::clone(&left);
        clients.spawn(async move {
            let mut dice = Dice::seeded(number + 1);
            let take = |left: u32| left.checked_sub(1);
            while left
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take)
                .is_ok()
            {
                one(address, &mut dice).await?;
            }
            Ok::<_, Broken>(())
        });
    }
    while let Some(ended) = clients.join_next().await {
        ended.map_err(|error| broken(format!("a client of the storm: {error}")))??;
    }
    Ok(())
}

/// One client with one request.
async fn one(address: SocketAddr, dice: &mut Dice) -> Result<(), Broken> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let head = match dice.roll(6) {
        0 => "GET / HTTP/1.1\r\nHost: localhost\r\n",
        1 => "GET /slow?ms=3 HTTP/1.1\r\nHost: localhost\r\n",
        2 => "GET /stream?chunks=20&ms=1 HTTP/1.1\r\nHost: localhost\r\n",
        3 => "POST /upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000\r\n",
        4 => "POST /upload HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n",
        _ => "GET /slow?ms=20 HTTP/1.1\r\nHost: localhost\r\n",
    };
    // The server may have ended the connection; that is one of the ways.
    let _ = stream.write_all(head.as_bytes()).await;
    let _ = stream.write_all(b"Connection: close\r\n\r\n").await;
    if head.starts_with("POST") {
        let part = dice.roll(4096) as usize;
        let body = format!("{part:x}\r\n{}", "x".repeat(part));
        let _ = stream.write_all(body.as_bytes()).await;
    }
    let patience = match dice.roll(4) {
        0 => Duration::ZERO,
        1 => Duration::from_millis(dice.roll(4)),
        2 => Duration::from_millis(dice.roll(30)),
        _ if head.starts_with("POST") => Duration::from_millis(2),
        _ => LONGEST,
    };
    let mut answer = [0; 4096];
    let reads = async { while matches!(stream.read(&mut answer).await, Ok(1..)) {} };
    let _ = tokio::time::timeout(patience, reads).await;
    if dice.roll(2) == 0 {
        stream.set_zero_linger()?;
    }
    Ok(())
}
