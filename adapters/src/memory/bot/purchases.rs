//! Purchases.

use async_trait::async_trait;
use domain::{id::UserId, ledger::Entry, money::Credits, time::Timestamp};
use ports::{
    ErrorKind, PortError, Posting,
    bot::{CHARGE_BYTES_MAX, Offer, Payment, Purchase, Purchases, Refund, StarCharge, TakenBack},
};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::memory::MemStores;

/// Whether an offer can be made at all.
pub(crate) fn check_offer(offer: &Offer) -> Result<(), PortError> {
    let is_text = |text: &str| !text.is_empty() && !text.contains('\0');
    let fits = is_text(&offer.payload) && offer.payload.len() <= 128 && !offer.package.contains('\0');
    let sells = offer.credits > Credits::ZERO && (1..=i32::MAX.unsigned_abs()).contains(&offer.stars);
    if fits && sells {
        return Ok(());
    }
    Err(PortError::new(
        ErrorKind::Rejected,
        "an offer needs a payload of 1 to 128 bytes, credits and a price",
    ))
}

/// Whether a payment is to be credited: `false` when it was already.
pub(crate) fn is_new_payment(
    purchase: Option<&Purchase>,
    charge: &str,
    user: UserId,
    stars: u32,
) -> Result<bool, PortError> {
    let refuse = |kind, say: &str| Err(PortError::new(kind, say));
    let Some(Purchase { offer, payment }) = purchase else {
        return refuse(ErrorKind::Rejected, "nothing was offered under the payload of this payment");
    };
    if !(1..=CHARGE_BYTES_MAX).contains(&charge.len()) || charge.contains('\0') {
        return refuse(ErrorKind::Rejected, "the payment's name is empty or too long");
    }
    if offer.user != user {
        return refuse(ErrorKind::Rejected, "the payment is for somebody else's offer");
    }
    if offer.stars != stars {
        return refuse(ErrorKind::Rejected, "the payment is not of the amount that was offered");
    }
    match payment {
        None => Ok(true),
        Some(payment) if payment.charge == charge => Ok(false),
        Some(_) => refuse(ErrorKind::Conflict, "the offer was paid with another charge already"),
    }
}

/// A payment that paid another offer before.
pub(crate) fn paid_another() -> PortError {
    PortError::new(ErrorKind::Conflict, "the charge paid another offer already")
}

/// Those of `charges` that `credited` (each charge that was, and whether its refund is known) does not account for.
pub(crate) fn unaccounted(charges: &[StarCharge], credited: &FxHashMap<String, bool>) -> Vec<StarCharge> {
    let went_back: FxHashSet<&str> =
        charges.iter().filter(|charge| charge.stars < 0).map(|charge| charge.charge.as_str()).collect();
    let is_open = |charge: &&StarCharge| match credited.get(&charge.charge) {
        None => charge.stars > 0 && !went_back.contains(charge.charge.as_str()),
        Some(is_refund_known) => charge.stars < 0 && !is_refund_known,
    };
    charges.iter().filter(is_open).cloned().collect()
}

#[async_trait]
impl Purchases for MemStores {
    async fn offer(&self, offer: &Offer) -> Result<(), PortError> {
        check_offer(offer)?;
        let mut world = self.lock();
        let purchases = &mut world.bot.purchases;
        let new = || Purchase { offer: offer.clone(), payment: None };
        let kept = purchases.entry(offer.payload.clone()).or_insert_with(new);
        if kept.offer == *offer {
            return Ok(());
        }
        Err(PortError::new(ErrorKind::Conflict, "the payload is another offer's"))
    }

    async fn offer_of(&self, payload: &str) -> Result<Option<Purchase>, PortError> {
        Ok(self.lock().bot.purchases.get(payload).cloned())
    }

    async fn credit(
        &self,
        payload: &str,
        charge: &str,
        user: UserId,
        stars: u32,
        now: Timestamp,
    ) -> Result<Posting, PortError> {
        let mut world = self.lock();
        let world = &mut *world;
        let balance = world.balances.get(&user).copied().unwrap_or_default();
        let is_new = is_new_payment(world.bot.purchases.get(payload), charge, user, stars)?;
        let Some(purchase) = world.bot.purchases.get_mut(payload).filter(|_| is_new) else {
            return Ok(Posting::Duplicate(balance));
        };
        if world.bot.charges.contains_key(charge) {
            return Err(paid_another());
        }
        let entry = Entry::purchase(user, purchase.offer.credits, charge, now);
        balance.apply(&entry).map_err(|error| {
            PortError::with_source(ErrorKind::Rejected, "the balance cannot take this entry", error)
        })?;
        purchase.payment = Some(Payment { charge: charge.to_owned(), paid_at: now, refund: None });
        world.bot.charges.insert(charge.to_owned(), payload.to_owned());
        let after = world.post_entry(&entry).map_err(|error| {
            PortError::with_source(ErrorKind::Inconsistent, "the balance cannot take this entry", error)
        })?;
        Ok(Posting::Posted(after))
    }

    async fn paid_back(&self, charge: &str, now: Timestamp) -> Result<Option<TakenBack>, PortError> {
        let mut world = self.lock();
        let world = &mut *world;
        let purchase = world.bot.charges.get(charge).and_then(|payload| world.bot.purchases.get_mut(payload));
        let Some(Purchase { offer, payment: Some(payment) }) = purchase else { return Ok(None) };
        let balance = world.balances.get(&offer.user).copied().unwrap_or_default();
        let (user, bought) = (offer.user, offer.credits);
        if let Some(Refund { taken, .. }) = payment.refund {
            return Ok(Some(TakenBack { user, bought, taken, balance, is_repeated: true }));
        }
        let taken = balance.up_to(bought);
        payment.refund = Some(Refund { at: now, taken });
        let mut after = balance;
        if taken > Credits::ZERO {
            let entry = Entry::purchase_refund(user, taken, charge, now);
            after = world.post_entry(&entry).map_err(|error| {
                PortError::with_source(ErrorKind::Inconsistent, "the balance cannot take this entry", error)
            })?;
        }
        Ok(Some(TakenBack { user, bought, taken, balance: after, is_repeated: false }))
    }

    async fn unmatched(&self, charges: &[StarCharge]) -> Result<Vec<StarCharge>, PortError> {
        let world = self.lock();
        let bot = &world.bot;
        let credited = charges.iter().filter_map(|charge| {
            let purchase = bot.purchases.get(bot.charges.get(&charge.charge)?)?;
            let payment = purchase.payment.as_ref()?;
            Some((charge.charge.clone(), payment.refund.is_some()))
        });
        Ok(unaccounted(charges, &credited.collect()))
    }
}
