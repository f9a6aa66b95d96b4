//! What the simulator brings along.

use app::texts::Language;
use domain::prompt::Template;

/// The sample product photo: a drawn ceramic mug, JPEG, 800x1000.
pub static PHOTO: &[u8] = include_bytes!("../assets/mug.jpg");

/// The same, 80x100: for simulated days, whose thousands of orders need no large photo.
pub static SMALL_PHOTO: &[u8] = include_bytes!("../assets/mug-small.jpg");

/// What a seller would say about the mug; for an own prompt, the prompt itself.
#[must_use]
pub const fn brief(language: Language, template: Template) -> &'static str {
    match (template, language) {
        (Template::OwnPrompt, _) => {
            "The teal ceramic mug stands on a wooden table, steam rises, the camera slowly circles it in morning light."
        }
        (_, Language::Ru) => {
            "Керамическая кружка ручной работы, 350 мл, бирюзовая глазурь. Для тех, кто любит долгий чай: держит \
             тепло, не скользит в руке, можно мыть в посудомоечной машине."
        }
        (_, Language::En) => {
            "A hand-made ceramic mug, 350 ml, teal glaze. For people who like a long cup of tea: it keeps warm, \
             does not slip, and goes into the dishwasher."
        }
    }
}
