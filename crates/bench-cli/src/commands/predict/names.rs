//! The names of the results of images.

use crate::args::Subfolders;
use detector::files::sha256;
use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Component, Path};

/// The longest id without a number, in bytes. File systems have names of up to 255, and endings such as `_reconstruction.png` follow.
const LONGEST: usize = 200;

/// Gives every image an id of its own: the file's name without extension, behind its subfolder if there is one, cut off if it is very
/// long, with a number if that is taken.
#[derive(Default)]
pub struct Names {
    subfolders: Subfolders,
    /// Hashes of the ids: a watch takes millions of them. Two that have the same hash only cost a number.
    taken: HashSet<u64>,
    /// For names that are taken, a number up to which all are.
    numbers: HashMap<String, usize>,
}

impl Names {
    /// Ids with these subfolders.
    pub fn new(subfolders: Subfolders) -> Self {
        Self { subfolders, ..Self::default() }
    }

    /// An id that is free.
    pub fn free(&mut self, image: &Path) -> String {
        let mut stem = image.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        stem.truncate(stem.floor_char_boundary(LONGEST));
        stem.insert_str(0, &subfolder(self.subfolders, image));
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

    /// The id that an earlier run gave to an image, if it has the same subfolder, or else a free one.
    pub fn again(&mut self, earlier: Option<&str>, image: &Path) -> String {
        let subfolder = subfolder(self.subfolders, image);
        match earlier.filter(|id| Path::new(id).parent() == Some(Path::new(&subfolder))) {
            Some(id) => id.to_owned(),
            None => self.free(image),
        }
    }

    pub fn take(&mut self, id: &str) {
        self.taken.insert(hash(id));
    }
}

/// The subfolder of an image's results with a slash behind it, or nothing.
fn subfolder(subfolders: Subfolders, image: &Path) -> String {
    match subfolders {
        Subfolders::None => String::new(),
        Subfolders::Hash => sha256(image.as_os_str().as_encoded_bytes())[..2].to_owned() + "/",
        Subfolders::Input => {
            let folders = image.parent().into_iter().flat_map(Path::components);
            let named = folders.filter_map(|folder| match folder {
                Component::Normal(name) => Some(name.to_string_lossy().into_owned() + "/"),
                // A root, a drive, or the way up: results stay where they belong.
                _ => None,
            });
            named.collect()
        }
    }
}

/// Of a name, whose case file systems may not tell.
fn hash(id: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.to_lowercase().hash(&mut hasher);
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
        assert_eq!(name("w/A.png"), "A-5", "a file system may take it for a");
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

    #[test]
    fn subfolders_are_those_of_the_input_or_a_part_of_a_hash() {
        let free = |subfolders, image| Names::new(subfolders).free(Path::new(image));
        for (image, id) in
            [("a/b/c.png", "a/b/c"), ("/a/c.png", "a/c"), ("../a/./c.png", "a/c"), ("c.png", "c")]
        {
            assert_eq!(free(Subfolders::Input, image), id);
            let mut names = Names::new(Subfolders::Input);
            let earlier = format!("{id}-2");
            assert_eq!(names.again(Some(&earlier), Path::new(image)), earlier);
            for other in [Some("../c"), Some("d/c"), None] {
                assert_eq!(names.again(other, Path::new(image)), id);
            }
        }
        // python3 -c 'import hashlib; print(hashlib.sha256(b"a/b/c.png").hexdigest()[:2])'
        assert_eq!(free(Subfolders::Hash, "a/b/c.png"), "d2/c");
    }
}
