//! The phrase language of the rule tables: a handful of marks, so that a rule reads like what it catches.
//!
//! | in a phrase | matches |
//! |---|---|
//! | `gateway` | that word |
//! | `violat*`, `*unsafe`, `*nsfw*` | a word that begins with, ends with, contains it |
//! | `image\|photo` | one of these words |
//! | `block*\|not_pass*` | one of these, the second being two words in a row |
//! | `~4` | up to four words in between, all of the same sentence |
//! | `celebrit* & not_allow*` | both, in any order, within one sentence |
//! | `^` at the front | the beginning of the text |
//! | `$`, `$$` at the end | the end of the sentence, the end of the text |
//!
//! Words stand next to each other unless a gap is written, and a phrase never reaches over the end of a sentence.

use std::ops::BitOr;

use super::positions::Positions;
use super::text::{PhraseNumber, Term, Text, Vocabulary};

#[cfg(test)]
pub(super) mod naive;

/// A phrase, parsed.
#[derive(Debug)]
pub(super) struct Phrase {
    number: PhraseNumber,
    /// What `&` joins.
    parts: Vec<Part>,
}

#[derive(Debug)]
struct Part {
    /// Whether `^` stands in front.
    at_beginning: bool,
    marks: Vec<Mark>,
}

#[derive(Debug)]
enum Mark {
    Gap(usize),
    OneOf(Vec<Alternative>),
}

#[derive(Debug)]
enum Alternative {
    Words(Vec<Term>),
    SentenceEnd,
    TextEnd,
}

impl Phrase {
    /// Parses a well-spelt phrase and adds its words to `vocabulary`.
    pub(super) fn parse(phrase: &str, vocabulary: &mut Vocabulary) -> Self {
        let parts: Vec<Part> = phrase.split(" & ").map(|part| Part::parse(part, vocabulary)).collect();
        let needed = parts.iter().flat_map(|part| &part.marks).filter_map(Mark::first_words);
        let fewest = needed.min_by_key(Vec::len).unwrap_or_default();
        Self { number: vocabulary.phrase(&fewest), parts }
    }

    /// Whether it occurs anywhere in `text`, which was looked up in the vocabulary that the phrase was parsed with.
    pub(super) fn occurs(&self, text: &Text) -> bool {
        if !text.may_say(self.number) {
            return false;
        }
        if let [only] = self.parts.as_slice() {
            return !only.ends_in(text).is_empty();
        }
        let mut sentences = text.sentence_ends();
        self.parts.iter().all(|part| {
            sentences = sentences & text.ends_of_sentences(part.ends_in(text));
            !sentences.is_empty()
        })
    }
}

impl Part {
    fn parse(part: &str, vocabulary: &mut Vocabulary) -> Self {
        let (at_beginning, marks) = match part.strip_prefix("^ ") {
            Some(marks) => (true, marks),
            None => (false, part),
        };
        Self { at_beginning, marks: marks.split(' ').map(|mark| Mark::parse(mark, vocabulary)).collect() }
    }

    /// The places where an occurrence ends.
    fn ends_in(&self, text: &Text) -> Positions {
        let mut reached = if self.at_beginning { text.beginning() } else { text.everywhere() };
        for mark in &self.marks {
            reached = match mark {
                Mark::Gap(most) => text.over_words(reached, *most),
                Mark::OneOf(alternatives) => alternatives
                    .iter()
                    .filter_map(|alternative| alternative.after(reached, text))
                    .fold(Positions::default(), BitOr::bitor),
            };
            if reached.is_empty() {
                break;
            }
        }
        reached
    }
}

impl Mark {
    fn parse(mark: &str, vocabulary: &mut Vocabulary) -> Self {
        match mark.strip_prefix('~') {
            Some(gap) => Self::Gap(gap.parse().unwrap_or(0)),
            None => Self::OneOf(mark.split('|').map(|words| Alternative::parse(words, vocabulary)).collect()),
        }
    }

    /// The first word of each alternative, one of which must stand in the text; `None` if it can do without words.
    fn first_words(&self) -> Option<Vec<Term>> {
        let Self::OneOf(alternatives) = self else { return None };
        let first_word = |alternative: &Alternative| match alternative {
            Alternative::Words(words) => words.first().copied(),
            Alternative::SentenceEnd | Alternative::TextEnd => None,
        };
        alternatives.iter().map(first_word).collect()
    }
}

impl Alternative {
    fn parse(alternative: &str, vocabulary: &mut Vocabulary) -> Self {
        match alternative {
            "$$" => Self::TextEnd,
            "$" => Self::SentenceEnd,
            words => Self::Words(words.split('_').map(|word| vocabulary.term(word)).collect()),
        }
    }

    /// The places behind it, where it stands at one of the places of `from`; `None` if one of its words is missing.
    fn after(&self, from: Positions, text: &Text) -> Option<Positions> {
        match self {
            Self::TextEnd => Some(from & text.end()),
            Self::SentenceEnd => Some(from & text.sentence_ends()),
            Self::Words(words) => {
                words.iter().try_fold(from, |from, word| Some((from & text.places_of(*word)?).moved_on()))
            }
        }
    }
}

/// What is wrong with the spelling of a phrase, if anything. A mistyped phrase would silently match nothing.
#[cfg(test)]
pub(super) fn misspelt(phrase: &str) -> Option<String> {
    if phrase.contains(" & ") {
        // Within one sentence, the ends of the text could be meant, or those of the sentence.
        let at_an_end = phrase.split(' ').any(|mark| mark == "^" || mark.split('|').any(|word| word == "$$"));
        let fault =
            at_an_end.then(|| format!("`{phrase}` joins parts by `&`, of which one is held to an end"));
        return fault.or_else(|| phrase.split(" & ").find_map(misspelt));
    }
    let marks: Vec<&str> = phrase.split(' ').collect();
    let last = marks.len().saturating_sub(1);
    let fault = |place: usize, mark: &str| match mark {
        "" => Some("has a double, leading or trailing space"),
        "^" => (place != 0).then_some("has `^` away from its beginning"),
        gap if gap.starts_with('~') => {
            let bounded = gap[1..].parse::<usize>().is_ok_and(|words| (1..=12).contains(&words));
            let inside = place > 0 && place < last;
            (!inside || !bounded).then_some("has a gap that is not `~1` to `~12` between two words")
        }
        words => words
            .split('|')
            .any(|alternative| match alternative {
                "$" | "$$" => place != last || place == 0,
                words => words.split('_').any(|word| {
                    let bare = word.trim_matches('*');
                    bare.is_empty() || super::words::Words::of(bare).as_slice() != [bare]
                }),
            })
            .then_some("has a word that no normalised text contains"),
    };
    marks
        .iter()
        .enumerate()
        .find_map(|(place, mark)| fault(place, mark).map(|fault| format!("`{phrase}` {fault} (`{mark}`)")))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Phrase, misspelt, naive};
    use crate::failure::text::{Text, Vocabulary};
    use crate::failure::words::Words;

    fn says(phrase: &str, text: &str) -> bool {
        let mut vocabulary = Vocabulary::default();
        let phrase = Phrase::parse(phrase, &mut vocabulary);
        phrase.occurs(&Text::new(&Words::of(text), &vocabulary))
    }

    /// A part of a phrase made of few different words, so that it often occurs.
    fn any_part() -> impl Strategy<Value = String> {
        let word = || prop::sample::select(vec!["b", "c", "b*", "*c", "*bc*", "b|c", "bc|c_b", "cb*|b_c_b"]);
        let next = (prop::option::of(1..4_usize), word())
            .prop_map(|(gap, word)| gap.map_or_else(|| format!(" {word}"), |gap| format!(" ~{gap} {word}")));
        (word(), prop::collection::vec(next, 0..4))
            .prop_map(|(first, next)| first.to_owned() + &next.concat())
    }

    fn any_phrase() -> impl Strategy<Value = String> {
        let held =
            (prop::bool::ANY, any_part(), prop::sample::select(vec!["", " $", " $$", " b|$", " c|$$"]))
                .prop_map(|(held, part, end)| format!("{}{part}{end}", if held { "^ " } else { "" }));
        let joined = prop::collection::vec((any_part(), prop::sample::select(vec!["", " $"])), 2..4)
            .prop_map(|parts| {
                parts.into_iter().map(|(part, end)| part + end).collect::<Vec<_>>().join(" & ")
            });
        prop_oneof![held, joined]
    }

    proptest! {
        #[test]
        fn a_parsed_phrase_occurs_where_a_naive_reader_finds_it(phrase in any_phrase(), text in "([bc]{1,3}[ .] ?){0,90}") {
            prop_assert_eq!(misspelt(&phrase), None);
            let words = Words::of(&text);
            prop_assert_eq!(says(&phrase, &text), naive::occurs(&phrase, &naive::words(&words)), "{}", text);
        }
    }

    #[test]
    fn a_conjunction_is_not_held_to_an_end_of_the_text() {
        assert!(misspelt("^ gateway & bad").is_some());
        assert!(misspelt("bad & gateway $$").is_some());
        assert_eq!(misspelt("bad & gateway $"), None);
    }

    #[test]
    fn words_match_whole_and_in_order() {
        assert!(says("bad gateway", "502 Bad Gateway"));
        assert!(!says("bad gateway", "bad gateways"));
        assert!(!says("bad gateway", "gateway bad"));
    }

    #[test]
    fn a_star_stands_for_the_rest_of_a_word() {
        assert!(says("violat* polic*", "violates policies"));
        assert!(says("*unsafe", "veryunsafe"));
        assert!(!says("*unsafe", "unsafely"));
        assert!(says("*sensitivecontent*", "inputimagesensitivecontentdetected"));
    }

    #[test]
    fn a_gap_is_bounded_and_stays_in_its_sentence() {
        assert!(says("violat* ~2 polic*", "violates some content policies"));
        assert!(!says("violat* ~2 polic*", "violates one two three policies"));
        assert!(!says("violat* ~5 polic*", "Violated. See policies"));
    }

    #[test]
    fn parts_of_a_conjunction_stand_in_one_sentence_in_any_order() {
        assert!(says("celebrit* & not_allow*", "Not allowed: photos of celebrities"));
        assert!(!says("celebrit* & not_allow*", "Celebrities were seen. That is not allowed"));
    }

    #[test]
    fn anchors_hold_the_ends_of_the_text() {
        assert!(says("^ generation failed $$", "Generation failed."));
        assert!(!says("^ generation failed $$", "Generation failed because of the moon"));
        assert!(!says("^ generation failed $$", "Video generation failed"));
        assert!(says("is required $", "This field is required. See the docs"));
        assert!(!says("is required $$", "This field is required. See the docs"));
    }

    #[test]
    fn an_alternative_may_be_several_words() {
        assert!(says("moderation ~1 failed|not_pass*", "moderation was not passed"));
        assert!(!says("moderation ~1 failed|not_pass*", "moderation was not done"));
    }
}
