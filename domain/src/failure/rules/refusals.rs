//! The photo or the text is forbidden.

use super::{Carrier, TextRule, Topic};
use crate::failure::taxonomy::Reason;

/// How a refusal is worded. What it is about is found out afterwards, by [`SUBJECTS`] and [`REFUSED_PARTS`].
pub(super) const RULES: &[TextRule] = &[
    TextRule {
        name: "people_not_accepted",
        carrier: Carrier::Either,
        says: &[
            "photorealistic|realistic ~1 people|person|persons|human|humans|face|faces|children|individuals",
            "real ~1 people|persons|human|humans|faces|individuals",
            "real person|face",
            "people in user uploads",
            "identifiable|recognizable|recognisable|real ~1 people|person|face|faces|individual|individuals",
            "prominent people|person|persons|figures",
            "public figure|figures",
            "resembl*|similar|looks_like ~3 celebrit*|famous|public_figure|real_person|known_person",
            "upload* & people|persons|faces & unavailable|disabled|restricted",
            "celebrity|celebrities ~5 not|detect*|found|prohibit*|block*|likeness*|face*",
            "contain*|include*|depict*|detect*|involv*|show*|feature*|upload*|of ~3 minor|minors|child|children|underage ~3 not|detect*|prohibit*|$",
            "human|persons|peoples ~1 face|faces ~3 detect*|found|not_allow*|not_support*|not_permit*|prohibit*",
            "person|people|face|child|human|adult ~2 generation ~4 not|disabled|disallow*|block*",
            "people|persons|humans|faces|celebrities|individuals ~4 not_allowed|not_permitted|not_supported|not_accepted|prohibited|forbidden|disallowed",
            "not ~1 allow*|support*|permit*|accept* ~6 people|person|persons|humans|faces|celebrit*",
        ],
        unless: &[
            "no ~2 face|faces|person|people|human|humans",
            "not ~2 detect*|find|contain*|include ~3 face|faces|person|people|human|humans",
        ],
        reason: Reason::PeopleInPhoto,
    },
    TextRule {
        name: "third_party_rights",
        carrier: Carrier::Either,
        says: &[
            "third party ~1 content|likeness*|similarity|ip|rights|material",
            "violat*|infring* ~4 trademark*|copyright*|patent*|intellectual|likeness*",
            "artist name|names",
            "match* ~2 existing|copyrighted work|works|song|track|recording",
            "ip ~1 violat*|infring*|right|rights",
            "copyright*|trademark* ~3 violat*|infring*|detect*|restriction*|polic*|protect*|issue*|claim*|concern*|block*|match*|content|material*|character*",
            "intellectual property",
            "protected|copyrighted|licensed|trademarked ~1 content|character*|material|work*|ip|brand*|likeness*",
        ],
        unless: &[],
        reason: Reason::ThirdPartyLikeness,
    },
    TextRule {
        name: "breaks_a_policy",
        carrier: Carrier::Either,
        says: &[
            "violat*|breach*|contraven*|infring*|conflict*|break|breaks|breaking|against ~7 polic*|guideline*|guardrail*|rule|rules|term|terms|standards|principles|practices|regulations|law|laws|restrictions",
            "polic*|guideline*|guardrail*|terms|safety|moderation|rules ~4 violat*|breach*",
            "content|image|images|prompt|photo|video|text|media ~2 violat*",
            "not ~1 allow*|permit*|comply|conform|adhere|meet|follow|align* ~5 polic*|guideline*|guardrail*|terms|community|safety|regulations|laws",
            "prohibited|disallowed|forbidden|blocked|rejected|refused|declined|denied|removed|stopped|disabled|restricted ~7 content_polic*|usage_polic*|use_polic*|safety_polic*|guideline*|guardrail*",
            "blocked|rejected|refused|declined|denied|removed|stopped|restricted|filtered|trigger* ~6 content|usage|use|safety|company|management ~1 polic*|rules|restrictions",
            "not ~1 meet|match|fit|suit ~3 content|community|safety|moderation|ethical standards|requirements|rules|criteria",
            "polic*|guideline*|guardrail* ~3 block*|reject*|refus*|flag*|declin*|prevent*|prohibit*",
        ],
        unless: &[
            "rate limit*",
            "rate|retry|access|cache|retention|cors|bucket polic*",
            "account|accounts|organization|workspace|key ~7 suspend*|banned|terminated|disabled|deactivat*|blocked|locked",
            "violat* ~4 schema|constraint|foreign|format|protocol|quota|limit",
        ],
        reason: Reason::Moderation,
    },
    TextRule {
        name: "flagged",
        carrier: Carrier::Either,
        says: &[
            "prompt|prompts|content|image|images|photo|video|input|inputs|output|outputs|request|text|upload|media ~5 flagged",
            "flagged ~4 as|for|by",
            "flagged ~1 content|prompt|image|input|output|material",
        ],
        unless: &["account|user|ip ~3 flagged"],
        reason: Reason::Moderation,
    },
    TextRule {
        name: "moderated",
        carrier: Carrier::Either,
        says: &[
            "block*|reject*|refus*|filter*|flag*|caught|stopped|declin*|denied|remov*|intercept* ~5 moderat*|safety|censor*",
            "moderat*|censor* ~3 block*|fail*|reject*|refus*|filter*|flag*|denied|trigger*|unsafe|not_pass*|not_approv*",
            "not ~2 pass|passed|passing|pass|clear ~4 moderat*|review|audit|inspection|censor*|safety|risk|security_check|security",
            "fail* to pass ~5 moderat*|review|audit|inspection|censor*|safety|risk|security",
            "fail* ~2 moderat*|safety|audit|content_check|content_review|content_inspection",
            "content|image|text|video|prompt|input|output|media ~2 review|audit|inspection|moderation|verification|check ~2 fail*|reject*|not_pass*|not_approv*",
            "audit|review|inspection ~2 not pass*",
            "content|security|safety|risk review|audit|check|inspection ~2 reject*|refus*|block*|fail*|denied",
            "ai moderator",
            "request|content|prompt|output|input|image|video moderated",
            "data inspection fail*",
            "datainspectionfailed",
        ],
        unless: &[
            "moderat*|safety ~2 service|system|api|server ~3 unavailable|timeout|timed|down|busy|error|unreachable",
            "moderat*|safety ~3 timeout|timed|unavailable",
        ],
        reason: Reason::Moderation,
    },
    TextRule {
        name: "safety_filter",
        carrier: Carrier::Either,
        says: &[
            "safety|content|nsfw|moderation|output|input|prompt|keyword|word filter|filters|filtering|classifier|checker ~4 block*|trigger*|caught|reject*|detect*|flag*|match*|stop*|activat*|hit",
            "block*|caught|stop*|trigger*|reject*|prevent*|refus*|hit ~5 content|safety|nsfw|moderation|input|output|prompt|keyword filter|filters|filtering|system|systems|check|checks|checker|classifier|guard",
            "content filter|filtered $",
            "^ safety|content|moderation|image|prompt|video|recitation safety|filter|blocked|block|recitation|filtered $",
            "prohibited content",
            "image|prompt|video|audio safety",
            "responsible ai",
            "rai ~1 filter*|block*|reason*|violat*",
            "safety ~1 block|blocked|blocks|stop|stopped|reject*|refus*",
            "policy reason|reasons|concern|concerns|restriction|restrictions",
            "fail*|blocked|stopped|refused ~3 content restriction|restrictions",
            "safety ~1 reason|reasons|concern|concerns|violation|violations|restriction*|rating*|system",
            "content safety|security ~3 fail*|block*|not_pass*|reject*|detect*|risk",
            "finish|block|blocked|filter|reject|rejection reason ~1 safety|prohibited|recitation|blocklist|spii|content",
            "^ safety input|output|prompt|image|text",
            "high|considered risk $",
            "sentinel block",
            "fail* ~3 security|safety|content|compliance|sensitivity ~1 check|checks|review|audit|inspection|screening",
        ],
        unless: &["content filter* ~3 unavailable|timeout"],
        reason: Reason::Moderation,
    },
    TextRule {
        name: "risk_control",
        carrier: Carrier::Either,
        says: &[
            "risk control|controls",
            "input|output|image|images|text|prompt|video|audio|content ~1 risk ~3 detect*|not_pass*|fail*|block*|$",
            "risk ~2 not_pass*|block*|reject*",
            "hit|trigger* ~3 risk|sensitive|forbidden|blocked",
        ],
        unless: &[],
        reason: Reason::Moderation,
    },
    TextRule {
        name: "forbidden_matter",
        carrier: Carrier::Either,
        says: &[
            "sensitive|inappropriate|unsafe|prohibited|harmful|offensive|explicit|disallowed|nsfw|adult|sexual|pornographic|unlawful|abusive|objectionable|indecent|vulgar|obscene|hateful|violent ~2 content|contents|material|materials|word|words|information|imagery|keyword|keywords|element|elements|term|terms|text|language|input|prompt|subject*",
            "sensitive|inappropriate|unsafe|explicit|nsfw|obscene|nude|pornographic|violent|objectionable ~1 image|images|photo|photos|picture|pictures|video|videos|upload|media|generation",
            "forbidden|banned|prohibited|disallowed ~1 term|terms|phrase|phrases|topic|topics|subject|subjects",
            "undesirable|improper|questionable|dangerous ~1 content|contents|material|materials|information|imagery",
            "illegal|forbidden|banned|blocked|violating|noncompliant|illicit|restricted content|contents|word|words|keyword|keywords|material|topic|topics",
            "non compliant|compliance",
            "content|image|images|photo|prompt|text|video ~2 not ~1 compliant",
            "content|image|images|photo|prompt|text|video ~2 not ~1 comply ~5 polic*|rule|rules|guideline*|law|laws|regulations|standards|terms",
            "may|might|could ~3 infring*|infringe*",
            "portrait|publicity|personality right|rights ~3 infring*|violat*",
            "noncompliant",
            "violence|violent|sexual|nudity|nsfw|hate|gore|erotic|self_harm ~2 content|detected|blocked",
            "content|image|images|photo|prompt|prompts|video|text|input|inputs|output|material|media ~4 inappropriate|unsafe|prohibited|disallowed|offensive|harmful|nsfw|sensitive|noncompliant|explicit",
            "content ~3 illegal",
            "content|images|material ~2 not ~1 allow*|permit*|acceptable|permissible",
            "*sensitivecontent*",
            "^ nsfw $",
            "violence|violent|nudity|sexual|hate|gore|weapons|minors|celebrities|politics|political ~3 not_allowed|not_permitted|prohibited|forbidden|disallowed",
            "nsfw ~2 detect*|content|image|found|concept*",
            "sensitive ~1 detect*",
            "public error unsafe|prominent|minor|minors|sexual|violence|nsfw|prohibited|danger*|harm*|celebrit*|ip",
            "*unsafe $",
        ],
        unless: &[
            "case sensitive",
            "content type|length|encoding|disposition|range",
            "insufficient ~2 content",
            "explicit content length",
            "not ~2 contain* ~3 sensitive|unsafe|nsfw",
            "image|input|prompt|text|video illegal ~2 format|size|url|type|argument|parameter",
        ],
        reason: Reason::Moderation,
    },
    TextRule {
        name: "declines_to_help",
        carrier: Carrier::Message,
        says: &[
            "i|im|we|were ~3 can_not|unable_to|not_able_to ~1 help|assist|fulfill|comply",
            "i|im|model ~1 can_not|unable|not_able ~1 create|generate|produce|make|edit|depict",
            "refus* to generate|create|process|answer",
            "can_not|could_not|unable ~2 generate|create|process|submit* ~8 violat*|inappropriate|unsafe|sensitive|prohibited",
        ],
        // Veo's sound fails for harmless photos and often succeeds at the next try.
        unless: &["generate|create|produce ~1 audio|sound"],
        reason: Reason::Moderation,
    },
    // In a fail code, which is a name and no prose, shorter words will do.
    TextRule {
        name: "code_names_a_refusal",
        carrier: Carrier::FailCode,
        says: &[
            "content policy",
            "content safety",
            "^ moderation|moderated|safety|nsfw|unsafe|sensitive|prohibited|censored",
        ],
        unless: &["timeout|timed|unavailable"],
        reason: Reason::Moderation,
    },
    // Loose wordings: a forbidden subject and a refusal in one sentence, in any order.
    TextRule {
        name: "subject_and_refusal",
        carrier: Carrier::Message,
        says: &[
            "people|persons|celebrit*|faces|minors|children|human_subjects|human_being|human_beings|human_figures & not_allow*|not_support*|not_permit*|not_accept*|can_not|could_not|unable|prohibit*|forbid*|disallow*|block*|reject*|refus*|deni*|declin*|suppress*|withheld|remov*|filtered|caught",
            "nudity|sexual*|porn*|erotic*|violence|gore|hate|hateful|selfharm|self_harm|suicide|terrorism|politic* & not_allow*|not_support*|not_permit*|not_accept*|can_not|could_not|unable|prohibit*|forbid*|disallow*|block*|reject*|refus*|deni*|declin*|suppress*|withheld|remov*|filtered|caught",
            "copyright*|trademark*|likeness*|intellectual_property|well_known_brand & not_allow*|not_support*|not_permit*|not_accept*|can_not|could_not|unable|prohibit*|forbid*|disallow*|block*|reject*|refus*|deni*|declin*|suppress*|withheld|remov*|filtered|caught",
            "minor|child|underage & appear*|seem*|look*",
            "safety|moderation|content_policy|content_policies|guardrail*|censor* & suppress*|withheld|intercept*|remov*|den*|declin*|refus*|caught",
            "filters & caught|stopped|triggered",
            "no ~1 real ~1 people|persons|faces",
        ],
        unless: &[
            "timeout|timed|overload*|queue|busy|crash*",
            "no ~2 face|faces|person|people|human|humans detect*|found|recogni*",
            "not ~2 detect*|find|recogni* ~3 face|faces|person|people|human|humans",
        ],
        reason: Reason::Moderation,
    },
    TextRule {
        name: "refused_in_chinese",
        carrier: Carrier::Either,
        says: &["*违规*", "*敏感*", "*审核*", "*违反*", "*不合规*", "*涉黄*", "*色情*", "*侵权*", "*风控*"],
        unless: &["*超时*"],
        reason: Reason::Moderation,
    },
];

/// A refusal that names more subjects than this lists what is forbidden in general.
pub(in crate::failure) const MOST_SUBJECTS_MEANT: usize = 2;

/// What a refusal is about, when it says so.
pub(in crate::failure) const SUBJECTS: &[Topic] = &[
    Topic {
        reason: Reason::PeopleInPhoto,
        says: &[
            "people|person|persons|humans|face|faces|individuals in|detect*|found|not",
            "people|persons|faces|human_subjects|human_being|human_beings & not_allow*|not_support*|not_permit*|not_accept*|can_not|could_not|unable|prohibit*|forbid*|disallow*|block*|reject*|refus*|deni*|declin*|suppress*|withheld|remov*|filtered|caught",
            "real|realistic|photorealistic|identifiable|human ~1 people|person|persons|human|humans|face|faces|children|individuals",
            "minor|minors|child|children|underage",
            "privacy information",
            "people|person|face|child generation",
        ],
    },
    Topic {
        reason: Reason::ThirdPartyLikeness,
        says: &[
            "third party",
            "copyright*",
            "trademark*",
            "intellectual property",
            "celebrit*",
            "public figure|figures",
            "prominent people|person|persons|figures",
            "likeness*",
            "famous people|person|character*",
            "public error ip|prominent",
        ],
    },
    Topic {
        reason: Reason::SelfHarm,
        says: &["self harm", "selfharm", "suicid*", "self injury", "eating disorder*"],
    },
    Topic {
        reason: Reason::Hate,
        says: &["hate", "hateful", "hatred", "discriminat*", "harass*", "racis*", "bully*"],
    },
    Topic {
        reason: Reason::Violence,
        says: &["violence", "violent", "gore", "gory", "graphic", "bloody", "blood", "weapon*", "terror*"],
    },
    Topic {
        reason: Reason::Nudity,
        says: &[
            "nud*", "sexual*", "sex", "erotic*", "porn*", "nsfw", "explicit", "adult", "*涉黄*", "*色情*",
        ],
    },
    Topic {
        reason: Reason::IllegalActivity,
        says: &[
            "illegal ~1 activit*",
            "illicit",
            "criminal",
            "drug|drugs",
            "fraud*",
            "dangerous",
            "illegal goods",
        ],
    },
];

/// Which part was refused, when the subject is not named.
pub(in crate::failure) const REFUSED_PARTS: &[Topic] = &[
    Topic {
        reason: Reason::PhotoRefused,
        says: &[
            "input|uploaded|upload|reference|source|provided|first|start|user ~2 image|images|photo|photos|picture|pictures|frame|file",
            "image|images|photo|picture ~1 upload*|input|you",
            "replace|change|another|different ~2 image|photo|picture",
            "unsafe image",
            "image unsafe",
            "^ image|photo|picture ~6 violat*|flagged|filtered|blocked|rejected|inappropriate|sensitive|nsfw|unsafe",
        ],
    },
    Topic {
        reason: Reason::PromptRefused,
        says: &[
            "prompt|prompts|description|caption|wording|keyword|keywords",
            "input ~1 text",
            "text input",
            "sensitive|forbidden|banned|prohibited|blocked ~1 word|words|term|terms",
        ],
    },
];
