//! A provider's text as the plain words that phrases are matched against.
//!
//! The same refusal arrives with straight and typographic apostrophes, in capitals, in `snake_case` and in
//! `CamelCase`, behind `500: ` and `Error: `, inside HTML, with job ids in the middle. All of that is removed here, once,
//! so that a rule is written once.

/// Stands between two sentences; no phrase reaches over it.
pub(super) const SENTENCE_END: &str = ".";

/// Longest text looked at, in bytes, markup included: no page that says why it was sent is longer.
const LONGEST_TEXT: usize = 32 * 1024;

/// The most words that are read of a text, sentence ends included. The longest message ever seen has some fifty.
pub(super) const MOST_WORDS: usize = 511;

/// How many of [`MOST_WORDS`] come from the end of a longer text, since pages like to bury the reason there.
const LAST_WORDS: usize = 127;

/// Words that carry no meaning here and would only make each phrase longer.
const FILLERS: [&str; 12] =
    ["a", "an", "the", "this", "these", "your", "our", "its", "please", "kindly", "currently", "been"];

/// What relays write in front of the message they pass on; removed together with the colon or dash that follows.
const RELAY_PREFIXES: [&str; 12] = [
    "error",
    "err",
    "exception",
    "error code",
    "error message",
    "message",
    "msg",
    "failmsg",
    "fail reason",
    "http",
    "http error",
    "status code",
];

/// How long a quotation that follows the word "prompt" must be, in words, to count as the user's text given back.
const ECHOED_PROMPT_WORDS: usize = 5;

/// A normalised text.
#[derive(Debug)]
pub(super) struct Words(Vec<String>);

impl Words {
    /// Normalises `text`.
    pub(super) fn of(text: &str) -> Self {
        let text = &text[..text.floor_char_boundary(LONGEST_TEXT)];
        let text = without_echoed_prompts(&plain_punctuation(&without_markup(text)));
        let mut words = Vec::new();
        for chunk in without_relay_prefixes(&text).split_whitespace() {
            push_chunk(chunk, &mut words);
        }
        while words.last().is_some_and(|word| word == SENTENCE_END) {
            words.pop();
        }
        if words.len() > MOST_WORDS {
            let middle = MOST_WORDS - LAST_WORDS - 1..words.len() - LAST_WORDS;
            words.splice(middle, [SENTENCE_END.to_owned()]);
        }
        Self(words)
    }

    /// The words in order, with [`SENTENCE_END`] between sentences.
    pub(super) fn as_slice(&self) -> &[String] {
        &self.0
    }
}

/// Replaces HTML tags by sentence ends, drops scripts and styles, and decodes the entities that occur in prose.
fn without_markup(text: &str) -> String {
    if !text.contains('<') && !text.contains('&') {
        return text.to_owned();
    }
    // No tag reaches further than the last `>`, so that each tag that begins before it also ends.
    let (mut rest, mut tail) = text.split_at(text.rfind('>').map_or(0, |at| at + 1));
    let mut plain = String::with_capacity(text.len());
    while let Some(open) = rest.find('<') {
        plain.push_str(&rest[..open]);
        let tag = &rest[open + 1..];
        let is_tag = tag.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '!');
        if is_tag && let Some((tag, following)) = tag.split_once('>') {
            plain.push_str(" . ");
            rest = after_element(tag, following).unwrap_or_else(|| {
                tail = "";
                ""
            });
        } else {
            plain.push(' ');
            rest = tag;
        }
    }
    plain.push_str(rest);
    plain.push_str(&tail.replace('<', " "));
    for (entity, character) in
        [("&nbsp;", " "), ("&quot;", "\""), ("&#39;", "'"), ("&apos;", "'"), ("&rsquo;", "'"), ("&amp;", "&")]
    {
        plain = plain.replace(entity, character);
    }
    plain
}

/// What follows a tag; for scripts and styles, what follows the whole element, if it ends at all.
fn after_element<'a>(tag: &str, following: &'a str) -> Option<&'a str> {
    for (name, end) in [("script", "</script>"), ("style", "</style>")] {
        if tag.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name)) {
            return following.split_once(end).map(|(_, following)| following);
        }
    }
    Some(following)
}

/// Writes typographic quotes, dashes and blanks (and the usual mis-decoding of an apostrophe) in plain characters.
fn plain_punctuation(text: &str) -> String {
    text.replace("â€™", "'")
        .chars()
        .map(|c| match c {
            '\u{2018}' | '\u{2019}' | '\u{201b}' | '\u{02bc}' | '\u{00b4}' | '`' => '\'',
            '\u{201c}' | '\u{201d}' | '\u{201e}' | '\u{00ab}' | '\u{00bb}' => '"',
            '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
            '\u{3002}' | '\u{ff01}' => '.',
            '\u{ff0c}' | '\u{ff1a}' => ',',
            c => c,
        })
        .collect()
}

/// Removes a longer quotation behind the word "prompt": it is the user's text given back, not the provider's words.
fn without_echoed_prompts(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut introduced = false;
    let mut rest = text;
    while let Some((before, quoted)) = rest.split_once('"') {
        kept.push_str(before);
        let last_words = before.trim_end_matches(|c: char| c.is_whitespace() || matches!(c, ':' | '='));
        if !last_words.is_empty() {
            introduced = ends_with_prompt(last_words);
        }
        let echoed = quoted.split_once('"').filter(|(quotation, _)| {
            introduced && quotation.split_whitespace().nth(ECHOED_PROMPT_WORDS - 1).is_some()
        });
        rest = echoed.map_or(quoted, |(_, following)| following);
        if echoed.is_none() {
            kept.push('"');
        }
    }
    kept.push_str(rest);
    kept
}

/// Whether the last word of `text` is "prompt", or ends with it.
fn ends_with_prompt(text: &str) -> bool {
    let last = text.len().checked_sub("prompt".len()).and_then(|at| text.get(at..));
    last.is_some_and(|last| last.eq_ignore_ascii_case("prompt"))
}

/// Removes `500: `, `[422] `, `Error: `, `HTTP 400 - ` and the like from the front, as often as they are stacked.
fn without_relay_prefixes(text: &str) -> &str {
    let mut rest = text.trim_start();
    loop {
        if let Some((tag, following)) = rest.strip_prefix('[').and_then(|tagged| tagged.split_once(']'))
            && tag.chars().all(|c| c.is_ascii_digit())
        {
            rest = following.trim_start();
            continue;
        }
        let Some(end) = rest.find([':', '-']) else { return rest };
        let prefix = rest[..end].to_lowercase();
        let prefix = prefix.trim_matches(|c: char| c.is_ascii_digit() || c.is_whitespace() || c == '(');
        let separator_stands_apart = rest[end + 1..].starts_with(char::is_whitespace);
        let is_prefix = prefix.is_empty() || RELAY_PREFIXES.contains(&prefix);
        if !is_prefix || !separator_stands_apart {
            return rest;
        }
        rest = rest[end + 1..].trim_start();
    }
}

/// Splits a run of characters without blanks into words and appends them.
fn push_chunk(chunk: &str, words: &mut Vec<String>) {
    if chunk.contains("://") {
        words.push("url".to_owned());
        return;
    }
    if is_identifier(chunk) {
        return push_sentence_end(chunk, words);
    }
    let mut word = String::new();
    let characters: Vec<char> = chunk.chars().collect();
    for (at, &c) in characters.iter().enumerate() {
        if c == '\'' {
            continue;
        }
        if !c.is_alphanumeric() {
            push_word(&mut word, words);
            if matches!(c, '!' | '?' | ';') {
                push_sentence_end(".", words);
            }
            continue;
        }
        let before = at.checked_sub(1).map(|previous| characters[previous]);
        let after = |distance: usize| characters.get(at + distance).copied();
        let hump = c.is_uppercase() && before.is_some_and(char::is_lowercase);
        // `HTTPError` is two words, `URLs` is one.
        let acronym_ends = c.is_uppercase()
            && before.is_some_and(char::is_uppercase)
            && after(1).is_some_and(char::is_lowercase)
            && after(2).is_some_and(char::is_lowercase);
        if hump || acronym_ends {
            push_word(&mut word, words);
        }
        if c.is_ascii() {
            word.push(c.to_ascii_lowercase());
        } else {
            word.extend(c.to_lowercase());
        }
    }
    push_word(&mut word, words);
    push_sentence_end(chunk, words);
}

/// Ends the sentence if `chunk` ends with a full stop, closing quotes and brackets aside.
fn push_sentence_end(chunk: &str, words: &mut Vec<String>) {
    let ends = chunk.trim_end_matches(['"', '\'', ')', ']', '}', ',']).ends_with(['.', '!', '?', ';', '~']);
    if ends && words.last().is_some_and(|word| word != SENTENCE_END) {
        words.push(SENTENCE_END.to_owned());
    }
}

/// Appends a finished word, unless it is a number, a piece of an id or a filler; writes "can't" as "can not".
fn push_word(word: &mut String, words: &mut Vec<String>) {
    let finished = std::mem::take(word);
    if finished == "0" {
        // "0 credits left" is the one number that a sentence can turn on.
        return words.push("zero".to_owned());
    }
    if finished.is_empty() || is_number_or_hex(&finished) || FILLERS.contains(&finished.as_str()) {
        return;
    }
    let negated = match finished.as_str() {
        "cannot" | "cant" => Some("can"),
        "couldnt" => Some("could"),
        "wont" => Some("will"),
        "wouldnt" => Some("would"),
        "isnt" => Some("is"),
        "arent" => Some("are"),
        "wasnt" => Some("was"),
        "werent" => Some("were"),
        "doesnt" => Some("does"),
        "dont" => Some("do"),
        "didnt" => Some("did"),
        "hasnt" => Some("has"),
        "havent" => Some("have"),
        _ => None,
    };
    match negated {
        Some(verb) => words.extend([verb.to_owned(), "not".to_owned()]),
        None => words.push(finished),
    }
}

/// Whether a chunk is one machine-made id: eight or more hexadecimal digits, possibly in groups.
fn is_identifier(chunk: &str) -> bool {
    if !chunk.contains(|c: char| c.is_ascii_digit()) {
        return false;
    }
    let bare = chunk.trim_matches(|c: char| !c.is_alphanumeric());
    let digits = bare.chars().filter(|c| *c != '-' && *c != '_').count();
    digits >= 8 && bare.chars().all(|c| c.is_ascii_hexdigit() || c == '-' || c == '_')
}

/// Whether a word is a number or a piece of hexadecimal id. Neither ever decides anything.
fn is_number_or_hex(word: &str) -> bool {
    let has_digit = word.chars().any(|c| c.is_ascii_digit());
    let all_digits = word.chars().all(|c| c.is_ascii_digit());
    has_digit && (all_digits || word.len() >= 6 && word.chars().all(|c| c.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::{MOST_WORDS, Words};

    fn plain(text: &str) -> String {
        Words::of(text).as_slice().join(" ")
    }

    #[test]
    fn case_quotes_dashes_and_blanks_are_evened_out() {
        assert_eq!(plain("We\u{2019}re  so\tSORRY \u{2014} isn't it?"), "were so sorry is not it");
    }

    #[test]
    fn machine_words_are_taken_apart() {
        assert_eq!(plain("InputImageSensitiveContentDetected"), "input image sensitive content detected");
        assert_eq!(plain("PUBLIC_ERROR_UNSAFE"), "public error unsafe");
        assert_eq!(plain("HTTPError image_urls URLs"), "http error image urls urls");
    }

    #[test]
    fn relay_prefixes_are_removed_however_deep() {
        assert_eq!(plain("500: Error: [422] Credits insufficient"), "credits insufficient");
        assert_eq!(plain("Error code: 400 - nope"), "nope");
        assert_eq!(plain("error-prone thing"), "error prone thing");
    }

    #[test]
    fn numbers_and_ids_leave_no_trace() {
        assert_eq!(plain("task 281e5b0d3c4f4a6f9be1c0a1d2e3f405 failed with 500"), "task failed with");
        assert_eq!(plain("id 550e8400-e29b-41d4-face-446655440000."), "id");
        assert_eq!(plain("face in decade"), "face in decade");
    }

    #[test]
    fn markup_is_read_for_its_text_only() {
        assert_eq!(
            plain("<html><style>p{color:red}</style><h1>502 Bad&nbsp;Gateway</h1></html>"),
            "bad gateway"
        );
        assert_eq!(plain("width < height"), "width height");
    }

    #[test]
    fn a_script_that_never_ends_hides_what_follows() {
        assert_eq!(plain("bad<script>x > 1</style> gateway < y"), "bad");
        assert_eq!(plain("bad<SCRIPT a>x > 1</script> gateway < y <z"), "bad . gateway y z");
    }

    #[test]
    fn a_long_text_is_read_at_its_beginning_and_its_end() {
        let long = format!("bad gateway {} out of credits.", "lantern harbour ".repeat(500));
        let words = Words::of(&long);
        let words = words.as_slice();
        assert_eq!(words.len(), MOST_WORDS);
        assert_eq!(words[..3], ["bad", "gateway", "lantern"]);
        assert_eq!(words[words.len() - 3..], ["out", "of", "credits"]);
        assert_eq!(words.iter().filter(|word| *word == ".").count(), 1);
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(Words::of(&"\u{8d85}".repeat(20_000)).as_slice().len(), 1);
    }

    #[test]
    fn the_users_own_text_given_back_is_not_read() {
        assert_eq!(
            plain("Failed for prompt: \"people violating every content policy there is\" after 3 s"),
            "failed for prompt after s"
        );
        assert_eq!(plain("param \"prompt\" is required"), "param prompt is required");
        assert_eq!(plain("Prompt = \"b c d e f\" \"b c d e f\" refused"), "prompt refused");
        assert_eq!(plain("prompt: \"b c d e f refused"), "prompt b c d e f refused");
    }
}
