//! A server as a process: started, looked at, and ended.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::Trouble;

/// A server that ends when its standard input does, or is killed when this is dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    /// Starts a program that prints `listening ADDRESS`.
    ///
    /// # Errors
    ///
    /// It cannot be started, or says something else.
    pub fn start(command: &mut Command) -> Result<Self, Trouble> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{}: {error}", command.get_program().display()))?;
        let mut line = String::new();
        if let Some(output) = &mut child.stdout {
            BufReader::new(output).read_line(&mut line)?;
        }
        match line.trim().strip_prefix("listening ") {
            Some(address) => Ok(Self {
                address: address.parse()?,
                child,
            }),
            None => {
                let _ = child.kill();
                let _ = child.wait();
                Err(format!("the server said {line:?}").into())
            }
        }
    }

    /// Starts a program that listens at an address which it was told, and says nothing.
    ///
    /// # Errors
    ///
    /// It cannot be started, or nobody listens after ten seconds.
    pub fn start_silent(command: &mut Command, address: SocketAddr) -> Result<Self, Trouble> {
        let child = command
            .stdin(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{}: {error}", command.get_program().display()))?;
        let server = Self { child, address };
        let begin = Instant::now();
        while TcpStream::connect(address).is_err() {
            if begin.elapsed() > Duration::from_secs(10) {
                return Err(format!("nobody listens at {address}").into());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(server)
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Processor time of all its threads, in nanoseconds (proc(5), `schedstat`).
    ///
    /// # Errors
    ///
    /// The process is gone.
    pub fn cpu(&self) -> Result<u64, Trouble> {
        let mut sum = 0;
        for task in fs::read_dir(self.proc("task"))? {
            let text = fs::read_to_string(task?.path().join("schedstat"))?;
            let on_cpu = text.split_whitespace().next().ok_or("empty schedstat")?;
            sum += on_cpu.parse::<u64>()?;
        }
        Ok(sum)
    }

    /// Resident memory in KiB (proc(5), `VmRSS`).
    ///
    /// # Errors
    ///
    /// The process is gone.
    pub fn resident(&self) -> Result<u64, Trouble> {
        let status = fs::read_to_string(self.proc("status"))?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .ok_or("no VmRSS")?;
        Ok(line.trim().trim_end_matches(" kB").parse()?)
    }

    /// Closes its standard input and waits until it has ended.
    ///
    /// # Errors
    ///
    /// It does not end well.
    pub fn end(mut self) -> Result<(), Trouble> {
        drop(self.child.stdin.take());
        let status = self.child.wait()?;
        if status.success() {
            Ok(())
        } else {
            Err(format!("the server ended with {status}").into())
        }
    }

    fn proc(&self, file: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/{file}", self.child.id()))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // After `end` there is nothing left to kill, and neither call does harm.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An address that was free a moment ago.
///
/// # Errors
///
/// No port is free.
pub fn free_address() -> Result<SocketAddr, Trouble> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}
