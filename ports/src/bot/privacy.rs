//! Forgetting what users sent.

use async_trait::async_trait;
use domain::{id::UserId, time::Timestamp};

use crate::PortError;

/// Forgets what users sent; ids, amounts and the ledger stay.
///
/// What is forgotten of a finished order: its brief and wishes, its prompts and the addresses of its photo, what the
/// provider said, the text of its status message, the handed over videos' file ids, and its photo unless an order that is
/// not forgotten names it. What a forgotten photo's id leads to is nothing.
///
/// Laws: both may be repeated, and then change nothing; an order that is not finished keeps everything it needs; nobody else's
/// data is touched; balances and entries stay as they are. A process that lately read an order or a photo may remember it for
/// some time.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Privacy: Send + Sync {
    /// Forgets a user's dialogue, which becomes the empty text and keeps its version (the turn that asks for it goes on),
    /// messages that wait for them, updates of theirs that were put aside, and their finished orders.
    async fn forget_user(&self, user: UserId) -> Result<(), PortError>;

    /// Forgets orders finished before `before`, photos stored before then that no other order names, the bodies of updates
    /// put aside and the messages given up before then: at most `limit` of each. Returns how many orders and photos; repeat it
    /// until there are none.
    async fn forget_older(&self, before: Timestamp, limit: u32) -> Result<usize, PortError>;
}
