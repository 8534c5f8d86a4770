//! TCP whose small packets go out at once.

use std::io;

use poem::http::uri::Scheme;
use poem::listener::{Acceptor, TcpAcceptor};
use poem::web::{LocalAddr, RemoteAddr};
use tokio::net::{TcpListener, TcpStream};

/// poem's acceptor, without Nagle's algorithm.
pub(crate) struct AtOnce(TcpAcceptor);

impl AtOnce {
    pub(crate) fn new(listener: TcpListener) -> io::Result<Self> {
        Ok(Self(TcpAcceptor::from_tokio(listener)?))
    }
}

impl Acceptor for AtOnce {
    type Io = TcpStream;

    fn local_addr(&self) -> Vec<LocalAddr> {
        self.0.local_addr()
    }

    async fn accept(&mut self) -> io::Result<(TcpStream, LocalAddr, RemoteAddr, Scheme)> {
        let accepted = self.0.accept().await?;
        // Without it a small answer may wait for the client's acknowledgement; it is no reason to fail.
        let _ = accepted.0.set_nodelay(true);
        Ok(accepted)
    }
}
