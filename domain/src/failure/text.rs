//! A text as the rules see it: which of the words they ask for stand where.
//!
//! Each word pattern of the tables gets a number once ([`Vocabulary`]); each text is looked through once for all of
//! them ([`Text`]). After that a phrase is matched by sets of places alone, in time that does not depend on how often
//! its words are repeated, and a phrase whose words are missing costs next to nothing.

use std::collections::HashMap;

use super::positions::Positions;
use super::words::{SENTENCE_END, Words};

/// The number of a word pattern.
#[derive(Clone, Copy, Debug)]
pub(super) struct Term(usize);

/// The number of a phrase.
#[derive(Clone, Copy, Debug)]
pub(super) struct PhraseNumber(usize);

/// The word patterns of all phrases.
#[derive(Debug, Default)]
pub(super) struct Vocabulary {
    /// How many phrases there are.
    phrases: usize,
    /// For each term the phrases that may occur in a text where it stands.
    called_by: Vec<Vec<PhraseNumber>>,
    /// `gateway`
    whole: HashMap<String, Term>,
    /// `violat*`, without the star.
    beginnings: HashMap<String, Term>,
    /// Length of the longest beginning, in bytes.
    longest_beginning: usize,
    /// `*unsafe` and `*nsfw*`, of which there are few.
    others: Vec<(String, Term)>,
}

impl Vocabulary {
    /// The number of `pattern`, a new one if it was never asked for.
    pub(super) fn term(&mut self, pattern: &str) -> Term {
        let term = Term(self.called_by.len());
        let known = match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
            (None, None) => *self.whole.entry(pattern.to_owned()).or_insert(term),
            (None, Some(beginning)) => {
                self.longest_beginning = self.longest_beginning.max(beginning.len());
                *self.beginnings.entry(beginning.to_owned()).or_insert(term)
            }
            (Some(_), _) => {
                let known = self.others.iter().find(|(other, _)| other == pattern).map(|(_, known)| *known);
                known.unwrap_or_else(|| {
                    self.others.push((pattern.to_owned(), term));
                    term
                })
            }
        };
        if known.0 == term.0 {
            self.called_by.push(Vec::new());
        }
        known
    }

    /// A number for a phrase that no text says in which none of `needed` stands.
    pub(super) fn phrase(&mut self, needed: &[Term]) -> PhraseNumber {
        let phrase = PhraseNumber(self.phrases);
        self.phrases += 1;
        for term in needed {
            if let Some(phrases) = self.called_by.get_mut(term.0) {
                phrases.push(phrase);
            }
        }
        phrase
    }

    /// Every pattern that `word` fits.
    fn fitting<'a>(&'a self, word: &'a str) -> impl Iterator<Item = Term> + 'a {
        let beginnings = word
            .char_indices()
            .map(|(at, last)| at + last.len_utf8())
            .take_while(|end| *end <= self.longest_beginning)
            .filter_map(|end| self.beginnings.get(&word[..end]));
        let others = self.others.iter().filter(|(pattern, _)| fits(pattern, word)).map(|(_, term)| term);
        self.whole.get(word).into_iter().chain(beginnings).chain(others).copied()
    }
}

/// Whether `word` is what `pattern`, a word with optional stars, stands for.
pub(super) fn fits(pattern: &str, word: &str) -> bool {
    match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
        (None, None) => word == pattern,
        (None, Some(beginning)) => word.starts_with(beginning),
        (Some(ending), None) => word.ends_with(ending),
        (Some(_), Some(_)) => word.contains(pattern.trim_matches('*')),
    }
}

/// Where the words of a vocabulary stand in one text.
#[derive(Debug)]
pub(super) struct Text {
    length: usize,
    /// Places before a word.
    words: Positions,
    /// Places where a sentence ends, the end of the text included.
    ends: Positions,
    /// For each term the row of `rows` that says where it stands; [`ABSENT`] if it does not occur.
    row_of: Vec<usize>,
    rows: Vec<Positions>,
    /// For each phrase whether a word stands there that it cannot do without.
    may_say: Vec<bool>,
}

/// Marks a term that does not occur in a text.
const ABSENT: usize = usize::MAX;

impl Text {
    /// Looks up `words` in `vocabulary`.
    pub(super) fn new(words: &Words, vocabulary: &Vocabulary) -> Self {
        let length = words.as_slice().len();
        let mut text = Self {
            length,
            words: Positions::default(),
            ends: Positions::from_iter([length]),
            row_of: vec![ABSENT; vocabulary.called_by.len()],
            rows: Vec::new(),
            may_say: vec![false; vocabulary.phrases],
        };
        for (place, word) in words.as_slice().iter().enumerate() {
            if word == SENTENCE_END {
                text.ends.insert(place);
                continue;
            }
            text.words.insert(place);
            for term in vocabulary.fitting(word) {
                text.note(term, place, vocabulary);
            }
        }
        text
    }

    fn note(&mut self, term: Term, place: usize, vocabulary: &Vocabulary) {
        let Some(row) = self.row_of.get_mut(term.0) else { return };
        if *row == ABSENT {
            *row = self.rows.len();
            self.rows.push(Positions::default());
            for phrase in vocabulary.called_by.get(term.0).into_iter().flatten() {
                if let Some(may_say) = self.may_say.get_mut(phrase.0) {
                    *may_say = true;
                }
            }
        }
        if let Some(places) = self.rows.get_mut(*row) {
            places.insert(place);
        }
    }

    /// Whether `phrase` may occur: `false` is certain, `true` is not.
    pub(super) fn may_say(&self, phrase: PhraseNumber) -> bool {
        self.may_say.get(phrase.0).copied().unwrap_or_default()
    }

    /// Whether it says nothing at all.
    pub(super) fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Every place, the end included.
    pub(super) fn everywhere(&self) -> Positions {
        self.words | self.ends
    }

    /// The place before the first word.
    pub(super) fn beginning(&self) -> Positions {
        Positions::from_iter([0])
    }

    /// The place behind the last word.
    pub(super) fn end(&self) -> Positions {
        Positions::from_iter([self.length])
    }

    /// Where sentences end.
    pub(super) fn sentence_ends(&self) -> Positions {
        self.ends
    }

    /// The places before each word that fits `term`, if there is one.
    pub(super) fn places_of(&self, term: Term) -> Option<Positions> {
        self.row_of.get(term.0).and_then(|row| self.rows.get(*row)).copied()
    }

    /// `from`, and what is reached from there over at most `most` words of the same sentence.
    pub(super) fn over_words(&self, from: Positions, most: usize) -> Positions {
        let mut reached = from;
        for _ in 0..most {
            let further = reached | (reached & self.words).moved_on();
            if further == reached {
                break;
            }
            reached = further;
        }
        reached
    }

    /// The ends of the sentences that the places of `from` belong to.
    pub(super) fn ends_of_sentences(&self, from: Positions) -> Positions {
        self.over_words(from, self.length) & self.ends
    }
}

#[cfg(test)]
mod tests {
    use super::{Text, Vocabulary};
    use crate::failure::positions::Positions;
    use crate::failure::words::Words;

    #[test]
    fn a_word_is_found_under_every_pattern_it_fits() {
        let mut vocabulary = Vocabulary::default();
        let fitting = ["unsafe", "un*", "unsafe*", "*safe", "*nsaf*"].map(|pattern| vocabulary.term(pattern));
        let others = ["safe", "unsafely", "unsafely*", "*un", "*x*"].map(|pattern| vocabulary.term(pattern));
        let text = Text::new(&Words::of("so unsafe"), &vocabulary);
        for term in fitting {
            assert_eq!(text.places_of(term), Some(Positions::from_iter([1])));
        }
        for term in others {
            assert_eq!(text.places_of(term), None);
        }
    }

    #[test]
    fn a_pattern_keeps_its_number() {
        let mut vocabulary = Vocabulary::default();
        for pattern in ["nsfw", "nsfw*", "*nsfw", "*nsfw*"] {
            let number = vocabulary.term(pattern).0;
            assert_eq!(vocabulary.term(pattern).0, number);
            assert_eq!(vocabulary.called_by.len(), number + 1);
        }
    }
}
