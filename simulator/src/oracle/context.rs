//! A retried job is the same job: its prompt and photo go with it.

use domain::failure::Reason;

use super::{
    jobs::{Live, Stage, Told},
    tally::{Law, Scene, Tally},
};

pub(super) fn check(tally: &mut Tally, scene: Scene, live: &Live, told: &Told<'_>) {
    let is_written = (live.stage, told.to) == (Stage::Prompting, Stage::Ready);
    let kept =
        if is_written { live.prompt.is_none() && told.prompt.is_some() } else { live.prompt == told.prompt };
    tally.hold(scene, Law::ContextKept, kept, || {
        let said = |print: Option<u64>| print.map_or("none".to_owned(), |print| format!("{print:016x}"));
        let (before, after) = (said(live.prompt), said(told.prompt));
        format!("the prompt was {before} and is {after}, from {:?} to {:?}", live.stage, told.to)
    });
    tally.hold(scene, Law::ContextKept, live.photo == told.photo || photo_may_change(live, told), || {
        format!("the photo's address changed or vanished from {:?} to {:?}", live.stage, told.to)
    });
}

/// An upload brings a photo's address; one the provider cannot fetch is forgotten.
fn photo_may_change(live: &Live, told: &Told<'_>) -> bool {
    if told.photo.is_some() {
        return (live.stage, told.to) == (Stage::Ready, Stage::Ready);
    }
    // A failed upload leaves no attempt that could name its reason.
    let is_upload = live.stage == Stage::Ready;
    is_upload || told.failure().is_some_and(|failure| failure.reason == Reason::PhotoUnreachable)
}
