//! The names of the results of images.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

/// The longest id without a number, in bytes. File systems have names of up to 255, and endings such as `_reconstruction.png` follow.
const LONGEST: usize = 200;

/// Gives every image an id of its own: the file's name without extension, cut off if it is very long, with a number if that is taken.
#[derive(Default)]
pub struct Names {
    /// Hashes of the ids: a watch takes millions of them. Two that have the same hash only cost a number.
    taken: HashSet<u64>,
    /// For names that are taken, a number up to which all are.
    numbers: HashMap<String, usize>,
}

impl Names {
    /// An id that is free.
    pub fn free(&mut self, image: &Path) -> String {
        let mut stem = image.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        stem.truncate(stem.floor_char_boundary(LONGEST));
        if !self.taken.contains(&hash(&stem)) {
            return stem;
        }
        let number = self.numbers.entry(stem.clone()).or_insert(1);
        loop {
            let id = format!("{stem}-{}", *number + 1);
            if !self.taken.contains(&hash(&id)) {
                return id;
            }
            *number += 1;
        }
    }

    pub fn take(&mut self, id: &str) {
        self.taken.insert(hash(id));
    }
}

/// The same in every process.
fn hash(id: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_images_share_an_id() {
        let mut names = Names::default();
        let mut name = |image: &str| {
            let id = names.free(Path::new(image));
            names.take(&id);
            id
        };
        let ids = ["x/a.png", "y/a.tif", "a-3.png", "z/a.png", "a-3.png"].map(&mut name);
        assert_eq!(ids, ["a", "a-2", "a-3", "a-4", "a-3-2"]);
        assert_eq!(names.free(Path::new("b.png")), "b");
        assert_eq!(names.free(Path::new("b.png")), "b", "until it is taken");
    }

    /// Two bytes a letter: 201 bytes would end within one.
    #[test]
    fn long_names_leave_room_for_endings() {
        let mut names = Names::default();
        let long = format!("a{}", "ä".repeat(120));
        let mut ids = Vec::new();
        for end in [".png", "b.png"] {
            let id = names.free(Path::new(&format!("{long}{end}")));
            names.take(&id);
            ids.push(id);
        }
        let cut = format!("a{}", "ä".repeat(99));
        assert_eq!(ids, [cut.clone(), format!("{cut}-2")]);
        assert!(format!("{}-4294967295_reconstruction.png", cut).len() <= 255);
    }
}
