//! What a bare number means when no text says anything.

use std::ops::RangeInclusive;

use crate::failure::taxonomy::Reason;

/// Numbers that share a meaning. The same table serves fail code, body code and HTTP status: providers mirror the
/// statuses in their bodies.
#[derive(Debug)]
pub(in crate::failure) struct NumberRule {
    /// Unique, for logs and tests.
    pub(in crate::failure) name: &'static str,
    /// The numbers it is about.
    pub(in crate::failure) numbers: &'static [RangeInclusive<i64>],
    /// What they mean.
    pub(in crate::failure) reason: Reason,
}

/// Only numbers that mean something alone. 200, 400, 404, 422 and 501 are missing on purpose: KIE uses 400 and 422 for
/// refusals, bad photos and bad fields alike, 404 for routes, models and tasks, and 501 on the callback of any failed
/// task (KIE docs: market/common/get-task-detail, market/bytedance/seedance-2).
pub(in crate::failure) const TELLING_NUMBERS: &[NumberRule] = &[
    // 401: KIE docs, market/common/get-task-detail; 403: the edge in front of it, for a client it dislikes.
    NumberRule {
        name: "number_key",
        numbers: &[401..=401, 403..=403, 407..=407],
        reason: Reason::KeyRejected,
    },
    // 402: no credits; 433: a sub-key's own limit (KIE docs, market/sora2/sora-2-image-to-video).
    NumberRule { name: "number_money", numbers: &[402..=402, 433..=433], reason: Reason::AccountCredits },
    // 430: "call frequency" of the same maker's Suno API (KIE docs, suno-api/quickstart).
    NumberRule { name: "number_rate", numbers: &[429..=430], reason: Reason::RateLimit },
    // 413 has no other meaning than a body that is too large, and the photo is the only large thing that we send.
    NumberRule { name: "number_too_large", numbers: &[413..=413], reason: Reason::PhotoUnusable },
    // KIE docs, market/sora2: the image could not be fetched. Resellers use it for unsafe matter, but say so in words.
    NumberRule { name: "number_photo", numbers: &[451..=451], reason: Reason::PhotoUnreachable },
    NumberRule { name: "number_maintenance", numbers: &[455..=455], reason: Reason::Maintenance },
    // 505: "feature disabled" (KIE docs, market/common/get-task-detail).
    NumberRule {
        name: "number_disabled",
        numbers: &[505..=505, 410..=410],
        reason: Reason::ModelUnavailable,
    },
];

/// Numbers that stand for any fault on the provider's side.
///
/// 408: upstream gave nothing for ten minutes; 500: a fault; 52x and 530: Cloudflare cannot reach the origin;
/// 531: failed, credits returned (KIE docs, suno-api); 550: queue full (KIE docs, 4o-image-api).
pub(in crate::failure) const FAULT_NUMBERS: &[NumberRule] = &[NumberRule {
    name: "number_fault",
    numbers: &[408..=408, 425..=425, 500..=500, 502..=504, 507..=509, 520..=531, 550..=550, 598..=599],
    reason: Reason::ProviderFault,
}];
