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

/// As [`CHANNEL_JOBS`], for updates of chats.
pub(super) const CHANNEL_INBOX: &str = "kadr_inbox";
/// As [`CHANNEL_JOBS`], for messages of conversations.
pub(super) const CHANNEL_REPLIES: &str = "kadr_replies";

const fn channel(topic: Topic) -> &'static str {
    match topic {
        Topic::Jobs => CHANNEL_JOBS,
        Topic::Outbox => CHANNEL_OUTBOX,
        Topic::Inbox => CHANNEL_INBOX,
        Topic::Replies => CHANNEL_REPLIES,
    }
}

/// Rings for every notification. The first ring comes right after LISTEN and after each reconnection, because
/// what was sent before is not repeated.
pub(super) async fn listen(connections: &Connections, signal: &Bells) -> Result<(), PortError> {
    // The listener takes its connection from the pool, and after a loss the next one: one has to be there.
    let _seat = connections.set_aside().await.map_err(failed("listen for notifications"))?;
    let mut listener =
        PgListener::connect_with(connections.pool()).await.map_err(failed("listen for notifications"))?;
    listener.listen_all(Topic::ALL.map(channel)).await.map_err(failed("listen for notifications"))?;
    let ring_all = || Topic::ALL.into_iter().for_each(|topic| signal.ring(topic));
    ring_all();
    loop {
        match listener.try_recv().await.map_err(failed("receive notifications"))? {
            Some(note) => Topic::ALL
                .into_iter()
                .filter(|topic| channel(*topic) == note.channel())
                .for_each(|topic| signal.ring(topic)),
            None => ring_all(),
        }
    }
}
