//! One request and its answer.

use std::io;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Bytes, Frame};

use super::conditions::{Refusal, may_read, may_write};
use super::faults::{Condition, Fault, Faults};
use super::folder::{Folder, Stored};
use super::{Body, READER, REGION, WRITER};

const META: &str = "x-amz-meta-";

/// Answers, unless a fault is planned that does not.
pub(super) async fn answer<B>(
    request: Request<B>,
    folder: &Folder,
    faults: &Faults,
) -> io::Result<Response<Body>>
where
    B: hyper::body::Body<Data = Bytes, Error: std::error::Error + Send + Sync + 'static>,
{
    let (head, body) = request.into_parts();
    let bytes = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let path = head.uri.path().trim_start_matches('/');
    let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
    let asked = Asked {
        method: &head.method,
        headers: &head.headers,
        bucket,
        key,
    };
    let fault = faults.take(head.method.as_str(), key);
    match fault {
        Some(Fault::Refuse(status, code)) => {
            faults.count(head.method.as_str(), status);
            return Ok(refusal(status, code, ""));
        }
        Some(Fault::Hang) => std::future::pending().await,
        Some(Fault::Close) => return Err(io::Error::other("closed on purpose")),
        _ => {}
    }
    let response = asked.act(folder, faults, &bytes)?;
    faults.count(head.method.as_str(), response.status().as_u16());
    match fault {
        Some(Fault::DoAndRefuse(status, code)) => Ok(refusal(status, code, "")),
        Some(Fault::DoAndHang) => std::future::pending().await,
        Some(Fault::DoAndClose) => Err(io::Error::other("closed on purpose")),
        Some(Fault::Truncate) => truncated(response).await,
        _ => Ok(response),
    }
}

struct Asked<'a> {
    method: &'a Method,
    headers: &'a HeaderMap,
    bucket: &'a str,
    key: &'a str,
}

impl Asked<'_> {
    fn act(&self, folder: &Folder, faults: &Faults, bytes: &[u8]) -> io::Result<Response<Body>> {
        if let Err((status, code, more)) = self.permitted() {
            return Ok(refusal(status, code, &more));
        }
        if !folder.has_bucket(self.bucket) {
            return Ok(refusal(404, "NoSuchBucket", ""));
        }
        let _held = folder.hold();
        let present = folder.read(self.bucket, self.key)?;
        match *self.method {
            Method::GET | Method::HEAD => Ok(self.read(present)),
            Method::PUT => self.write(folder, faults, present.as_ref(), bytes),
            Method::DELETE => {
                folder.remove(self.bucket, self.key)?;
                Ok(with_status(204).map(|()| whole(Bytes::new())))
            }
            _ => Ok(refusal(405, "MethodNotAllowed", "")),
        }
    }

    /// Whether the signature names a key that may do this. What was signed is not verified.
    fn permitted(&self) -> Result<(), (u16, &'static str, String)> {
        let denied = |code| Err((403, code, String::new()));
        let header = |name| self.headers.get(name).and_then(|value| value.to_str().ok());
        let signed = header("x-amz-date").is_some() && header("x-amz-content-sha256").is_some();
        let credential = header("authorization")
            .and_then(|value| value.strip_prefix("AWS4-HMAC-SHA256 Credential="))
            .filter(|value| signed && value.contains("Signature="));
        let scope: Vec<&str> = match credential.and_then(|value| value.split(',').next()) {
            Some(scope) => scope.split('/').collect(),
            None => return denied("AccessDenied"),
        };
        let [key, _day, region, "s3", "aws4_request"] = scope[..] else {
            return denied("AccessDenied");
        };
        if region != REGION {
            let more = format!("<Region>{REGION}</Region>");
            return Err((400, "AuthorizationHeaderMalformed", more));
        }
        match key {
            WRITER => Ok(()),
            READER if self.method == Method::GET || self.method == Method::HEAD => Ok(()),
            READER => denied("AccessDenied"),
            _ => denied("InvalidAccessKeyId"),
        }
    }

    fn read(&self, present: Option<Stored>) -> Response<Body> {
        let Some(object) = present else {
            return refusal(404, "NoSuchKey", "");
        };
        let tag = object.tag();
        let refused = may_read(self.headers, &tag).is_err();
        let mut response = with_status(if refused { 304 } else { 200 });
        let headers = response.headers_mut();
        let pairs = object.metadata.split(';');
        let metadata = pairs.filter_map(|pair| pair.split_once('='));
        let metadata = metadata.map(|(name, value)| (format!("{META}{name}"), value.to_owned()));
        let now = httpdate::fmt_http_date(std::time::SystemTime::now());
        let fixed = [("etag".to_owned(), tag), ("last-modified".to_owned(), now)];
        for (name, value) in metadata.chain(fixed) {
            if let (Ok(name), Ok(value)) = (name.parse::<http::HeaderName>(), value.parse()) {
                headers.insert(name, value);
            }
        }
        let body = if refused { Vec::new() } else { object.bytes };
        response.map(|()| whole(body.into()))
    }

    fn write(
        &self,
        folder: &Folder,
        faults: &Faults,
        present: Option<&Stored>,
        bytes: &[u8],
    ) -> io::Result<Response<Body>> {
        let tag = present.map(Stored::tag);
        match may_write(self.headers, tag.as_deref(), faults) {
            Ok(()) => {}
            Err(Refusal::NoSuchKey) => return Ok(refusal(404, "NoSuchKey", "")),
            Err(_) => return Ok(refusal(412, "PreconditionFailed", "")),
        }
        if let Some(source) = self.headers.get("x-amz-copy-source") {
            let source = source.to_str().unwrap_or_default().trim_start_matches('/');
            let (bucket, key) = source.split_once('/').unwrap_or_default();
            let Some(object) = folder.read(bucket, key)? else {
                return Ok(refusal(404, "NoSuchKey", ""));
            };
            folder.write(self.bucket, self.key, &object)?;
            let document = format!(
                "<CopyObjectResult><ETag>{}</ETag></CopyObjectResult>",
                object.tag()
            );
            return Ok(with_status(200).map(|()| whole(document.into())));
        }
        let object = Stored {
            metadata: if faults.ignores(Condition::Metadata) {
                String::new()
            } else {
                self.metadata()
            },
            bytes: bytes.to_vec(),
        };
        folder.write(self.bucket, self.key, &object)?;
        let mut response = with_status(200);
        if let Ok(tag) = object.tag().parse() {
            response.headers_mut().insert("etag", tag);
        }
        Ok(response.map(|()| whole(Bytes::new())))
    }

    fn metadata(&self) -> String {
        let pairs = self.headers.iter().filter_map(|(name, value)| {
            let name = name.as_str().strip_prefix(META)?;
            Some(format!("{name}={}", value.to_str().ok()?))
        });
        pairs.collect::<Vec<_>>().join(";")
    }
}

fn with_status(status: u16) -> Response<()> {
    let mut response = Response::new(());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
    response
}

fn refusal(status: u16, code: &str, more: &str) -> Response<Body> {
    let document = if code.is_empty() {
        String::new()
    } else {
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>as the test wants it\
             </Message>{more}</Error>"
        )
    };
    with_status(status).map(|()| whole(document.into()))
}

fn whole(bytes: Bytes) -> Body {
    Full::new(bytes).map_err(|never| match never {}).boxed()
}

/// The same head, and half of the body.
async fn truncated(response: Response<Body>) -> io::Result<Response<Body>> {
    let (mut head, body) = response.into_parts();
    let bytes = body.collect().await?.to_bytes();
    head.headers.insert("content-length", bytes.len().into());
    let half = bytes.slice(..bytes.len() / 2);
    let cut = async {
        // What was sent so far is to arrive.
        tokio::time::sleep(Duration::from_millis(20)).await;
        Err(io::Error::other("cut off on purpose"))
    };
    let frames = stream::iter([Ok(Frame::data(half))]).chain(stream::once(cut));
    let body = StreamBody::new(frames);
    Ok(Response::from_parts(head, BodyExt::boxed(body)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const SIGNATURE: &str = "AWS4-HMAC-SHA256 Credential=WRITER/20260101/eu-test-1/s3/aws4_request, \
                             SignedHeaders=host, Signature=00";

    async fn ask(folder: &Folder, faults: &Faults, line: &str, more: &[(&str, &str)]) -> u16 {
        let (method, path) = line.split_once(' ').unwrap();
        let mut request = Request::builder().method(method).uri(path);
        if more.iter().all(|(name, _)| *name != "authorization") {
            request = request.header("authorization", SIGNATURE);
        }
        request = request
            .header("x-amz-date", "x")
            .header("x-amz-content-sha256", "x");
        for (name, value) in more {
            request = request.header(*name, *value);
        }
        let request = request
            .body(Full::new(Bytes::from_static(b"bytes")))
            .unwrap();
        answer(request, folder, faults)
            .await
            .unwrap()
            .status()
            .as_u16()
    }

    #[tokio::test]
    async fn conditions_are_honoured_as_by_s3() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("b")).unwrap();
        let (folder, faults) = (Folder::new(root.path()), Faults::default());
        let tag = Stored {
            bytes: b"bytes".to_vec(),
            ..Stored::default()
        }
        .tag();
        for (line, headers, status) in [
            ("GET /b/k", vec![], 404),
            ("PUT /b/k", vec![("if-match", tag.as_str())], 404),
            (
                "PUT /b/k",
                vec![("if-none-match", "*"), ("x-amz-meta-m", "1")],
                200,
            ),
            ("PUT /b/k", vec![("if-none-match", "*")], 412),
            ("PUT /b/k", vec![("if-match", "\"other\"")], 412),
            ("PUT /b/k", vec![("if-match", tag.as_str())], 200),
            ("GET /b/k", vec![("if-none-match", tag.as_str())], 304),
            ("GET /b/k", vec![], 200),
            ("PUT /b/c", vec![("x-amz-copy-source", "b/k")], 200),
            ("GET /b/c", vec![("authorization", "none")], 403),
            ("GET /other/c", vec![], 404),
            ("DELETE /b/c", vec![], 204),
            ("GET /b/c", vec![], 404),
        ] {
            assert_eq!(
                ask(&folder, &faults, line, &headers).await,
                status,
                "{line} {headers:?}"
            );
        }
        faults.ignore(Condition::IfMatch);
        let wrong = [("if-match", "\"other\"")];
        assert_eq!(ask(&folder, &faults, "PUT /b/k", &wrong).await, 200);
    }
}
