//! The ledger: entries never change, a balance is their sum.
//!
//! Every entry moves two numbers: what the user may spend (`available`) and what open orders have set aside
//! (`held`). A hold moves credits from one to the other, a capture spends one held credit for good, a release
//! gives one back. Each entry carries an idempotency key that stores keep unique, so saying a thing twice
//! changes nothing.

use crate::{
    id::{JobId, OrderId, UserId},
    money::{Credits, CreditsOutOfRange},
    time::Timestamp,
};

/// Why credits moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EntryKind {
    /// Given by the operator or as a starter credit.
    Grant,
    /// Bought.
    Purchase,
    /// The money of a purchase went back, and with it the credits that were left.
    PurchaseRefund,
    /// The operator wrote into `users.credits`; the database recorded the difference.
    Adjustment,
    /// An order set credits aside.
    Hold,
    /// A delivered video spent one held credit.
    Capture,
    /// A failed or cancelled video gave one held credit back.
    Release,
}

impl EntryKind {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::Grant,
        Self::Purchase,
        Self::PurchaseRefund,
        Self::Adjustment,
        Self::Hold,
        Self::Capture,
        Self::Release,
    ];

    /// The word stores and reports use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Grant => "grant",
            Self::Purchase => "purchase",
            Self::PurchaseRefund => "purchase_refund",
            Self::Adjustment => "adjustment",
            Self::Hold => "hold",
            Self::Capture => "capture",
            Self::Release => "release",
        }
    }

    /// The kind a word stands for.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// One immutable movement of credits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Whose credits.
    pub user: UserId,
    /// Why.
    pub kind: EntryKind,
    /// Change of what the user may spend.
    pub available: i64,
    /// Change of what is set aside for open orders.
    pub held: i64,
    /// Unique: a second entry with the same key is the same entry.
    pub key: String,
    /// The order behind a hold, capture or release.
    pub order: Option<OrderId>,
    /// The job behind a capture or release.
    pub job: Option<JobId>,
    /// When it was decided.
    pub at: Timestamp,
}

impl Entry {
    /// The operator (or the starter offer) gives `amount`; `reference` makes it happen once.
    #[must_use]
    pub fn grant(user: UserId, amount: Credits, reference: &str, at: Timestamp) -> Self {
        Self {
            user,
            kind: EntryKind::Grant,
            available: amount.value(),
            held: 0,
            key: format!("grant:{reference}"),
            order: None,
            job: None,
            at,
        }
    }

    /// A payment bought `amount`; `charge` is the payment's name at whoever took it, and makes it count once.
    #[must_use]
    pub fn purchase(user: UserId, amount: Credits, charge: &str, at: Timestamp) -> Self {
        Self {
            kind: EntryKind::Purchase,
            key: format!("purchase:{charge}"),
            ..Self::grant(user, amount, "", at)
        }
    }

    /// The payment `charge` went back and takes `amount` with it, once. [`Balance::up_to`] says how much it can take.
    #[must_use]
    pub fn purchase_refund(user: UserId, amount: Credits, charge: &str, at: Timestamp) -> Self {
        Self {
            kind: EntryKind::PurchaseRefund,
            available: -amount.value(),
            key: format!("purchase_refund:{charge}"),
            ..Self::grant(user, amount, "", at)
        }
    }

    /// An order sets its whole price aside.
    #[must_use]
    pub fn hold(user: UserId, price: Credits, order: OrderId, at: Timestamp) -> Self {
        Self {
            user,
            kind: EntryKind::Hold,
            available: -price.value(),
            held: price.value(),
            key: format!("hold:{order}"),
            order: Some(order),
            job: None,
            at,
        }
    }

    /// A delivered video spends the credit its order held for it.
    #[must_use]
    pub fn capture(user: UserId, order: OrderId, job: JobId, at: Timestamp) -> Self {
        Self {
            user,
            kind: EntryKind::Capture,
            available: 0,
            held: -1,
            key: format!("capture:{job}"),
            order: Some(order),
            job: Some(job),
            at,
        }
    }

    /// A video that will not be made gives its credit back.
    #[must_use]
    pub fn release(user: UserId, order: OrderId, job: JobId, at: Timestamp) -> Self {
        Self {
            user,
            kind: EntryKind::Release,
            available: 1,
            held: -1,
            key: format!("release:{job}"),
            order: Some(order),
            job: Some(job),
            at,
        }
    }
}

/// A user's credits: the sum of their entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Balance {
    /// What the user may spend.
    pub available: Credits,
    /// What open orders have set aside.
    pub held: Credits,
}

/// The entry would make a balance impossible; nothing was applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// More credits are asked for than the user may spend.
    #[error("{needed} credits are needed and {available} are available")]
    InsufficientCredits {
        /// What the entry takes.
        needed: Credits,
        /// What there is.
        available: Credits,
    },
    /// More is captured or released than was held.
    #[error("the entry takes {taken} held credits and {held} are held")]
    NothingHeld {
        /// What the entry takes.
        taken: i64,
        /// What there is.
        held: Credits,
    },
    /// The sum left the range of credits.
    #[error(transparent)]
    OutOfRange(#[from] CreditsOutOfRange),
}

impl Balance {
    /// As much of `wanted` as can be taken: what is set aside for open orders cannot.
    #[must_use]
    pub fn up_to(self, wanted: Credits) -> Credits {
        self.available.min(wanted)
    }

    /// The balance after one more entry.
    ///
    /// # Errors
    /// [`LedgerError`] when either number would leave its range; the balance then stays as it was.
    pub fn apply(self, entry: &Entry) -> Result<Self, LedgerError> {
        if self.available.value() + entry.available < 0 {
            return Err(LedgerError::InsufficientCredits {
                needed: Credits::new(entry.available.saturating_neg())?,
                available: self.available,
            });
        }
        if self.held.value() + entry.held < 0 {
            return Err(LedgerError::NothingHeld { taken: entry.held.saturating_neg(), held: self.held });
        }
        Ok(Self { available: self.available.plus(entry.available)?, held: self.held.plus(entry.held)? })
    }

    /// The balance a history of entries adds up to.
    ///
    /// # Errors
    /// The first entry that could not have happened.
    pub fn of<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Result<Self, LedgerError> {
        entries.into_iter().try_fold(Self::default(), Self::apply)
    }
}
