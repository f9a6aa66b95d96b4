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

use super::words::SENTENCE_END;

/// Whether `phrase` occurs anywhere in `words`.
pub(super) fn occurs(phrase: &str, words: &[&str]) -> bool {
    if phrase.contains(" & ") {
        return words
            .split(|word| *word == SENTENCE_END)
            .any(|sentence| phrase.split(" & ").all(|part| occurs(part, sentence)));
    }
    match phrase.strip_prefix("^ ") {
        Some(anchored) => begins(anchored, words),
        None => (0..=words.len()).any(|start| begins(phrase, &words[start..])),
    }
}

/// Whether `words` begin with `phrase`.
fn begins(phrase: &str, words: &[&str]) -> bool {
    let (mark, rest) = phrase.split_once(' ').unwrap_or((phrase, ""));
    if mark.is_empty() {
        return true;
    }
    if let Some(gap) = mark.strip_prefix('~') {
        let gap: usize = gap.parse().unwrap_or(0);
        let sentence = words.iter().take(gap).take_while(|word| **word != SENTENCE_END).count();
        return (0..=sentence).any(|skipped| begins(rest, &words[skipped..]));
    }
    mark.split('|')
        .any(|alternative| after(alternative, words).is_some_and(|following| begins(rest, following)))
}

/// The words that follow `alternative` if `words` begin with it.
fn after<'w, 't>(alternative: &str, words: &'w [&'t str]) -> Option<&'w [&'t str]> {
    match alternative {
        "$$" => words.is_empty().then_some(words),
        "$" => words.first().is_none_or(|word| *word == SENTENCE_END).then_some(words),
        _ => alternative.split('_').try_fold(words, |words, part| {
            words.split_first().and_then(|(word, following)| fits(part, word).then_some(following))
        }),
    }
}

/// Whether `word` is what `pattern`, a word with optional stars, stands for.
fn fits(pattern: &str, word: &str) -> bool {
    match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
        (None, None) => word == pattern,
        (None, Some(beginning)) => word.starts_with(beginning),
        (Some(ending), None) => word.ends_with(ending),
        (Some(_), Some(_)) => word.contains(pattern.trim_matches('*')),
    }
}

/// What is wrong with the spelling of a phrase, if anything. A mistyped phrase would silently match nothing.
#[cfg(test)]
pub(super) fn misspelt(phrase: &str) -> Option<String> {
    if phrase.contains(" & ") {
        return phrase.split(" & ").find_map(misspelt);
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
    use super::occurs;
    use crate::failure::words::Words;

    fn says(phrase: &str, text: &str) -> bool {
        occurs(phrase, &Words::of(text).as_slice())
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
