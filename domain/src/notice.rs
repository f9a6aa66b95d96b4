//! Messages, typed. Nothing here is text: texts and their languages belong to the bot.

use std::time::Duration;

use crate::{
    failure::{Failure, Reason},
    id::{KeyId, ModelId, OrderId, UserId},
    money::Credits,
    order::Quantity,
};

/// Who is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Audience {
    /// The user who ordered.
    User(UserId),
    /// Whoever runs Kadr.
    Operator,
}

/// A message, committed together with the step that caused it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Who is told.
    pub audience: Audience,
    /// About which order.
    pub order: OrderId,
    /// About which of its videos: `(number, of)`.
    pub video: Option<(u8, u8)>,
    /// What.
    pub kind: NoticeKind,
}

/// What is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoticeKind {
    /// The order is placed and its credits are held.
    OrderAccepted {
        /// Videos ordered.
        quantity: Quantity,
        /// Credits set aside.
        held: Credits,
    },
    /// The prompt is being written.
    WritingPrompt,
    /// The provider accepted the task.
    Rendering {
        /// How long it usually takes.
        expected: Duration,
    },
    /// The provider failed; the next try starts after the delay, for the same credit.
    Retrying {
        /// Which retry this is, from 1.
        retry: u8,
        /// Of how many.
        of: u8,
        /// How long until it starts.
        delay: Duration,
    },
    /// The provider is down; the video waits, and its credit is safe.
    ProviderDown,
    /// The video will not be made; its credit is back.
    Refunded {
        /// Why.
        cause: RefundCause,
        /// Credits given back.
        credits: Credits,
    },
    /// The user cancelled; the credit is back.
    Cancelled {
        /// Credits given back.
        credits: Credits,
    },
    /// To the operator: a key was taken out of use.
    KeyOut {
        /// Its fingerprint.
        key: KeyId,
        /// Why.
        failure: Failure,
    },
    /// To the operator: no key is left, and a paying user was turned away.
    NoKeyLeft,
    /// To the operator: the provider fails broadly, nothing but probes is submitted.
    OutageBegan,
    /// To the operator: the provider works again.
    OutageEnded,
    /// To the operator: the provider does not offer this model. Said once until it is offered again.
    ModelOut {
        /// The model.
        model: ModelId,
    },
    /// To the operator: every worker that tried this job's next step died of it; its credit is back.
    JobAbandoned,
    /// To the operator: the provider refused the form of our request; the catalogue entry is wrong.
    RequestRefused,
}

/// Why a credit came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RefundCause {
    /// The provider refused the photo, the text or the result for what they show.
    Violation(Reason),
    /// The photo or the text cannot be used.
    Input(Reason),
    /// No provider key is left that could pay.
    NoKey,
    /// The model is not offered at present.
    ModelUnavailable,
    /// Our request was wrong; the operator knows.
    OurFault,
    /// The provider failed every time.
    RetriesExhausted,
    /// The provider had no room for too long.
    TooBusy,
    /// The provider was down for too long.
    ProviderDown,
    /// The video was made and could not be handed over.
    Undeliverable,
    /// The user blocked the bot.
    RecipientGone,
}

impl RefundCause {
    /// Every cause that comes without a reason.
    pub const WITHOUT_REASON: [Self; 8] = [
        Self::NoKey,
        Self::ModelUnavailable,
        Self::OurFault,
        Self::RetriesExhausted,
        Self::TooBusy,
        Self::ProviderDown,
        Self::Undeliverable,
        Self::RecipientGone,
    ];

    /// The word used in stores and reports; a violation or input cause is followed by its reason after a colon.
    #[must_use]
    pub fn code(self) -> String {
        match self {
            Self::Violation(reason) => format!("violation:{}", reason.code()),
            Self::Input(reason) => format!("input:{}", reason.code()),
            Self::NoKey => "no_key".to_owned(),
            Self::ModelUnavailable => "model_unavailable".to_owned(),
            Self::OurFault => "our_fault".to_owned(),
            Self::RetriesExhausted => "retries_exhausted".to_owned(),
            Self::TooBusy => "too_busy".to_owned(),
            Self::ProviderDown => "provider_down".to_owned(),
            Self::Undeliverable => "undeliverable".to_owned(),
            Self::RecipientGone => "recipient_gone".to_owned(),
        }
    }

    /// Whether the provider's own failing or lack of room is to blame, and neither the order nor our account with it.
    #[must_use]
    pub const fn is_providers(self) -> bool {
        matches!(self, Self::RetriesExhausted | Self::TooBusy | Self::ProviderDown)
    }

    /// The cause a word stands for.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        if let Some(reason) = code.strip_prefix("violation:") {
            return Reason::from_code(reason).map(Self::Violation);
        }
        if let Some(reason) = code.strip_prefix("input:") {
            return Reason::from_code(reason).map(Self::Input);
        }
        Self::WITHOUT_REASON.into_iter().find(|cause| cause.code() == code)
    }
}
