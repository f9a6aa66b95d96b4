//! Credits bought with Stars.

use domain::{
    id::UserId,
    ledger::{Balance, Entry, EntryKind},
    money::Credits,
    order::Quantity,
};
use ports::{
    ErrorKind, Posting,
    bot::{Offer, Payment, Purchase, Refund, StarCharge, TakenBack},
};

use super::laws;
use crate::{
    make::{USER, at, placement},
    stores::{Stores, of_postgres, pg_stores},
};

laws![
    an_offer_is_kept_once,
    an_offer_that_sells_nothing_is_refused,
    a_charge_is_credited_once,
    a_payment_that_was_not_offered_like_this_writes_nothing,
    an_offer_is_paid_once_and_a_charge_pays_once,
    a_payment_beyond_the_range_is_refused_and_writes_nothing,
    the_same_charge_at_the_same_moment_is_credited_once,
    a_refund_takes_back_what_was_bought_once,
    a_refund_takes_no_more_than_the_user_may_spend,
    a_refund_of_spent_credits_takes_nothing_and_is_remembered,
    a_refund_of_an_unknown_charge_is_none_of_ours,
    what_telegram_took_or_gave_back_without_our_knowing_is_told,
];

const STRANGER: UserId = UserId::new(9);

fn offer(payload: &str) -> Offer {
    Offer {
        payload: payload.to_owned(),
        user: USER,
        package: "ten".to_owned(),
        credits: Credits::of(10),
        stars: 500,
        offered_at: at(0),
    }
}

fn balance(available: u8, held: u8) -> Balance {
    Balance { available: Credits::of(available), held: Credits::of(held) }
}

impl Stores {
    async fn paid(&self, payload: &str, charge: &str) -> Posting {
        self.purchases.offer(&offer(payload)).await.unwrap();
        self.purchases.credit(payload, charge, USER, 500, at(1)).await.unwrap()
    }

    async fn entries(&self) -> Vec<(EntryKind, i64, String)> {
        let history = self.ledger.history(USER, 100).await.unwrap();
        history.into_iter().map(|entry| (entry.kind, entry.available, entry.key)).collect()
    }
}

async fn an_offer_is_kept_once(stores: Stores) {
    assert_eq!(stores.purchases.offer_of("p1").await.unwrap(), None);
    assert_eq!(stores.purchases.offer_of("\0 forged").await.unwrap(), None);
    stores.purchases.offer(&offer("p1")).await.unwrap();
    stores.purchases.offer(&offer("p1")).await.unwrap();
    let kept = Purchase { offer: offer("p1"), payment: None };
    assert_eq!(stores.purchases.offer_of("p1").await.unwrap(), Some(kept.clone()));
    for other in [
        Offer { user: STRANGER, ..offer("p1") },
        Offer { credits: Credits::of(11), ..offer("p1") },
        Offer { stars: 1, ..offer("p1") },
    ] {
        assert_eq!(stores.purchases.offer(&other).await.unwrap_err().kind(), ErrorKind::Conflict);
    }
    assert_eq!(stores.purchases.offer_of("p1").await.unwrap(), Some(kept));
    assert!(stores.entries().await.is_empty(), "an offer moves no credit");
}

async fn an_offer_that_sells_nothing_is_refused(stores: Stores) {
    for wrong in [
        offer(""),
        offer(&"p".repeat(129)),
        offer("\0"),
        Offer { credits: Credits::ZERO, ..offer("p1") },
        Offer { stars: 0, ..offer("p1") },
        Offer { stars: u32::MAX, ..offer("p1") },
    ] {
        assert_eq!(
            stores.purchases.offer(&wrong).await.unwrap_err().kind(),
            ErrorKind::Rejected,
            "{wrong:?}"
        );
        assert_eq!(stores.purchases.offer_of(&wrong.payload).await.unwrap(), None);
    }
}

async fn a_charge_is_credited_once(stores: Stores) {
    assert_eq!(stores.paid("p1", "ch1").await, Posting::Posted(balance(10, 0)));
    let again = stores.purchases.credit("p1", "ch1", USER, 500, at(9)).await.unwrap();
    assert_eq!(again, Posting::Duplicate(balance(10, 0)));
    assert_eq!(stores.entries().await, [(EntryKind::Purchase, 10, "purchase:ch1".to_owned())]);
    let payment = Payment { charge: "ch1".to_owned(), paid_at: at(1), refund: None };
    let kept = Purchase { offer: offer("p1"), payment: Some(payment) };
    assert_eq!(stores.purchases.offer_of("p1").await.unwrap(), Some(kept));
    assert_eq!(stores.paid("p2", "ch2").await, Posting::Posted(balance(20, 0)), "another one counts");
    stores.assert_audit_is_clean().await;
}

async fn a_payment_that_was_not_offered_like_this_writes_nothing(stores: Stores) {
    stores.purchases.offer(&offer("p1")).await.unwrap();
    let long = "c".repeat(181);
    for (payload, charge, user, stars) in [
        ("unknown", "ch1", USER, 500),
        ("p1\0", "ch1", USER, 500),
        ("p1", "ch1", STRANGER, 500),
        ("p1", "ch1", USER, 499),
        ("p1", "ch1", USER, 501),
        ("p1", "", USER, 500),
        ("p1", "ch\0", USER, 500),
        ("p1", long.as_str(), USER, 500),
    ] {
        let refused = stores.purchases.credit(payload, charge, user, stars, at(1)).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Rejected, "{payload:?} {charge:?} {user} {stars}");
    }
    assert!(stores.entries().await.is_empty());
    assert_eq!(stores.ledger.balance(STRANGER).await.unwrap(), Balance::default());
    assert_eq!(stores.purchases.offer_of("p1").await.unwrap().unwrap().payment, None);
    let longest = "c".repeat(180);
    assert_eq!(stores.paid("p1", &longest).await, Posting::Posted(balance(10, 0)), "the longest that fits");
    assert!(stores.purchases.paid_back(&longest, at(2)).await.unwrap().is_some());
    stores.assert_audit_is_clean().await;
}

async fn an_offer_is_paid_once_and_a_charge_pays_once(stores: Stores) {
    stores.paid("p1", "ch1").await;
    stores.purchases.offer(&offer("p2")).await.unwrap();
    for (payload, charge) in [("p1", "ch2"), ("p2", "ch1")] {
        let refused = stores.purchases.credit(payload, charge, USER, 500, at(2)).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Conflict, "{payload} {charge}");
    }
    assert_eq!(stores.ledger.balance(USER).await.unwrap(), balance(10, 0));
    assert_eq!(stores.purchases.offer_of("p2").await.unwrap().unwrap().payment, None);
}

async fn a_payment_beyond_the_range_is_refused_and_writes_nothing(stores: Stores) {
    let nearly_all = Credits::MAX.plus(-5).unwrap();
    stores.ledger.post(&Entry::grant(USER, nearly_all, "much", at(0))).await.unwrap();
    stores.purchases.offer(&offer("p1")).await.unwrap();
    let refused = stores.purchases.credit("p1", "ch1", USER, 500, at(1)).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Rejected);
    assert_eq!(stores.purchases.offer_of("p1").await.unwrap().unwrap().payment, None);
    assert_eq!(stores.entries().await.len(), 1);
    stores.assert_audit_is_clean().await;
}

async fn the_same_charge_at_the_same_moment_is_credited_once(stores: Stores) {
    stores.purchases.offer(&offer("p1")).await.unwrap();
    let credits = (0..4).map(|_| stores.purchases.credit("p1", "ch1", USER, 500, at(1)));
    let answers = futures_util::future::join_all(credits).await;
    let posted = answers.iter().filter(|answer| matches!(answer, Ok(Posting::Posted(_)))).count();
    assert_eq!(posted, 1, "{answers:?}");
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    let refunds = (0..4).map(|_| stores.purchases.paid_back("ch1", at(2)));
    let refunds = futures_util::future::join_all(refunds).await;
    let first =
        refunds.iter().filter(|refund| !refund.as_ref().unwrap().as_ref().unwrap().is_repeated).count();
    assert_eq!(first, 1, "{refunds:?}");
    assert_eq!(stores.ledger.balance(USER).await.unwrap(), balance(0, 0));
    stores.assert_audit_is_clean().await;
}

async fn a_refund_takes_back_what_was_bought_once(stores: Stores) {
    stores.grant("starter", 2).await;
    stores.paid("p1", "ch1").await;
    let first = TakenBack {
        user: USER,
        bought: Credits::of(10),
        taken: Credits::of(10),
        balance: balance(2, 0),
        is_repeated: false,
    };
    assert_eq!(stores.purchases.paid_back("ch1", at(5)).await.unwrap(), Some(first.clone()));
    let again = TakenBack { is_repeated: true, ..first };
    assert_eq!(stores.purchases.paid_back("ch1", at(6)).await.unwrap(), Some(again));
    let newest = stores.entries().await.remove(0);
    assert_eq!(newest, (EntryKind::PurchaseRefund, -10, "purchase_refund:ch1".to_owned()));
    assert_eq!(stores.entries().await.len(), 3);
    let payment = stores.purchases.offer_of("p1").await.unwrap().unwrap().payment.unwrap();
    assert_eq!(payment.refund, Some(Refund { at: at(5), taken: Credits::of(10) }));
    let late = stores.purchases.credit("p1", "ch1", USER, 500, at(7)).await.unwrap();
    assert_eq!(late, Posting::Duplicate(balance(2, 0)), "a payment told again after its refund buys nothing");
    stores.assert_audit_is_clean().await;
}

async fn a_refund_takes_no_more_than_the_user_may_spend(stores: Stores) {
    stores.paid("p1", "ch1").await;
    let photo = stores.photos.put(&crate::make::photo(), at(2)).await.unwrap();
    stores.orders.place(&placement(1, Quantity::Five, photo, at(2))).await.unwrap();
    let taken = stores.purchases.paid_back("ch1", at(5)).await.unwrap().unwrap();
    assert_eq!((taken.bought, taken.taken), (Credits::of(10), Credits::of(5)));
    assert_eq!(taken.balance, balance(0, 5), "what an open order has set aside stays");
    stores.assert_audit_is_clean().await;
}

async fn a_refund_of_spent_credits_takes_nothing_and_is_remembered(stores: Stores) {
    stores.paid("p1", "ch1").await;
    let photo = stores.photos.put(&crate::make::photo(), at(2)).await.unwrap();
    for n in [1, 2] {
        stores.orders.place(&placement(n, Quantity::Five, photo, at(2))).await.unwrap();
    }
    let taken = stores.purchases.paid_back("ch1", at(5)).await.unwrap().unwrap();
    assert_eq!((taken.taken, taken.is_repeated), (Credits::ZERO, false));
    stores.grant("later", 4).await;
    let again = stores.purchases.paid_back("ch1", at(6)).await.unwrap().unwrap();
    assert_eq!((again.taken, again.is_repeated), (Credits::ZERO, true), "decided once");
    assert_eq!(stores.ledger.balance(USER).await.unwrap(), balance(4, 10));
    stores.assert_audit_is_clean().await;
}

async fn a_refund_of_an_unknown_charge_is_none_of_ours(stores: Stores) {
    stores.purchases.offer(&offer("p1")).await.unwrap();
    for charge in ["ch1", "", "\0"] {
        assert_eq!(stores.purchases.paid_back(charge, at(5)).await.unwrap(), None);
    }
    assert!(stores.entries().await.is_empty());
}

async fn what_telegram_took_or_gave_back_without_our_knowing_is_told(stores: Stores) {
    let charge = |name: &str, stars| StarCharge {
        charge: name.to_owned(),
        user: USER,
        stars,
        payload: Some("p".to_owned()),
    };
    assert!(stores.purchases.unmatched(&[]).await.unwrap().is_empty());
    for (payload, name) in [("p1", "known"), ("p2", "refunded"), ("p3", "went back")] {
        stores.paid(payload, name).await;
    }
    stores.purchases.paid_back("refunded", at(5)).await.unwrap();
    let told = [
        charge("known", 500),
        charge("refunded", 500),
        charge("went back", 500),
        charge("not credited", 500),
        charge("neither", 500),
        charge("\0", 500),
        charge("refunded", -500),
        charge("went back", -500),
        charge("neither", -500),
        charge("before our time", -500),
    ];
    let open = stores.purchases.unmatched(&told).await.unwrap();
    assert_eq!(open, [charge("not credited", 500), charge("\0", 500), charge("went back", -500)]);
}

#[tokio::test]
async fn an_audit_finds_payments_and_refunds_without_their_entries() {
    let stores = pg_stores().await;
    let ports = of_postgres(&stores);
    ports.paid("p1", "ch1").await;
    ports.paid("p2", "ch2").await;
    ports.purchases.paid_back("ch2", at(5)).await.unwrap();
    for change in [
        "UPDATE purchases SET credits = 11 WHERE payload = 'p1'",
        "UPDATE purchases SET credits_taken = 9 WHERE payload = 'p2'",
        "INSERT INTO ledger_entries (tg_user_id, kind, available, held, idempotency_key, at)
         SELECT tg_user_id, 'purchase', 1, 0, 'purchase:made up', at FROM ledger_entries LIMIT 1",
    ] {
        sqlx::query(change).execute(stores.pool()).await.unwrap();
    }
    let report = ports.ledger.audit().await.unwrap();
    let found: Vec<_> = report.findings.iter().map(|finding| finding.what.as_str()).collect();
    assert_eq!(
        found,
        [
            "entry purchase:made up belongs to no purchase",
            "purchase p1 of 11 credits: entry of 10",
            "refund of purchase p2 took 9 credits: entry of 10",
        ]
    );
}
