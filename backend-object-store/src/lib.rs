//! Maintenance mode for a fleet: state in S3, Google Cloud Storage or Azure Blob Storage.
//!
//! ```no_run
//! use maintenance_mode::backend::BackendRegistry;
//! use maintenance_mode::{Config, Facts, Maintenance};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut registry = BackendRegistry::builtin();
//! maintenance_mode_object_store::register(&mut registry);
//! let mut config = Config::new().backend("s3://acme-operations/shop/state?region=eu-central-1");
//! config.state.poll_seconds = 15.0;
//! let maintenance = Maintenance::builder(config).registry(registry).start().await?;
//! assert!(maintenance.decide(&Facts::new("GET", "/")).is_allowed());
//! # Ok(()) }
//! ```
//!
//! It needs no server of your own, costs a few pence a month, and is slow: an instance sees a change when it next
//! polls. Choose Redis, a database or NATS where a switch must reach everybody at once, or where leases are wanted.
//!
//! # URLs
//!
//! `s3://BUCKET/KEY`, `gs://BUCKET/KEY`, `az://CONTAINER/KEY`, each with:
//!
//! | parameter | of | meaning |
//! |---|---|---|
//! | `endpoint` | all | another address than the cloud's own: `https://minio.internal:9000` |
//! | `allow_http` | all | `true`: the endpoint may be `http:` |
//! | `timeout` | all | seconds that a read may take, and each step of a write, 0.1 to 9; 3 when left out |
//! | `region` | `s3:` | the bucket's region; else `AWS_REGION`, `AWS_DEFAULT_REGION`, `us-east-1` |
//! | `virtual_hosted` | `s3:` | `true`: the bucket is part of the host's name |
//! | `account` | `az:` | the storage account; else `AZURE_STORAGE_ACCOUNT_NAME` |
//!
//! Credentials come from the environment and are never shown; a URL that has some is refused. Read are the variables
//! that [`object_store`] reads: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`, web identities
//! and container roles, `GOOGLE_APPLICATION_CREDENTIALS`, `AZURE_STORAGE_ACCOUNT_KEY`, `AZURE_CLIENT_ID` and so
//! on; else the machine's role is asked for. Profiles in `~/.aws` are not read. Proxies are taken from `HTTPS_PROXY`
//! and `NO_PROXY`.
//!
//! There is no scheme for a local folder: [`object_store`]'s can create a file only if there is none, and cannot
//! update one under a condition. `file:` does both.
//!
//! # Polling
//!
//! Object stores do not hint. Set `state.poll_seconds = 15`: an instance then asks four times a minute, and is
//! answered 304 without a body unless something changed. With the default of 5 s it asks twelve times. A change reaches
//! an instance after at most 1.2 times the interval. A planned window needs no poll: it begins and ends by each
//! instance's own clock. State is stale when nothing was read for three times the interval.
//!
//! # Rights
//!
//! Reading: get the key and the keys that begin with it. On S3 also `s3:ListBucket` on the bucket, because without it
//! S3 answers 403 and not 404 for a key that does not exist. Writing: also put them. Nothing is deleted.
//! Instances that only follow need to read alone.
//!
//! # What is guaranteed
//!
//! - One of several writers wins, by `If-None-Match: *`, `If-Match` and, on Google's, the generation. A store that
//!   ignores conditions is found out before the first write of a handle and is never written to.
//! - A write whose answer was lost is looked for by a mark in the object's metadata. Only where that leaves a
//!   doubt is the outcome [`Unknown`](maintenance_mode::backend::BackendError::Unknown).
//! - A record that was deleted is told from one that was never created by a marker beside it, `KEY.created`, written
//!   after the first record. If that write fails, the next change writes it; a record that is deleted before reads as
//!   never created for whoever has not seen it.
//! - A bucket that does not exist, a redirect, a login page or a 404 of something that is no object store is an
//!   error, never "online".
//!
//! # What cannot be done from here
//!
//! - Hints, and leases of sessions, tasks and instances: both say
//!   [`Unsupported`](maintenance_mode::backend::BackendError::Unsupported).
//! - Guarantees beyond the store's own: these three clouds read what was last written. Replication to another
//!   bucket is not waited for; let all instances and operators use one bucket.

mod backend;
mod bucket;
#[cfg(feature = "_http")]
mod clouds;
mod failure;
#[cfg(feature = "_http")]
mod open;
mod probe;
mod trace;
#[cfg(feature = "_http")]
mod wire;
mod write;

pub use backend::ObjectStoreBackend;
#[cfg(feature = "_http")]
pub use open::{open, open_with, register};
