//! Requests through a tower service in this process.

use std::pin::pin;

use http::{Request, Response};
use http_body::Body;
use tokio::runtime::Runtime;
use tower_service::Service;

use crate::scenarios::Runner;

/// One request after the other, each answered with `status` and read to its end.
pub(super) fn requests<S, B, R>(
    runtime: Runtime,
    mut service: S,
    status: u16,
    body: fn() -> B,
    keep: impl Sized + 'static,
) -> Runner
where
    S: Service<Request<B>, Response = Response<R>> + 'static,
    S::Error: std::fmt::Debug,
    B: 'static,
    R: Body,
{
    Box::new(move |count| {
        let _kept = &keep;
        runtime.block_on(async {
            for _ in 0..count {
                let response = service.call(request(body())).await;
                let response = response.expect("these services do not fail");
                assert_eq!(response.status().as_u16(), status);
                read(response.into_body()).await;
            }
        });
    })
}

fn request<B>(body: B) -> Request<B> {
    let mut request = Request::new(body);
    let fields = request.headers_mut();
    fields.insert("host", http::HeaderValue::from_static("www.example.com"));
    fields.insert("accept", http::HeaderValue::from_static("*/*"));
    request
}

async fn read<R: Body>(body: R) {
    let mut body = pin!(body);
    while std::future::poll_fn(|cx| body.as_mut().poll_frame(cx))
        .await
        .is_some()
    {}
}
