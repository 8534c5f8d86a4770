//! warp, with the switch around all routes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use futures_util::future::ready;
use http::StatusCode;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use maintenance_mode_warp::MaintenanceFilters;
use tokio::net::TcpListener;
use warp::filters::BoxedFilter;
use warp::reply::Response;
use warp::{Filter, Rejection, Reply, reject};

use super::counted::Running;
use super::{BACK_SOON, Framework, HELLO, Kind, PLAIN_TEXT, Switch, Variant, input_ended, runtime};
use crate::Trouble;
use crate::scenarios::Runner;

/// The only place for it.
pub(super) const FRAMEWORK: Framework = Framework {
    name: "warp",
    prepare,
    serve,
};

fn plain() -> impl Filter<Extract = (&'static str,), Error = Rejection> + Clone + Send + Sync {
    warp::path::end().map(|| HELLO)
}

/// Answers for every path while it is closed.
fn by_hand(
    closed: Arc<AtomicBool>,
) -> impl Filter<Extract = (Response,), Error = Rejection> + Clone + Send + Sync {
    warp::any().and_then(move || {
        ready(if closed.load(Ordering::Relaxed) {
            let response = http::Response::builder()
                .status(StatusCode::SERVICE_UNAVAILABLE)
                .header(RETRY_AFTER, "120")
                .header(CONTENT_TYPE, PLAIN_TEXT)
                .body(BACK_SOON);
            response
                .map(Reply::into_response)
                .map_err(|_| reject::not_found())
        } else {
            Err(reject::not_found())
        })
    })
}

/// Counts requests until their replies are made: warp has no open body that could end the count.
fn counted() -> impl Filter<Extract = (&'static str,), Error = Rejection> + Clone + Send + Sync {
    let running = Arc::new(AtomicU64::new(0));
    warp::any()
        .map(move || Running::begin(&running))
        .and(plain())
        .map(|running, reply| {
            drop(running);
            reply
        })
}

/// Boxed, as the types differ; the plain one, too.
fn site(variant: Variant, switch: &Switch) -> BoxedFilter<(Response,)> {
    match variant.kind {
        Kind::Plain => plain().map(Reply::into_response).boxed(),
        Kind::Counted => counted().map(Reply::into_response).boxed(),
        Kind::TenLiner => {
            let closed = Arc::new(AtomicBool::new(variant.closed));
            let site = by_hand(closed).or(plain());
            site.map(Reply::into_response).boxed()
        }
        Kind::Ours => {
            let maintenance = MaintenanceFilters::new(switch.maintenance.clone());
            maintenance.guard(plain()).boxed()
        }
    }
}

fn prepare(variant: Variant) -> Result<Runner, Trouble> {
    let runtime = runtime()?;
    let switch = runtime.block_on(Switch::in_memory(variant.closed))?;
    let site = warp::service(site(variant, &switch));
    let body = http_body_util::Empty::<bytes::Bytes>::new;
    Ok(super::tower::requests(
        runtime,
        site,
        variant.status(),
        body,
        switch,
    ))
}

fn serve(variant: Variant) -> Result<(), Trouble> {
    runtime()?.block_on(async {
        let switch = Switch::on_file(variant.closed).await?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("listening {}", listener.local_addr()?);
        tokio::select! {
            () = warp::serve(site(variant, &switch)).incoming(listener).run() => Ok(()),
            () = input_ended() => Ok(()),
        }
    })
}
