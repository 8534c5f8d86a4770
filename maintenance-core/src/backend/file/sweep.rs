//! Removing what writers left behind that were killed.

use std::fs::File;
use std::sync::PoisonError;
use std::time::{Duration, Instant, SystemTime};

use super::Store;
use super::disk::{Open, again};
use super::place::is_temp;

/// Older temporary files belong to nobody any more: a writer holds the lock for a few milliseconds.
const LEFTOVER: Duration = Duration::from_secs(60 * 60);

impl Store {
    /// Removes leftovers, at most once an hour. The lock must be held. What cannot be removed stays.
    pub(crate) fn sweep(&self, folder: &File) {
        let mut swept = self.swept.lock().unwrap_or_else(PoisonError::into_inner);
        if swept.is_some_and(|at| at.elapsed() < LEFTOVER) {
            return;
        }
        *swept = Some(Instant::now());
        drop(swept);
        let start = self.place.temp_start();
        let names = again(|| self.disk.list(folder)).unwrap_or_default();
        for name in names.iter().filter(|name| is_temp(name, &start)) {
            let modified = again(|| self.disk.open(folder, name, Open::Read))
                .and_then(|file| self.disk.about(&file))
                .ok()
                .and_then(|about| about.modified);
            let old = modified
                .and_then(|at| SystemTime::now().duration_since(at).ok())
                .is_some_and(|age| age > LEFTOVER);
            if old {
                let _ = self.disk.unlink(folder, name);
            }
        }
    }
}
