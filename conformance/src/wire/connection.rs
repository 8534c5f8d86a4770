//! A client that sends exactly the bytes that it is given.

use std::fmt::Write as _;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use super::Response;
use crate::backend_suite::{Broken, broken};
use crate::ensure;

/// How long a client waits for a byte.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// An HTTP/1.x connection.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    /// What came and was not used yet.
    unread: Vec<u8>,
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        broken(format!("the connection or the process failed: {error}"))
    }
}

/// The bytes of a request with a `Host` field and these fields.
#[must_use]
pub fn request(method: &str, target: &str, fields: &[(&str, &str)], body: &str) -> Vec<u8> {
    let mut text = format!("{method} {target} HTTP/1.1\r\n");
    if !fields
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case("host"))
    {
        text.push_str("Host: localhost\r\n");
    }
    for (name, value) in fields {
        // Writing to a string does not fail.
        let _ = write!(text, "{name}: {value}\r\n");
    }
    text.push_str("\r\n");
    text.push_str(body);
    text.into_bytes()
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    ///
    /// The server does not listen.
    pub fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            unread: Vec::new(),
        })
    }

    /// Sends bytes.
    ///
    /// # Errors
    ///
    /// The server has closed or reset the connection.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// Reads one response to a request with this method.
    ///
    /// # Errors
    ///
    /// None came, or it was not HTTP/1.x.
    pub fn response(&mut self, method: &str) -> Result<Response, Broken> {
        let mut interim = Vec::new();
        loop {
            let head = self.read_until(b"\r\n\r\n")?;
            let mut response = Response::parse_head(&head)?;
            if (100..200).contains(&response.status) && response.status != 101 {
                interim.push(response.status);
                continue;
            }
            response.interim = interim;
            response.body = self.body(method, &response)?;
            return Ok(response);
        }
    }

    /// Opens a WebSocket.
    ///
    /// # Errors
    ///
    /// The server does not.
    pub fn open_web_socket(&mut self, target: &str) -> Result<(), Broken> {
        let upgrade = [
            ("Connection", "Upgrade"),
            ("Upgrade", "websocket"),
            ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ];
        self.send(&request("GET", target, &upgrade, ""))?;
        let response = self.response("GET")?;
        // The accept value of this key is RFC 6455's own example.
        let accept = response.field("sec-websocket-accept");
        let accepted = accept == Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        ensure!(response.status == 101 && accepted, "{response:?}");
        Ok(())
    }

    /// Reads until these bytes have come, and returns what came up to their end: for streams and sockets.
    ///
    /// # Errors
    ///
    /// They do not come.
    pub fn read_until(&mut self, wanted: &[u8]) -> Result<Vec<u8>, Broken> {
        loop {
            if let Some(at) = find(&self.unread, wanted) {
                return Ok(self.take(at + wanted.len()));
            }
            if self.more()? == 0 {
                let came = String::from_utf8_lossy(&self.unread).into_owned();
                return Err(broken(format!(
                    "the connection ended before {:?} came; it had sent {came:?}",
                    String::from_utf8_lossy(wanted)
                )));
            }
        }
    }

    /// Whether the server ends the connection within this time, and sends nothing before.
    ///
    /// # Errors
    ///
    /// The operating system's.
    pub fn is_closed_within(&mut self, time: Duration) -> io::Result<bool> {
        self.stream.set_read_timeout(Some(time))?;
        let closed = match self.stream.read(&mut [0; 1]) {
            Ok(0) => true,
            Ok(_) => false,
            Err(error) => error.kind() == io::ErrorKind::ConnectionReset,
        };
        self.stream.set_read_timeout(Some(PATIENCE))?;
        Ok(closed && self.unread.is_empty())
    }

    /// Resets the connection (RST), as a client does that dies: nobody can take it for one that still reads.
    ///
    /// # Errors
    ///
    /// The operating system's.
    pub fn abort(self) -> io::Result<()> {
        reset_when_closed(&self.stream)
    }

    fn body(&mut self, method: &str, response: &Response) -> Result<Vec<u8>, Broken> {
        if method == "HEAD" || matches!(response.status, 101 | 204 | 304) {
            return Ok(Vec::new());
        }
        if response.has_token("transfer-encoding", "chunked") {
            return self.chunks();
        }
        match response.field("content-length") {
            Some(length) => {
                let length = length
                    .parse()
                    .map_err(|_| broken(format!("`{length}` is no content length")))?;
                self.exactly(length)
            }
            None => {
                while self.more()? > 0 {}
                Ok(std::mem::take(&mut self.unread))
            }
        }
    }

    fn chunks(&mut self) -> Result<Vec<u8>, Broken> {
        let mut body = Vec::new();
        loop {
            let at = loop {
                match find(&self.unread, b"\r\n") {
                    Some(at) => break at,
                    None if self.more()? == 0 => return Err(broken("a chunked body ended early")),
                    None => {}
                }
            };
            let line = self.take(at + 2);
            let size = std::str::from_utf8(&line[..at])
                .ok()
                .and_then(|digits| usize::from_str_radix(digits, 16).ok())
                .ok_or_else(|| broken("a chunk has no size"))?;
            body.extend(self.exactly(size)?);
            self.exactly(2)?;
            if size == 0 {
                return Ok(body);
            }
        }
    }

    fn exactly(&mut self, length: usize) -> Result<Vec<u8>, Broken> {
        while self.unread.len() < length {
            if self.more()? == 0 {
                return Err(broken(format!(
                    "the body ended after {} of {length} bytes",
                    self.unread.len()
                )));
            }
        }
        Ok(self.take(length))
    }

    fn take(&mut self, length: usize) -> Vec<u8> {
        let rest = self.unread.split_off(length);
        std::mem::replace(&mut self.unread, rest)
    }

    fn more(&mut self) -> io::Result<usize> {
        let mut part = [0; 16 << 10];
        let bytes = self.stream.read(&mut part)?;
        self.unread.extend_from_slice(&part[..bytes]);
        Ok(bytes)
    }
}

/// The last handle of this socket that is closed resets the connection instead of ending it.
pub(super) fn reset_when_closed(stream: &TcpStream) -> io::Result<()> {
    rustix::net::sockopt::set_socket_linger(stream, Some(Duration::ZERO)).map_err(io::Error::from)
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes
        .windows(wanted.len())
        .position(|window| window == wanted)
}
