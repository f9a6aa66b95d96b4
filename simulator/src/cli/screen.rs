//! What a trial looks like while it runs: messages as lines, one progress bar a video.

use std::{
    io::{self, IsTerminal, Write},
    sync::{Mutex, PoisonError},
};

use chrono::{DateTime, FixedOffset, Local, Utc};
use domain::{job::StateName, notice::Audience, time::Timestamp};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::world::{Moment, StepSeen};

/// The longest line of a message, in characters.
const WIDTH: usize = 96;

/// An instant as a user in Moscow reads it (UTC+3, no daylight saving).
pub(super) fn moscow(at: Timestamp) -> String {
    let hours = FixedOffset::east_opt(3 * 60 * 60);
    let at = DateTime::<Utc>::from_timestamp_millis(at.as_millis()).unwrap_or_default();
    hours.map_or_else(String::new, |hours| at.with_timezone(&hours).format("%H:%M:%S").to_string())
}

/// An instant as this machine's user reads it.
pub(super) fn local(at: Timestamp) -> String {
    let at = DateTime::<Utc>::from_timestamp_millis(at.as_millis()).unwrap_or_default();
    at.with_timezone(&Local).format("%H:%M:%S").to_string()
}

/// `1 task`, `3 tasks`.
pub(super) fn count(number: usize, word: &str) -> String {
    if number == 1 { format!("1 {word}") } else { format!("{number} {word}s") }
}

/// Writes a line to stdout; a reader who has gone is no failure.
pub(super) fn print(line: &str) {
    writeln!(io::stdout().lock(), "{line}").ok();
}

/// Shows a trial.
pub(super) struct Screen {
    progress: MultiProgress,
    bars: Mutex<Vec<ProgressBar>>,
    shows_messages: bool,
}

impl Screen {
    /// Bars appear on a terminal only; messages unless told otherwise.
    pub(super) fn new(shows_messages: bool) -> Self {
        Self { progress: MultiProgress::new(), bars: Mutex::default(), shows_messages }
    }

    /// Whether somebody watches.
    pub(super) fn is_watched() -> bool {
        io::stderr().is_terminal() && io::stdout().is_terminal()
    }

    pub(super) fn show(&self, moment: &Moment<'_>) {
        match moment {
            Moment::Placed(videos) => self.add_bars(*videos),
            Moment::Step(step) => self.move_bar(step),
            Moment::Text { at, to, text } if self.shows_messages => {
                self.progress.suspend(|| print(&message(*at, *to, text)));
            }
            Moment::Text { .. } => {}
        }
    }

    /// Leaves the bars as they are and writes below them from now on.
    pub(super) fn finish(&self) {
        let bars = self.bars.lock().unwrap_or_else(PoisonError::into_inner);
        bars.iter().for_each(ProgressBar::abandon);
    }

    fn add_bars(&self, videos: u8) {
        let style = ProgressStyle::with_template("  {prefix} {bar:15} {msg}");
        let style = style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("━╸ ");
        let mut bars = self.bars.lock().unwrap_or_else(PoisonError::into_inner);
        for number in 1..=videos {
            let bar = self.progress.add(ProgressBar::new(5));
            bar.set_style(style.clone());
            bar.set_prefix(format!("video {number}"));
            bar.set_message("queued");
            bars.push(bar);
        }
    }

    fn move_bar(&self, step: &StepSeen) {
        let bars = self.bars.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(bar) = bars.get(usize::from(step.video.0.saturating_sub(1))) else { return };
        let (place, word) = match step.state {
            StateName::Queued => (0, "queued"),
            StateName::Prompting => (1, "the prompt is written"),
            StateName::Submitting => (2, "on its way to the provider"),
            StateName::Rendering => (3, "being made"),
            StateName::Delivering => (4, "being handed over"),
            StateName::Done => (5, "delivered"),
            StateName::Refunded => (5, "not made, the credit is back"),
            StateName::Cancelled => (5, "cancelled, the credit is back"),
        };
        bar.set_position(place);
        let retry = step.retry.map(|(number, delay)| format!(", retry {number} in {} s", delay.as_secs()));
        bar.set_message(format!("{}  {word}{}", moscow(step.at), retry.unwrap_or_default()));
    }
}

/// A message as lines: time, to whom, text.
fn message(at: Timestamp, to: Audience, text: &str) -> String {
    let to = match to {
        Audience::User(_) => "user    ",
        Audience::Operator => "operator",
    };
    let head = format!("{}  {to}  ", moscow(at));
    let indent = " ".repeat(head.chars().count());
    let lines = text.lines().flat_map(|line| wrapped(line, WIDTH));
    lines
        .enumerate()
        .map(|(number, line)| format!("{}{line}", if number == 0 { &head } else { &indent }))
        .collect::<Vec<_>>()
        .join("\n")
}

/// Breaks a line between words.
fn wrapped(line: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in line.split_whitespace() {
        let used = lines.last().map_or(0, |last| last.chars().count());
        if used > 0 && used + 1 + word.chars().count() > width {
            lines.push(String::new());
        }
        if let Some(last) = lines.last_mut() {
            if !last.is_empty() {
                last.push(' ');
            }
            last.push_str(word);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use domain::id::UserId;

    use super::*;

    #[test]
    fn messages_are_shown_in_moscow_time_and_wrapped_between_words() {
        let at = Timestamp::from_millis(1_796_144_400_000);
        let long = format!("{} tail", "word ".repeat(20).trim());
        let shown = message(at, Audience::User(UserId::new(1)), &format!("first\n{long}"));
        let lines: Vec<_> = shown.lines().collect();
        assert_eq!(lines[0], "20:00:00  user      first");
        assert_eq!((lines.len(), lines[2].trim()), (3, "word tail"));
        assert!(lines[1..].iter().all(|line| line.starts_with("                    w")));
    }
}
