//! An echo over WebSocket, which closes when the site goes offline.

use actix_web::web::{self, Payload, ServiceConfig};
use actix_web::{Error, HttpRequest, HttpResponse, rt};
use actix_ws::{AggregatedMessage, CloseCode, CloseReason, MessageStream, Session};
use maintenance_mode::live::Changes;
use maintenance_mode::{Maintenance, Mode};
use maintenance_mode_example_shop::mode_in;

/// The largest message, in bytes.
const LARGEST: usize = 64 << 10;

pub(super) fn routes(site: &mut ServiceConfig) {
    site.route("/ws", web::get().to(open));
}

async fn open(request: HttpRequest, body: Payload) -> Result<HttpResponse, Error> {
    let Some(maintenance) = request.app_data::<Maintenance>() else {
        return Ok(HttpResponse::InternalServerError().finish());
    };
    let changes = maintenance.changed();
    let (response, session, messages) = actix_ws::handle(&request, body)?;
    rt::spawn(async move {
        // A client that went away cannot be told why.
        let _ = echo(session, messages, changes).await;
    });
    Ok(response)
}

async fn echo(
    mut session: Session,
    messages: MessageStream,
    mut changes: Changes,
) -> Result<(), actix_ws::Closed> {
    let mut messages = messages
        .aggregate_continuations()
        .max_continuation_size(LARGEST);
    loop {
        tokio::select! {
            message = messages.recv() => match message {
                Some(Ok(AggregatedMessage::Text(text))) => session.text(text).await?,
                Some(Ok(AggregatedMessage::Binary(bytes))) => session.binary(bytes).await?,
                Some(Ok(AggregatedMessage::Ping(bytes))) => session.pong(&bytes).await?,
                Some(Ok(AggregatedMessage::Pong(_))) => {}
                Some(Ok(AggregatedMessage::Close(reason))) => return session.close(reason).await,
                Some(Err(_)) | None => return session.close(None).await,
            },
            changed = changes.next() => match changed {
                Some(snapshot) if mode_in(&snapshot) == Mode::Offline => {
                    // RFC 6455's registry: 1012, "service restart"; clients come back later.
                    let code = CloseCode::Restart;
                    let description = Some("the site is closed for maintenance".to_owned());
                    return session.close(Some(CloseReason { code, description })).await;
                }
                Some(_) => {}
                None => return session.close(None).await,
            },
        }
    }
}
