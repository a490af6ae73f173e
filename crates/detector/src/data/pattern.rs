//! Patterns that go through folders of any depth.

use crate::error::Context;
use crate::files::shown_text;
use crate::{Error, Result};
use glob::{MatchOptions, Pattern};
use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

/// `*` does not match over folders, as in a shell.
const OPTIONS: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: false,
};

/// The files that a pattern matches, sorted.
///
/// Where `**` stands for folders of any depth, symbolic links to folders are followed, but every folder is visited once, by its own
/// name rather than by a link: links may lead back to where they lie.
///
/// # Errors
/// If the pattern is malformed or a folder cannot be read.
pub fn matching(pattern: &str) -> Result<Vec<PathBuf>> {
    let malformed = || format!("{}: malformed pattern", shown_text(pattern));
    let mut paths = match is_deep(pattern) {
        true => {
            // Without `//` and `/./`, which no path that is found has.
            let pattern: PathBuf = Path::new(pattern).components().collect();
            let compiled = Pattern::new(&pattern.to_string_lossy()).with_context(malformed)?;
            let paths = files_below(&literal_folder(&pattern))?;
            paths.into_iter().filter(|path| compiled.matches_path_with(path, OPTIONS)).collect()
        }
        false => {
            let paths = glob::glob(pattern).with_context(malformed)?;
            paths.collect::<Result<Vec<_>, _>>()?
        }
    };
    paths.sort();
    Ok(paths)
}

fn is_deep(pattern: &str) -> bool {
    pattern.split(std::path::is_separator).any(|part| part == "**")
}

/// The folder above the first part with a wildcard.
fn literal_folder(pattern: &Path) -> PathBuf {
    let has_wildcard = |part: &std::path::Component<'_>| {
        part.as_os_str().to_string_lossy().contains(['*', '?', '['])
    };
    pattern.components().take_while(|part| !has_wildcard(part)).collect()
}

/// All files below a folder, which may be empty for the current one.
fn files_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let (mut files, mut visited) = (Vec::new(), HashSet::new());
    let mut links = BTreeSet::from([folder.to_owned()]);
    // Links come after all folders that are there by their own names.
    while let Some(link) = links.pop_first() {
        let mut folders = vec![link];
        while let Some(folder) = folders.pop() {
            let place = if folder.as_os_str().is_empty() { Path::new(".") } else { &folder };
            // A link that leads nowhere is no folder.
            let Ok(canonical) = place.canonicalize() else { continue };
            if visited.insert(canonical) && place.is_dir() {
                visit(place, &folder, &mut files, &mut folders, &mut links)?;
            }
        }
    }
    Ok(files)
}

/// Sorts the entries of a folder.
fn visit(
    place: &Path,
    name: &Path,
    files: &mut Vec<PathBuf>,
    folders: &mut Vec<PathBuf>,
    links: &mut BTreeSet<PathBuf>,
) -> Result<()> {
    let cannot_read = || Error::io("read folder", place);
    for entry in fs::read_dir(place).map_err(cannot_read())? {
        let entry = entry.map_err(cannot_read())?;
        let (kind, path) =
            (entry.file_type().map_err(cannot_read())?, name.join(entry.file_name()));
        match kind.is_symlink() && path.is_dir() {
            true => drop(links.insert(path)),
            false if kind.is_dir() => folders.push(path),
            false => files.push(path),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    /// The matches below a folder, without its name.
    fn matches(folder: &Path, pattern: &str) -> Vec<String> {
        let pattern = format!("{}/{pattern}", folder.display());
        let found = matching(&pattern).unwrap().into_iter();
        found.map(|path| path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned()).collect()
    }

    fn folder(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for name in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        folder
    }

    #[test]
    fn folders_of_any_depth() {
        let folder = folder(&["a.png", "x/b.png", "x/y/c.png", "x/y/d.txt", "z/e.png"]);
        let all = |pattern| matches(folder.path(), pattern);
        assert_eq!(all("**/*.png"), ["a.png", "x/b.png", "x/y/c.png", "z/e.png"]);
        assert_eq!(all("x/**/*.png"), ["x/b.png", "x/y/c.png"]);
        assert_eq!(all("?/**/y/*"), ["x/y/c.png", "x/y/d.txt"]);
        assert_eq!(all("*/*.png"), ["x/b.png", "z/e.png"]);
        assert_eq!(all("./x//**/./c.png"), ["x/y/c.png"]);
        assert!(all("none/**/*.png").is_empty());
        assert!(matching("x/***/a").unwrap_err().to_string().contains("malformed"));
    }

    #[cfg(unix)]
    #[test]
    fn every_folder_is_visited_once() {
        use std::os::unix::fs::symlink;
        let folder = folder(&["x/y/a.png", "outside/b.png"]);
        let [x, y] = ["x", "x/y"].map(|name| folder.path().join(name));
        symlink("..", y.join("up")).unwrap();
        symlink("..", y.join("too")).unwrap();
        symlink("y", x.join("again")).unwrap();
        symlink(folder.path().join("outside"), y.join("linked")).unwrap();
        symlink("nowhere", y.join("gone.png")).unwrap();
        let found = matches(folder.path(), "x/**/*.png");
        assert_eq!(found, ["x/y/a.png", "x/y/gone.png", "x/y/linked/b.png"]);
        // Each level doubles the number of ways.
        for level in 0..40 {
            let deeper = x.join(format!("level{level}"));
            fs::create_dir(&deeper).unwrap();
            for name in ["one", "other"] {
                symlink(format!("../level{}", level + 1), deeper.join(name)).unwrap();
            }
        }
        assert_eq!(matches(folder.path(), "x/**/a.png"), ["x/y/a.png"]);
    }
}
