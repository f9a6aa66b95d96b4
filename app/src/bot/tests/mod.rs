//! The bot, talked to: texts and keyboards, stored dialogues, and whole updates against ports that remember.

mod buttons;
mod house;
mod mishaps;
mod payments;
mod people;
mod screens;
mod stored;
mod words;
