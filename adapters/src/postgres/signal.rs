//! Hints between processes: LISTEN and NOTIFY.

use ports::{PortError, Topic};
use sqlx::{PgConnection, PgPool, postgres::PgListener};

use super::error::failed;
use crate::bells::Bells;

const CHANNEL_JOBS: &str = "kadr_jobs";
const CHANNEL_OUTBOX: &str = "kadr_outbox";

/// Tells other processes, when the transaction commits. Once a topic and transaction, never by a row trigger:
/// a commit that notifies takes a lock of the whole server.
pub(super) async fn notify(tx: &mut PgConnection, topic: Topic) -> Result<(), PortError> {
    let channel = match topic {
        Topic::Jobs => CHANNEL_JOBS,
        Topic::Outbox => CHANNEL_OUTBOX,
    };
    sqlx::query("SELECT pg_notify($1, '')")
        .bind(channel)
        .execute(tx)
        .await
        .map_err(failed("notify other processes"))?;
    Ok(())
}

/// Rings for every notification. The first ring comes right after LISTEN and after each reconnection, because
/// what was sent before is not repeated.
pub(super) async fn listen(pool: &PgPool, signal: &Bells) -> Result<(), PortError> {
    let mut listener = PgListener::connect_with(pool).await.map_err(failed("listen for notifications"))?;
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
