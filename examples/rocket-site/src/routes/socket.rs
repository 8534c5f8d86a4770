//! An echo over WebSocket, which closes when the site goes offline.

use futures_util::{SinkExt as _, StreamExt as _};
use maintenance_mode::live::Changes;
use maintenance_mode::{Maintenance, Mode};
use maintenance_mode_example_shop::mode_in;
use rocket::{State, get};
use rocket_ws::frame::{CloseCode, CloseFrame};
use rocket_ws::result::Result;
use rocket_ws::stream::DuplexStream;
use rocket_ws::{Channel, Config, Message, WebSocket};

/// The largest message, in bytes.
const LARGEST: usize = 64 << 10;

#[get("/ws")]
pub(super) fn open(upgrade: WebSocket, maintenance: &State<Maintenance>) -> Channel<'static> {
    let changes = maintenance.changed();
    let config = Config {
        max_message_size: Some(LARGEST),
        ..Config::default()
    };
    upgrade
        .config(config)
        .channel(move |socket| Box::pin(echo(socket, changes)))
}

/// Pings and closing are answered by the library, when it is asked for the next message.
async fn echo(mut socket: DuplexStream, mut changes: Changes) -> Result<()> {
    loop {
        tokio::select! {
            message = socket.next() => match message.transpose()? {
                Some(message @ (Message::Text(_) | Message::Binary(_))) => {
                    socket.send(message).await?;
                }
                Some(_) => {}
                None => return Ok(()),
            },
            changed = changes.next() => match changed {
                Some(snapshot) if mode_in(&snapshot) == Mode::Offline => {
                    let reason = "the site is closed for maintenance".into();
                    // RFC 6455's registry: 1012, "service restart"; clients come back later.
                    let frame = CloseFrame { code: CloseCode::Restart, reason };
                    return socket.close(Some(frame)).await;
                }
                Some(_) => {}
                None => return socket.close(None).await,
            },
        }
    }
}
