//! The wording of comments.

const VAGUE: [&str; 2] = ["so", "many"];

/// The doc comments whose first word is "What", and the comments that count by [`VAGUE`], each with its line.
pub fn riddles(source: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines: Vec<&str> = source.lines().map(str::trim).collect();
    let is_doc = |line: &str| line.starts_with("///") || line.starts_with("//!");
    let begins = move |index: usize, line: &str| {
        let before = index.checked_sub(1).map_or("", |before| lines[before]);
        let is_first = !is_doc(before) || before.len() == 3;
        let text = line.get(3..).unwrap_or_default().trim_start();
        is_doc(line) && is_first && (text.starts_with("What ") || text.starts_with("What's "))
    };
    let counts = |line: &str| {
        let comment = line.split_once("//").map_or("", |(_, comment)| comment);
        comment.to_lowercase().contains(&VAGUE.join(" "))
    };
    let numbered = source.lines().map(str::trim).enumerate();
    numbered
        .filter(move |&(index, line)| begins(index, line) || counts(line))
        .map(|(i, l)| (i + 1, l))
}

#[test]
fn riddles_are_found() {
    let source = "//! A\n\n/// What is A.\n/// What is B.\n///\n/// What is C.\nfn d() {} // VAGUE\n// What?\n";
    let source = source.replace("VAGUE", &VAGUE.join(" "));
    let lines: Vec<usize> = riddles(&source).map(|(line, _)| line).collect();
    assert_eq!(lines, [3, 6, 7]);
}
