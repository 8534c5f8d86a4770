//! Single requests to the store, each bounded in time and each with what became of it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use maintenance_mode::backend::BackendError;
use maintenance_mode::state::codec::MAX_RECORD_BYTES;
use object_store::path::Path;
use object_store::{
    Attribute, Attributes, CopyOptions, Extensions, GetOptions, GetResult, ObjectStore, PutMode,
    PutOptions, UpdateVersion,
};
use tokio::time::{Instant, timeout_at};

use crate::failure::{Failure, Trouble, explain, timed_out};
use crate::trace::Trace;

/// The name under which each write carries its mark. Azure allows no hyphen in it.
const MARK: &str = "maintenancewrite";

/// A store, and how long it may take.
#[derive(Clone, Debug)]
pub(crate) struct Bucket {
    pub(crate) store: Arc<dyn ObjectStore>,
    /// The backend's URL without secrets.
    pub(crate) place: String,
    pub(crate) timeout: Duration,
}

/// An object as it was read.
#[derive(Clone, Debug)]
pub(crate) struct Object {
    /// Its bytes, or nothing if it is larger than any record.
    pub(crate) bytes: Option<Bytes>,
    pub(crate) version: UpdateVersion,
    /// The mark of the write that stored it.
    pub(crate) mark: Option<String>,
}

impl Bucket {
    /// Until when what begins now has to be done.
    pub(crate) fn deadline(&self) -> Instant {
        Instant::now() + self.timeout
    }

    /// Reads an object, unless it still has the entity tag `known`.
    pub(crate) async fn get(
        &self,
        key: &Path,
        known: Option<&str>,
        deadline: Instant,
    ) -> Result<Object, Failure> {
        let reading = |extensions| async {
            let options = GetOptions {
                if_none_match: known.map(str::to_owned),
                extensions,
                ..GetOptions::default()
            };
            let found = self.store.get_opts(key, options).await?;
            let version = UpdateVersion {
                e_tag: found.meta.e_tag.clone(),
                version: found.meta.version.clone(),
            };
            let mark = found.attributes.get(&Attribute::Metadata(MARK.into()));
            let mark = mark.map(|mark| mark.as_ref().to_owned());
            Ok(Object {
                bytes: read_whole(found).await?,
                version,
                mark,
            })
        };
        self.request(deadline, reading).await
    }

    /// Writes an object under a condition, with a mark by which its writer knows it again.
    pub(crate) async fn put(
        &self,
        key: &Path,
        bytes: Bytes,
        mode: PutMode,
        mark: &str,
        deadline: Instant,
    ) -> Result<UpdateVersion, Failure> {
        let mut attributes = Attributes::new();
        attributes.insert(Attribute::Metadata(MARK.into()), mark.to_owned().into());
        let writing = |extensions| async {
            let options = PutOptions {
                mode,
                attributes,
                extensions,
                ..PutOptions::default()
            };
            let stored = self.store.put_opts(key, bytes.into(), options).await?;
            Ok(UpdateVersion {
                e_tag: stored.e_tag,
                version: stored.version,
            })
        };
        match self.request(deadline, writing).await {
            // S3's answer to `If-Match` where nothing is.
            Err(Failure::Missing) => Err(Failure::Changed),
            other => other,
        }
    }

    /// Copies an object within the store.
    pub(crate) async fn copy(
        &self,
        from: &Path,
        to: &Path,
        deadline: Instant,
    ) -> Result<(), Failure> {
        let copying = |extensions| {
            let options = CopyOptions::default().with_extensions(extensions);
            self.store.copy_opts(from, to, options)
        };
        self.request(deadline, copying).await
    }

    async fn request<T, F>(
        &self,
        deadline: Instant,
        begin: impl FnOnce(Extensions) -> F,
    ) -> Result<T, Failure>
    where
        F: Future<Output = object_store::Result<T>>,
    {
        let trace = Trace::default();
        let mut extensions = Extensions::new();
        extensions.insert(trace.clone());
        match timeout_at(deadline, begin(extensions)).await {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(error)) => Err(explain(error, &trace.notes())),
            Err(_) => Err(timed_out(&trace.notes(), self.timeout.as_secs_f64())),
        }
    }

    /// Nothing was changed, and this is why.
    pub(crate) fn unavailable(&self, trouble: Trouble) -> BackendError {
        BackendError::Unavailable {
            place: self.place.clone(),
            what: trouble.what,
            source: trouble.source.map(Into::into),
        }
    }

    pub(crate) fn unknown(&self, why: impl Into<String>) -> BackendError {
        BackendError::Unknown {
            place: self.place.clone(),
            why: why.into(),
        }
    }

    pub(crate) fn unreadable(&self, why: impl Into<String>) -> BackendError {
        BackendError::Unreadable {
            place: self.place.clone(),
            why: why.into(),
        }
    }

    /// The error of a request that concerned no record: none of its answers but trouble is to be expected.
    pub(crate) fn refused(&self, failure: Failure, doing: &str) -> BackendError {
        self.unavailable(match failure {
            Failure::Trouble(trouble) => Trouble {
                what: format!("{doing}: {}", trouble.what),
                ..trouble
            },
            Failure::Busy => Trouble::certain(format!(
                "{doing}: too many writes at the same time; try again"
            )),
            Failure::Missing | Failure::Changed | Failure::NotModified => Trouble::certain(
                format!("{doing}: the object was changed meanwhile; try again"),
            ),
        })
    }
}

/// The bytes, unless there are more than any record has.
async fn read_whole(found: GetResult) -> object_store::Result<Option<Bytes>> {
    if found.meta.size > MAX_RECORD_BYTES as u64 {
        return Ok(None);
    }
    let mut bytes = Vec::with_capacity(usize::try_from(found.meta.size).unwrap_or_default());
    let mut chunks = found.into_stream();
    while let Some(chunk) = chunks.next().await {
        bytes.extend_from_slice(&chunk?);
        if bytes.len() > MAX_RECORD_BYTES {
            return Ok(None);
        }
    }
    Ok(Some(bytes.into()))
}

/// A mark that no other write has.
pub(crate) fn new_mark() -> Result<String, Trouble> {
    let mut bits = [0; 16];
    getrandom::fill(&mut bits)
        .map_err(|error| Trouble::certain(format!("the system gives no random bits: {error}")))?;
    Ok(format!("{:032x}", u128::from_le_bytes(bits)))
}
