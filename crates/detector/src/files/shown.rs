//! File names in messages.

use std::path::Path;

/// A path as a message names it, on one line: control characters, which Unix allows in names, are escaped, and what is not Unicode
/// is replaced.
pub fn shown(path: &Path) -> String {
    let mut shown = String::new();
    for character in path.to_string_lossy().chars() {
        match character.is_control() {
            true => shown.extend(character.escape_default()),
            false => shown.push(character),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_take_one_line() {
        assert_eq!(shown(Path::new("a b/\"c\" ü.png")), "a b/\"c\" ü.png");
        assert_eq!(shown(Path::new("a\nb\u{1b}[31m.png")), "a\\nb\\u{1b}[31m.png");
    }
}
