//! A real server, clients that leave, and handlers that panic.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use maintenance_mode::{Config, Maintenance};
use maintenance_mode_conformance::backend_suite::Broken;
use maintenance_mode_conformance::in_flight;
use maintenance_mode_rocket::MaintenanceFairing;
use rocket::fairing::AdHoc;
use rocket::futures::StreamExt as _;
use rocket::response::stream::ByteStream;
use rocket::response::{self, Responder, Response};
use rocket::tokio::io::{AsyncRead, ReadBuf};
use rocket::{Request, Shutdown, get, routes};
use tokio::sync::oneshot;

use super::{maintenance, quiet};

#[get("/")]
const fn hello() -> &'static str {
    "hello"
}

#[get("/slow")]
async fn slow() -> &'static str {
    tokio::time::sleep(Duration::from_secs(1)).await;
    "slow"
}

#[get("/panic")]
fn panics() -> &'static str {
    std::panic::resume_unwind(Box::new("a handler that panics"))
}

#[get("/stream")]
fn endless() -> ByteStream![&'static [u8]] {
    ByteStream! {
        loop {
            tokio::time::sleep(Duration::from_millis(5)).await;
            yield [b'x'; 1024].as_slice();
        }
    }
}

/// A body that fails after some pieces.
struct Breaks(u8);

impl AsyncRead for Breaks {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Some(left) = self.0.checked_sub(1) else {
            return Poll::Ready(Err(io::Error::other("broken")));
        };
        self.0 = left;
        buffer.put_slice(b"piece");
        Poll::Ready(Ok(()))
    }
}

impl<'r> Responder<'r, 'static> for Breaks {
    fn respond_to(self, _: &'r Request<'_>) -> response::Result<'static> {
        Response::build().streamed_body(self).ok()
    }
}

#[get("/breaks")]
const fn breaks() -> Breaks {
    Breaks(3)
}

#[get("/ws")]
fn echo(upgrade: rocket_ws::WebSocket) -> rocket_ws::Channel<'static> {
    upgrade.channel(|mut socket| {
        Box::pin(async move {
            while let Some(message) = socket.next().await {
                rocket::futures::SinkExt::send(&mut socket, message?).await?;
            }
            Ok(())
        })
    })
}

/// A server on a free port, with everything that can end badly.
async fn serve(maintenance: &Maintenance) -> (SocketAddr, Shutdown) {
    let (tell, told) = oneshot::channel();
    let tell = std::sync::Mutex::new(Some(tell));
    let liftoff = AdHoc::on_liftoff("Announce", move |rocket| {
        let config = rocket.config();
        let address = SocketAddr::new(config.address, config.port);
        let _ = tell.lock().unwrap().take().unwrap().send(address);
        Box::pin(std::future::ready(()))
    });
    let site = quiet()
        .attach(MaintenanceFairing::new(maintenance.clone()))
        .attach(liftoff)
        .mount("/", routes![hello, slow, panics, endless, breaks, echo]);
    let site = site.ignite().await.unwrap();
    let shutdown = site.shutdown();
    tokio::spawn(site.launch());
    (told.await.unwrap(), shutdown)
}

#[tokio::test]
async fn whatever_ends_a_handler_ends_its_count() -> Result<(), Broken> {
    let maintenance = maintenance(Config::new()).await;
    let (address, shutdown) = serve(&maintenance).await;
    in_flight::whatever_ends_a_handler_ends_its_count(address, &maintenance).await?;
    shutdown.notify();
    Ok(())
}
