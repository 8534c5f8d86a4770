//! A small object store that speaks S3's protocol and honours conditions, for tests.
//!
//! It knows what a backend needs: GET, HEAD, PUT, DELETE and copies of single objects by path-style addresses, `ETag`,
//! `If-Match`, `If-None-Match` and metadata. Data lies in a folder, so that a server that was killed starts
//! again with it. Signatures must be there and name a known key and the right region; they are not verified.

mod conditions;
mod faults;
mod folder;
mod request;

pub use faults::{Condition, Fault, Faults};
pub use folder::{Folder, Stored};

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use http_body_util::combinators::BoxBody;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// Where the server says that it is.
pub const REGION: &str = "eu-test-1";

/// A key that may do everything.
pub const WRITER: &str = "WRITER";

/// A key that may read.
pub const READER: &str = "READER";

/// A body that may break off.
pub type Body = BoxBody<Bytes, std::io::Error>;

/// The environment of a client with this access key.
#[must_use]
pub fn variables(access_key: &str) -> Vec<(String, String)> {
    [
        ("AWS_ACCESS_KEY_ID", access_key),
        ("AWS_SECRET_ACCESS_KEY", "open-sesame"),
        ("AWS_REGION", REGION),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec()
}

/// A server within this process; it ends with its handle.
#[derive(Debug)]
pub struct ObjectServer {
    address: SocketAddr,
    folder: Folder,
    faults: Arc<Faults>,
    task: JoinHandle<()>,
}

impl ObjectServer {
    /// Serves a folder, whose subfolders are the buckets, on a free port of this machine.
    ///
    /// # Errors
    ///
    /// No port is free.
    pub async fn start(folder: &Path) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let (folder, faults) = (Folder::new(folder), Arc::new(Faults::default()));
        Ok(Self {
            address: listener.local_addr()?,
            task: tokio::spawn(serve(listener, folder.clone(), Arc::clone(&faults))),
            folder,
            faults,
        })
    }

    /// `http://127.0.0.1:PORT`
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What lies in it.
    #[must_use]
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// What is to go wrong.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.faults
    }
}

impl Drop for ObjectServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Serves a folder on a port of this machine until the process ends.
///
/// # Errors
///
/// The port is taken.
pub fn serve_for_ever(folder: &Path, port: u16) -> std::io::Result<Infallible> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", port)).await?;
        serve(listener, Folder::new(folder), Arc::default()).await;
        Err(std::io::Error::other("the server ended"))
    })
}

async fn serve(listener: TcpListener, folder: Folder, faults: Arc<Faults>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            return;
        };
        let (folder, faults) = (folder.clone(), Arc::clone(&faults));
        tokio::spawn(async move {
            let service = service_fn(move |asked: hyper::Request<Incoming>| {
                let (folder, faults) = (folder.clone(), Arc::clone(&faults));
                async move { request::answer(asked, &folder, &faults).await }
            });
            // A client that goes away is its own affair.
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}
