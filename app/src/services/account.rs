//! A user's credits, and whether all of them add up.

use domain::{
    id::UserId,
    ledger::{Balance, Entry},
    money::Credits,
};
use ports::{AuditReport, PortError, Posting};

use crate::{Ports, ids};

/// Gives credits to a user. The same `reference` gives once, however often it is used; without one the grant is
/// always a new one.
///
/// # Errors
/// Those of [`ports::LedgerStore::post`].
pub async fn grant(
    ports: &Ports,
    user: UserId,
    amount: Credits,
    reference: Option<&str>,
) -> Result<Posting, PortError> {
    let reference = reference.map_or_else(|| ids::reference(ports, "once"), str::to_owned);
    let entry = Entry::grant(user, amount, &reference, ports.clock.now());
    let posting = ports.ledger.post(&entry).await?;
    if matches!(posting, Posting::Posted(_)) {
        tracing::info!(user.id = user.value(), credits = amount.value(), "credits granted");
    }
    Ok(posting)
}

/// A user's balance; zero for somebody unknown.
///
/// # Errors
/// Those of the store.
pub async fn balance(ports: &Ports, user: UserId) -> Result<Balance, PortError> {
    ports.ledger.balance(user).await
}

/// A user's entries, newest first.
///
/// # Errors
/// Those of the store.
pub async fn history(ports: &Ports, user: UserId, limit: u32) -> Result<Vec<Entry>, PortError> {
    ports.ledger.history(user, limit).await
}

/// Compares balances, entries, orders and jobs with each other.
///
/// # Errors
/// Those of the store.
pub async fn audit(ports: &Ports) -> Result<AuditReport, PortError> {
    ports.ledger.audit().await
}
