//! Photos on their way from a file somebody sent to one that can be kept: pictures are opened, turned upright, cleaned
//! and made smaller where needed.
//!
//! A picture that needs no change loses what it says besides its pixels segment by segment (module `strip`) and is not
//! written anew. Everything else is decoded and written anew (module `negative`).

mod negative;
mod strip;
mod studio;

pub use studio::ImageStudio;

#[cfg(test)]
mod tests;
