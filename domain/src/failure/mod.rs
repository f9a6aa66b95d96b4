//! What went wrong at the video provider, and what that means for the order.
//!
//! A provider says "no" in many voices: a sentence, a word in a code field, a number in the body, an HTTP
//! status, a page of HTML. [`classify`] reads them all and answers with one [`Failure`]: a [`FailureClass`], which
//! the retry policy acts on, and a [`Reason`], which chooses the words that a user reads. This module owns that
//! judgement. It must never own what is done about it (the policy) nor the texts themselves.
//!
//! The judgement is data: the tables under `rules`, read in order. Sentences decide before numbers, because the same
//! number carries everything: KIE was seen to answer `500` for a missing field, for a paused model and for an
//! empty balance.

mod classify;
mod phrase;
mod positions;
mod rules;
mod tables;
mod taxonomy;
mod text;
mod words;

pub use classify::{Classification, ProviderAnswer, classify};
pub use taxonomy::{Failure, FailureClass, Reason, ReportClass, UnknownName};
