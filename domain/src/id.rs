//! Identifiers. Each kind of thing has its own type, so that an order's id cannot be passed for a job's.

use std::{fmt, str::FromStr, sync::Arc};

use crate::time::Timestamp;

/// The text is not an identifier of the expected form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an id: expected 32 hexadecimal digits, with or without hyphens")]
pub struct ParseIdError {
    text: String,
}

/// A time-ordered 128-bit id in the layout of UUID version 7 (RFC 9562): 48 bits of milliseconds, then `random`.
#[must_use]
pub fn time_ordered(at: Timestamp, random: u128) -> u128 {
    let millis = u128::from(u64::try_from(at.as_millis()).unwrap_or(0)) & 0xffff_ffff_ffff;
    let body = random & 0x0fff_3fff_ffff_ffff_ffff;
    (millis << 80) | (0x7 << 76) | (body & (0x0fff << 64)) | (0x2 << 62) | (body & 0x3fff_ffff_ffff_ffff)
}

fn fmt_hyphenated(value: u128, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    // By hand, because ids are written into keys and logs many times a step.
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = [b'-'; 36];
    let mut bytes = value.to_be_bytes().into_iter();
    for place in [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34] {
        let byte = bytes.next().unwrap_or_default();
        text[place] = DIGITS[usize::from(byte >> 4)];
        text[place + 1] = DIGITS[usize::from(byte & 0xf)];
    }
    f.write_str(str::from_utf8(&text).unwrap_or_default())
}

fn parse_hex(text: &str) -> Result<u128, ParseIdError> {
    let digits: String = text.chars().filter(|c| *c != '-').collect();
    let is_hex = digits.len() == 32 && digits.chars().all(|c| c.is_ascii_hexdigit());
    is_hex
        .then(|| u128::from_str_radix(&digits, 16).ok())
        .flatten()
        .ok_or_else(|| ParseIdError { text: text.chars().take(64).collect() })
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u128);

        impl $name {
            /// Wraps a 128-bit value, usually from [`time_ordered`].
            #[must_use]
            pub const fn new(value: u128) -> Self {
                Self(value)
            }

            /// The 128 bits.
            #[must_use]
            pub const fn value(self) -> u128 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt_hyphenated(self.0, f)
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                parse_hex(text).map(Self)
            }
        }
    )*};
}

ids! {
    /// What a user buys in one confirmation.
    OrderId;
    /// One video of an order.
    JobId;
    /// One submission of a job to the video provider.
    AttemptId;
    /// One message waiting in the outbox.
    NoticeId;
    /// One start of one worker process; never a host name, because those are reused.
    WorkerId;
}

/// A photo, named by the first 128 bits of the SHA-256 of its bytes: the same picture is stored once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PhotoId(u128);

impl PhotoId {
    /// Wraps a digest.
    #[must_use]
    pub const fn new(value: u128) -> Self {
        Self(value)
    }

    /// The 128 bits.
    #[must_use]
    pub const fn value(self) -> u128 {
        self.0
    }
}

impl fmt::Display for PhotoId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// A Telegram user id: positive, at most 52 significant bits (Bot API, `User.id`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserId(i64);

impl UserId {
    /// Wraps Telegram's number.
    #[must_use]
    pub const fn new(value: i64) -> Self {
        Self(value)
    }

    /// Telegram's number.
    #[must_use]
    pub const fn value(self) -> i64 {
        self.0
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A short text the outside world chose (a confirmation, a provider's task, a key's fingerprint) was unusable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} must be 1 to {max} bytes without control characters, not {got}")]
pub struct NameError {
    what: &'static str,
    max: usize,
    got: usize,
}

// Shared text: ids travel with every copy of a job, and a copy is one count more.
macro_rules! names {
    ($($(#[$doc:meta])* $name:ident, $what:literal, $max:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks length and characters.
            ///
            /// # Errors
            /// [`NameError`] when the text is empty, too long, or holds control characters.
            pub fn new(text: impl Into<String>) -> Result<Self, NameError> {
                let text = text.into();
                let fits = (1..=$max).contains(&text.len()) && !text.chars().any(char::is_control);
                if fits { Ok(Self(text.into())) } else { Err(NameError { what: $what, max: $max, got: text.len() }) }
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

names! {
    /// The idempotency key of one confirmation: the same tap twice carries the same one.
    ConfirmationId, "a confirmation id", 64;
    /// The provider's name for a task; opaque to us.
    TaskId, "a task id", 128;
    /// A provider account: limits and balance belong to it.
    AccountId, "an account name", 64;
    /// A provider key's short fingerprint. Safe to print and to store; the key itself never is.
    KeyId, "a key fingerprint", 64;
    /// Our own name of a video model, stored with the order.
    ModelId, "a model id", 64;
    /// A file as the messenger names it: lasting, and of one bot alone (Bot API, Sending files: `file_id`).
    FileId, "a file id", 256;
    /// The album several pictures were sent in (Bot API, Message: `media_group_id`).
    AlbumId, "an album id", 64;
    /// A package of credits on sale, by its name.
    PackageId, "a package's name", 32;
    /// A language as its code.
    LanguageId, "a language", 8;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_survive_printing() {
        let id = OrderId::new(time_ordered(Timestamp::from_millis(1_790_000_000_000), u128::MAX));
        assert_eq!(id.to_string().parse::<OrderId>().unwrap(), id);
        assert_eq!(id.to_string().as_bytes()[14], b'7', "version digit");
        assert!(matches!(id.to_string().as_bytes()[19], b'8'..=b'b'), "variant digit");
    }

    #[test]
    fn time_ordered_ids_sort_by_time() {
        let early = time_ordered(Timestamp::from_millis(1), u128::MAX);
        let late = time_ordered(Timestamp::from_millis(2), 0);
        assert!(early < late);
    }

    #[test]
    fn anything_but_32_hex_digits_is_refused() {
        for text in ["", "1", "g0000000000000000000000000000000", "+0000000000000000000000000000001"] {
            assert!(text.parse::<JobId>().is_err(), "{text}");
        }
    }
}
