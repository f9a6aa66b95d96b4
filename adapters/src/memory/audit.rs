//! The questions of the PostgreSQL twin's `audit.sql`, asked of the maps.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    id::{JobId, OrderId, UserId},
    job::StateName,
    ledger::EntryKind,
};
use ports::{
    AuditFinding, AuditReport,
    bot::{Purchase, Refund},
};
use rustc_hash::FxHashMap;

use super::world::World;

/// A table in the order of its keys, so that findings come in the same order every time.
fn sorted<K: Ord + Copy, V>(table: &FxHashMap<K, V>) -> Vec<(&K, &V)> {
    let mut rows: Vec<_> = table.iter().collect();
    rows.sort_unstable_by_key(|(key, _)| **key);
    rows
}

pub(super) fn report(world: &World) -> AuditReport {
    let mut report = AuditReport {
        users: world.balances.len() as u64,
        entries: world.entries.len() as u64,
        ..AuditReport::default()
    };
    let mut sums: BTreeMap<UserId, (i64, i64)> = BTreeMap::new();
    let mut ends: BTreeMap<JobId, Vec<EntryKind>> = BTreeMap::new();
    for (user, past) in sorted(&world.forgotten) {
        sums.insert(*user, (past.available, past.held));
        report.entries += past.entries;
        report.available += past.available;
        report.held += past.held;
        report.held_ever += past.held_ever;
        report.captured += past.captured;
        report.released += past.released;
    }
    for entry in world.entries.values() {
        let sum = sums.entry(entry.user).or_default();
        *sum = (sum.0 + entry.available, sum.1 + entry.held);
        report.available += entry.available;
        report.held += entry.held;
        match (entry.kind, entry.job) {
            (EntryKind::Hold, _) => report.held_ever += entry.held,
            (EntryKind::Capture, Some(job)) => {
                report.captured += 1;
                ends.entry(job).or_default().push(entry.kind);
            }
            (EntryKind::Release, Some(job)) => {
                report.released += 1;
                ends.entry(job).or_default().push(entry.kind);
            }
            _ => {}
        }
    }
    let mut live: BTreeMap<UserId, i64> = BTreeMap::new();
    for row in world.jobs.values().filter(|row| !row.job.state.is_terminal()) {
        *live.entry(row.job.user).or_default() += 1;
    }
    let mut find = |user, what| report.findings.push(AuditFinding { user, what });
    for (user, balance) in sorted(&world.balances) {
        let (available, held) = sums.get(user).copied().unwrap_or_default();
        let open = live.get(user).copied().unwrap_or_default();
        if balance.available.value() != available {
            find(Some(*user), format!("balance {}, entries add up to {available}", balance.available));
        }
        if balance.held.value() != held {
            find(Some(*user), format!("held {}, entries add up to {held}", balance.held));
        }
        if balance.held.value() != open {
            find(Some(*user), format!("held {}, open jobs {open}", balance.held));
        }
    }
    for (id, row) in sorted(&world.jobs) {
        let expected = match row.job.state.name() {
            StateName::Done => vec![EntryKind::Capture],
            StateName::Refunded | StateName::Cancelled => vec![EntryKind::Release],
            _ => vec![],
        };
        let found = ends.remove(id).unwrap_or_default();
        if found != expected {
            let state = row.job.state.name().as_str();
            find(Some(row.job.user), format!("job {id} is {state} and its credit ended as {found:?}"));
        }
    }
    for (id, kinds) in ends {
        find(None, format!("job {id} has {kinds:?} and does not exist"));
    }
    let mut jobs_of: BTreeMap<OrderId, usize> = BTreeMap::new();
    for (_, row) in sorted(&world.jobs) {
        *jobs_of.entry(row.job.order).or_default() += 1;
    }
    for (id, order) in sorted(&world.orders) {
        let jobs = jobs_of.get(id).copied().unwrap_or_default();
        let hold = world.entry_by_key.get(&format!("hold:{id}")).and_then(|at| world.entries.get(at));
        let held = hold.map_or(0, |entry| entry.held);
        let videos = order.request.quantity.videos();
        if jobs != usize::from(videos) || held != i64::from(videos) {
            let user = Some(order.request.user);
            find(user, format!("order {id} of {videos} videos: hold of {held}, {jobs} jobs"));
        }
    }
    audit_purchases(world, &mut report);
    report
}

fn audit_purchases(world: &World, report: &mut AuditReport) {
    let amount = |key: String, user: UserId| {
        let entry = world.entry_by_key.get(&key).and_then(|at| world.entries.get(at))?;
        (entry.user == user).then_some(entry.available)
    };
    let mut find = |user, what| report.findings.push(AuditFinding { user: Some(user), what });
    let mut accounted = BTreeSet::new();
    for Purchase { offer, payment } in world.bot.purchases.values() {
        let Some(payment) = payment else { continue };
        let (bought, key) = (offer.credits, format!("purchase:{}", payment.charge));
        let entry = amount(key.clone(), offer.user);
        if entry != Some(bought.value()) {
            find(offer.user, format!("purchase {} of {bought} credits: entry of {entry:?}", offer.payload));
        }
        accounted.insert(key);
        let Some(Refund { taken, .. }) = payment.refund else { continue };
        let key = format!("purchase_refund:{}", payment.charge);
        let entry = amount(key.clone(), offer.user).unwrap_or_default();
        if entry != -taken.value() {
            let payload = &offer.payload;
            find(offer.user, format!("refund of purchase {payload} took {taken} credits: entry of {entry}"));
        }
        accounted.insert(key);
    }
    for entry in world.entries.values() {
        let is_of_purchase = matches!(entry.kind, EntryKind::Purchase | EntryKind::PurchaseRefund);
        if is_of_purchase && !accounted.contains(&entry.key) {
            find(entry.user, format!("entry {} belongs to no purchase", entry.key));
        }
    }
}
