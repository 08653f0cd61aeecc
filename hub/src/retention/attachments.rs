//! Attachments: those whose time is over, and files that belong to none.

use std::time::{Duration, SystemTime};

use gatepost_wire::Timestamp;
use tokio_util::sync::CancellationToken;

use super::{AT_ONCE, DAY};
use crate::attachment::Folder;
use crate::config::AttachmentDays;
use crate::store::Store;

/// A file that is younger may be being written.
const GRACE: Duration = Duration::from_secs(3600);

/// Deletes everything that is over.
pub(super) async fn sweep(
    store: &Store,
    folder: &Folder,
    days: AttachmentDays,
    now: Timestamp,
    stop: &CancellationToken,
) -> Result<(), String> {
    let oldest = now.checked_sub(DAY * i32::from(days.get())).unwrap_or(Timestamp::MIN);
    loop {
        let due = store.attachments_due(now, oldest, AT_ONCE).await.map_err(|error| error.to_string())?;
        for id in &due {
            if stop.is_cancelled() {
                return Ok(());
            }
            let deleted = store.delete_attachment(*id, folder, now, oldest).await;
            if deleted.map_err(|error| error.to_string())? {
                tracing::info!(attachment = %id, "attachment deleted: its time is over");
            }
        }
        if due.len() < usize::from(AT_ONCE) {
            return Ok(());
        }
    }
}

/// Deletes files that belong to nothing: somebody withdrew them, or they were not attached once they were written.
pub(super) async fn sweep_strays(
    store: &Store,
    folder: &Folder,
    now: Timestamp,
    stop: &CancellationToken,
) -> Result<(), String> {
    while !stop.is_cancelled() {
        let strays = store.stray_attachments(now, AT_ONCE).await.map_err(|error| error.to_string())?;
        for id in &strays {
            store.delete_stray(*id, folder).await.map_err(|error| error.to_string())?;
            tracing::info!(attachment = %id, "file removed: no attachment has it");
        }
        if strays.len() < usize::from(AT_ONCE) {
            break;
        }
    }
    Ok(())
}

/// Removes what a hub that was killed left half written.
pub(super) async fn sweep_parts(folder: &Folder) -> Result<(), String> {
    let before = SystemTime::now().checked_sub(GRACE).unwrap_or(SystemTime::UNIX_EPOCH);
    folder.remove_parts(before).await.map_err(|error| format!("{}: {error}", folder.path().display()))
}
