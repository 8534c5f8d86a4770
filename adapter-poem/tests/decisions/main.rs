//! What the middleware does with a request, in process.
#![allow(clippy::unwrap_used)]

mod answers;
mod errors;
mod overrides;
mod shared;
mod status;
mod visitors;

use std::net::SocketAddr;

pub(crate) use maintenance_mode_conformance::in_memory::{close, closed, maintenance, open};
use maintenance_mode_poem::MaintenanceMiddleware;
use poem::endpoint::{BoxEndpoint, make_sync};
use poem::http::request::Builder;
use poem::http::uri::Scheme;
use poem::http::{Request as HttpRequest, StatusCode};
use poem::web::{LocalAddr, RemoteAddr};
use poem::{Addr, Body, Endpoint, EndpointExt, Request, RequestParts, Response, Route, get};

/// Says that it was reached, to every method.
pub(crate) fn reached() -> impl Endpoint {
    make_sync(|_| "handler reached")
}

/// A small application around which the middleware is put.
pub(crate) fn site(gate: MaintenanceMiddleware) -> BoxEndpoint<'static> {
    Route::new()
        .at("/", reached())
        .at("/open", reached())
        .at("/shut", reached())
        .at("/control", reached())
        .at("/users/:id", get(reached()))
        .with(gate)
        .boxed()
}

/// A request as poem's server makes it, from this peer.
pub(crate) fn served(builder: Builder, peer: Addr) -> Request {
    let (head, ()) = builder.body(()).unwrap().into_parts();
    let parts = RequestParts::from((head, LocalAddr::default(), RemoteAddr(peer), Scheme::HTTP));
    Request::from_parts(parts, Body::empty())
}

/// A request as poem's server makes it, from somebody.
pub(crate) fn request(builder: Builder) -> Request {
    served(builder, SocketAddr::from(([203, 0, 113, 9], 4711)).into())
}

pub(crate) async fn ask(site: &impl Endpoint, request: Request) -> Response {
    site.get_response(request).await
}

pub(crate) async fn get_at(site: &impl Endpoint, path: &str) -> Response {
    ask(site, request(HttpRequest::get(path))).await
}

pub(crate) async fn status(site: &impl Endpoint, path: &str) -> StatusCode {
    get_at(site, path).await.status()
}

pub(crate) async fn text(response: Response) -> String {
    response.into_body().into_string().await.unwrap()
}
