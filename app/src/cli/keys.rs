//! `kadr keys`.

use domain::{breaker::Breaker, key::Standing};
use ports::Reply;
use serde_json::{Value, json};

use super::{Ended, output::Output, shown::instant};
use crate::{
    compose::House,
    services::inspect_keys::{KeyReport, KeysReport, inspect_keys},
};

pub(super) async fn run(house: &House, out: &mut Output) -> Ended {
    let report = inspect_keys(&house.ports, &house.policy).await?;
    let limits = house.policy.roster.limits;
    let mut lines: Vec<_> =
        report.keys.iter().map(|key| line(key, (limits.running_max, limits.creates_max))).collect();
    lines.push(breaker_line(&report.breaker));
    if !report.is_any_usable() {
        lines.push(
            "no key can be used: top up a balance, or put a working key into KADR_KIE__KEYS and start again"
                .to_owned(),
        );
    }
    out.show(&value(&report), &lines)?;
    Ok(u8::from(!report.is_any_usable()))
}

/// One key in one line.
fn line(key: &KeyReport, (running_max, creates_max): (u32, u32)) -> String {
    let facts = &key.facts;
    let balance = match &key.balance {
        Reply::Yes(credits) => format!("{credits} credits"),
        Reply::No(refusal) => format!("no balance ({})", refusal.failure.reason),
        Reply::Unknown(_) => "balance unknown".to_owned(),
    };
    let why = facts
        .cooling
        .map(|cooling| format!(" ({}) until {}", cooling.cause.as_str(), instant(cooling.until)));
    let why = why.unwrap_or_default();
    format!(
        "{}  {}  {}{why}  {balance}  running {} of {running_max}, created {} of {creates_max} in the window; {} \
         accepted and {} failed in the last minute",
        facts.account,
        facts.key,
        state(key),
        facts.account_running,
        facts.account_created,
        facts.answers.accepted,
        facts.answers.faults,
    )
}

/// Where a key stands, in words programs may rely on. A key nobody has tried yet may be known to be of no use all the same.
fn state(key: &KeyReport) -> &'static str {
    match key.standing {
        Standing::Usable if !key.is_usable() => "unusable",
        Standing::Usable => "usable",
        Standing::Passes(_) => "cooling",
        Standing::OnTrial(_) => "on_trial",
        Standing::Out(_) => "out",
    }
}

fn breaker_line(breaker: &Breaker) -> String {
    match breaker {
        Breaker::Closed { since: None, .. } => "breaker closed".to_owned(),
        Breaker::Closed { since: Some(at), .. } => format!("breaker closed since {}", instant(*at)),
        Breaker::Open { since, probe_at, probes, .. } => format!(
            "breaker OPEN since {}: KIE fails broadly, orders wait; probe {} at {} or later",
            instant(*since),
            probes + 1,
            instant(*probe_at)
        ),
    }
}

fn value(report: &KeysReport) -> Value {
    let keys = report.keys.iter().map(|key| {
        let facts = &key.facts;
        let (balance, balance_error) = match &key.balance {
            Reply::Yes(credits) => (Some(*credits), None),
            Reply::No(refusal) => (None, Some(refusal.failure.reason.code().to_owned())),
            Reply::Unknown(_) => (None, Some("unknown".to_owned())),
        };
        json!({
            "account": facts.account.as_str(),
            "key": facts.key.as_str(),
            "usable": key.is_usable(),
            "state": state(key),
            "cooling_cause": facts.cooling.map(|cooling| cooling.cause.as_str()),
            "cooling_since": facts.cooling.map(|cooling| instant(cooling.since)),
            "cooling_until": facts.cooling.map(|cooling| instant(cooling.until)),
            "balance_kie_credits": balance,
            "balance_error": balance_error,
            "account_running": facts.account_running,
            "account_created_in_window": facts.account_created,
            "key_running": facts.key_running,
            "accepted_last_minute": facts.answers.accepted,
            "faults_last_minute": facts.answers.faults,
        })
    });
    let (since, probe_at, probes) = match &report.breaker {
        Breaker::Closed { since, .. } => (*since, None, 0),
        Breaker::Open { since, probe_at, probes, .. } => (Some(*since), Some(*probe_at), *probes),
    };
    json!({
        "at": instant(report.at),
        "breaker": {
            "open": report.breaker.is_open(),
            "since": since.map(instant),
            "next_probe_at": probe_at.map(instant),
            "probes": probes,
        },
        "keys": keys.collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use domain::key::{CoolingCause, CoolingTimes};

    use super::*;
    use crate::fixtures::{self, START};

    fn report() -> KeysReport {
        let mut facts = fixtures::facts().keys.remove(0);
        let cooling = CoolingTimes::default().begin(CoolingCause::Billing, START);
        facts.cooling = Some(cooling);
        let key = KeyReport { facts, standing: Standing::Out(cooling), balance: Reply::Yes(3.5) };
        let breaker = Breaker::Open { since: START, probe_at: START, probes: 2, probe: None, waiting: 0 };
        KeysReport { at: START, breaker, keys: vec![key] }
    }

    #[test]
    fn a_key_is_shown_with_its_state_and_the_breaker_with_its_next_probe() {
        let report = report();
        let text = line(&report.keys[0], (100, 18));
        for part in ["main  k1  out (billing) until ", "3.5 credits", "running 0 of 100", "created 0 of 18"] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(
            breaker_line(&report.breaker).contains("OPEN")
                && breaker_line(&report.breaker).contains("probe 3")
        );
        let mut empty = report.keys[0].clone();
        (empty.standing, empty.facts.cooling, empty.balance) = (Standing::Usable, None, Reply::Yes(0.0));
        assert!(line(&empty, (100, 18)).contains("main  k1  unusable  0 credits"));
        let value = value(&report);
        assert_eq!(value["keys"][0]["cooling_cause"], "billing");
        assert_eq!((&value["keys"][0]["usable"], &value["breaker"]["open"]), (&json!(false), &json!(true)));
    }
}
