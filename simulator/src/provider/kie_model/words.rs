//! What the provider literally says.
//!
//! Each text was seen in recorded traffic, in a live account's report or in public documentation; the source
//! stands beside it. Where only the kind of refusal is known and not its wording, the text says so.

/// No, with the number and the text of the answer's envelope.
///
/// KIE answers nearly everything, refusals included, at HTTP 200 with the number in the body's `code` (recorded
/// exchanges of `justintanner/apicity`); the file host uses real HTTP statuses (KIE docs, file upload).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct No {
    /// The HTTP status.
    pub http: u16,
    /// The body's `code`.
    pub code: i64,
    /// The body's `msg`.
    pub msg: String,
}

impl No {
    /// A refusal at HTTP 200.
    #[must_use]
    pub fn new(code: i64, msg: impl Into<String>) -> Self {
        Self { http: 200, code, msg: msg.into() }
    }

    /// A refusal whose HTTP status equals its code.
    #[must_use]
    pub fn at_status(code: u16, msg: impl Into<String>) -> Self {
        Self { http: code, code: i64::from(code), msg: msg.into() }
    }
}

/// A wrong or missing key (client reports, HTTP 200).
pub const UNAUTHORIZED: &str = "Unauthorized – Authentication failed. Please check that your Authorization and \
    Content-Type headers are correctly set.";
/// The same on the file host (KIE docs, file upload, HTTP 401).
pub const UPLOAD_UNAUTHORIZED: &str = "Authentication failed: Invalid API Key";
/// The account cannot pay (client reports; the apostrophe is typographic).
pub const NO_CREDITS: &str = "Credits insufficient : Your current balance isn’t enough to run this request. \
    Please top up to continue.";
/// Too many calls (client reports).
pub const TOO_FAST: &str = "Your call frequency is too high. Please try again later.";
/// The model is switched off (`elibarnett/kie-mcp`, changelog 4.0.6).
pub const PAUSED: &str = "This interface is temporarily paused";
/// The slug is unknown. The beginning was seen; the second sentence is ours.
pub const UNKNOWN_MODEL: &str =
    "The model name you specified is not supported. Please check the model parameter.";
/// The lookup does not know the task (recorded traffic and KIE docs).
pub const UNKNOWN_TASK: &str = "recordInfo is null";
/// The same on the Veo endpoint: recorded as `Record not found ...`, the end is not known.
pub const UNKNOWN_VEO_TASK: &str = "Record not found";
/// A link that is not a result of ours (recorded traffic).
pub const FOREIGN_LINK: &str = "url is wrong";
/// A photo with real people in it (client reports of Sora 2 through KIE).
pub const PEOPLE: &str = "We currently do not support uploads of images containing photorealistic people.";
/// The same, said by createTask (an n8n user's report, code 400).
pub const PEOPLE_AT_ONCE: &str =
    "OpenAI currently do not support uploads of images containing photorealistic people.";
/// The finished clip resembles something protected (help.apiyi.com on Sora 2).
pub const SIMILARITY: &str = "Content may violate third-party content similarity policies";
/// The provider's own fault (KIE docs, get-task-detail, and client reports).
pub const INTERNAL: &str = "Internal Error, Please try again later.";
/// Maintenance (hassanvfx/kie-api-python, recorded with code 500).
pub const MAINTENANCE: &str = "The server is currently being maintained, please try again later~";
/// A failure that says nothing (KIE docs, later callback example).
pub const NOTHING_SAID: &str = "The generation task failed.";
/// The photo could not be fetched (`kirbudilov01/neurocards-bot`, changelog).
pub const PHOTO_UNREACHABLE: &str = "Image fetch failed";
/// The file host misses a parameter (KIE docs, file upload, HTTP 400).
pub const NO_UPLOAD_PATH: &str = "Missing required parameter: uploadPath";
/// No file in the form. The wording is ours, built like its sibling.
pub const NO_FILE: &str = "Missing required parameter: file";

/// The callback of a task that succeeded (KIE docs, market/bytedance/seedance-2).
pub const CALLBACK_OF_SUCCESS: &str = "Playground task completed successfully.";
/// The callback of a task that failed (the same page).
pub const CALLBACK_OF_FAILURE: &str = "Playground task failed.";
/// The same of Veo's endpoint (KIE docs, veo3-api/generate-veo-3-video-callbacks).
pub const VEO_CALLBACK_OF_SUCCESS: &str = "Veo3.1 video generated successfully.";

/// A field is missing (client reports; code 500).
#[must_use]
pub fn missing(field: &str) -> No {
    No::new(500, format!("{field} is required"))
}

/// A field has a value or a JSON type the model does not take (client reports; code 500).
#[must_use]
pub fn not_allowed(field: &str) -> No {
    No::new(500, format!("{field} is not within the range of allowed options"))
}

/// A photo address that does not end like a picture (client reports; code 500).
#[must_use]
pub fn photo_type(field: &str) -> No {
    No::new(500, format!("{field} file type not supported"))
}

/// A prompt over the model's limit (KIE docs, Runway pages).
#[must_use]
pub fn prompt_too_long(max: usize) -> No {
    No::new(
        500,
        format!(
            "Your prompt/negative prompt cannot exceed {max} characters. Please check if your input is too long."
        ),
    )
}
