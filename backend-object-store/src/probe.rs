//! Whether the store honours conditions. Some take a conditional write and ignore the condition; two
//! operators could then overwrite each other without either being told.

use bytes::Bytes;
use maintenance_mode::backend::BackendError;
use object_store::path::Path;
use object_store::{PutMode, UpdateVersion};
use tokio::time::{Instant, sleep};

use crate::bucket::{Bucket, new_mark};
use crate::failure::{Failure, Trouble};
use crate::write::jittered;

/// What lies in the probe object, for whoever finds it.
const CONTENT: &[u8] = b"maintenance-mode writes this object to find out whether this store honours If-None-Match and If-Match.\n";

/// No object has this tag, and no object this generation.
const NO_TAG: &str = "\"00000000000000000000000000000000\"";
const NO_GENERATION: &str = "1";

/// A write that meets a 409 is tried this often.
const TRIES: u32 = 5;

impl Bucket {
    /// Makes sure that a write under a condition that does not hold is refused, and that marks are kept.
    pub(crate) async fn probe(&self, key: &Path) -> Result<(), BackendError> {
        let deadline = self.deadline();
        let mark = new_mark().map_err(|trouble| self.unavailable(trouble))?;
        let refused = self.refuses(key, PutMode::Create, &mark, deadline).await?;
        // Where no probe was before, the first is stored, and the second must be refused.
        if !refused && !self.refuses(key, PutMode::Create, &mark, deadline).await? {
            return Err(self.ignores("`If-None-Match: *`"));
        }
        let nothing = PutMode::Update(UpdateVersion {
            e_tag: Some(NO_TAG.to_owned()),
            version: Some(NO_GENERATION.to_owned()),
        });
        if !self.refuses(key, nothing, &mark, deadline).await? {
            return Err(self.ignores("`If-Match`"));
        }
        match self.get(key, None, deadline).await {
            Ok(object) if object.mark.is_some() && object.version.e_tag.is_some() => Ok(()),
            Ok(object) if object.mark.is_some() => Err(self.unfit("it gives no ETag")),
            Ok(_) => Err(self.unfit("it does not keep an object's metadata")),
            Err(failure) => Err(self.refused(failure, PROBING)),
        }
    }

    /// Whether a write under this condition is refused; if not, it was stored.
    async fn refuses(
        &self,
        key: &Path,
        mode: PutMode,
        mark: &str,
        deadline: Instant,
    ) -> Result<bool, BackendError> {
        for n in 0..TRIES {
            let bytes = Bytes::from_static(CONTENT);
            match self.put(key, bytes, mode.clone(), mark, deadline).await {
                Ok(_) => return Ok(false),
                Err(Failure::Changed) => return Ok(true),
                Err(Failure::Busy) => {}
                Err(Failure::Trouble(trouble)) if trouble.passing && n + 1 < TRIES => {}
                Err(failure) => return Err(self.refused(failure, PROBING)),
            }
            sleep(jittered(self.timeout / 30)).await;
        }
        let busy = Trouble::certain("too many writes at the same time");
        Err(self.refused(Failure::Trouble(busy), PROBING))
    }

    fn ignores(&self, condition: &str) -> BackendError {
        self.unfit(&format!("it ignores {condition}"))
    }

    fn unfit(&self, why: &str) -> BackendError {
        BackendError::Unsafe {
            place: self.place.clone(),
            why: format!(
                "this store must not be written to: {why}, so that two writers could overwrite each other unnoticed; \
                 use one with conditional writes, or another backend"
            ),
        }
    }
}

const PROBING: &str = "finding out whether the store honours conditions";
