//! The conversation: its laws, and every path through it as a transcript.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod laws;
mod script;
mod transcripts;
