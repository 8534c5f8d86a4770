//! poem, with the switch around the outermost route.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use http_body::Body as _;
use http_body_util::combinators::BoxBody;
use maintenance_mode_poem::MaintenanceMiddleware;
use poem::endpoint::BoxEndpoint;
use poem::http::StatusCode;
use poem::http::header::{CONTENT_TYPE, RETRY_AFTER};
use poem::listener::TcpAcceptor;
use poem::{
    Body, Endpoint, EndpointExt as _, IntoResponse as _, Request, Response, Route, Server, get,
    handler,
};
use tokio::net::TcpListener;

use super::counted::{CountedBody, Running};
use super::{BACK_SOON, Framework, HELLO, Kind, PLAIN_TEXT, Switch, Variant, input_ended, runtime};
use crate::Trouble;
use crate::scenarios::Runner;

/// The only place for it.
pub(super) const FRAMEWORK: Framework = Framework {
    name: "poem",
    prepare,
    serve,
};

#[handler]
fn hello() -> &'static str {
    HELLO
}

async fn by_hand(
    closed: Arc<AtomicBool>,
    site: Arc<Route>,
    request: Request,
) -> poem::Result<Response> {
    if closed.load(Ordering::Relaxed) {
        return Ok(BACK_SOON
            .with_status(StatusCode::SERVICE_UNAVAILABLE)
            .with_header(RETRY_AFTER, "120")
            .with_header(CONTENT_TYPE, PLAIN_TEXT)
            .into_response());
    }
    site.call(request).await
}

/// Counts requests until their bodies have ended, and does nothing else.
struct Counted<E> {
    inner: E,
    running: Arc<AtomicU64>,
}

impl<E> Counted<E> {
    fn around(inner: E) -> Self {
        let running = Arc::default();
        Self { inner, running }
    }
}

impl<E: Endpoint> Endpoint for Counted<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let running = Running::begin(&self.running);
        let mut response = self.inner.call(request).await?.into_response();
        let body = BoxBody::from(response.take_body());
        response.set_body(BoxBody::new(CountedBody::new(body, running)));
        Ok(response)
    }
}

fn site(variant: Variant, switch: &Switch) -> BoxEndpoint<'static> {
    let plain = Route::new().at("/", get(hello));
    match variant.kind {
        Kind::Plain => plain.boxed(),
        Kind::Counted => Counted::around(plain).boxed(),
        Kind::TenLiner => {
            let closed = Arc::new(AtomicBool::new(variant.closed));
            plain
                .around(move |site, request| by_hand(Arc::clone(&closed), site, request))
                .boxed()
        }
        Kind::Ours => plain
            .with(MaintenanceMiddleware::new(switch.maintenance.clone()))
            .boxed(),
    }
}

fn prepare(variant: Variant) -> Result<Runner, Trouble> {
    let runtime = runtime()?;
    let switch = runtime.block_on(Switch::in_memory(variant.closed))?;
    let site = site(variant, &switch);
    Ok(Box::new(move |count| {
        let _kept = &switch;
        runtime.block_on(async {
            for _ in 0..count {
                let request = Request::builder()
                    .header("host", "www.example.com")
                    .header("accept", "*/*");
                let response = site.get_response(request.finish()).await;
                assert_eq!(response.status().as_u16(), variant.status());
                read(response.into_body()).await;
            }
        });
    }))
}

async fn read(body: Body) {
    let mut body = BoxBody::from(body);
    while std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx))
        .await
        .is_some()
    {}
}

fn serve(variant: Variant) -> Result<(), Trouble> {
    runtime()?.block_on(async {
        let switch = Switch::on_file(variant.closed).await?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("listening {}", listener.local_addr()?);
        let server = Server::new_with_acceptor(TcpAcceptor::from_tokio(listener)?);
        tokio::select! {
            ended = server.run(site(variant, &switch)) => Ok(ended?),
            () = input_ended() => Ok(()),
        }
    })
}
