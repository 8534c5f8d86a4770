//! A client that keeps its connections: bounded, blocking, to this machine alone.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::Trouble;

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: www.example.com\r\naccept: */*\r\n\r\n";

/// Connections that stay open.
#[derive(Debug)]
pub struct Client {
    connections: Vec<TcpStream>,
    buffer: Vec<u8>,
}

/// A response, cut in two.
#[derive(Clone, Debug)]
pub struct Received {
    /// The status line and the fields, without the empty line.
    pub head: String,
    /// The body.
    pub body: Vec<u8>,
}

impl Client {
    /// Connects this many times.
    ///
    /// # Errors
    ///
    /// The address is not on this machine, or nobody listens.
    pub fn connect(address: SocketAddr, connections: usize) -> Result<Self, Trouble> {
        if !address.ip().is_loopback() {
            return Err(format!("{address} is not on this machine").into());
        }
        let connections = (0..connections)
            .map(|_| {
                let stream = TcpStream::connect(address)?;
                stream.set_nodelay(true)?;
                stream.set_read_timeout(Some(Duration::from_secs(60)))?;
                Ok(stream)
            })
            .collect::<Result<_, std::io::Error>>()?;
        Ok(Self {
            connections,
            buffer: vec![0; 64 << 10],
        })
    }

    /// Sends requests, one on each connection and then one after each answer, `requests` in all.
    ///
    /// # Errors
    ///
    /// A connection ends, or an answer has another status.
    pub fn ask(&mut self, requests: usize, status: &str) -> Result<(), Trouble> {
        let mut left = requests;
        while left > 0 {
            let wave = left.min(self.connections.len());
            for connection in &mut self.connections[..wave] {
                connection.write_all(REQUEST)?;
            }
            for connection in &mut self.connections[..wave] {
                let (head, _) = receive(connection, &mut self.buffer)?;
                let answered = self.buffer.get(9..12).unwrap_or_default();
                if answered != status.as_bytes() {
                    let head = String::from_utf8_lossy(&self.buffer[..head]);
                    return Err(format!("expected {status}, got {head}").into());
                }
            }
            left -= wave;
        }
        Ok(())
    }

    /// Sends one request, and gives back what came.
    ///
    /// # Errors
    ///
    /// The connection ends.
    pub fn fetch(&mut self) -> Result<Received, Trouble> {
        let connection = self.connections.first_mut().ok_or("no connection")?;
        connection.write_all(REQUEST)?;
        let (head, end) = receive(connection, &mut self.buffer)?;
        Ok(Received {
            head: String::from_utf8_lossy(&self.buffer[..head]).into_owned(),
            body: self.buffer[head + 4..end].to_vec(),
        })
    }
}

/// Reads one response; says where its head and where its body ends.
fn receive(connection: &mut TcpStream, buffer: &mut [u8]) -> Result<(usize, usize), Trouble> {
    let mut filled = 0;
    loop {
        let room = buffer.get_mut(filled..).filter(|room| !room.is_empty());
        let read = connection.read(room.ok_or("the response is too long")?)?;
        if read == 0 {
            return Err("the server closed the connection".into());
        }
        filled += read;
        let Some(head) = find(&buffer[..filled], b"\r\n\r\n") else {
            continue;
        };
        let end = head + 4 + content_length(&buffer[..head])?;
        if filled >= end {
            return Ok((head, end));
        }
    }
}

fn content_length(head: &[u8]) -> Result<usize, Trouble> {
    for line in head.split(|byte| *byte == b'\n') {
        let name = line.get(..15).unwrap_or_default();
        if name.eq_ignore_ascii_case(b"content-length:") {
            return Ok(std::str::from_utf8(&line[15..])?.trim().parse()?);
        }
    }
    Err("the response has no content-length".into())
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes
        .windows(wanted.len())
        .position(|window| window == wanted)
}
