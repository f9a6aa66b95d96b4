//! An order while it is being put together.

use crate::{
    id::{AlbumId, ConfirmationId, FileId, PhotoId},
    order::{Order, Quantity},
    prompt::{Brief, Template},
};

/// Where the bytes of a photo are to be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PhotoSource {
    /// At the messenger.
    Sent(FileId),
    /// Among our own photos, from an order.
    Kept(PhotoId),
}

/// What is known of an order so far.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Draft {
    /// The photo, once it was looked at.
    pub photo: Option<PhotoSource>,
    /// The album the photo was the first of.
    pub album: Option<AlbumId>,
    /// What the product is, for the writing templates.
    pub brief: Option<Brief>,
    /// How the video is written.
    pub template: Option<Template>,
    /// Wishes for the writing templates, where there are any.
    pub wishes: Option<Brief>,
    /// The user's own prompt.
    pub prompt: Option<Brief>,
    /// How many videos.
    pub quantity: Option<Quantity>,
    /// Under which confirmation exactly this is ordered, once it was shown for confirmation.
    pub confirmation: Option<ConfirmationId>,
}

impl Draft {
    /// A draft with the photo and words of an order; everything else is asked again.
    #[must_use]
    pub fn of(order: &Order) -> Self {
        let request = &order.request;
        let text = Some(request.brief.clone());
        let is_own = request.template == Template::OwnPrompt;
        let (brief, prompt) = if is_own { (None, text) } else { (text, None) };
        Self { photo: Some(PhotoSource::Kept(request.photo)), brief, prompt, ..Self::default() }
    }

    /// Whether the user said anything about the product yet.
    #[must_use]
    pub const fn has_words(&self) -> bool {
        self.brief.is_some() || self.prompt.is_some()
    }

    /// Whether the chosen template is the user's own prompt.
    #[must_use]
    pub fn is_own(&self) -> bool {
        self.template == Some(Template::OwnPrompt)
    }

    /// Whether the chosen template is one that is written for the user.
    #[must_use]
    pub fn is_for_writer(&self) -> bool {
        matches!(self.template, Some(Template::UgcBlogger | Template::AdVideo))
    }

    /// The text the order is placed with, once the template and its text are there.
    #[must_use]
    pub fn text(&self) -> Option<&Brief> {
        match self.template? {
            Template::OwnPrompt => self.prompt.as_ref(),
            Template::UgcBlogger | Template::AdVideo => self.brief.as_ref(),
        }
    }

    /// The wishes the order is placed with: an own prompt has none.
    #[must_use]
    pub fn wishes(&self) -> Option<&Brief> {
        self.wishes.as_ref().filter(|_| self.is_for_writer())
    }

    /// The draft after a change. The confirmation belongs to what it was shown with.
    #[must_use]
    pub(super) fn changed_to(&self, next: Self) -> Self {
        let is_same =
            Self { confirmation: None, ..self.clone() } == Self { confirmation: None, ..next.clone() };
        Self { confirmation: self.confirmation.clone().filter(|_| is_same), ..next }
    }

    /// Whether nothing is missing.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.photo.is_some() && self.text().is_some() && self.quantity.is_some()
    }
}
