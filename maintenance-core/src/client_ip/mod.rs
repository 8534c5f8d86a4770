//! Which address asked: the peer of the connection, or what trusted proxies say.
//!
//! An address rule opens a hole in a closed site, so whoever can write his own address is through.
//! Clients write `X-Forwarded-For` and its kin at will, therefore:
//!
//! 1. Only a trusted peer is listened to. For any other peer the answer is the peer itself.
//! 2. Only the one configured source is read; no other header counts, however well known.
//! 3. A list is walked from the right, from the server outwards. A trusted address is a proxy: go on.
//!    The first untrusted address is the client. When all are trusted, the farthest one is.
//! 4. Anything else on the way (`unknown`, an obfuscated name, garbage) ends the walk without an
//!    answer. It is never skipped: what stands beyond it may have been typed by the client.
//! 5. Addresses compare as values, never as text, and IPv4-mapped IPv6 addresses are IPv4. Zones,
//!    leading zeros, short, hexadecimal and integer forms and names are not addresses.
//!
//! [`ClientIp::Unresolved`] matches no rule, and says why.
//!
//! ```
//! use maintenance_mode::client_ip::{ClientIpConfig, ClientIpPolicy};
//! use maintenance_mode::policy::Complaints;
//! use maintenance_mode::{Facts, Peer};
//!
//! let config = ClientIpConfig {
//!     source: "x-forwarded-for".to_owned(),
//!     trusted: vec!["10.0.0.0/8".to_owned()],
//!     ..ClientIpConfig::default()
//! };
//! let mut complaints = Complaints::new();
//! let policy = ClientIpPolicy::compile(&config, "client_ip", &mut complaints);
//! complaints.none_or(())?;
//!
//! let headers = [("X-Forwarded-For", "1.2.3.4, 198.51.100.7, 10.0.0.9")];
//! let facts = Facts::new("GET", "/")
//!     .headers(&headers)
//!     .peer(Peer::Addr("10.0.0.2".parse()?));
//! assert_eq!(policy.resolve(&facts).known(), Some("198.51.100.7".parse()?));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod answer;
mod config;
mod element;
mod explain;
mod forwarded;
mod list;
mod resolve;
mod source;
mod watch;

pub use answer::{ClientIp, Unresolved};
pub use config::{ClientIpConfig, ClientIpPolicy};
pub use explain::Explanation;

#[cfg(test)]
mod properties;
