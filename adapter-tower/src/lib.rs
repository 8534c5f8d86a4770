//! Maintenance mode for [tower](https://docs.rs/tower) and everything built on it, axum, tonic and hyper
//! among them: closes a site safely and opens it again.
//!
//! ```no_run
//! use std::net::SocketAddr;
//!
//! use axum::Router;
//! use axum::extract::ConnectInfo;
//! use axum::routing::get;
//! use maintenance_mode::Maintenance;
//! use maintenance_mode_tower::MaintenanceLayer;
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let maintenance = Maintenance::from_file("maintenance.toml").await?;
//!     let app = Router::new()
//!         .route("/", get(async || "Hello!"))
//!         .layer(
//!             MaintenanceLayer::new(maintenance)
//!                 .peer_from(|info: &ConnectInfo<SocketAddr>| info.ip()),
//!         )
//!         .into_make_service_with_connect_info::<SocketAddr>();
//!     let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
//!     Ok(axum::serve(listener, app).await?)
//! }
//! ```
//!
//! From then on `maintenance on` and `maintenance off`, or [`Maintenance::on`] and
//! [`Maintenance::off`], close and open the site, unknown paths included.
//!
//! - [`MaintenanceLayer`]: the layer, with who asks, logging out, and where the peer's address is.
//! - [`Routes`]: routes that are always open or always closed.
//! - [`MaintenanceStatus`]: what the site does now, for a banner; an extractor with axum.
//! - [`Verdict`]: what was decided, in the extensions of every response whose request was decided about
//!   while something was closed or planned: `response.extensions().get::<Verdict>()`.
//! - `MakeMaintenanceClassifier`, with the feature `tower-http`: for `TraceLayer`, so that the answers of
//!   maintenance are no failures. What else it logs is kept out by the engine's filter, see
//!   [`maintenance_mode::logging`].
//!
//! # Order of layers
//!
//! In axum the layer that is added *last* to a `Router` is the outermost; in a `tower::ServiceBuilder` it
//! is the *first*. Seen from outside:
//!
//! 1. Loggers and tracing, so that they see the answers and their [`Verdict`].
//! 2. CORS. The engine answers preflights itself only for the origins in `[answer]`; a CORS layer outside
//!    lets pages read the 503 as they read every other response.
//! 3. Session layers, if `identify` needs what they leave with the request. They run for blocked requests,
//!    too.
//! 4. [`MaintenanceLayer`].
//! 5. Everything that costs something or holds something: compression, time limits, concurrency limits
//!    (their permits are taken when they say that they are ready, so outside of this layer blocked
//!    requests would hold them), the application.
//!
//! With axum, add the layer by `Router::layer` *after* all routes and the fallback: it holds for what was
//! added before it. `Router::route_layer` would leave unknown paths alone, which then say 404 on a closed
//! site. On a nested router the target has lost its prefix: say
//! [`original_uri`](MaintenanceLayer::original_uri).
//!
//! # Around a whole axum router
//!
//! Outside of the router the layer comes before routing: that costs less, and axum adds nothing to its
//! answers. Templates of routes are not known there, so [`Routes`] do not work. `axum::serve` takes
//! responses with axum's own body alone:
//!
//! ```no_run
//! # use std::net::SocketAddr;
//! use axum::body::Body;
//! use axum::extract::{ConnectInfo, Request};
//! use axum::{Router, ServiceExt};
//! use http::Response;
//! # use maintenance_mode::Maintenance;
//! use maintenance_mode_tower::{MaintenanceBody, MaintenanceLayer};
//! use tower::ServiceBuilder;
//!
//! # async fn serve(maintenance: Maintenance, router: Router) -> Result<(), Box<dyn std::error::Error>> {
//! let maintenance = MaintenanceLayer::new(maintenance)
//!     .peer_from(|info: &ConnectInfo<SocketAddr>| info.ip());
//! let app = ServiceBuilder::new()
//!     .map_response(|response: Response<MaintenanceBody<Body>>| response.map(Body::new))
//!     .layer(maintenance)
//!     .service(router);
//! let app = ServiceExt::<Request>::into_make_service_with_connect_info::<SocketAddr>(app);
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
//! axum::serve(listener, app).await?;
//! # Ok(()) }
//! ```
//!
//! # With tonic
//!
//! A blocked call gets `UNAVAILABLE` in headers alone, with the site's message and the time after which to
//! come back (`google.rpc.RetryInfo`), as clients of any language expect it.
//!
//! ```no_run
//! use maintenance_mode::Maintenance;
//! use maintenance_mode_tower::MaintenanceLayer;
//! use tonic::transport::server::{Server, TcpConnectInfo};
//!
//! # async fn serve(maintenance: Maintenance) -> Result<(), Box<dyn std::error::Error>> {
//! let layer = MaintenanceLayer::new(maintenance).peer(|request| {
//!     let info = request.get::<TcpConnectInfo>(); // with TLS, `TlsConnectInfo<TcpConnectInfo>`
//!     info.and_then(TcpConnectInfo::remote_addr).map(|peer| peer.ip()).into()
//! });
//! let (_, health) = tonic_health::server::health_reporter();
//! let mut server = Server::builder().layer(layer);
//! server.add_service(health).serve("127.0.0.1:50051".parse()?).await?;
//! # Ok(()) }
//! ```
//!
//! - The layer that is given to `Server::layer` first is the outermost. tonic's own `timeout`,
//!   `concurrency_limit_per_connection` and `load_shed` stand outside of all layers.
//! - Interceptors of a service (`with_interceptor`, `InterceptorLayer` around it) run inside of this layer,
//!   for admitted calls only. What one of them leaves in the extensions is not there for
//!   [`identify`](MaintenanceLayer::identify), which reads metadata as header fields.
//! - Orchestrators ask `grpc.health.v1.Health/Check`: leave it open by its path,
//!   `health = ["/grpc.health.v1.Health/Check"]` under `[allow]`. A path is `/package.Service/Method`.
//! - One service alone: `MaintenanceLayer::new(…)`, [`force_on`](MaintenanceLayer::force_on) or
//!   [`force_off`](MaintenanceLayer::force_off), then `.named_layer(service)` of `tonic::service::LayerExt`.
//!   [`Routes`] need a router's templates, which tonic does not show to layers.
//! - A stream that is open when the site closes goes on, and counts until it ends.
//!
//! # With hyper
//!
//! Wrap a `service_fn`, insert the connection's `SocketAddr` into each request's extensions, and serve it by
//! `hyper_util::service::TowerToHyperService`.
//!
//! The inner service must be `Clone + Send + 'static`; its request body any `http_body::Body` that is
//! `Send + 'static`, and its response body one whose data can be made of `Bytes`. It is cloned only where a
//! visitor is looked up. With the feature `axum` (default) the crate depends on `axum-core`, never on axum.
//!
//! # What is counted
//!
//! A request is in flight from its arrival until its response body has ended or was dropped: after an
//! error, a panic or a client that went away, too. While every site is online a request costs no
//! allocation here. axum's `Router::layer` puts every body that is not its own type into a box, so there it
//! costs one: a layer that counts bodies has to be a body.
//!
//! # What cannot be done from here
//!
//! - **Upgraded connections**: hyper ends the body of a 101 when it has been sent, and hands the connection
//!   to the application past every layer. A handler that wants its WebSocket counted holds
//!   `maintenance.in_flight().enter().upgrade()` as long as it runs.
//! - **Open connections**: WebSockets and streams that are open when the site closes go on. Close them by
//!   [`Maintenance::changed`].
//! - **Unread request bodies**: a blocked upload is answered at once, and [`Drain`] says what becomes of the
//!   rest. Without a length it cannot be known that a body is long: then the connection ends unannounced.
//!   Reading on takes tokio with its timer, without which `Connection: close` is said.
//! - **`Allow`**: where a layer of an axum `Router` answers a method that the route has no handler for, axum adds
//!   `Allow` with the route's methods, to a 503 as to a preflight. Wrapped around the whole router, the layer is
//!   out of its reach, and does not know the route.
//! - **Malformed requests**: what hyper refuses (400) never comes here. It never reaches the application
//!   either.
//!
//! [`Maintenance::on`]: maintenance_mode::Maintenance::on
//! [`Maintenance::off`]: maintenance_mode::Maintenance::off
//! [`Maintenance::changed`]: maintenance_mode::Maintenance::changed

mod body;
#[cfg(feature = "tower-http")]
mod classify;
mod facts;
mod functions;
mod future;
mod layer;
mod routes;
mod service;
mod status;

pub use body::MaintenanceBody;
#[cfg(feature = "tower-http")]
pub use classify::{MaintenanceClassifier, MakeMaintenanceClassifier};
pub use future::ResponseFuture;
pub use layer::MaintenanceLayer;
pub use maintenance_mode::Verdict;
pub use maintenance_mode::http::Drain;
pub use maintenance_mode::live::RequestFn;
pub use routes::Routes;
pub use service::MaintenanceService;
pub use status::MaintenanceStatus;
