//! The phrase language read naively, word by word and with every way tried: what [`super::Phrase`] must agree with.

use crate::failure::text::fits;
use crate::failure::words::{SENTENCE_END, Words};

/// `words` as slices that can be taken apart.
pub(in crate::failure) fn words(words: &Words) -> Vec<&str> {
    words.as_slice().iter().map(String::as_str).collect()
}

/// Whether `phrase` occurs anywhere in `words`.
pub(in crate::failure) fn occurs(phrase: &str, words: &[&str]) -> bool {
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
