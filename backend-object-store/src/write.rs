//! Writes whose end is known: a write that got no clear answer is looked for by its mark.

use std::time::Duration;

use bytes::Bytes;
use maintenance_mode::backend::BackendError;
use object_store::path::Path;
use object_store::{PutMode, UpdateVersion};
use tokio::time::{Instant, sleep};

use crate::bucket::{Bucket, new_mark};
use crate::failure::{Failure, Trouble};

/// How often one write is sent: a busy store answers 409, and a passing fault may hide the answer.
const TRIES: u32 = 6;

/// The pause after the first try; each later one is twice as long.
const PAUSE: Duration = Duration::from_millis(20);

/// What a write replaces.
#[derive(Clone, Debug)]
pub(crate) enum Over {
    Nothing,
    Version(UpdateVersion),
}

/// How a write ended that did not store its bytes, as far as can be told.
#[derive(Debug)]
pub(crate) enum NotStored {
    /// Something else stands there. `doubtful`: the bytes may have stood there in between.
    Changed {
        doubtful: bool,
    },
    Failed(BackendError),
}

impl Bucket {
    /// Writes `bytes` in the place of `over`. A write is sent again after a passing fault: that is safe, because its
    /// condition no longer holds once it has been stored.
    pub(crate) async fn replace(
        &self,
        key: &Path,
        bytes: Bytes,
        over: &Over,
        deadline: Instant,
    ) -> Result<UpdateVersion, NotStored> {
        let mark = new_mark().map_err(|trouble| NotStored::Failed(self.unavailable(trouble)))?;
        let mut doubt: Option<String> = None;
        let mut last = Trouble::certain("nothing was tried");
        for n in 0..TRIES {
            if n > 0 {
                let pause = jittered(PAUSE * 2_u32.pow(n - 1));
                // A write that is cut off by the deadline would leave a doubt where there is none.
                if Instant::now() + 2 * pause >= deadline {
                    break;
                }
                sleep(pause).await;
            }
            let mode = match over {
                Over::Nothing => PutMode::Create,
                Over::Version(version) => PutMode::Update(version.clone()),
            };
            last = match self.put(key, bytes.clone(), mode, &mark, deadline).await {
                Ok(version) => return Ok(version),
                Err(Failure::Changed) if doubt.is_none() => {
                    return Err(NotStored::Changed { doubtful: false });
                }
                Err(Failure::Trouble(trouble)) if trouble.doubtful => {
                    doubt = Some(trouble.what.clone());
                    trouble
                }
                Err(Failure::Trouble(trouble)) if trouble.passing => trouble,
                Err(Failure::Trouble(trouble)) => {
                    last = trouble;
                    break;
                }
                Err(Failure::Busy | Failure::Changed | Failure::Missing | Failure::NotModified) => {
                    Trouble::certain(
                        "the store refuses every try because of other writes at the same time",
                    )
                }
            };
            if let Some(why) = &doubt
                && let Some(end) = self.look_for(key, &mark, over, why).await
            {
                return end;
            }
        }
        Err(NotStored::Failed(match doubt {
            Some(why) => self.unknown(why),
            None => self.unavailable(last),
        }))
    }

    /// Whether the write with this mark was stored. Nothing: what it was to replace is still there.
    async fn look_for(
        &self,
        key: &Path,
        mark: &str,
        over: &Over,
        why: &str,
    ) -> Option<Result<UpdateVersion, NotStored>> {
        // The write may have used up its time; finding out has its own.
        match self.get(key, None, self.deadline()).await {
            Ok(object) if object.mark.as_deref() == Some(mark) => Some(Ok(object.version)),
            Ok(object) => match over {
                Over::Version(old) if old.e_tag == object.version.e_tag => None,
                _ => Some(Err(NotStored::Changed { doubtful: true })),
            },
            Err(Failure::Missing) => match over {
                Over::Nothing => None,
                Over::Version(_) => Some(Err(NotStored::Changed { doubtful: true })),
            },
            Err(_) => Some(Err(NotStored::Failed(self.unknown(why)))),
        }
    }
}

/// Between half of it and all of it, so that writers who met do not meet again.
pub(crate) fn jittered(pause: Duration) -> Duration {
    let mut bits = [0; 2];
    let share = getrandom::fill(&mut bits).map_or(1.0, |()| {
        0.5 + f64::from(u16::from_le_bytes(bits)) / 131_072.0
    });
    pause.mul_f64(share)
}
