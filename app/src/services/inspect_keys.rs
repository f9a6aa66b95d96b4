//! What an operator wants to know of the provider's keys, one by one.

use domain::{
    breaker::Breaker,
    failure::Reason,
    key::{KeyFacts, Standing, standing},
    time::Timestamp,
};
use ports::{PortError, Reply};

use crate::{Policy, Ports};

/// The keys and the breaker at one instant.
#[derive(Debug, Clone, PartialEq)]
pub struct KeysReport {
    /// When it was read.
    pub at: Timestamp,
    /// The breaker of all hosts.
    pub breaker: Breaker,
    /// The keys, in the order of the configuration.
    pub keys: Vec<KeyReport>,
}

/// One key.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyReport {
    /// What the store knows.
    pub facts: KeyFacts,
    /// Where it stands, its account's limits aside.
    pub standing: Standing,
    /// What is left on its account, in the provider's own credits, as the provider says now.
    pub balance: Reply<f64>,
}

impl KeyReport {
    /// Whether a submission may be made with it, now or when a limit lets go. A balance nobody could tell is no reason
    /// against it.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        let can_pay = match &self.balance {
            Reply::Yes(credits) => *credits > 0.0,
            Reply::No(refusal) => {
                !matches!(refusal.failure.reason, Reason::KeyRejected | Reason::AccountCredits)
            }
            Reply::Unknown(_) => true,
        };
        can_pay && !matches!(self.standing, Standing::Out(_))
    }
}

impl KeysReport {
    /// Whether any key can be used.
    #[must_use]
    pub fn is_any_usable(&self) -> bool {
        self.keys.iter().any(KeyReport::is_usable)
    }
}

/// Reads what is stored about the keys, and asks the provider for the balance of each, one after the other.
///
/// # Errors
/// The store's. A balance the provider does not tell is part of the report.
pub async fn inspect_keys(ports: &Ports, policy: &Policy) -> Result<KeysReport, PortError> {
    let at = ports.clock.now();
    let facts = ports.jobs.provider_facts(&policy.roster, at).await?;
    let mut keys = Vec::with_capacity(facts.keys.len());
    for facts in facts.keys {
        let balance = ports.video.balance(&facts.key).await;
        keys.push(KeyReport { standing: standing(&facts, at), facts, balance });
    }
    Ok(KeysReport { at, breaker: facts.breaker, keys })
}

#[cfg(test)]
mod tests {
    use domain::key::CoolingCause;
    use ports::ProviderRefusal;

    use super::*;
    use crate::fixtures::{self, Mocks, START};

    async fn report(cooling: Option<CoolingCause>, balance: Reply<f64>) -> KeysReport {
        let mut mocks = Mocks::default();
        let cooling = cooling.map(|cause| fixtures::policy().retry.cooling.begin(cause, START));
        mocks.jobs.expect_provider_facts().returning(move |_, _| {
            let mut facts = fixtures::facts();
            facts.keys[0].cooling = cooling;
            Ok(facts)
        });
        mocks.video.expect_balance().times(1).returning(move |_| balance.clone());
        inspect_keys(&mocks.into_ports(), &fixtures::policy()).await.unwrap()
    }

    fn no(reason: Reason) -> Reply<f64> {
        Reply::No(ProviderRefusal { failure: reason.into(), evidence: "no".to_owned(), retry_after: None })
    }

    #[tokio::test]
    async fn a_key_is_usable_unless_it_is_out_or_its_account_cannot_pay() {
        let unknown = || Reply::Unknown("silence".to_owned());
        for (cooling, balance, is_usable) in [
            (None, Reply::Yes(12.5), true),
            (None, Reply::Yes(0.0), false),
            (None, unknown(), true),
            (None, no(Reason::ProviderFault), true),
            (None, no(Reason::KeyRejected), false),
            (Some(CoolingCause::RateLimited), Reply::Yes(12.5), true),
            (Some(CoolingCause::Billing), Reply::Yes(12.5), false),
            (Some(CoolingCause::Rejected), unknown(), false),
        ] {
            let report = report(cooling, balance).await;
            assert_eq!(report.is_any_usable(), is_usable, "{report:?}");
        }
    }
}
