//! Tasks, instances and owners: one file for all processes, replaced under a lock.
//!
//! There are few of them, and of many who want one only one may have it.

use std::collections::BTreeMap;
use std::io;

use super::Leases;
use super::codec::{Change, Damage, HEADER_BYTES, Header, Term};
use super::folder::{Folder, Unread, Writing};
use crate::backend::BackendError;
use crate::backend::file::disk::{Open, again};
use crate::backend::file::write::Unlink;
use crate::presence::{Holder, Lease, LeaseKey};

pub(super) type Table = BTreeMap<LeaseKey, Row>;

#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) holder: Holder,
    pub(super) note: String,
    pub(super) term: Term,
}

impl Leases {
    /// Those that live now.
    pub(super) fn table(&self, folder: &Folder) -> Result<Table, BackendError> {
        let name = self.table_name();
        self.patiently(&name, || {
            let mut table = Table::new();
            let Some(source) = self.source(folder, &name)? else {
                return Ok(table);
            };
            let now = self.clock.now();
            let end = self.changes(&source, HEADER_BYTES as u64, &mut |change| {
                let key = LeaseKey {
                    kind: change.kind,
                    site: change.site.parse().map_err(|_| Damage::Change)?,
                    name: change.name.parse().map_err(|_| Damage::Change)?,
                };
                let (holder, note, term) = (change.holder, change.note.to_owned(), change.term);
                if term.lives(now) {
                    table.insert(key, Row { holder, note, term });
                }
                Ok(())
            })?;
            if end == source.about.bytes {
                Ok(table)
            } else {
                Err(Unread::Damage(Damage::Short))
            }
        })
    }

    pub(super) fn renew_rows(&self, leases: &[&Lease]) -> Result<Vec<LeaseKey>, BackendError> {
        let folder = self.make()?;
        let _lock = self.store.lock(&folder.file, &folder.about)?;
        let mut table = self.table(&folder)?;
        let stamp = self.clock.stamp();
        let mut refused = Vec::new();
        for lease in leases {
            let present = table.get(lease.key());
            if present.is_some_and(|row| row.holder != lease.holder()) {
                refused.push(lease.key().clone());
                continue;
            }
            let term = Term {
                stamp,
                began: present.map_or(stamp, |row| row.term.began),
                lasts: u32::try_from(lease.lasts().as_millis()).unwrap_or(u32::MAX),
                released: false,
            };
            let (holder, note) = (lease.holder(), lease.note().to_owned());
            table.insert(lease.key().clone(), Row { holder, note, term });
        }
        if refused.len() < leases.len() {
            self.replace(&folder, &table)?;
        }
        Ok(refused)
    }

    pub(super) fn release_rows(
        &self,
        holder: Holder,
        keys: &[&LeaseKey],
    ) -> Result<(), BackendError> {
        let Some(folder) = self.look()? else {
            return Ok(());
        };
        let _lock = self.store.lock(&folder.file, &folder.about)?;
        let mut table = self.table(&folder)?;
        let before = table.len();
        for key in keys {
            if table.get(*key).is_some_and(|row| row.holder == holder) {
                table.remove(*key);
            }
        }
        if table.len() < before {
            self.replace(&folder, &table)?;
        }
        Ok(())
    }

    fn replace(&self, folder: &Folder, table: &Table) -> Result<(), BackendError> {
        self.try_replace(folder, table)
            .map_err(|e| self.store.place.failed("write leases", &e))
    }

    fn try_replace(&self, folder: &Folder, table: &Table) -> io::Result<()> {
        let (store, disk) = (&self.store, &*self.store.disk);
        let temp = store.temp_name()?;
        let file = again(|| disk.open(&folder.file, &temp, Open::New(0o600)))?;
        let remove = Unlink::new(disk, &folder.file, &temp);
        store.share_with_group(&file, &folder.about)?;
        let mut writing = Writing::new(store, &file);
        writing.header(Header {
            generation: self.clock.stamp(),
            longest: 0,
        })?;
        for (key, row) in table {
            writing.push(&Change {
                kind: key.kind,
                site: key.site.as_str(),
                name: key.name.as_str(),
                note: &row.note,
                holder: row.holder,
                term: row.term,
            })?;
        }
        writing.finish()?;
        again(|| disk.rename(&folder.file, &temp, &self.table_name()))?;
        remove.not_needed();
        Ok(())
    }
}
