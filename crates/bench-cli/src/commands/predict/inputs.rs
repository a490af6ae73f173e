//! Which images are inspected: those that arguments name, and a list on standard input.

use crate::args::Subfolders;
use crate::interrupt;
use anyhow::{Context, Result, anyhow, ensure};
use detector::files::{BYTE_ORDER_MARK, folder_of, is_same_folder, path_of_bytes, shown};
use detector::list_images;
use std::io::{BufRead, Read};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

/// The argument that stands for standard input.
const STANDARD_INPUT: &str = "-";

/// Paths that are read ahead of the inspection.
const READ_AHEAD: usize = 64;

/// How long a signal goes unnoticed at most while nothing is listed.
const PATIENCE: Duration = Duration::from_millis(100);

/// The longest path of a list in bytes.
const MOST_PATH: u64 = 1 << 16;

/// The most empty entries of a list that follow each other.
const MOST_EMPTY: usize = 1 << 16;

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
        let listed = listed_images(Separator::Line, || false).collect::<Result<Vec<_>>>()?;
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
/// It ends with the list, when a signal comes or when `is_over` says so. A path that leads to no image is an error in its place.
pub fn listed_images(
    separator: Separator,
    is_over: impl Fn() -> bool,
) -> impl Iterator<Item = Result<PathBuf>> {
    let (sender, receiver) = sync_channel(READ_AHEAD);
    // The thread may be blocked in reading for ever; it ends with the process.
    std::thread::spawn(move || read_list(std::io::stdin().lock(), separator, &sender));
    std::iter::from_fn(move || next(&receiver, &is_over))
}

fn next(listed: &Receiver<Result<PathBuf>>, is_over: impl Fn() -> bool) -> Option<Result<PathBuf>> {
    loop {
        match listed.recv_timeout(PATIENCE) {
            Ok(image) => return Some(image),
            Err(RecvTimeoutError::Timeout) if !interrupt::came() && !is_over() => {}
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
    for (number, entry) in entries(list, end).enumerate() {
        let is_last = entry.is_err();
        let found = entry.and_then(|mut bytes| {
            if number == 0 && bytes.starts_with(BYTE_ORDER_MARK) {
                bytes.drain(..BYTE_ORDER_MARK.len());
            }
            if separator == Separator::Line && bytes.ends_with(b"\r") {
                bytes.pop();
            }
            if bytes.is_empty() {
                return Ok(Vec::new());
            }
            images_at(&path_of_bytes(bytes).context("standard input: expected paths in UTF-8")?)
        });
        let sent = match found {
            Ok(found) => found.into_iter().try_for_each(|image| images.send(Ok(image))),
            Err(error) => images.send(Err(error)),
        };
        if is_last || sent.is_err() {
            return;
        }
    }
}

/// The entries of a list, up to the first error: what never ends, as a device, is no list.
fn entries(mut list: impl BufRead, end: u8) -> impl Iterator<Item = Result<Vec<u8>>> {
    let mut empty = 0;
    std::iter::from_fn(move || {
        let mut bytes = Vec::new();
        let read = Read::by_ref(&mut list).take(MOST_PATH + 1).read_until(end, &mut bytes);
        match read.context("cannot read standard input") {
            Ok(0) => return None,
            Ok(_) => {}
            Err(error) => return Some(Err(error)),
        }
        if bytes.last() == Some(&end) {
            bytes.pop();
        }
        empty = if bytes.is_empty() { empty + 1 } else { 0 };
        Some(match bytes.len() as u64 > MOST_PATH || empty > MOST_EMPTY {
            true => Err(anyhow!(
                "standard input: expected paths of at most {MOST_PATH} bytes, got something that is no list"
            )),
            false => Ok(bytes),
        })
    })
}

/// An image, or those of a folder. A list has no patterns: `*` is a letter like others.
fn images_at(path: &Path) -> Result<Vec<PathBuf>> {
    ensure!(path.exists(), "{}: expected an image or a folder, got nothing", shown(path));
    Ok(list_images(path)?)
}

/// The most symbolic links that lead from one to the next to an image, as on Linux.
const MOST_LINKS: usize = 40;

/// Refuses to write results over the image that they are of, or over a symbolic link that leads to it.
///
/// # Errors
/// If the image, or a link on the way to it, lies in the folder of the results, or below it if that has subfolders; the error names
/// the image.
pub fn spare(image: &Path, out: &Path, subfolders: Subfolders) -> Result<()> {
    let is_of_results = |folder: &Path| match subfolders {
        Subfolders::None => is_same_folder(folder, out),
        Subfolders::Hash | Subfolders::Input => is_below(folder, out),
    };
    let mut place = image.to_owned();
    for _ in 0..=MOST_LINKS {
        let folder = folder_of(&place).to_owned();
        ensure!(
            !is_of_results(&folder),
            "{}: lies in the folder of the results, which might replace it; name another --out",
            shown(image)
        );
        match std::fs::read_link(&place) {
            Ok(target) => place = folder.join(target),
            Err(_) => break,
        }
    }
    Ok(())
}

/// Whether a folder is another one or lies below it.
fn is_below(folder: &Path, other: &Path) -> bool {
    let paths = folder.canonicalize().ok().zip(other.canonicalize().ok());
    paths.is_some_and(|(folder, other)| folder.starts_with(other))
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
        for (endless, separator) in
            [(b'a', Separator::Line), (0, Separator::Line), (0, Separator::Nul)]
        {
            let read = read(&vec![endless; 1 << 17], separator);
            assert!(read.len() == 1 && read[0].ends_with("got something that is no list"));
        }
        let list = format!("\u{feff}{first}\n");
        assert_eq!(read(list.as_bytes(), Separator::Line), ["a b.png"]);
    }
}
