//! Hints between processes: LISTEN and NOTIFY.

use ports::{PortError, Topic};
use sqlx::postgres::PgListener;

use super::{connections::Connections, error::failed};
use crate::bells::Bells;

/// Notified, when the transaction commits, by whatever makes work for other processes. Once a topic and transaction,
/// never by a row trigger: a commit that notifies takes a lock of the whole server.
pub(super) const CHANNEL_JOBS: &str = "kadr_jobs";
/// As [`CHANNEL_JOBS`], for messages.
pub(super) const CHANNEL_OUTBOX: &str = "kadr_outbox";

/// Rings for every notification. The first ring comes right after LISTEN and after each reconnection, because
/// what was sent before is not repeated.
pub(super) async fn listen(connections: &Connections, signal: &Bells) -> Result<(), PortError> {
    // The listener takes its connection from the pool, and after a loss the next one: one has to be there.
    let _seat = connections.set_aside().await.map_err(failed("listen for notifications"))?;
    let mut listener =
        PgListener::connect_with(connections.pool()).await.map_err(failed("listen for notifications"))?;
    listener.listen_all([CHANNEL_JOBS, CHANNEL_OUTBOX]).await.map_err(failed("listen for notifications"))?;
    let ring_all = || [Topic::Jobs, Topic::Outbox].into_iter().for_each(|topic| signal.ring(topic));
    ring_all();
    loop {
        match listener.try_recv().await.map_err(failed("receive notifications"))? {
            Some(note) if note.channel() == CHANNEL_OUTBOX => signal.ring(Topic::Outbox),
            Some(_) => signal.ring(Topic::Jobs),
            None => ring_all(),
        }
    }
}
