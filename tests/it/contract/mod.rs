//! One suite of laws for the stores, run on memory and on PostgreSQL alike.

mod adoption;
mod bot_lockstep;
mod breaker;
mod chats;
mod circuits;
mod connections;
mod inbox;
mod jobs;
mod ledger;
mod lockstep;
mod memory_only;
mod order_messages;
mod orders;
mod outbox;
mod photos;
mod postgres_only;
mod privacy;
mod purchases;
mod replies;

/// Runs each law on each implementation.
macro_rules! laws {
    ($($law:ident),* $(,)?) => {
        mod memory {
            $(#[tokio::test] async fn $law() { super::$law(crate::stores::memory().await).await; })*
        }
        mod postgres {
            $(#[tokio::test] async fn $law() { super::$law(crate::stores::postgres().await).await; })*
        }
    };
}
use laws;
