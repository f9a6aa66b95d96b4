//! What can go wrong in a trial, by name, and what Kadr has to make of it.

use std::time::Duration;

use clap::ValueEnum;

use super::OutsideSettings;
use crate::provider::{
    kie_model::{
        Call, FailPlan, Fate, KieCredits, Trouble, When,
        words::{self, No},
    },
    llm::LlmTrouble,
};

/// One thing that goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Mishap {
    /// The provider sees people in the photo, seconds after it took the task: credits back, no retry
    UserViolation,
    /// The same, said when the task is submitted
    UserViolationAtOnce,
    /// The finished clip resembles something protected: credits back, no retry
    UserViolationLate,
    /// The first account has no money: the second one's key is used
    Billing,
    /// No account has money: credits back, the operator is told
    BillingAll,
    /// The first account's key is not accepted: the second one's is used
    KeyRejected,
    /// Every render fails: retries after 10, 20 and 40 s, then credits back
    Temporary,
    /// The first render fails: one retry
    TemporaryOnce,
    /// The first three submissions are too fast: put off, no retry used up
    RateLimit,
    /// Every render fails with words nobody has seen: handled like temporary, and logged
    Unknown,
    /// The model is switched off: credits back, the operator is told
    ModelPaused,
    /// The first submission's answer never comes: waited for, then submitted once more
    AnswerLost,
    /// The first submission's answer breaks off in the middle
    AnswerCut,
    /// A gateway answers some calls with a page of HTML
    #[value(name = "html-502")]
    Html502,
    /// Renders never end: given up after half an hour each, then credits back
    NeverEnds,
    /// Renders succeed without an address of the result
    SuccessWithoutUrl,
    /// The results' first addresses are dead: fresh ones are asked for
    ExpiredLink,
    /// The provider's lookup does not know fresh tasks for 20 s
    YoungTask,
    /// Running tasks are in a state nobody has documented
    StrangeState,
    /// The language model answers HTTP 500: the template's own prompt is used
    LlmDown,
    /// The language model writes nothing: the same
    LlmEmpty,
    /// The language model refuses: the same
    LlmRefuses,
    /// Messages fail twice before they arrive
    SendingFails,
    /// The user blocked the bot: credits back
    BlockedBot,
}

/// What a trial has to end with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected {
    /// Every video is delivered; otherwise none is, and every credit comes back.
    pub delivered: bool,
    /// Retries used up by each job; `None` where it depends on which job met the trouble.
    pub retries: Option<u8>,
    /// The account, counted from 0, that has to make every video; `None` where either may.
    pub only_account: Option<usize>,
    /// The operator is told, because somebody has to act.
    pub alert: bool,
}

impl Expected {
    /// Every video delivered at the first try.
    pub const PLAIN: Self = Self { delivered: true, retries: Some(0), only_account: None, alert: false };

    const fn refunded_after(retries: u8) -> Self {
        Self { delivered: false, retries: Some(retries), ..Self::PLAIN }
    }
}

impl Mishap {
    /// What Kadr has to make of it.
    #[must_use]
    pub const fn expected(self) -> Expected {
        match self {
            Self::UserViolation | Self::UserViolationAtOnce | Self::UserViolationLate | Self::BlockedBot => {
                Expected::refunded_after(0)
            }
            Self::BillingAll | Self::ModelPaused => Expected { alert: true, ..Expected::refunded_after(0) },
            Self::Temporary | Self::Unknown | Self::NeverEnds | Self::SuccessWithoutUrl => {
                Expected::refunded_after(3)
            }
            Self::Billing | Self::KeyRejected => {
                Expected { only_account: Some(1), alert: true, ..Expected::PLAIN }
            }
            Self::TemporaryOnce | Self::Html502 => Expected { retries: None, ..Expected::PLAIN },
            Self::RateLimit
            | Self::AnswerLost
            | Self::AnswerCut
            | Self::ExpiredLink
            | Self::YoungTask
            | Self::StrangeState
            | Self::LlmDown
            | Self::LlmEmpty
            | Self::LlmRefuses
            | Self::SendingFails => Expected::PLAIN,
        }
    }

    /// Whether it happens between Kadr and the user, not outside.
    #[must_use]
    pub const fn is_about_messages(self) -> bool {
        matches!(self, Self::SendingFails | Self::BlockedBot)
    }

    /// Puts it into the outside's settings.
    pub fn apply(self, settings: &mut OutsideSettings) {
        let (kie, plan) = (&mut settings.kie, FailPlan::default());
        let refuse = |code, msg: &str| Trouble::Refuse(No::new(code, msg));
        let fails = |after: Option<u64>, code: &str, msg: &str| Fate::Fails {
            after: after.map(Duration::from_secs),
            code: code.to_owned(),
            msg: msg.to_owned(),
        };
        kie.plan = match self {
            Self::UserViolation => plan.with_fate(When::Always, fails(Some(8), "400", words::PEOPLE)),
            Self::UserViolationAtOnce => {
                plan.with(Call::Create, When::Always, refuse(400, words::PEOPLE_AT_ONCE))
            }
            Self::UserViolationLate => plan.with_fate(When::Always, fails(None, "500", words::SIMILARITY)),
            Self::Temporary => plan.with_fate(When::Always, fails(Some(40), "500", words::INTERNAL)),
            Self::TemporaryOnce => plan.with_fate(When::Nth(1), fails(Some(40), "500", words::INTERNAL)),
            Self::RateLimit => plan.with(Call::Create, When::First(3), refuse(429, words::TOO_FAST)),
            Self::Unknown => {
                plan.with_fate(When::Always, fails(Some(40), "GENERATION_FAILED", words::NOTHING_SAID))
            }
            Self::AnswerLost => plan.with(Call::Create, When::Nth(1), Trouble::AnswerLost),
            Self::AnswerCut => plan.with(Call::Create, When::Nth(1), Trouble::AnswerCut),
            Self::Html502 => [Call::Upload, Call::Look, Call::Download]
                .into_iter()
                .fold(plan, |plan, call| plan.with(call, When::Nth(1), Trouble::GatewayPage)),
            Self::NeverEnds => plan.with_fate(When::Always, Fate::NeverEnds),
            Self::SuccessWithoutUrl => plan.with_fate(When::Always, Fate::NoResult),
            Self::ExpiredLink => plan.with_fate(When::Always, Fate::DeadLink),
            Self::YoungTask => plan.with_fate(When::Always, Fate::UnseenFor(Duration::from_secs(20))),
            Self::StrangeState => plan.with_fate(When::Always, Fate::StrangeState("archiving".to_owned())),
            Self::Billing
            | Self::BillingAll
            | Self::KeyRejected
            | Self::ModelPaused
            | Self::LlmDown
            | Self::LlmEmpty
            | Self::LlmRefuses
            | Self::SendingFails
            | Self::BlockedBot => plan,
        };
        match self {
            Self::Billing => kie.accounts.iter_mut().take(1).for_each(|a| a.balance = KieCredits::default()),
            Self::BillingAll => kie.accounts.iter_mut().for_each(|a| a.balance = KieCredits::default()),
            Self::KeyRejected => kie.accounts.iter_mut().take(1).for_each(|a| a.accepted = false),
            Self::ModelPaused => kie.all_paused = true,
            Self::LlmDown => settings.llm = LlmTrouble::Down,
            Self::LlmEmpty => settings.llm = LlmTrouble::Empty,
            Self::LlmRefuses => settings.llm = LlmTrouble::Refuses,
            _ => {}
        }
    }
}
