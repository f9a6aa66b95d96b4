//! Everything the use cases need from outside, in one place.

use std::sync::Arc;

use ports::{
    Clock, Entropy, JobStore, LedgerStore, Messenger, OrderStore, Outbox, PhotoStore, PhotoStudio,
    PromptWriter, VideoApi, WorkSignal, bot::ChatStore,
};

/// The ports, filled. Production, simulation and tests fill them differently and run the same services.
#[derive(Clone)]
pub struct Ports {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub entropy: Arc<dyn Entropy>,
    /// Orders.
    pub orders: Arc<dyn OrderStore>,
    /// Jobs and provider keys.
    pub jobs: Arc<dyn JobStore>,
    /// Credits.
    pub ledger: Arc<dyn LedgerStore>,
    /// Messages that still have to go out.
    pub outbox: Arc<dyn Outbox>,
    /// Product photos.
    pub photos: Arc<dyn PhotoStore>,
    /// Makes photos of files.
    pub studio: Arc<dyn PhotoStudio>,
    /// The video provider.
    pub video: Arc<dyn VideoApi>,
    /// The language model; without one the templates' own prompts are used.
    pub writer: Option<Arc<dyn PromptWriter>>,
    /// The way to people.
    pub messenger: Arc<dyn Messenger>,
    /// The chats of a bot's users: their languages, and whether messages reach them. Without a bot there are none.
    pub chats: Option<Arc<dyn ChatStore>>,
    /// Hints that there may be work.
    pub signal: Arc<dyn WorkSignal>,
}

impl std::fmt::Debug for Ports {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ports").field("writer", &self.writer.is_some()).finish_non_exhaustive()
    }
}
