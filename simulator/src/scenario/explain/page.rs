//! Lines with a label before them, and numbers for people.

const WIDTH: usize = 100;
const LABEL: usize = 12;

/// A text that is written line by line.
pub(super) struct Page {
    text: String,
    label: String,
}

impl Page {
    pub(super) fn new() -> Self {
        Self { text: String::new(), label: String::new() }
    }

    pub(super) fn text(self) -> String {
        self.text
    }

    pub(super) fn blank(&mut self) {
        if !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
        self.label.clear();
    }

    pub(super) fn paragraph(&mut self, text: &str) {
        self.lines(text, "", "");
    }

    /// A line under a label, which is shown once for the lines that follow one another.
    pub(super) fn item(&mut self, label: &str, text: &str) {
        let shown = if self.label == label { "" } else { label };
        let head = format!("{shown:LABEL$}");
        self.lines(text, &head, &" ".repeat(LABEL + 2));
        label.clone_into(&mut self.label);
    }

    fn lines(&mut self, text: &str, head: &str, indent: &str) {
        let mut line = head.to_owned();
        let mut is_empty = true;
        for word in text.split(' ') {
            if !is_empty && line.chars().count() + 1 + word.chars().count() > WIDTH {
                self.end(&line);
                indent.clone_into(&mut line);
                is_empty = true;
            }
            if !is_empty {
                line.push(' ');
            }
            line.push_str(word);
            is_empty = false;
        }
        self.end(&line);
    }

    fn end(&mut self, line: &str) {
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }
}

/// A whole number with commas: `1,000`.
pub(super) fn number(value: f64) -> String {
    let digits = format!("{value:.0}");
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits.as_str()), |digits| ("-", digits));
    let mut shown = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    format!("{sign}{shown}")
}

/// A number with about three digits: `33.3`, `0.102`, `1,234`.
pub(super) fn short(value: f64) -> String {
    let places = match value.abs() {
        v if v >= 1_000.0 => return number(value),
        v if v >= 100.0 => 0,
        v if v >= 10.0 => 1,
        v if v >= 1.0 => 2,
        _ => 3,
    };
    let shown = format!("{value:.places$}");
    if shown.contains('.') { shown.trim_end_matches('0').trim_end_matches('.').to_owned() } else { shown }
}

/// A share as `8 %`.
pub(super) fn percent(share: f64) -> String {
    format!("{} %", short(share * 100.0))
}

/// `1 key`, `2 keys`, `2 processes`.
pub(super) fn plural(count: f64, word: &str) -> String {
    let ending = match word {
        _ if count == 1.0 => "",
        word if word.ends_with('s') => "es",
        _ => "s",
    };
    format!("{} {word}{ending}", number(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_shown_for_people() {
        assert_eq!([0.0, 999.0, 1_000.0, 1_234_567.4].map(number), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([0.1021, 2.1, 33.27, 300.0, 1_234.5].map(short), ["0.102", "2.1", "33.3", "300", "1,234"]);
        assert_eq!([0.08, 0.002, 1.0].map(percent), ["8 %", "0.2 %", "100 %"]);
        assert_eq!(plural(2.0, "process"), "2 processes");
    }

    #[test]
    fn a_label_is_shown_once_and_long_lines_are_broken() {
        let mut page = Page::new();
        page.item("fleet", "a");
        page.item("fleet", &"word ".repeat(30));
        let text = page.text();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[0], "fleet       a");
        assert!(lines[1].starts_with("            word") && lines[2].starts_with("              word"));
        assert!(lines.iter().all(|line| line.len() <= 100));
    }
}
