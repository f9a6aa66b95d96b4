//! `kadr credits`.

use domain::{id::UserId, ledger::Balance, money::Credits};
use ports::{AuditReport, ErrorKind, Posting};
use serde_json::json;

use super::{Ended, args::CreditsCommand, failure::Failure, output::Output, shown};
use crate::{compose::House, services::account};

pub(super) async fn run(command: CreditsCommand, house: &House, out: &mut Output) -> Ended {
    match command {
        CreditsCommand::Grant { user, amount, reference } => {
            grant(user, amount, reference.as_deref(), house, out).await
        }
        CreditsCommand::Balance { user } => {
            let balance = account::balance(&house.ports, user).await?;
            let value = json!({ "user": user.value(), "balance": shown::balance(balance) });
            out.show(&value, &[format!("user {user}: {}", in_words(balance))])?;
            Ok(0)
        }
        CreditsCommand::History { user, limit } => history(user, limit, house, out).await,
        CreditsCommand::Audit => audit(house, out).await,
    }
}

fn in_words(balance: Balance) -> String {
    format!("{} available, {} held", balance.available, balance.held)
}

async fn grant(
    user: UserId,
    amount: Credits,
    reference: Option<&str>,
    house: &House,
    out: &mut Output,
) -> Ended {
    let posting =
        account::grant(&house.ports, user, amount, reference).await.map_err(|e| match e.kind() {
            ErrorKind::Conflict => Failure::usage(
                "this reference was used for another grant: repeat that one exactly, or use a new reference",
            ),
            ErrorKind::Rejected => Failure::usage(format!("nothing was granted: {e}; grant fewer")),
            _ => Failure::from(e),
        })?;
    let (balance, told) = match posting {
        Posting::Posted(balance) => (balance, format!("user {user} got {amount}")),
        Posting::Duplicate(balance) => {
            (balance, "nothing changed: this reference was granted before".to_owned())
        }
    };
    let value = json!({
        "user": user.value(),
        "granted": if matches!(posting, Posting::Posted(_)) { amount.value() } else { 0 },
        "balance": shown::balance(balance),
    });
    out.show(&value, &[format!("{told}; {}", in_words(balance))])?;
    Ok(0)
}

async fn history(user: UserId, limit: u32, house: &House, out: &mut Output) -> Ended {
    let entries = account::history(&house.ports, user, limit).await?;
    let mut lines: Vec<String> = entries
        .iter()
        .map(|e| {
            let (at, kind) = (shown::instant(e.at), e.kind.as_str());
            format!("{at}  {kind:<10}  available {:+}  held {:+}  {}", e.available, e.held, e.key)
        })
        .collect();
    if lines.is_empty() {
        lines.push(format!("user {user} has no entries"));
    }
    let entries: Vec<_> = entries.iter().map(shown::entry).collect();
    out.show(&json!({ "user": user.value(), "entries": entries }), &lines)?;
    Ok(0)
}

async fn audit(house: &House, out: &mut Output) -> Ended {
    let report = account::audit(&house.ports).await?;
    let AuditReport { users, entries, available, held, held_ever, captured, released, findings } = &report;
    let mut lines = vec![
        format!("users {users}, entries {entries}, credits available {available}, held {held}"),
        format!("{held_ever} held ever = {captured} captured + {released} released + {held} still held"),
    ];
    lines.extend(findings.iter().map(|finding| match finding.user {
        Some(user) => format!("WRONG  user {user}: {}", finding.what),
        None => format!("WRONG  {}", finding.what),
    }));
    if findings.is_empty() {
        lines.push("everything adds up".to_owned());
    }
    let found: Vec<_> = findings
        .iter()
        .map(|finding| json!({ "user": finding.user.map(UserId::value), "what": finding.what }))
        .collect();
    let value = json!({
        "users": users,
        "entries": entries,
        "available": available,
        "held": held,
        "held_ever": held_ever,
        "captured": captured,
        "released": released,
        "findings": found,
    });
    out.show(&value, &lines)?;
    Ok(u8::from(!findings.is_empty()))
}
