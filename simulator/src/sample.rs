//! What the simulator brings along.

/// The sample product photo: a drawn ceramic mug, JPEG, 800x1000.
pub static PHOTO: &[u8] = include_bytes!("../assets/mug.jpg");
