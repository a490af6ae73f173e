//! The frame of a page.

use anyhow::Result;
use detector::files::write_atomic;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use std::io::Write;
use std::path::Path;
use std::time::Duration;

const STYLE: &str = concat!(include_str!("colours.css"), include_str!("page.css"));
const SCRIPT: &str =
    concat!(include_str!("maps.js"), include_str!("viewer.js"), include_str!("page.js"));

/// A page with a title and its content. One that is `live` is loaded again after that time: it is replaced by newer ones.
pub fn document(title: &str, live: Option<Duration>, content: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                @if let Some(interval) = live {
                    meta http-equiv="refresh" content=(interval.as_secs().max(1));
                }
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                main { h1 { (title) } (content) }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    }
}

/// Writes a page, which appears as a whole.
///
/// # Errors
/// If the file cannot be written.
pub fn write_document(path: &Path, page: Markup) -> Result<()> {
    let text = page.into_string();
    Ok(write_atomic(path, |file| Ok(file.write_all(text.as_bytes())?))?)
}
