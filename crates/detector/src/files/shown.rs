//! Names in messages, and in tables that spreadsheets open.

use std::borrow::Cow;
use std::path::Path;

/// A path as a message names it, on one line; see [`shown_text`]. What is not Unicode is replaced.
pub fn shown(path: &Path) -> String {
    shown_text(&path.to_string_lossy())
}

/// A name, or another text of somebody else's, as a message has it, on one line: what would move the cursor, end the line or turn the
/// direction of writing is escaped, so that a name cannot pass for a message.
pub fn shown_text(text: &str) -> String {
    let mut shown = String::new();
    for character in text.chars() {
        match forges(character) {
            true => shown.extend(character.escape_default()),
            false => shown.push(character),
        }
    }
    shown
}

/// As [`shown_text`], of a text of lines, which stay.
///
/// ```
/// assert_eq!(detector::files::shown_lines("a\n\u{1b}[2Jb\r c\n"), "a\n\\u{1b}[2Jb\\r c\n");
/// ```
pub fn shown_lines(text: &str) -> String {
    text.split('\n').map(shown_text).collect::<Vec<_>>().join("\n")
}

/// A word of a command that somebody copies, as [`quoted`] and [`shown_text`] have it.
pub fn shown_word(word: &str) -> String {
    quoted(&shown_text(word))
}

/// A word of a command, in quotes where a shell would take it apart.
///
/// ```
/// use detector::files::quoted;
///
/// assert_eq!(quoted("line-3/model"), "line-3/model");
/// assert_eq!(quoted("my model"), "'my model'");
/// assert_eq!(quoted("it's"), r"'it'\''s'");
/// ```
pub fn quoted(word: &str) -> String {
    let is_plain = |letter: char| letter.is_alphanumeric() || "/._-+=:,@%".contains(letter);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

/// A path, likewise.
pub fn shown_argument(path: &Path) -> String {
    shown_word(&path.to_string_lossy())
}

/// Control characters, ends of lines and of paragraphs, and those that change the direction of writing.
fn forges(character: char) -> bool {
    let is_separator = matches!(character, '\u{2028}' | '\u{2029}');
    let is_direction = matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    character.is_control() || is_separator || is_direction
}

/// How texts begin that a spreadsheet takes for formulas.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// A text as a cell of a CSV file: one that a spreadsheet would take for a formula gets an apostrophe in front, which makes it text
/// there (OWASP, "CSV Injection"). Numbers are no texts.
///
/// ```
/// use detector::files::cell;
///
/// assert_eq!(cell("=1+1.png"), "'=1+1.png");
/// assert_eq!(cell("line-3/a.png"), "line-3/a.png");
/// ```
pub fn cell(text: &str) -> Cow<'_, str> {
    match text.starts_with(FORMULA) {
        true => format!("'{text}").into(),
        false => text.into(),
    }
}

/// The text of a cell that [`cell`] has made.
pub fn text_of_cell(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(text) if text.starts_with(FORMULA) => text,
        _ => cell,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_take_one_line() {
        assert_eq!(shown(Path::new("a b/\"c\" ü.png")), "a b/\"c\" ü.png");
        assert_eq!(shown(Path::new("a\nb\u{1b}[31m.png")), "a\\nb\\u{1b}[31m.png");
        assert_eq!(shown(Path::new("a\u{2028}b\u{202e}gnp.c")), "a\\u{2028}b\\u{202e}gnp.c");
    }

    #[test]
    fn formulas_become_text() {
        for text in ["=1", "+1", "-1", "@a", "\ta", "\ra"] {
            assert_eq!(cell(text), format!("'{text}"));
            assert_eq!(text_of_cell(&cell(text)), text);
        }
        for text in ["", "a=1", "'", "'a", "ä", "1"] {
            assert_eq!((&*cell(text), text_of_cell(text)), (text, text));
        }
    }
}
