//! Where the record lies, whether that place is safe, and what to say when it is not.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};

use super::FileOptions;
use super::disk::About;
use crate::backend::BackendError;

/// The folder, and the names in it.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) folder: PathBuf,
    pub(crate) record: OsString,
    pub(crate) lock: OsString,
    /// Says that there was a record once, so that a missing one is noticed.
    pub(crate) marker: OsString,
}

impl Place {
    pub(crate) fn new(path: &Path) -> Result<Self, BackendError> {
        let wrong = |what: String| BackendError::Unavailable {
            place: format!("file:{}", path.display()),
            what,
            source: None,
        };
        // Kept absolute, so that a program that changes its working directory does not lose its state.
        let path = std::path::absolute(path)
            .map_err(|e| wrong(format!("is not the path of a file: {e}")))?;
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(wrong(
                "is not the path of a file; name one, such as file:/var/lib/site/state.json"
                    .to_owned(),
            ));
        };
        let with = |ending: &str| {
            let mut name = name.to_owned();
            name.push(ending);
            name
        };
        Ok(Self {
            folder: folder.to_owned(),
            record: name.to_owned(),
            lock: with(".lock"),
            marker: with(".initialised"),
        })
    }

    pub(crate) fn path(&self, name: &OsStr) -> PathBuf {
        self.folder.join(name)
    }

    /// Whether the name is a link. Only to choose the words of an error: safety does not hang on it.
    pub(crate) fn is_link(&self, name: &OsStr) -> bool {
        self.path(name).is_symlink()
    }

    pub(crate) fn describe(&self) -> String {
        format!("file:{}", self.path(&self.record).display())
    }

    /// The start of the names of temporary files: `.state.json.`
    pub(crate) fn temp_start(&self) -> OsString {
        let mut name = OsString::from(".");
        name.push(&self.record);
        name.push(".");
        name
    }

    /// Whether the name belongs to a file that only writers use.
    #[cfg(feature = "watch")]
    pub(crate) fn is_internal(&self, name: &OsStr) -> bool {
        name == self.lock || is_temp(name, &self.temp_start())
    }

    /// A file call failed and nothing was changed.
    pub(crate) fn failed(&self, doing: &str, error: &io::Error) -> BackendError {
        BackendError::Unavailable {
            place: self.describe(),
            what: format!("cannot {doing}: {error}{}", self.cure(error)),
            source: None,
        }
    }

    pub(crate) fn unsafe_because(&self, why: impl Into<String>) -> BackendError {
        BackendError::Unsafe {
            place: self.describe(),
            why: why.into(),
        }
    }

    pub(crate) fn unknown(&self, why: impl Into<String>) -> BackendError {
        BackendError::Unknown {
            place: self.describe(),
            why: why.into(),
        }
    }

    pub(crate) fn vanished(&self) -> BackendError {
        BackendError::Vanished {
            place: self.describe(),
        }
    }

    fn cure(&self, error: &io::Error) -> String {
        let folder = self.folder.display();
        match error.kind() {
            io::ErrorKind::PermissionDenied => {
                let me = me();
                format!(
                    "; this process runs as uid {me}, which may not do that here: run it as the owner of {folder}, \
                     or give it the folder and its files (`chown -R {me} {folder}`, `chmod u+rwX`)"
                )
            }
            io::ErrorKind::ReadOnlyFilesystem => format!(
                "; {folder} is on a file system that is mounted read-only: keep the state on one that can be written"
            ),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                format!("; make room on the file system of {folder}")
            }
            _ => String::new(),
        }
    }
}

/// The user that file calls are made as. Asked each time: servers drop privileges after they have started.
pub(crate) fn me() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Temporary names are `.state.json.0123456789abcdef.tmp`.
pub(crate) fn is_temp(name: &OsStr, start: &OsStr) -> bool {
    name.as_encoded_bytes()
        .strip_prefix(start.as_encoded_bytes())
        .and_then(|rest| rest.strip_suffix(b".tmp"))
        .is_some_and(|hex| hex.len() == 16 && hex.iter().all(u8::is_ascii_hexdigit))
}

/// Whether the folder may be used; `Err` says why not, and the cure.
pub(crate) fn check_folder(
    folder: &About,
    path: &Path,
    read_only: bool,
    options: &FileOptions,
) -> Result<(), String> {
    let path = path.display();
    let me = me();
    if folder.anyone_may_write() && !folder.sticky() && !read_only {
        return Err(format!(
            "everyone may write to the folder {path} (mode {:04o}) and so exchange the state; `chmod o-w {path}`",
            folder.mode
        ));
    }
    if me == 0 || trusted(folder.owner, me, options) {
        return Ok(());
    }
    Err(format!(
        "the folder {path} belongs to uid {} and this process runs as uid {me}; `chown {me} {path}`, \
         or add `owner={}` to the URL if you trust that user",
        folder.owner, folder.owner
    ))
}

/// Whether a file in the folder may be believed; `Err` says why not, and the cure.
pub(crate) fn check_file(
    file: &About,
    folder: &About,
    path: &Path,
    options: &FileOptions,
) -> Result<(), String> {
    let shown = path.display();
    if !file.regular {
        return Err(format!("{shown} is not a regular file"));
    }
    if file.anyone_may_write() {
        return Err(format!(
            "everyone may write to {shown} (mode {:04o}); `chmod o-w {shown}`",
            file.mode
        ));
    }
    check_owner(file, folder, path, options)
}

/// Whether what lies in the folder belongs to somebody who is believed; `Err` says why not, and the cure.
pub(crate) fn check_owner(
    file: &About,
    folder: &About,
    path: &Path,
    options: &FileOptions,
) -> Result<(), String> {
    let (path, me) = (path.display(), me());
    // Whoever may exchange files in a folder that a group shares was let in by the folder's owner.
    let shared_by_group = folder.group_may_write() && !folder.anyone_may_write();
    if file.owner == folder.owner || shared_by_group || trusted(file.owner, me, options) {
        return Ok(());
    }
    Err(format!(
        "{path} belongs to uid {} and its folder to uid {}; `chown {} {path}`, or add `owner={}` to the URL \
         if you trust that user",
        file.owner, folder.owner, folder.owner, file.owner
    ))
}

fn trusted(owner: u32, me: u32, options: &FileOptions) -> bool {
    owner == 0 || owner == me || options.owner == Some(owner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about(owner: u32, mode: u32) -> About {
        About {
            owner,
            group: owner,
            mode,
            inode: 1,
            bytes: 0,
            regular: true,
            modified: None,
        }
    }

    #[test]
    fn only_names_that_we_make_are_temporary() {
        let start = OsStr::new(".state.json.");
        assert!(is_temp(
            OsStr::new(".state.json.0123456789abcdef.tmp"),
            start
        ));
        for other in [
            "state.json",
            ".state.json.tmp",
            ".state.json.0123456789abcdeg.tmp",
            ".state.json.0123456789abcdef.swp",
            ".other.json.0123456789abcdef.tmp",
            "state.json.broken-1",
        ] {
            assert!(!is_temp(OsStr::new(other), start), "{other}");
        }
    }

    #[test]
    fn folders_that_others_rule_are_refused() {
        let (path, me) = (Path::new("/x"), me());
        let default = FileOptions::default();
        let check = |about: &About, ro| check_folder(about, path, ro, &default).is_ok();
        assert!(check(&about(me, 0o700), false));
        assert!(check(&about(0, 0o755), false));
        assert!(check(&about(0, 0o1777), false));
        assert!(!check(&about(0, 0o777), false));
        assert!(!check(&about(me, 0o702), false));
        assert!(check(&about(0, 0o777), true));
        let stranger = about(me + 1, 0o700);
        assert_eq!(check(&stranger, false), me == 0);
        assert!(check_folder(&stranger, path, false, &default.owner(me + 1)).is_ok());
    }

    #[test]
    fn files_of_strangers_are_refused() {
        let (path, me) = (Path::new("/x/s"), me());
        let default = FileOptions::default();
        let mine = about(me, 0o700);
        assert!(check_file(&about(me, 0o600), &mine, path, &default).is_ok());
        assert!(check_file(&about(0, 0o600), &mine, path, &default).is_ok());
        assert!(check_file(&about(me + 1, 0o600), &mine, path, &default).is_err());
        assert!(
            check_file(
                &about(me + 1, 0o600),
                &mine,
                path,
                &default.clone().owner(me + 1)
            )
            .is_ok()
        );
        assert!(check_file(&about(me + 1, 0o640), &about(me, 0o2770), path, &default).is_ok());
        // Root in a folder of the service: the service's file is as good as the folder.
        assert!(check_file(&about(7, 0o600), &about(7, 0o700), path, &default).is_ok());
        // Somebody's file in a public folder.
        assert!(check_file(&about(me + 1, 0o600), &about(0, 0o1777), path, &default).is_err());
        assert!(check_file(&about(me, 0o602), &mine, path, &default).is_err());
        let pipe = About {
            regular: false,
            ..about(me, 0o600)
        };
        assert!(check_file(&pipe, &mine, path, &default).is_err());
    }
}
