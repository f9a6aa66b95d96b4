//! The scenarios that come with the program.

/// A scenario that comes with the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Builtin {
    /// Its name.
    pub name: &'static str,
    /// Its text.
    pub text: &'static str,
}

macro_rules! built_in {
    ($($name:literal),+ $(,)?) => {
        &[$(Builtin { name: $name, text: include_str!(concat!("../../scenarios/", $name, ".toml")) }),+]
    };
}

/// Every scenario that comes with the program, the ones to begin with first.
pub const BUILT_IN: &[Builtin] = built_in![
    "smoke",
    "ordinary-day",
    "evening-peak",
    "provider-outage",
    "key-exhausted",
    "model-paused",
    "crash-storm",
    "hostile-users",
    "lost-answers",
    "lost-answers-deaf",
    "launch-day",
    "launch-million",
    "mm-c",
    "md-1",
    "swarm",
];
