//! Finding image files.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use super::pattern::matching;
use crate::error::ensure;
use crate::files::{BYTE_ORDER_MARK, path_of_bytes, read_file, shown, shown_text};
use crate::{Error, Result};

/// The file name extensions of images, in lower case; upper case does as well.
const EXTENSIONS: [&str; 6] = ["bmp", "jpeg", "jpg", "png", "tif", "tiff"];

/// The longest list that is read, in bytes.
const MOST_LIST: u64 = 1 << 30;

/// How deep images are looked for below a folder.
const DEEPEST: usize = 4;

/// The image files that `input` names: a file itself, those that a text file (`.txt`) lists, the images of a folder (not of its
/// subfolders), or those that match a glob pattern such as `line-3/**/*.png`. Sorted by their
/// bytes, but for a list; hidden files are left out. Where `**` meets symbolic links, each folder is visited once.
///
/// A list has a path on each line, from the folder that the list lies in; folders stand for their images.
///
/// # Errors
/// If there are none, or a folder or a list cannot be read, or a pattern is malformed.
pub fn list_images(input: &Path) -> Result<Vec<PathBuf>> {
    if input.is_file() {
        return if is_list(input) { listed(input) } else { Ok(vec![input.to_path_buf()]) };
    }
    if input.is_dir() {
        return some_images_in(input);
    }
    match input.to_str() {
        _ if input.exists() => {
            Err(Error::file(input, "expected an image, got a device, a pipe or a socket"))
        }
        Some(pattern) if pattern.contains(['*', '?', '[']) => images_matching(pattern),
        _ => Err(Error::file(
            input,
            "expected an image, a folder of images, a list or a pattern, got nothing",
        )),
    }
}

fn is_list(file: &Path) -> bool {
    file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("txt"))
}

/// The images of a list.
fn listed(list: &Path) -> Result<Vec<PathBuf>> {
    let bytes = read_file(list, MOST_LIST)?;
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&bytes);
    let folder = list.parent().unwrap_or(Path::new(""));
    let mut images = Vec::new();
    for (number, line) in bytes.split(|&byte| byte == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let path = path_of_bytes(line.to_vec()).map(|line| folder.join(line));
        match path {
            _ if line.is_empty() => {}
            Some(path) if path.is_dir() => images.extend(some_images_in(&path)?),
            Some(path) if path.is_file() => images.push(path),
            _ => {
                let (number, line) = (number + 1, String::from_utf8_lossy(line));
                let message = format!(
                    "line {number}: expected an image or a folder, got {}",
                    shown_text(&line)
                );
                return Err(Error::file(list, message));
            }
        }
    }
    ensure!(!images.is_empty(), "{}: expected paths of images, got none", shown(list));
    Ok(images)
}

/// The list of images, a path on each line.
///
/// # Errors
/// If a path has no place on a line.
#[cfg(feature = "network")]
pub(crate) fn list_of(images: &[PathBuf]) -> Result<Vec<u8>> {
    let mut list = Vec::new();
    for image in images {
        let image = std::path::absolute(image)?;
        let bytes = image.as_os_str().as_encoded_bytes();
        if bytes.contains(&b'\n') || bytes.ends_with(b"\r") {
            return Err(Error::file(&image, "a list has no place for a name with line breaks"));
        }
        list.extend_from_slice(bytes);
        list.push(b'\n');
    }
    Ok(list)
}

/// As [`images_in`], but none is an error.
pub(super) fn some_images_in(folder: &Path) -> Result<Vec<PathBuf>> {
    some(folder, images_in(folder)?)
}

/// At least one image, found in `folder`.
pub(super) fn some(folder: &Path, images: Vec<PathBuf>) -> Result<Vec<PathBuf>> {
    if !images.is_empty() {
        return Ok(images);
    }
    let expected = "expected images (PNG, TIFF, BMP, JPEG) in the folder, got none";
    let hint = first_with_images(folder).map(|further| {
        let (further, folder) = (shown(&further), shown(folder));
        format!("; {further} has some: name folders, or a pattern such as '{folder}/**/*.png'")
    });
    Err(Error::file(folder, format!("{expected}{}", hint.unwrap_or_default())))
}

/// The first folder in `folder` with images, in it or further down.
pub(super) fn first_with_images(folder: &Path) -> Option<PathBuf> {
    let has_images = |folder: &PathBuf| images_below(folder).is_ok_and(|all| !all.is_empty());
    subfolders(folder).ok()?.into_iter().find(has_images)
}

/// The image files in `folder`, sorted; there may be none.
///
/// # Errors
/// If the folder cannot be read.
pub fn images_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut images = entries(folder)?;
    images.retain(|path| is_image(path));
    Ok(images)
}

/// The image files in `folder` and in its folders, sorted within each; the search ends [`DEEPEST`] folders below, and follows no links,
/// which may lead in a circle.
pub(super) fn images_below(folder: &Path) -> Result<Vec<PathBuf>> {
    fn below(folder: &Path, depth: usize, images: &mut Vec<PathBuf>) -> Result<()> {
        images.extend(images_in(folder)?);
        let folders = if depth < DEEPEST { subfolders(folder)? } else { Vec::new() };
        let mut folders = folders.iter().filter(|folder| !folder.is_symlink());
        folders.try_for_each(|folder| below(folder, depth + 1, images))
    }
    let mut images = Vec::new();
    below(folder, 0, &mut images)?;
    Ok(images)
}

/// The folders in `folder`, sorted.
pub(super) fn subfolders(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut folders = entries(folder)?;
    folders.retain(|path| path.is_dir());
    Ok(folders)
}

/// The image in a folder whose name without extension is `stem` and `suffix`, if there is one. Its extension is in lower or in upper
/// case: the folder is not listed, which may hold as many masks as there are images.
pub(super) fn with_stem(folder: &Path, stem: &OsStr, suffix: &str) -> Option<PathBuf> {
    let cases = EXTENSIONS
        .iter()
        .flat_map(|extension| [extension.to_ascii_uppercase(), (*extension).to_owned()]);
    let file = |extension: String| {
        let mut name = stem.to_owned();
        name.push(format!("{suffix}.{extension}"));
        folder.join(name)
    };
    cases.map(file).find(|file| file.is_file())
}

/// The file name without extension.
pub(super) fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

fn images_matching(pattern: &str) -> Result<Vec<PathBuf>> {
    let mut images = matching(pattern)?;
    images.retain(|path| is_image(path));
    ensure!(
        !images.is_empty(),
        "{}: expected images (PNG, TIFF, BMP, JPEG) that match, got none",
        shown_text(pattern)
    );
    Ok(images)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let cannot_read = || Error::io("read folder", folder);
    let entries = fs::read_dir(folder).map_err(cannot_read())?;
    let mut paths = entries
        .map(|entry| Ok(entry?.path()))
        .collect::<std::io::Result<Vec<_>>>()
        .map_err(cannot_read())?;
    paths.retain(|path| !is_hidden(path));
    paths.sort();
    Ok(paths)
}

fn is_image(path: &Path) -> bool {
    has_image_name(path) && path.is_file()
}

/// Whether a file has the name of an image: an extension of PNG, TIFF, BMP or JPEG, in lower or upper case, and no dot in front.
pub fn has_image_name(path: &Path) -> bool {
    let extension =
        path.extension().and_then(OsStr::to_str).unwrap_or_default().to_ascii_lowercase();
    EXTENSIONS.contains(&extension.as_str()) && !is_hidden(path)
}

fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
}
