//! Which images are inspected: those that arguments name, and a list on standard input.

use crate::interrupt;
use anyhow::{Context, Result, ensure};
use detector::list_images;
use std::ffi::OsString;
use std::io::BufRead;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

/// The argument that stands for standard input.
const STANDARD_INPUT: &str = "-";

/// Some editors begin a text in UTF-8 with it.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Paths that are read ahead of the inspection.
const READ_AHEAD: usize = 64;

/// How long a signal goes unnoticed at most while nothing is listed.
const PATIENCE: Duration = Duration::from_millis(100);

/// The images of the arguments, sorted within each, and whether more are listed on standard input.
///
/// # Errors
/// If an argument names no image.
pub fn named_images(arguments: &[PathBuf]) -> Result<(Vec<PathBuf>, bool)> {
    let is_list = |argument: &&PathBuf| argument.as_os_str() == STANDARD_INPUT;
    let names = arguments.iter().filter(|argument| !is_list(argument));
    let images = names.map(|name| list_images(name)).collect::<detector::Result<Vec<_>>>()?;
    Ok((images.concat(), arguments.iter().any(|argument| is_list(&argument))))
}

/// The inputs that name good images, with the images that standard input lists in place of `-`.
///
/// # Errors
/// If a path of the list leads to no image, or it has none.
pub fn good_inputs(arguments: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut inputs = Vec::new();
    for argument in arguments {
        if argument.as_os_str() != STANDARD_INPUT {
            inputs.push(argument.clone());
            continue;
        }
        let listed = listed_images(Separator::Line).collect::<Result<Vec<_>>>()?;
        ensure!(!listed.is_empty(), "expected images on standard input, got none");
        inputs.extend(listed);
    }
    Ok(inputs)
}

/// How the paths of a list end.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Separator {
    Line,
    Nul,
}

/// The images that standard input lists, as they come: another program may still be finding them.
///
/// It ends with the list or when a signal comes. A path that leads to no image is an error in its place.
pub fn listed_images(separator: Separator) -> impl Iterator<Item = Result<PathBuf>> {
    let (sender, receiver) = sync_channel(READ_AHEAD);
    // The thread may be blocked in reading for ever; it ends with the process.
    std::thread::spawn(move || read_list(std::io::stdin().lock(), separator, &sender));
    std::iter::from_fn(move || next(&receiver))
}

fn next(listed: &Receiver<Result<PathBuf>>) -> Option<Result<PathBuf>> {
    loop {
        match listed.recv_timeout(PATIENCE) {
            Ok(image) => return Some(image),
            Err(RecvTimeoutError::Timeout) if !interrupt::came() => {}
            Err(_) => return None,
        }
    }
}

/// Sends images until the list ends or nobody wants more.
fn read_list(list: impl BufRead, separator: Separator, images: &SyncSender<Result<PathBuf>>) {
    let end = match separator {
        Separator::Line => b'\n',
        Separator::Nul => 0,
    };
    for (number, entry) in list.split(end).enumerate() {
        let found = entry.context("cannot read standard input").and_then(|mut bytes| {
            if number == 0 && bytes.starts_with(BYTE_ORDER_MARK) {
                bytes.drain(..BYTE_ORDER_MARK.len());
            }
            if separator == Separator::Line && bytes.ends_with(b"\r") {
                bytes.pop();
            }
            if bytes.is_empty() { Ok(Vec::new()) } else { images_at(&path(bytes)?) }
        });
        let sent = match found {
            Ok(found) => found.into_iter().try_for_each(|image| images.send(Ok(image))),
            Err(error) => images.send(Err(error)),
        };
        if sent.is_err() {
            return;
        }
    }
}

/// An image, or those of a folder. A list has no patterns: `*` is a letter like others.
fn images_at(path: &Path) -> Result<Vec<PathBuf>> {
    ensure!(path.exists(), "{}: expected an image or a folder, got nothing", path.display());
    Ok(list_images(path)?)
}

#[cfg(unix)]
fn path(bytes: Vec<u8>) -> Result<PathBuf> {
    let name: OsString = std::os::unix::ffi::OsStringExt::from_vec(bytes);
    Ok(name.into())
}

#[cfg(not(unix))]
fn path(bytes: Vec<u8>) -> Result<PathBuf> {
    let name = String::from_utf8(bytes).context("standard input: expected paths in UTF-8")?;
    Ok(OsString::from(name).into())
}

/// Refuses to write results over the image that they are of.
///
/// # Errors
/// If the image lies in the folder of the results; the error names it.
pub fn spare(image: &Path, out: &Path) -> Result<()> {
    let folder = image.canonicalize().ok();
    ensure!(
        !folder.as_deref().and_then(Path::parent).is_some_and(|folder| is_same(folder, out)),
        "{}: lies in the folder of the results, which might replace it; name another --out",
        image.display()
    );
    Ok(())
}

/// Whether two names lead to one folder.
pub fn is_same(folder: &Path, other: &Path) -> bool {
    folder.canonicalize().ok().zip(other.canonicalize().ok()).is_some_and(|(a, b)| a == b)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failure is the test's result")]

    use super::*;

    /// The names of the images of a list, and the first messages of errors.
    fn read(list: &[u8], separator: Separator) -> Vec<String> {
        let (sender, receiver) = sync_channel(10);
        read_list(list, separator, &sender);
        drop(sender);
        let text = |image: Result<PathBuf>| match image {
            Ok(path) => path.file_name().unwrap().to_string_lossy().into_owned(),
            Err(error) => error.to_string(),
        };
        receiver.into_iter().map(text).collect()
    }

    #[test]
    fn a_list_has_a_path_on_each_line() {
        let folder = tempfile::tempdir().unwrap();
        let name = |name: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, "").unwrap();
            path.display().to_string()
        };
        let (first, odd) = (name("a b.png"), name("[c]*.png"));
        let list = format!("{first}\r\n\n{odd}\nmissing*.png\n{first}");
        let missing = "missing*.png: expected an image or a folder, got nothing";
        assert_eq!(
            read(list.as_bytes(), Separator::Line),
            ["a b.png", "[c]*.png", missing, "a b.png"]
        );
        let list = format!("{first}\0{odd}\0");
        assert_eq!(read(list.as_bytes(), Separator::Nul), ["a b.png", "[c]*.png"]);
        assert!(read(b"", Separator::Line).is_empty());
        let list = format!("\u{feff}{first}\n");
        assert_eq!(read(list.as_bytes(), Separator::Line), ["a b.png"]);
    }
}
