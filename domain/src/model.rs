//! What the rules need to know about a video model. Request shapes are the adapter's business.

use std::time::Duration;

use crate::{
    id::ModelId,
    photo::{PhotoFormat, PhotoTerms},
    prompt::Prompt,
};

/// A model of the catalogue, as far as orders and jobs care.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VideoModel {
    /// Our name for it, stored with the order.
    pub id: ModelId,
    /// Whether new orders may choose it.
    pub enabled: bool,
    /// Why not, when not.
    pub off_reason: Option<String>,
    /// Shortest and longest prompt it takes, in characters.
    pub prompt_chars: (usize, usize),
    /// Photo formats it takes.
    pub photo_formats: Vec<PhotoFormat>,
    /// Largest photo it takes, in bytes.
    pub photo_bytes_max: u64,
    /// Length of the clip, in seconds.
    pub clip_seconds: u32,
    /// What the provider takes for that clip, in hundredths of its own credits.
    pub price_hundredths: u64,
    /// When to look at a render and when to give it up.
    pub timing: RenderTiming,
}

impl VideoModel {
    /// What a photo has to be like for it.
    #[must_use]
    pub fn photo_terms(&self) -> PhotoTerms {
        PhotoTerms { formats: self.photo_formats.clone(), bytes_max: self.photo_bytes_max }
    }

    /// Whether a job sold on `ordered` may be rendered with this model instead: it takes orders, costs no more, takes
    /// the photo's format and every size `ordered` takes, and the finished prompt, if there is one yet, fits.
    #[must_use]
    pub fn may_stand_in_for(&self, ordered: &Self, photo: PhotoFormat, prompt: Option<&Prompt>) -> bool {
        let (shortest, longest) = self.prompt_chars;
        let fits = |prompt: &Prompt| (shortest..=longest).contains(&prompt.as_str().chars().count());
        self.enabled
            && self.price_hundredths <= ordered.price_hundredths
            && self.photo_formats.contains(&photo)
            && self.photo_bytes_max >= ordered.photo_bytes_max
            && prompt.is_none_or(fits)
    }
}

/// The models a job may be rendered with, in the order they are tried: the ordered one, then those of `fallback` that
/// may stand in for it.
#[must_use]
pub fn allowed<'a>(
    ordered: &'a VideoModel,
    fallback: impl IntoIterator<Item = &'a VideoModel>,
    photo: PhotoFormat,
    prompt: Option<&Prompt>,
) -> Vec<ModelId> {
    let others = fallback
        .into_iter()
        .filter(|model| model.id != ordered.id && model.may_stand_in_for(ordered, photo, prompt));
    std::iter::once(ordered).chain(others).map(|model| model.id.clone()).collect()
}

/// When a render is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RenderTiming {
    /// First look after the task was accepted: most refusals of a photo or prompt show by then.
    pub first_poll: Duration,
    /// Between looks around the expected time.
    pub poll_every: Duration,
    /// What users are told to expect.
    pub typical: Duration,
    /// A task still unfinished after this long counts as a temporary failure: the provider has no cancel and
    /// some tasks hang for hours.
    pub give_up: Duration,
}

impl RenderTiming {
    /// The shortest wait between two looks.
    const WAIT_MIN: Duration = Duration::from_secs(1);

    /// How long to wait before the next look at a render that has run for `running`: one early look for what is
    /// refused at once, none while it cannot be ready (half the expected time), then often, and ever more seldom:
    /// whoever has waited for long does not mind a sixth of that more.
    #[must_use]
    pub fn next_poll_in(&self, running: Duration) -> Duration {
        let ready = self.typical / 2;
        let wait = if running < self.first_poll {
            self.first_poll.saturating_sub(running)
        } else if running < ready {
            ready.saturating_sub(running)
        } else {
            self.poll_every.max(running / 6)
        };
        wait.min(self.give_up.saturating_sub(running)).max(Self::WAIT_MIN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// When a render is looked at, in seconds after it began.
    fn looks(timing: RenderTiming, until: u64) -> Vec<u64> {
        let (mut at, mut looks) = (Duration::ZERO, Vec::new());
        while at.as_secs() < until {
            at += timing.next_poll_in(at);
            looks.push(at.as_secs());
        }
        looks
    }

    #[test]
    fn a_render_is_looked_at_once_early_then_around_its_time_and_ever_more_seldom() {
        let timing =
            RenderTiming { first_poll: s(30), poll_every: s(10), typical: s(180), give_up: s(1_800) };
        let looks = looks(timing, 600);
        assert_eq!(looks[..5], [30, 90, 105, 122, 142]);
        assert!(looks.ends_with(&[420, 490, 572, 667]), "{looks:?}");
    }

    #[test]
    fn a_first_look_beyond_half_the_usual_time_is_followed_by_the_usual_ones() {
        let timing = RenderTiming { first_poll: s(45), poll_every: s(10), typical: s(80), give_up: s(1_800) };
        assert_eq!(looks(timing, 70), [45, 55, 65, 75]);
    }
}
