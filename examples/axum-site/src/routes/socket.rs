//! An echo over WebSocket, which closes when the site goes offline.

use axum::Router;
use axum::extract::State;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use axum::routing::any;
use maintenance_mode::Mode;
use maintenance_mode::live::Changes;
use maintenance_mode_example_shop::mode_in;

use crate::app::App;

/// The largest message, in bytes.
const LARGEST: usize = 64 << 10;

/// RFC 6455's registry: 1012, "service restart"; clients come back later.
const SERVICE_RESTART: u16 = 1012;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/ws", any(open))
}

async fn open(State(app): State<App>, upgrade: WebSocketUpgrade) -> Response {
    let changes = app.maintenance.changed();
    // The layer sees the connection only until it is upgraded; from then on it is counted here.
    let counted = app.maintenance.in_flight().enter().upgrade();
    upgrade
        .max_message_size(LARGEST)
        .on_upgrade(async move |socket| {
            // A client that went away cannot be told why.
            let _ = echo(socket, changes).await;
            drop(counted);
        })
}

/// Pings are answered by the library.
async fn echo(mut socket: WebSocket, mut changes: Changes) -> Result<(), axum::Error> {
    loop {
        tokio::select! {
            message = socket.recv() => match message {
                Some(Ok(message @ (Message::Text(_) | Message::Binary(_)))) => {
                    socket.send(message).await?;
                }
                // Reading on sends the answer to a close frame, and then ends.
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Close(_))) => {}
                Some(Err(_)) | None => return Ok(()),
            },
            changed = changes.next() => match changed {
                Some(snapshot) if mode_in(&snapshot) == Mode::Offline => {
                    let reason = "the site is closed for maintenance".into();
                    let frame = CloseFrame { code: SERVICE_RESTART, reason };
                    return socket.send(Message::Close(Some(frame))).await;
                }
                Some(_) => {}
                None => return socket.send(Message::Close(None)).await,
            },
        }
    }
}
