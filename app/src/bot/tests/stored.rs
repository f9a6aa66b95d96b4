use domain::{
    dialogue::{Dialogue, Draft, PhotoSource, Stage},
    id::{AlbumId, ConfirmationId, FileId, PhotoId},
    order::Quantity,
    prompt::{Brief, Template},
};
use proptest::prelude::*;

use crate::bot::stored::{read, write};

fn dialogues() -> impl Strategy<Value = Dialogue> {
    let brief = || {
        let text = prop::collection::vec(any::<char>(), 1..40).prop_map(String::from_iter);
        prop::option::of(text.prop_filter_map("a brief", |text: String| Brief::new(&text).ok()))
    };
    let photo = prop::option::of(prop_oneof![
        "[A-Za-z0-9_-]{1,90}".prop_map(|file| PhotoSource::Sent(FileId::new(file).unwrap())),
        any::<u128>().prop_map(|photo| PhotoSource::Kept(PhotoId::new(photo))),
    ]);
    let stage = prop::sample::select(vec![
        Stage::Terms,
        Stage::Menu,
        Stage::Photo,
        Stage::Brief,
        Stage::Template,
        Stage::Wishes,
        Stage::Prompt,
        Stage::PromptCheck,
        Stage::Quantity,
        Stage::Confirm,
        Stage::Mending,
        Stage::Deleting,
    ]);
    let template = prop::option::of(prop::sample::select(Template::ALL.to_vec()));
    let quantity = prop::option::of(prop::sample::select(Quantity::ALL.to_vec()));
    let names = (prop::option::of("[0-9]{1,20}"), prop::option::of("telegram:[0-9]{1,20}"));
    (stage, any::<u64>(), photo, brief(), brief(), brief(), template, quantity, names).prop_map(
        |(stage, step, photo, brief, wishes, prompt, template, quantity, (album, confirmation))| {
            let draft = Draft {
                photo,
                album: album.map(|album| AlbumId::new(album).unwrap()),
                brief,
                template,
                wishes,
                prompt,
                quantity,
                confirmation: confirmation.map(|text| ConfirmationId::new(text).unwrap()),
            };
            let dialogue = Dialogue { stage, draft, step };
            if dialogue.is_legal() { dialogue } else { Dialogue { stage: Stage::Menu, ..dialogue } }
        },
    )
}

proptest! {
    #[test]
    fn a_dialogue_survives_its_storing(dialogue in dialogues()) {
        prop_assert_eq!(read(&write(&dialogue).unwrap()), Some(dialogue));
    }

    #[test]
    fn a_mutilated_dialogue_is_read_as_a_legal_one_or_not_at_all(
        dialogue in dialogues(),
        at in any::<prop::sample::Index>(),
        with in any::<char>(),
    ) {
        let mut json: Vec<char> = write(&dialogue).unwrap().chars().collect();
        let at = at.index(json.len());
        json[at] = with;
        if let Some(dialogue) = read(&String::from_iter(json)) {
            prop_assert!(dialogue.is_legal());
        }
    }

    #[test]
    fn no_text_upsets_the_reader(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert_eq!(read(&String::from_utf8_lossy(&bytes)), None);
    }
}

#[test]
fn what_is_older_newer_or_impossible_is_not_read() {
    let good = r#"{"v":1,"stage":"menu","step":7}"#;
    assert_eq!(read(good), Some(Dialogue { stage: Stage::Menu, draft: Draft::default(), step: 7 }));
    for json in [
        r#"{"stage":"menu","step":7}"#,
        r#"{"v":2,"stage":"menu","step":7}"#,
        r#"{"v":1,"stage":"checkout","step":7}"#,
        r#"{"v":1,"stage":"menu","step":-7}"#,
        r#"{"v":1,"stage":"confirm","step":7}"#,
        r#"{"v":1,"stage":"menu","step":7,"quantity":2}"#,
        r#"{"v":1,"stage":"menu","step":7,"file":"a","photo":"0"}"#,
    ] {
        assert_eq!(read(json), None, "{json}");
    }
}
