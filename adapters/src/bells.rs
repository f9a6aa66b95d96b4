//! Hints inside one process: a bell a topic.

use async_trait::async_trait;
use ports::{Topic, WorkSignal};
use tokio::sync::Notify;

/// The bells that stores ring when a commit made work, and that loops wait for.
#[derive(Debug, Default)]
pub struct Bells {
    jobs: Notify,
    outbox: Notify,
    inbox: Notify,
    replies: Notify,
}

impl Bells {
    const fn bell(&self, topic: Topic) -> &Notify {
        match topic {
            Topic::Jobs => &self.jobs,
            Topic::Outbox => &self.outbox,
            Topic::Inbox => &self.inbox,
            Topic::Replies => &self.replies,
        }
    }

    /// Rings: the loop that waits wakes, or the next one that waits does not.
    pub fn ring(&self, topic: Topic) {
        self.bell(topic).notify_one();
    }
}

#[async_trait]
impl WorkSignal for Bells {
    async fn notified(&self, topic: Topic) {
        self.bell(topic).notified().await;
    }
}
