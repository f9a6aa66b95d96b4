//! Suggestions for words that were not understood.

/// How alike two words have to be before one is offered for the other.
const ALIKE: f64 = 0.75;

/// The known word most like this one, if any is like it at all. Of equally like ones the first.
pub(super) fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let lower = word.to_lowercase();
    let mut best: Option<(&str, f64)> = None;
    for candidate in known {
        let mut likeness = strsim::jaro_winkler(&lower, &candidate.to_lowercase());
        if strsim::damerau_levenshtein(&lower, candidate) == 1 && lower.len() > 1 {
            likeness = likeness.max(0.8);
        }
        // A word that lacks its ending or its beginning is meant, however long the rest is.
        if lower.len() >= 3 && (candidate.starts_with(&lower) || candidate.ends_with(&lower)) {
            likeness = likeness.max(0.9);
        }
        if likeness >= ALIKE && best.is_none_or(|(_, so_far)| likeness > so_far) {
            best = Some((candidate, likeness));
        }
    }
    best.map(|(candidate, _)| candidate)
}

/// `: did you mean ...?`, or else what there is.
pub(super) fn did_you_mean(word: &str, known: &[&str]) -> String {
    match nearest(word, known) {
        Some(candidate) => format!(": did you mean `{candidate}`?"),
        None => format!(": there is {}", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typo_finds_its_word_and_nonsense_finds_none() {
        let known = ["temporary", "unknown", "user_violation", "rate_limited"];
        assert_eq!(nearest("temporry", &known), Some("temporary"));
        assert_eq!(nearest("Temporary", &known), Some("temporary"));
        assert_eq!(nearest("violation", &known), Some("user_violation"));
        assert_eq!(nearest("zzz", &known), None);
        assert_eq!(did_you_mean("zzz", &["a", "b"]), ": there is a, b");
    }
}
