//! The closed lists of failure classes and reasons, and the coarse words they are reported in.

/// What policy does about a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FailureClass {
    /// The photo or the text is forbidden. The credit goes back at once, the user is told what to change, no retry.
    UserViolation,
    /// The photo or the text cannot be used (format, size, length). Handled as a violation, without the reproach.
    InvalidInput,
    /// Our account or key has no money left. That key cools down, another one is tried.
    Billing,
    /// We ask too fast. Back-pressure: another key or a later time, and no retry is used up.
    RateLimited,
    /// The provider's own fault. Retried a few times.
    Temporary,
    /// The model, the key or the shape of our request is refused; repeating the same call cannot help.
    Unavailable,
    /// Nothing recognisable was said. Retried like [`FailureClass::Temporary`], and logged with its raw body.
    Unknown,
}

impl FailureClass {
    /// Every class, in the order of declaration.
    pub const ALL: [Self; 7] = [
        Self::UserViolation,
        Self::InvalidInput,
        Self::Billing,
        Self::RateLimited,
        Self::Temporary,
        Self::Unavailable,
        Self::Unknown,
    ];

    /// The stable name used in storage, logs and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UserViolation => "user_violation",
            Self::InvalidInput => "invalid_input",
            Self::Billing => "billing",
            Self::RateLimited => "rate_limited",
            Self::Temporary => "temporary",
            Self::Unavailable => "unavailable",
            Self::Unknown => "unknown",
        }
    }
}

/// A stored name that is not one of the closed list it should come from.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is not a {list}; use one of the names that {list} lists in its ALL constant")]
pub struct UnknownName {
    list: &'static str,
    found: String,
}

impl std::str::FromStr for FailureClass {
    type Err = UnknownName;

    /// Reads what [`FailureClass::as_str`] writes.
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|class| class.as_str() == name)
            .ok_or_else(|| UnknownName { list: "failure class", found: name.to_owned() })
    }
}

impl std::fmt::Display for FailureClass {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why the provider failed us, in as much detail as a user or an operator can act on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// Real or realistic people (or a child, or a face) are in the photo.
    PeopleInPhoto,
    /// A known person, brand, character or work is too closely resembled.
    ThirdPartyLikeness,
    /// Nudity, sexual or erotic content.
    Nudity,
    /// Violence, gore, weapons.
    Violence,
    /// Hate, harassment or discrimination.
    Hate,
    /// Self-harm or suicide.
    SelfHarm,
    /// Illegal or dangerous activity.
    IllegalActivity,
    /// The photo was refused and nothing more was said.
    PhotoRefused,
    /// The text was refused and nothing more was said.
    PromptRefused,
    /// Something was refused by moderation; neither the part nor the topic was named.
    Moderation,
    /// The photo cannot be used: format, size, resolution, nothing to see in it.
    PhotoUnusable,
    /// The text cannot be used: length, language, emptiness.
    PromptInvalid,
    /// Our request is malformed: a field is missing or has a value that is not allowed.
    BadRequest,
    /// The account has no credits, or the key's own spending limit is reached.
    AccountCredits,
    /// Too many requests, or too many tasks at once.
    RateLimit,
    /// The provider, or something behind it, broke down or ran out of capacity or time.
    ProviderFault,
    /// The provider is being maintained.
    Maintenance,
    /// The model is unknown, paused or withdrawn.
    ModelUnavailable,
    /// The key, the account behind it or our address is not accepted.
    KeyRejected,
    /// The provider could not fetch the photo that we had uploaded.
    PhotoUnreachable,
    /// The provider does not know the task.
    UnknownTask,
    /// Nothing was said that we recognise.
    Unrecognised,
}

impl Reason {
    /// Every reason, in the order of declaration.
    pub const ALL: [Self; 22] = [
        Self::PeopleInPhoto,
        Self::ThirdPartyLikeness,
        Self::Nudity,
        Self::Violence,
        Self::Hate,
        Self::SelfHarm,
        Self::IllegalActivity,
        Self::PhotoRefused,
        Self::PromptRefused,
        Self::Moderation,
        Self::PhotoUnusable,
        Self::PromptInvalid,
        Self::BadRequest,
        Self::AccountCredits,
        Self::RateLimit,
        Self::ProviderFault,
        Self::Maintenance,
        Self::ModelUnavailable,
        Self::KeyRejected,
        Self::PhotoUnreachable,
        Self::UnknownTask,
        Self::Unrecognised,
    ];

    /// The stable code used in storage, logs, metrics and as the key of a user text.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::PeopleInPhoto => "people_in_photo",
            Self::ThirdPartyLikeness => "third_party_likeness",
            Self::Nudity => "nudity",
            Self::Violence => "violence",
            Self::Hate => "hate",
            Self::SelfHarm => "self_harm",
            Self::IllegalActivity => "illegal_activity",
            Self::PhotoRefused => "photo_refused",
            Self::PromptRefused => "prompt_refused",
            Self::Moderation => "moderation",
            Self::PhotoUnusable => "photo_unusable",
            Self::PromptInvalid => "prompt_invalid",
            Self::BadRequest => "bad_request",
            Self::AccountCredits => "account_credits",
            Self::RateLimit => "rate_limit",
            Self::ProviderFault => "provider_fault",
            Self::Maintenance => "maintenance",
            Self::ModelUnavailable => "model_unavailable",
            Self::KeyRejected => "key_rejected",
            Self::PhotoUnreachable => "photo_unreachable",
            Self::UnknownTask => "unknown_task",
            Self::Unrecognised => "unrecognised",
        }
    }

    /// Reads what [`Reason::code`] writes; `None` for any other text.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.code() == code)
    }

    /// The class that policy applies to this reason. Each reason belongs to exactly one class.
    #[must_use]
    pub const fn class(self) -> FailureClass {
        match self {
            Self::PeopleInPhoto
            | Self::ThirdPartyLikeness
            | Self::Nudity
            | Self::Violence
            | Self::Hate
            | Self::SelfHarm
            | Self::IllegalActivity
            | Self::PhotoRefused
            | Self::PromptRefused
            | Self::Moderation => FailureClass::UserViolation,
            Self::PhotoUnusable | Self::PromptInvalid => FailureClass::InvalidInput,
            Self::AccountCredits => FailureClass::Billing,
            Self::RateLimit => FailureClass::RateLimited,
            Self::ProviderFault | Self::Maintenance => FailureClass::Temporary,
            Self::BadRequest | Self::ModelUnavailable | Self::KeyRejected => FailureClass::Unavailable,
            Self::PhotoUnreachable | Self::UnknownTask | Self::Unrecognised => FailureClass::Unknown,
        }
    }
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code())
    }
}

/// A judged failure: what policy does, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Failure {
    /// What policy does about it.
    pub class: FailureClass,
    /// Why it happened, for the user's text and the operator's log.
    pub reason: Reason,
}

impl From<Reason> for Failure {
    fn from(reason: Reason) -> Self {
        Self { class: reason.class(), reason }
    }
}

impl Failure {
    /// The coarse class that reports and the `classify` command speak.
    #[must_use]
    pub const fn report_class(&self) -> ReportClass {
        match self.class {
            FailureClass::UserViolation => ReportClass::UserViolation,
            FailureClass::Billing => ReportClass::Billing,
            FailureClass::RateLimited | FailureClass::Temporary => ReportClass::Temporary,
            FailureClass::InvalidInput | FailureClass::Unavailable | FailureClass::Unknown => {
                ReportClass::Other
            }
        }
    }

    /// The coarse reason that reports speak: all refusals are `moderation`, the key's troubles are `auth`.
    #[must_use]
    pub const fn report_reason(&self) -> &'static str {
        match self.reason {
            Reason::PeopleInPhoto
            | Reason::ThirdPartyLikeness
            | Reason::Nudity
            | Reason::Violence
            | Reason::Hate
            | Reason::SelfHarm
            | Reason::IllegalActivity
            | Reason::PhotoRefused
            | Reason::PromptRefused
            | Reason::Moderation => "moderation",
            Reason::KeyRejected => "auth",
            Reason::Unrecognised => "unknown",
            Reason::PhotoUnusable
            | Reason::PromptInvalid
            | Reason::BadRequest
            | Reason::AccountCredits
            | Reason::RateLimit
            | Reason::ProviderFault
            | Reason::Maintenance
            | Reason::ModelUnavailable
            | Reason::PhotoUnreachable
            | Reason::UnknownTask => self.reason.code(),
        }
    }
}

/// The four coarse classes in which failures are reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReportClass {
    /// Forbidden photo or text.
    UserViolation,
    /// Our account or key has no money.
    Billing,
    /// The provider's own failure, its back-pressure included.
    Temporary,
    /// Everything else.
    Other,
}

impl ReportClass {
    /// The word of the report.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UserViolation => "USER_VIOLATION",
            Self::Billing => "BILLING",
            Self::Temporary => "TEMPORARY",
            Self::Other => "OTHER",
        }
    }
}

impl std::fmt::Display for ReportClass {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
