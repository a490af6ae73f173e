//! Output for people. Nobody may be there to read it: that ends no work, and is no panic.

use detector::files::shown_lines;
use std::fmt::Arguments;
use std::io::{ErrorKind, Write};

/// Writes a result to standard output, as `println!` does, but without a panic if nobody reads it.
macro_rules! tell {
    ($($text:tt)*) => { $crate::terminal::print_result(format_args!($($text)*)) };
}

/// Writes a note to standard error, as `eprintln!` does, but without a panic.
macro_rules! note {
    ($($text:tt)*) => { $crate::terminal::print_note(format_args!($($text)*)) };
}

pub(crate) use {note, tell};

/// The end of a program whose results cannot be written, as to a full disk.
const ERROR: i32 = 2;

/// Writes lines to standard output. Where that is impossible for another reason than that nobody reads them, the program ends with 2.
pub fn print_result(text: Arguments<'_>) {
    match line(std::io::stdout(), text) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            print_note(format_args!("error: cannot write to standard output: {error}"));
            std::process::exit(ERROR);
        }
        _ => {}
    }
}

/// Writes lines to standard error, if that is possible.
pub fn print_note(text: Arguments<'_>) {
    drop(line(std::io::stderr(), text));
}

/// Writes lines without what would move the cursor of a terminal or colour it.
fn line(mut stream: impl Write, text: Arguments<'_>) -> std::io::Result<()> {
    writeln!(stream, "{}", shown_lines(&text.to_string()))
}

#[cfg(test)]
mod tests {
    use super::line;

    #[test]
    fn names_do_not_steer_the_terminal() {
        let mut text = Vec::new();
        line(&mut text, format_args!("a\n{}", "b\u{1b}[31m\r")).expect("memory takes all");
        assert_eq!(text, b"a\nb\\u{1b}[31m\\r\n");
    }
}
