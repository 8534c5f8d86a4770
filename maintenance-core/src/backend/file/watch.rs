//! Hints from the operating system's file watch.

use std::path::Path;
use std::time::Duration;

use notify::event::{AccessKind, AccessMode, ModifyKind};
use notify::{Event, EventKind, RecursiveMode, Watcher};

use super::Store;
use super::place::Place;
use crate::backend::{BackendError, HintReceiver, HintSender};

/// One change is several events: wait this long for the others.
const SETTLE: Duration = Duration::from_millis(5);

impl Store {
    /// Watches the folder, never the file: a record is replaced, and a watch would stay on the old one.
    pub(super) fn watch(&self) -> Result<HintReceiver, BackendError> {
        let failed = |what: &dyn std::fmt::Display| BackendError::Unavailable {
            place: self.place.describe(),
            what: format!("changes cannot be watched, only polled: {what}"),
            source: None,
        };
        // Opened for its checks.
        if self.folder()?.is_none() {
            return Err(failed(&format_args!(
                "{} does not exist",
                self.place.folder.display()
            )));
        }
        let folder = self.place.folder.canonicalize().map_err(|e| failed(&e))?;
        let sender = HintSender::new();
        let receiver = sender.subscribe(SETTLE);
        let (mut sender, place, watched) = (Some(sender), self.place.clone(), folder.clone());
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            let meaning = event.map_or(Meaning::End, |event| meaning(&event, &place, &watched));
            if let (Some(to), Meaning::Hint) = (&sender, &meaning) {
                to.hint();
            } else if matches!(meaning, Meaning::End) {
                sender = None;
            }
        })
        .map_err(|e| failed(&e))?;
        watcher
            .watch(&folder, RecursiveMode::NonRecursive)
            .map_err(|e| failed(&e))?;
        Ok(receiver.keep(watcher))
    }
}

enum Meaning {
    Nothing,
    Hint,
    /// The folder is gone or has another name: the watch sees nothing more.
    End,
}

fn meaning(event: &Event, place: &Place, folder: &Path) -> Meaning {
    if event.need_rescan() {
        return Meaning::Hint;
    }
    let of_folder = event.paths.iter().any(|path| path == folder);
    match event.kind {
        EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_)) if of_folder => Meaning::End,
        // Our own reading opens the file; taking that for a change would go round and round.
        EventKind::Access(kind) if kind != AccessKind::Close(AccessMode::Write) => Meaning::Nothing,
        _ => {
            let internal = !event.paths.is_empty()
                && event
                    .paths
                    .iter()
                    .all(|path| path.file_name().is_some_and(|name| place.is_internal(name)));
            if internal {
                Meaning::Nothing
            } else {
                Meaning::Hint
            }
        }
    }
}
