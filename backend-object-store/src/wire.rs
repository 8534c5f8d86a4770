//! Connections to a cloud: TLS by rustls with the roots of the operating system, proxies as the environment
//! names them, no redirect followed, and every request noted in its [`Trace`].

use std::error::Error as _;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::HeaderMap;
use http_body_util::{BodyExt, Limited};
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpRequest, HttpResponse, HttpService,
};
use object_store::{ClientConfigKey, ClientOptions};

use crate::trace::{Answer, End, Trace, element};

/// A connection that is not there after this time is not coming.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// More of an error document is not read.
const MAX_ERROR_BYTES: usize = 64 * 1024;

/// Makes the connections of one backend.
#[derive(Debug)]
pub(crate) struct Connector {
    /// How long a whole call may take. The backend sees to that; here it only bounds connecting.
    pub(crate) timeout: Duration,
}

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let plain = options.get_config_value(&ClientConfigKey::AllowHttp);
        let client = client(self.timeout, plain.as_deref() != Some("true"));
        let client = client.map_err(|source| object_store::Error::Generic {
            store: "TLS",
            source,
        })?;
        Ok(HttpClient::new(Noting(client)))
    }
}

fn client(
    timeout: Duration,
    https_only: bool,
) -> Result<reqwest::Client, Box<dyn std::error::Error + Send + Sync>> {
    use rustls_platform_verifier::BuilderVerifierExt;
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_platform_verifier()?
        .with_no_client_auth();
    Ok(reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .https_only(https_only)
        .http1_only()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT_TIMEOUT.min(timeout))
        .user_agent(concat!("maintenance-mode/", env!("CARGO_PKG_VERSION")))
        .build()?)
}

/// Notes in a request's [`Trace`] what becomes of it.
#[derive(Debug)]
struct Noting(reqwest::Client);

#[async_trait]
impl HttpService for Noting {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let Some(trace) = request.extensions().get::<Trace>().cloned() else {
            return self.0.call(request).await;
        };
        trace.sent();
        match self.0.call(request).await {
            Ok(response) => note(&trace, response).await,
            Err(error) => {
                trace.ended(end(&error));
                Err(error)
            }
        }
    }
}

fn end(error: &HttpError) -> End {
    let mut why = String::new();
    let mut connecting = false;
    let mut source = error.source();
    while let Some(error) = source {
        connecting |= error
            .downcast_ref::<reqwest::Error>()
            .is_some_and(reqwest::Error::is_connect);
        // The innermost sentence is the one that says something: "Connection refused".
        why = error.to_string();
        source = error.source();
    }
    if connecting {
        End::NoConnection(why)
    } else {
        End::Lost(why)
    }
}

async fn note(trace: &Trace, response: HttpResponse) -> Result<HttpResponse, HttpError> {
    let (head, body) = response.into_parts();
    let mut answer = Answer {
        status: head.status.as_u16(),
        date: text_of(&head.headers, "date"),
        region: text_of(&head.headers, "x-amz-bucket-region"),
        ..Answer::default()
    };
    if head.status.is_success() || head.status == http::StatusCode::NOT_MODIFIED {
        trace.ended(End::Answered(answer));
        return Ok(HttpResponse::from_parts(head, body));
    }
    // An error document that cannot be read leaves the status, which says most.
    let bytes = match Limited::new(body, MAX_ERROR_BYTES).collect().await {
        Ok(body) => body.to_bytes(),
        Err(_) => Bytes::new(),
    };
    let xml = String::from_utf8_lossy(&bytes);
    answer.code = element(&xml, "Code").or_else(|| text_of(&head.headers, "x-ms-error-code"));
    answer.message = element(&xml, "Message");
    answer.region = answer.region.or_else(|| element(&xml, "Region"));
    trace.ended(End::Answered(answer));
    Ok(HttpResponse::from_parts(head, bytes.into()))
}

fn text_of(headers: &HeaderMap, name: &str) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.to_owned())
}
