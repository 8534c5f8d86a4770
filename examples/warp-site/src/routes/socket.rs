//! An echo over WebSocket, which closes when the site goes offline.

use futures_util::{SinkExt as _, StreamExt as _};
use maintenance_mode::Mode;
use maintenance_mode::live::Changes;
use maintenance_mode_example_shop::mode_in;
use warp::ws::{Message, WebSocket, Ws};
use warp::{Filter, Rejection, Reply};

use crate::app::App;

/// The largest message, in bytes.
const LARGEST: usize = 64 << 10;

/// RFC 6455's registry: 1012, "service restart"; clients come back later.
const SERVICE_RESTART: u16 = 1012;

pub(super) fn routes(
    app: &App,
) -> impl Filter<Extract = (impl Reply + use<>,), Error = Rejection> + Clone + Send + Sync + use<> {
    warp::path!("ws").and(warp::ws()).and(app.given()).map(open)
}

#[expect(clippy::needless_pass_by_value)]
fn open(upgrade: Ws, app: App) -> impl Reply + use<> {
    let changes = app.maintenance.changed();
    // The guard sees the connection only until it is upgraded; from then on it is counted here.
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
async fn echo(mut socket: WebSocket, mut changes: Changes) -> Result<(), warp::Error> {
    loop {
        tokio::select! {
            message = socket.next() => match message {
                Some(Ok(message)) if message.is_text() || message.is_binary() => {
                    socket.send(message).await?;
                }
                // Reading on sends the answer to a close frame, and then ends.
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Ok(()),
            },
            changed = changes.next() => match changed {
                Some(snapshot) if mode_in(&snapshot) == Mode::Offline => {
                    let reason = "the site is closed for maintenance";
                    return socket.send(Message::close_with(SERVICE_RESTART, reason)).await;
                }
                Some(_) => {}
                None => return socket.send(Message::close()).await,
            },
        }
    }
}
