//! A dialogue as JSON. What cannot be read is begun anew: no order and no credit lives in it.

use domain::{
    dialogue::{Dialogue, Draft, PhotoSource, Stage},
    id::{AlbumId, ConfirmationId, FileId, PhotoId},
    order::Quantity,
    prompt::{Brief, Template},
};
use serde::{Deserialize, Serialize};

/// Raised when what is written means something else than before.
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Stored {
    v: u32,
    stage: String,
    step: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    photo: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    album: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    brief: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    template: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    wishes: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    prompt: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    quantity: Option<u8>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    confirmation: Option<String>,
}

const STAGES: [(&str, Stage); 12] = [
    ("terms", Stage::Terms),
    ("menu", Stage::Menu),
    ("photo", Stage::Photo),
    ("brief", Stage::Brief),
    ("template", Stage::Template),
    ("wishes", Stage::Wishes),
    ("prompt", Stage::Prompt),
    ("prompt-check", Stage::PromptCheck),
    ("quantity", Stage::Quantity),
    ("confirm", Stage::Confirm),
    ("mending", Stage::Mending),
    ("deleting", Stage::Deleting),
];

/// What a dialogue is stored as.
pub(super) fn write(dialogue: &Dialogue) -> Result<String, serde_json::Error> {
    let Dialogue { stage, draft, step } = dialogue;
    let word = STAGES.iter().find(|(_, known)| known == stage).map_or("menu", |(word, _)| word);
    let text = |brief: &Option<Brief>| brief.as_ref().map(|brief| brief.as_str().to_owned());
    let (file, photo) = match &draft.photo {
        None => (None, None),
        Some(PhotoSource::Sent(file)) => (Some(file.as_str().to_owned()), None),
        Some(PhotoSource::Kept(photo)) => (None, Some(photo.to_string())),
    };
    serde_json::to_string(&Stored {
        v: VERSION,
        stage: word.to_owned(),
        step: *step,
        file,
        photo,
        album: draft.album.as_ref().map(|album| album.as_str().to_owned()),
        brief: text(&draft.brief),
        template: draft.template.map(|template| template.as_str().to_owned()),
        wishes: text(&draft.wishes),
        prompt: text(&draft.prompt),
        quantity: draft.quantity.map(Quantity::videos),
        confirmation: draft.confirmation.as_ref().map(|confirmation| confirmation.as_str().to_owned()),
    })
}

/// The dialogue that was stored; `None` for anything that is none, whole and legal.
pub(super) fn read(json: &str) -> Option<Dialogue> {
    let stored: Stored = serde_json::from_str(json).ok()?;
    if stored.v != VERSION {
        return None;
    }
    let stage = STAGES.iter().find(|(word, _)| *word == stored.stage)?.1.clone();
    let photo = match (stored.file, stored.photo) {
        (None, None) => None,
        (Some(file), None) => Some(PhotoSource::Sent(FileId::new(file).ok()?)),
        (None, Some(photo)) => Some(PhotoSource::Kept(PhotoId::new(u128::from_str_radix(&photo, 16).ok()?))),
        (Some(_), Some(_)) => return None,
    };
    let draft = Draft {
        photo,
        album: each(stored.album, |album| AlbumId::new(album).ok())?,
        brief: each(stored.brief, |text| Brief::new(&text).ok())?,
        template: each(stored.template, |word| Template::parse(&word))?,
        wishes: each(stored.wishes, |text| Brief::new(&text).ok())?,
        prompt: each(stored.prompt, |text| Brief::new(&text).ok())?,
        quantity: each(stored.quantity, |videos| Quantity::try_from(videos).ok())?,
        confirmation: each(stored.confirmation, |text| ConfirmationId::new(text).ok())?,
    };
    let dialogue = Dialogue { stage, draft, step: stored.step };
    dialogue.is_legal().then_some(dialogue)
}

/// What is absent stays absent; what is there has to be readable.
fn each<S, T>(stored: Option<S>, read: impl FnOnce(S) -> Option<T>) -> Option<Option<T>> {
    match stored {
        None => Some(None),
        Some(stored) => read(stored).map(Some),
    }
}
