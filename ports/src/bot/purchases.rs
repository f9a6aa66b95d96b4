//! Credits bought with Stars.

use async_trait::async_trait;
use domain::{id::UserId, ledger::Balance, money::Credits, time::Timestamp};

use super::StarCharge;
use crate::{PortError, Posting};

/// The longest name of a payment that is credited, in bytes: the ledger's keys end at 200.
pub const CHARGE_BYTES_MAX: usize = 180;

/// What an invoice offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The invoice's payload, which comes back with the payment: 1 to 128 bytes, and no other offer's.
    pub payload: String,
    /// To whom.
    pub user: UserId,
    /// The package's name, as the configuration has it.
    pub package: String,
    /// What it buys.
    pub credits: Credits,
    /// What it costs.
    pub stars: u32,
    /// When the invoice was made.
    pub offered_at: Timestamp,
}

/// An offer, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purchase {
    /// What was offered.
    pub offer: Offer,
    /// Its payment.
    pub payment: Option<Payment>,
}

/// A payment that was credited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// `telegram_payment_charge_id`.
    pub charge: String,
    /// When it was credited.
    pub paid_at: Timestamp,
    /// Whether the money went back.
    pub refund: Option<Refund>,
}

/// The money of a payment went back to the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refund {
    /// When that was written down.
    pub at: Timestamp,
    /// The credits it took with it: fewer than were bought when some of those are spent or set aside.
    pub taken: Credits,
}

/// What a refund came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenBack {
    /// Whose payment it was.
    pub user: UserId,
    /// What it had bought.
    pub bought: Credits,
    /// What could be taken back.
    pub taken: Credits,
    /// The user's balance now.
    pub balance: Balance,
    /// Whether it had been written down before, and nothing was now.
    pub is_repeated: bool,
}

/// Purchases.
///
/// Laws: a payment is credited once, however often it is told; what was not offered like this, or not to this user, is
/// refused and writes nothing; a payment and its credits are written together; a refund takes back what is left of the
/// credits it bought, once, and never more than the user may spend.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Purchases: Send + Sync {
    /// Stores an offer; the same one again changes nothing.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Conflict`] when the payload is another offer's, [`crate::ErrorKind::Rejected`] for an offer of
    /// nothing, for nothing, or without a payload that fits.
    async fn offer(&self, offer: &Offer) -> Result<(), PortError>;

    /// The offer behind a payload. Anything at all may be asked for: the payload comes from outside.
    async fn offer_of(&self, payload: &str) -> Result<Option<Purchase>, PortError>;

    /// Credits a payment to the user it was offered to, under the key `purchase:<charge>`.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Rejected`] when nothing was offered under this payload, or to somebody else, or for another
    /// amount, and when the balance would leave its range; [`crate::ErrorKind::Conflict`] when the offer was paid with another
    /// charge already, or the charge paid another offer. Nothing is written then: the money has to go back.
    async fn credit(
        &self,
        payload: &str,
        charge: &str,
        user: UserId,
        stars: u32,
        now: Timestamp,
    ) -> Result<Posting, PortError>;

    /// Writes down that the money of a payment went back, and takes back as many of its credits as the balance allows, under
    /// the key `purchase_refund:<charge>`. `None` for a payment that was not credited.
    async fn paid_back(&self, charge: &str, now: Timestamp) -> Result<Option<TakenBack>, PortError>;

    /// Those of Telegram's charges that are not written down here: payments that were not credited, and refunds of
    /// credited payments that were not written down. A payment that was not credited and went back needs nothing, if
    /// both are among `charges`.
    async fn unmatched(&self, charges: &[StarCharge]) -> Result<Vec<StarCharge>, PortError>;
}
