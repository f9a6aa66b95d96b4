//! How long a render takes, and what comes out of it.

use std::{borrow::Cow, time::Duration};

use bytes::Bytes;
use rand_chacha::rand_core::Rng;

use crate::{
    scenario::RenderTimes,
    time::{chance_of, generator},
};

/// The clip every render is made of: four seconds, 9:16, H.264 and AAC.
static CLIP: &[u8] = include_bytes!("../../../assets/clip.mp4");

/// How long renders take.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum RenderTime {
    /// Log-normal with sigma 0.4 and a median of 150 s for a clip of up to 10 s, 270 s for one of 15 s: an own guess
    /// fitted to the few published times (130 s and 142 s for 10 s, 4 to 5 minutes for 15 s).
    #[default]
    AsObserved,
    /// Always so long.
    Fixed(Duration),
    /// As a scenario says.
    Drawn(RenderTimes),
}

impl RenderTime {
    /// The time of one task, drawn by its name.
    pub(super) fn of(self, task: &str, clip_seconds: u32, seed: u64) -> Duration {
        const SIGMA: f64 = 0.4;
        match self {
            Self::Fixed(time) => time,
            Self::Drawn(times) => times.sample(seed, task),
            Self::AsObserved => {
                let median = 150.0 + 24.0 * f64::from(clip_seconds.saturating_sub(10));
                let mut draws = generator(seed, task);
                // Box-Muller; the first draw is kept off zero.
                let (u, v) = (1.0 - chance_of(draws.next_u64()), chance_of(draws.next_u64()));
                let normal = (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos();
                Duration::from_secs_f64((median * (SIGMA * normal).exp()).clamp(20.0, 1_500.0))
            }
        }
    }
}

/// One task's result: the clip, and behind it a `free` box (ISO 14496-12, 8.1.2) that names the task. Players skip it,
/// and no two results are the same file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultFile {
    clip: Cow<'static, [u8]>,
    note: String,
}

impl ResultFile {
    pub(super) fn of(task: &str, is_short: bool) -> Self {
        let clip = if is_short { Cow::Owned(headers(CLIP)) } else { Cow::Borrowed(CLIP) };
        Self { clip, note: format!("simulated result of task {task}") }
    }

    /// Its size in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        (self.clip.len() + 8 + self.note.len()) as u64
    }

    /// Its bytes.
    #[must_use]
    pub fn bytes(&self) -> Bytes {
        let size = u32::try_from(self.note.len() + 8).unwrap_or(8);
        let mut bytes = self.clip.to_vec();
        bytes.extend_from_slice(&size.to_be_bytes());
        bytes.extend_from_slice(b"free");
        bytes.extend_from_slice(self.note.as_bytes());
        bytes.into()
    }
}

/// What of a file is a video to whoever looks at its headers only: the first box, and of the second one, `moov`, the
/// movie's header, which is the first in it.
fn headers(file: &[u8]) -> Vec<u8> {
    const HEAD: usize = 8;
    let first = box_bytes(file);
    let header = file.get(first + HEAD..).map_or(&[][..], |movie| &movie[..box_bytes(movie)]);
    let movie = u32::try_from(HEAD + header.len()).unwrap_or(u32::MAX);
    [&file[..first], &movie.to_be_bytes(), b"moov", header].concat()
}

/// The length of the box a file begins with.
fn box_bytes(file: &[u8]) -> usize {
    let size = file.first_chunk::<4>().map_or(0, |size| u32::from_be_bytes(*size));
    usize::try_from(size).unwrap_or(usize::MAX).min(file.len())
}
