//! Objects as files: a line of metadata, then the bytes.

use std::fs;
use std::hash::{DefaultHasher, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A folder of buckets. Clones share the lock that makes a check and a write one step.
#[derive(Clone, Debug)]
pub struct Folder {
    root: PathBuf,
    lock: Arc<Mutex<()>>,
}

/// An object as it lies in its file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stored {
    /// `name=value`, separated by `;`.
    pub metadata: String,
    /// The content.
    pub bytes: Vec<u8>,
}

impl Stored {
    /// A hash of the content alone, as S3's is.
    #[must_use]
    pub fn tag(&self) -> String {
        let mut hasher = DefaultHasher::new();
        hasher.write(&self.bytes);
        format!("\"{:016x}\"", hasher.finish())
    }
}

impl Folder {
    pub(super) fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            lock: Arc::default(),
        }
    }

    /// A folder that another process serves.
    #[must_use]
    pub fn of_another_process(root: &Path) -> Self {
        Self::new(root)
    }

    pub(super) fn hold(&self) -> MutexGuard<'_, ()> {
        self.lock.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn has_bucket(&self, bucket: &str) -> bool {
        self.root.join(bucket).is_dir()
    }

    /// The object, if there is one.
    ///
    /// # Errors
    ///
    /// The operating system's.
    pub fn read(&self, bucket: &str, key: &str) -> io::Result<Option<Stored>> {
        let content = match fs::read(self.file(bucket, key)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other?,
        };
        let end = content.iter().position(|byte| *byte == b'\n');
        let (metadata, bytes) = content.split_at(end.unwrap_or(content.len()));
        Ok(Some(Stored {
            metadata: String::from_utf8_lossy(metadata).into_owned(),
            bytes: bytes.get(1..).unwrap_or_default().to_vec(),
        }))
    }

    /// Puts an object in the place of whatever is there, in one step.
    ///
    /// # Errors
    ///
    /// The operating system's.
    pub fn write(&self, bucket: &str, key: &str, object: &Stored) -> io::Result<()> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let temporary = self.root.join(format!(
            ".new-{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        ));
        let content = [object.metadata.as_bytes(), b"\n", &object.bytes].concat();
        fs::write(&temporary, content)?;
        fs::rename(temporary, self.file(bucket, key))
    }

    /// Removes an object, if there is one.
    ///
    /// # Errors
    ///
    /// The operating system's.
    pub fn remove(&self, bucket: &str, key: &str) -> io::Result<()> {
        match fs::remove_file(self.file(bucket, key)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// The keys in a bucket.
    ///
    /// # Errors
    ///
    /// The operating system's.
    pub fn keys(&self, bucket: &str) -> io::Result<Vec<String>> {
        fs::read_dir(self.root.join(bucket))?
            .map(|entry| Ok(entry?.file_name().to_string_lossy().replace("%2F", "/")))
            .collect()
    }

    fn file(&self, bucket: &str, key: &str) -> PathBuf {
        self.root.join(bucket).join(key.replace('/', "%2F"))
    }
}
