//! Rust sources as words and signs.

/// The identifiers and signs of a source, without comments, literals, lifetimes and whatever is compiled for tests only.
/// `::` is one sign.
pub fn tokens(source: &str) -> Vec<&str> {
    without_tests(&all(source))
}

fn all(source: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let length = if first.is_alphabetic() || first == '_' {
            match raw_string(rest) {
                Some(length) => length,
                None => {
                    let word = word(rest);
                    tokens.push(&rest[..word]);
                    word
                }
            }
        } else {
            let (length, is_sign) = other(rest, first);
            if is_sign {
                tokens.push(&rest[..length]);
            }
            length
        };
        rest = &rest[length..];
    }
    tokens
}

fn word(text: &str) -> usize {
    text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len())
}

/// The length of a string with a prefix such as `r#` or `b`, if there is one.
fn raw_string(text: &str) -> Option<usize> {
    let prefix = text.find(|c: char| !"bcr".contains(c))?;
    let hashes = text[prefix..].find(|c| c != '#')?;
    let start = prefix + hashes;
    if !text[start..].starts_with('"') || prefix == 0 {
        return None;
    }
    if !text[..prefix].contains('r') {
        return Some(prefix + string(&text[prefix..]));
    }
    let end = format!("\"{}", "#".repeat(hashes));
    Some(start + 1 + text[start + 1..].find(&end).map_or(text.len(), |at| at + end.len()))
}

/// The length of the string that the text begins with.
fn string(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            '"' if !escaped => return at + 1,
            _ => escaped = c == '\\' && !escaped,
        }
    }
    text.len()
}

/// The length of what is no word, and whether it is a sign.
fn other(text: &str, first: char) -> (usize, bool) {
    match first {
        '/' if text.starts_with("//") => (text.find('\n').unwrap_or(text.len()), false),
        '/' if text.starts_with("/*") => (text.find("*/").map_or(text.len(), |at| at + 2), false),
        '"' => (string(text), false),
        '\'' => (quoted(text), false),
        ':' if text.starts_with("::") => (2, true),
        '0'..='9' => (word(text), false),
        _ => (first.len_utf8(), !first.is_whitespace()),
    }
}

/// The length of a character in quotes, or of a lifetime.
fn quoted(text: &str) -> usize {
    let mut characters = text.char_indices().skip(1);
    match (characters.next(), characters.next()) {
        (Some((_, '\\')), _) => text[3..].find('\'').map_or(text.len(), |at| at + 4),
        (_, Some((at, '\''))) => at + 1,
        _ => 1 + word(&text[1..]),
    }
}

/// Leaves out items with the attribute `cfg(test)` or `cfg(all(test, …))`.
fn without_tests<'a>(tokens: &[&'a str]) -> Vec<&'a str> {
    let mut kept = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let is_test = tokens[at..].starts_with(&["#", "[", "cfg", "(", "test"])
            || tokens[at..].starts_with(&["#", "[", "cfg", "(", "all", "(", "test"]);
        if is_test {
            let end = at + 1 + group(&tokens[at + 1..]);
            at = end + item(&tokens[end..]);
        } else {
            kept.push(tokens[at]);
            at += 1;
        }
    }
    kept
}

/// The length of the brackets that the tokens begin with, and of all between them.
pub fn group(tokens: &[&str]) -> usize {
    let mut depth = 0;
    for (at, &token) in tokens.iter().enumerate() {
        match token {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    tokens.len()
}

/// The length of an item: up to a semicolon, or the end of its braces.
fn item(tokens: &[&str]) -> usize {
    let mut at = 0;
    while at < tokens.len() {
        match tokens[at] {
            ";" => return at + 1,
            "{" => return at + group(&tokens[at..]),
            "(" | "[" => at += group(&tokens[at..]),
            _ => at += 1,
        }
    }
    at
}

#[test]
fn comments_literals_and_tests_are_left_out() {
    let source = r##"
        use a::b; // use c::d;
        /* e */ const F: &'static str = "g\"h" ; const I: char = 'j'; const K: &[u8] = br#"l"m"#;
        #[cfg(test)] mod n { use o::p; }
        #[cfg(all(test, q))] use r;
        #[cfg(any(test, q))] s!(1.0e3, '\'', t);
    "##;
    let words: Vec<&str> = tokens(source)
        .into_iter()
        .filter(|token| token.starts_with(|c: char| c.is_alphabetic()))
        .collect();
    let expected = [
        "use", "a", "b", "const", "F", "str", "const", "I", "char", "const", "K", "u8", "cfg",
        "any", "test", "q", "s", "t",
    ];
    assert_eq!(words, expected);
}
