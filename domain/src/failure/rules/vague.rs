//! Sentences that hardly say anything.

use super::{Carrier, TextRule};
use crate::failure::taxonomy::Reason;

/// Advice that betrays what the trouble was.
pub(super) const HINTS: &[TextRule] = &[
    TextRule {
        name: "input_turned_down",
        carrier: Carrier::Message,
        says: &[
            "content|prompt|input|image|photo|picture|video|text|output ~3 rejected|refused|blocked|filtered|declined|denied|not_approved|disapproved",
        ],
        unless: &["queue|timeout|timed|busy|cors|header|headers|storage|network|firewall"],
        reason: Reason::Moderation,
    },
    TextRule {
        name: "asks_for_another_prompt",
        carrier: Carrier::Message,
        says: &[
            "change|modify|revise|rephrase|adjust|edit|rewrite|reword ~2 prompt|prompts|description|wording",
            "try ~3 different|another|new prompt|description|wording",
        ],
        unless: &[],
        reason: Reason::PromptRefused,
    },
    TextRule {
        name: "asks_for_another_photo",
        carrier: Carrier::Message,
        says: &[
            "change|replace|try ~3 image|photo|picture",
            "upload|use|try|provide|select|choose ~2 different|another|new image|photo|picture",
        ],
        unless: &[],
        reason: Reason::PhotoUnusable,
    },
];

/// Mere statements that it failed, and at the very end "try again".
pub(super) const RULES: &[TextRule] = &[
    TextRule {
        name: "something_not_right",
        carrier: Carrier::Message,
        says: &["something did not look right"],
        unless: &[],
        reason: Reason::Unrecognised,
    },
    TextRule {
        name: "come_back_later",
        carrier: Carrier::Message,
        says: &["internal error ~2 try again|later"],
        unless: &[],
        reason: Reason::ProviderFault,
    },
    TextRule {
        name: "merely_failed",
        carrier: Carrier::Either,
        says: &[
            "^ internal error $$",
            "^ ~3 task|generation|job|request|processing|rendering|creation failed $$",
            "^ generation ~1 task failed $$",
            "gen|video|image|task failed $$",
            "^ failed $$",
            "^ fail $$",
            "^ error $$",
            "^ unknown error $$",
            "unable|failed|can_not|could_not ~1 process request $$",
            "failed to edit ~1 picture|image|photo",
            "requested entity ~1 not found",
        ],
        unless: &[],
        reason: Reason::Unrecognised,
    },
    TextRule {
        name: "try_again",
        carrier: Carrier::Message,
        says: &["try|retry ~2 again|later", "again later", "retry later|in|code|$"],
        unless: &["change|modify|fix|check|verify|correct ~6 try|retry"],
        reason: Reason::ProviderFault,
    },
];
