//! An echo over WebSocket, which closes when the site goes offline.

use std::io;

use futures_util::{SinkExt as _, StreamExt as _};
use maintenance_mode::Mode;
use maintenance_mode::live::Changes;
use maintenance_mode_example_shop::mode_in;
use poem::web::Data;
use poem::web::websocket::{CloseCode, Message, WebSocket, WebSocketConfig, WebSocketStream};
use poem::{IntoResponse, Route, get, handler};

use crate::app::App;

/// The largest message, in bytes.
const LARGEST: usize = 64 << 10;

pub(super) fn add_to(routes: Route) -> Route {
    routes.at("/ws", get(open))
}

#[handler]
async fn open(app: Data<&App>, socket: WebSocket) -> impl IntoResponse {
    let changes = app.maintenance.changed();
    // The gate sees the connection only until it is upgraded; from then on it is counted here.
    let counted = app.maintenance.in_flight().enter().upgrade();
    socket
        .config(WebSocketConfig::default().max_message_size(Some(LARGEST)))
        .on_upgrade(async move |socket| {
            // A client that went away cannot be told why.
            let _ = echo(socket, changes).await;
            drop(counted);
        })
}

/// Pings and closes are answered by the library.
async fn echo(mut socket: WebSocketStream, mut changes: Changes) -> io::Result<()> {
    loop {
        tokio::select! {
            message = socket.next() => match message {
                Some(Ok(message @ (Message::Text(_) | Message::Binary(_)))) => {
                    socket.send(message).await?;
                }
                // A close is answered when the next message is asked for, and then there is none.
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Close(_))) => {}
                Some(Err(_)) | None => return Ok(()),
            },
            changed = changes.next() => match changed {
                Some(snapshot) if mode_in(&snapshot) == Mode::Offline => {
                    let reason = "the site is closed for maintenance";
                    return socket.send(Message::close_with(CloseCode::Restart, reason)).await;
                }
                Some(_) => {}
                None => return socket.send(Message::close()).await,
            },
        }
    }
}
