//! Maintenance mode for [poem](https://docs.rs/poem): closes a site safely and opens it again.
//!
//! ```no_run
//! use maintenance_mode::Maintenance;
//! use maintenance_mode_poem::MaintenanceMiddleware;
//! use poem::listener::TcpListener;
//! use poem::{EndpointExt, Route, Server, get, handler};
//!
//! #[handler]
//! fn hello() -> &'static str {
//!     "Hello!"
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let maintenance = Maintenance::from_file("maintenance.toml").await?;
//!     let app = Route::new()
//!         .at("/", get(hello))
//!         .with(MaintenanceMiddleware::new(maintenance));
//!     Ok(Server::new(TcpListener::bind("127.0.0.1:8080")).run(app).await?)
//! }
//! ```
//!
//! From then on `maintenance on` and `maintenance off`, or [`Maintenance::on`] and
//! [`Maintenance::off`], close and open the site, unknown paths included.
//!
//! - [`MaintenanceMiddleware`]: the gate, with who asks, logging out, and what stays open or closed.
//! - [`MaintenanceStatus`]: what the site does now, for a banner; an extractor.
//! - [`Verdict`]: what was decided, in the data of every response, and of every error, whose request was
//!   decided about while something was closed or planned: `response.data::<Verdict>()`.
//!
//! # Order of middlewares
//!
//! In poem the middleware that is put `with` an endpoint *last* is the outermost. Seen from outside:
//!
//! 1. Loggers and `Tracing`, so that they see the answers and their [`Verdict`].
//! 2. `Cors`. The engine answers preflights itself only for the origins in `[answer]`; a `Cors` outside
//!    lets pages read the 503 as they read every other response.
//! 3. Session and cookie middlewares, if `identify` needs what they leave with the request. They run for
//!    blocked requests, too.
//! 4. [`MaintenanceMiddleware`], around the outermost `Route`.
//! 5. `data`, `Compression`, time limits, the application.
//!
//! `MaintenanceFilter` of the engine keeps what poem's `Tracing` says of blocked requests out of an alarm:
//! `MaintenanceFilter::around(LevelFilter::INFO).request_span("request")`.
//!
//! A blocked request is an ordinary response for everybody further out, never an error: `catch_error` and
//! `catch_all_error` do not see it. An error of the application goes past the gate as it is, for them to
//! catch.
//!
//! # Routes that stay open
//!
//! A gate around a router decides before the router does, and poem tells nobody out there which pattern will
//! match. So:
//!
//! - A single path: [`force_off_at`](MaintenanceMiddleware::force_off_at) (and
//!   [`force_on_at`](MaintenanceMiddleware::force_on_at)), and
//!   [`control_at`](MaintenanceMiddleware::control_at) for the operator's way in.
//! - Routes of a pattern stand beside the gate. poem prefers them to what is nested at `/`:
//!
//! ```
//! # use maintenance_mode::{Config, Maintenance};
//! # use maintenance_mode_poem::MaintenanceMiddleware;
//! # use poem::{EndpointExt, Route, endpoint::make_sync, get, post};
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let maintenance = Maintenance::start(Config::new().backend("memory:")).await?;
//! # let (webhook, front, old_shop) = (make_sync(|_| "webhook"), make_sync(|_| "front"), make_sync(|_| "old"));
//! let open = MaintenanceMiddleware::force_off(maintenance.clone());
//! let closed = MaintenanceMiddleware::force_on(maintenance.clone());
//! let gate = MaintenanceMiddleware::new(maintenance);
//!
//! let shop = Route::new()
//!     .at("/", get(front))
//!     .nest("/legacy", old_shop.with(closed));
//! let app = Route::new()
//!     .at("/webhooks/:shop", post(webhook).with(open))
//!     .nest_no_strip("/", shop.with(gate));
//! # Ok(()) }
//! ```
//!
//! What the outer router itself refuses then does not come to the gate: `OPTIONS *` gets 404 and a path that
//! is no UTF-8 when it is decoded gets 400, from poem, in every mode.
//! - Or the policy exempts them: `allow.paths = ["/webhooks/*"]`.
//!
//! [`force_on`](MaintenanceMiddleware::force_on) closes what it is put around, and nothing that is routed
//! there comes past it, in whatever spelling; under a gate that is closed, the gate answers first and may look
//! the visitor up. Put it around `get(…)`, not inside: inside, other methods
//! would say 405.
//!
//! # With poem-grpc and poem-openapi
//!
//! Their services are endpoints like others: put the gate around the `RouteGrpc`, or around the `Route` that
//! an `OpenApiService` is nested in. A blocked gRPC call gets `UNAVAILABLE` in headers alone, as clients
//! expect it.
//!
//! # What is counted
//!
//! A request is in flight from the call of its endpoint until its response body has ended or was
//! dropped: after a panic or a client that went away, too. Where the application ends in an error, the count
//! ends when the error leaves the gate; what others make of it further out is theirs.
//!
//! While every site is online a request costs one allocation here: poem knows no body but a boxed one, so a
//! body that counts is one more box.
//!
//! # In tests
//!
//! poem's `TestClient` calls endpoints directly. Its requests come from nowhere, so address rules admit
//! none of them, and they have no original target, so a gate on a *nested* router sees the path without its
//! prefix. [`test_mode`](MaintenanceMiddleware::test_mode) with `allow.tests` lets them through a closed
//! site.
//!
//! # What cannot be done from here
//!
//! - **Upgraded connections**: poem hands the connection to a task of its own and tells no middleware. A
//!   handler that wants its WebSocket counted holds `maintenance.in_flight().enter().upgrade()` as long as
//!   it runs:
//!
//! ```
//! # use futures_util::StreamExt;
//! # use maintenance_mode::Maintenance;
//! # use poem::{IntoResponse, handler, web::{Data, websocket::WebSocket}};
//! #[handler]
//! fn echo(maintenance: Data<&Maintenance>, socket: WebSocket) -> impl IntoResponse {
//!     let counted = maintenance.in_flight().enter().upgrade();
//!     socket.on_upgrade(async move |mut socket| {
//!         while let Some(Ok(_)) = socket.next().await {}
//!         drop(counted);
//!     })
//! }
//! ```
//! - **Open connections**: WebSockets and streams that are open when the site closes go on. Close them by
//!   [`Maintenance::changed`].
//! - **Cookies of errors**: a visitor who is logged out and let in as an anonymous one has his cookies
//!   expired in the response. If the handler ends in an error, there is no response yet to expire them in;
//!   his session was ended all the same.
//! - **Unread request bodies**: a blocked upload is answered at once, and [`Drain`] says what becomes of the
//!   rest. Without a length it cannot be known that a body is long: then the connection ends unannounced.
//! - **Malformed requests**: what hyper refuses (400) never comes here. It never reaches the application
//!   either.
//!
//! [`Maintenance::on`]: maintenance_mode::Maintenance::on
//! [`Maintenance::off`]: maintenance_mode::Maintenance::off
//! [`Maintenance::changed`]: maintenance_mode::Maintenance::changed

mod body;
mod endpoint;
mod facts;
mod future;
mod middleware;
mod paths;
mod status;

pub use endpoint::MaintenanceEndpoint;
pub use maintenance_mode::Verdict;
pub use maintenance_mode::http::Drain;
pub use maintenance_mode::live::RequestFn;
pub use middleware::MaintenanceMiddleware;
pub use status::{MaintenanceStatus, StatusError};
