//! Our account has no money, or the key's own limit is used up.

use super::{Carrier, TextRule};
use crate::failure::taxonomy::Reason;

/// Rate limits that speak of quotas come first; any other quota is money.
pub(super) const RULES: &[TextRule] = &[
    TextRule {
        name: "quota_per_time",
        carrier: Carrier::Either,
        says: &[
            "quota|limit|limits|requests|calls|tokens per minute|second|min|sec",
            "request|rate|rpm|tpm|qps|concurrency|concurrent ~2 quota",
            "quota ~4 rate|rpm|tpm|qps|concurrency|concurrent",
        ],
        unless: &["billing", "insufficient"],
        reason: Reason::RateLimit,
    },
    TextRule {
        name: "no_credits",
        carrier: Carrier::Either,
        says: &[
            "insufficient ~1 credit ~1 $|limit|for|to|available|remaining",
            "insufficient ~2 credits|credit_balance|balance|fund|funds|quota|points|coins|amount|money|payment",
            "credits|credit_balance|balance|fund|funds|quota|points|coins ~4 insufficient|exhaust*|deplet*|used_up|overdue",
            "credits|credit_balance|balance|fund|funds|quota|points|coins ~3 not ~1 enough|sufficient",
            "credits|credit_balance|balance|funds|quota|points ~2 too_low|ran_out|run_out|running_low|is_low|is_empty|is_zero|is_negative|negative|in_arrears",
            "not ~1 enough|sufficient ~1 credits|credit_balance|balance|fund|funds|quota|points|coins|money",
            "not ~1 have ~1 enough|sufficient|any ~1 credits|credit_balance|balance|fund|funds|quota|points",
            "no|zero|lack_of|low ~2 credits|funds|balance|quota ~1 left|remaining|available|remain|$",
            "run|ran|running|is|are out of credits|credit|funds|balance|quota",
            "^ out of credits|funds",
            "low balance",
            "more credits",
            "top up",
            "topup",
            "recharge ~4 account|balance|credits|wallet|$",
            "recharge and|to|before",
            "buy|purchase|add ~2 credits|funds|balance",
            "exceed* ~3 quota",
            "quota ~4 exceed*|reached|exhaust*|used|expired",
            "quota limit",
        ],
        unless: &["white balance", "color|colour|load balance", "resource exhausted ~6 minute"],
        reason: Reason::AccountCredits,
    },
    TextRule {
        name: "payment_needed",
        carrier: Carrier::Either,
        says: &[
            "payment required|needed|overdue|due|failed|declined|method",
            "billing ~4 limit|details|account|issue|inactive|active|enable*|hard|required|problem",
            "enable* billing",
            "account ~3 overdue|arrears|arrearage|unpaid",
            "overdue ~1 payment|balance|account|bill",
            "arrearage",
            "subscription ~3 required|needed|expired|inactive|ended|lapsed|cancelled|canceled",
            "trial ~3 expired|ended|over|used",
            "free tier|quota|trial ~5 exhaust*|exceed*|used",
        ],
        unless: &[],
        reason: Reason::AccountCredits,
    },
    TextRule {
        name: "spending_limit",
        carrier: Carrier::Either,
        says: &[
            "usage|spending|spend|budget|consumption|cost ~2 exceed*|limit|cap|reached",
            "exceed* ~4 usage|spending|spend|budget|consumption|credit limit|cap|allowance",
            "sub key ~4 limit|exceed*",
            "daily|monthly|hourly|weekly|total credits|credit_balance|usage|spend|spending|quota ~2 limit|cap|exceed*",
            "key ~3 credits|credit_balance|usage|spend|quota limit|cap",
        ],
        unless: &["cpu|memory|token ~1 usage", "rate limit*"],
        reason: Reason::AccountCredits,
    },
    TextRule {
        name: "no_credits_in_chinese",
        carrier: Carrier::Either,
        says: &["*余额不足*", "*积分不足*", "*额度不足*", "*欠费*", "*充值*"],
        unless: &[],
        reason: Reason::AccountCredits,
    },
];
