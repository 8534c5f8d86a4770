//! An HTTP/2 client over cleartext, by prior knowledge (RFC 9113, section 3.3).

use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpStream};

use bytes::Bytes;
use h2::client::{Builder, ResponseFuture, SendRequest};
use h2::{Reason, SendStream};
use http::{Request, Version};
use tokio::runtime::Runtime;

use super::Response;
use super::connection::{PATIENCE, reset_when_closed};
use crate::backend_suite::{Broken, broken};

/// How much a server may send before anybody reads it, in bytes.
const WINDOW: u32 = 4 << 20;

/// An HTTP/2 connection. A thread of its own keeps it going.
#[derive(Debug)]
pub struct Http2 {
    runtime: Runtime,
    sender: SendRequest<Bytes>,
    /// The same socket once more, to say how it ends.
    socket: TcpStream,
}

/// A request that was begun, and the answer that is to come.
#[derive(Debug)]
pub struct Exchange {
    response: ResponseFuture,
    body: SendStream<Bytes>,
}

/// A request without a body. Without an authority the target goes alone: such a request has no `:authority`,
/// as one that was translated from HTTP/1 (RFC 9113, section 8.3.1).
///
/// # Errors
///
/// The target is none that this client can send.
pub fn http2_request(
    method: &str,
    authority: Option<&str>,
    target: &str,
    fields: &[(&str, &str)],
) -> Result<Request<()>, Broken> {
    let builder = match authority {
        Some(authority) => Request::builder()
            .uri(format!("http://{authority}{target}"))
            .version(Version::HTTP_2),
        None => Request::builder().uri(target).version(Version::HTTP_11),
    };
    fields
        .iter()
        .fold(builder.method(method), |builder, (name, value)| {
            builder.header(name.to_ascii_lowercase(), *value)
        })
        .body(())
        .map_err(|error| broken(format!("{method} {target} cannot be sent: {error}")))
}

impl Http2 {
    /// Connects.
    ///
    /// # Errors
    ///
    /// The server does not listen.
    pub fn open(address: SocketAddr) -> Result<Self, Broken> {
        let socket = TcpStream::connect(address)?;
        socket.set_nodelay(true)?;
        socket.set_nonblocking(true)?;
        let stream = socket.try_clone()?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let sender = runtime.block_on(async {
            let stream = tokio::net::TcpStream::from_std(stream)?;
            let (sender, connection) = in_time(client().handshake(stream)).await??;
            // Whoever waits for an answer hears what ended the connection.
            tokio::spawn(async { drop(connection.await) });
            Ok::<_, Broken>(sender)
        })?;
        Ok(Self {
            runtime,
            sender,
            socket,
        })
    }

    /// Begins a request; `ends`: it has no body.
    ///
    /// # Errors
    ///
    /// The connection has ended.
    pub fn begin(&self, request: Request<()>, ends: bool) -> Result<Exchange, Broken> {
        let (response, body) = self.runtime.block_on(async {
            let mut sender = in_time(self.sender.clone().ready()).await??;
            Ok::<_, Broken>(sender.send_request(request, ends)?)
        })?;
        Ok(Exchange { response, body })
    }

    /// Sends a part of a request's body. What the server does not take yet waits in this process.
    ///
    /// # Errors
    ///
    /// The stream has ended.
    pub fn send(
        &self,
        exchange: &mut Exchange,
        part: impl Into<Bytes>,
        ends: bool,
    ) -> Result<(), Broken> {
        // The connection's thread sends it; entering the runtime is not needed.
        Ok(exchange.body.send_data(part.into(), ends)?)
    }

    /// Waits for the whole answer. The flag says whether it ended with its head, as gRPC's `Trailers-Only`.
    ///
    /// # Errors
    ///
    /// None came, or not all of it.
    pub fn finish(&self, exchange: Exchange) -> Result<(Response, bool), Broken> {
        self.runtime.block_on(in_time(async {
            // Dropping the request's stream before its end would reset it.
            let Exchange {
                response,
                body: _kept,
            } = exchange;
            let (head, mut body) = response.await?.into_parts();
            let ends_with_head = body.is_end_stream();
            let mut bytes = Vec::new();
            while let Some(part) = body.data().await {
                let part = part?;
                body.flow_control().release_capacity(part.len())?;
                bytes.extend_from_slice(&part);
            }
            let fields = head.headers.iter();
            let fields = fields.map(|(name, value)| (name.as_str(), value.as_bytes()));
            let response = Response::new(head.status.as_u16(), fields, bytes);
            Ok((response, ends_with_head))
        }))?
    }

    /// Waits for the head of an answer and its first bytes, then goes on without the rest.
    ///
    /// # Errors
    ///
    /// They do not come.
    pub fn read_first_bytes(&self, exchange: &mut Exchange) -> Result<h2::RecvStream, Broken> {
        self.runtime.block_on(in_time(async {
            let mut body = (&mut exchange.response).await?.into_body();
            match body.data().await {
                Some(part) => part.map(drop)?,
                None => return Err(broken("an answer without a body")),
            }
            Ok(body)
        }))?
    }

    /// Sends a request without a body, and waits for the answer.
    ///
    /// # Errors
    ///
    /// No answer came.
    pub fn ask(
        &self,
        method: &str,
        target: &str,
        fields: &[(&str, &str)],
    ) -> Result<Response, Broken> {
        let request = http2_request(method, Some("localhost"), target, fields)?;
        let exchange = self.begin(request, true)?;
        Ok(self.finish(exchange)?.0)
    }

    /// Resets the connection (RST), as a client does that dies.
    ///
    /// # Errors
    ///
    /// The operating system's.
    pub fn abort(self) -> io::Result<()> {
        let Self {
            runtime,
            sender,
            socket,
        } = self;
        reset_when_closed(&socket)?;
        drop(sender);
        // Ends the connection's task, and with it the other handle of the socket.
        drop(runtime);
        Ok(())
    }
}

impl Exchange {
    /// Gives the request up (`RST_STREAM` with `CANCEL`).
    pub fn cancel(mut self) {
        self.body.send_reset(Reason::CANCEL);
    }
}

impl From<h2::Error> for Broken {
    fn from(error: h2::Error) -> Self {
        broken(format!("HTTP/2: {error}"))
    }
}

/// Answers may be read in any order, so none may hold up another.
fn client() -> Builder {
    let mut client = Builder::new();
    client
        .initial_window_size(WINDOW)
        .initial_connection_window_size(WINDOW);
    client
}

async fn in_time<T>(future: impl Future<Output = T>) -> Result<T, Broken> {
    tokio::time::timeout(PATIENCE, future)
        .await
        .map_err(|_| broken(format!("HTTP/2: nothing came within {PATIENCE:?}")))
}
