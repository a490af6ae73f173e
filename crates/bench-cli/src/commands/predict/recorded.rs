//! The images that earlier runs have recorded.

use super::stamp::Stamp;
use detector::files::sha256_of_file;
use detector::records::PredictionRecord;
use std::collections::HashMap;
use std::path::Path;

/// The images that have records, by path.
#[derive(Default)]
pub struct Recorded {
    images: HashMap<String, Known>,
    /// Whether an image has several records.
    pub has_repeated: bool,
}

/// An image as it was when it was inspected, and the result.
pub struct Known {
    pub id: String,
    pub score: f32,
    pub is_defective: bool,
    pub files: Vec<String>,
    stamp: (Option<u64>, Option<f64>, Option<f64>),
    sha256: Option<String>,
    settings: Option<String>,
}

impl Recorded {
    /// Of two records of an image, the later one counts.
    pub fn insert(&mut self, record: PredictionRecord) {
        let known = Known {
            id: record.id,
            score: record.score,
            is_defective: record.defective,
            files: record.files,
            stamp: (record.bytes, record.modified, record.changed),
            sha256: record.sha256,
            settings: record.settings,
        };
        self.has_repeated |= self.images.insert(record.image, known).is_some();
    }

    pub fn get(&self, image: &Path) -> Option<&Known> {
        self.images.get(&*image.to_string_lossy())
    }

    /// The numbers of images, and of those that were inspected with these settings.
    pub fn count(&self, settings: &str) -> (usize, usize) {
        let is_like = |known: &&Known| known.settings.as_deref() == Some(settings);
        (self.images.len(), self.images.values().filter(is_like).count())
    }
}

impl Known {
    /// Whether the image has the content that was inspected, and was inspected with these settings.
    pub fn holds(&self, image: &Path, settings: &str) -> bool {
        let Ok(stamp) = Stamp::of(image) else { return false };
        let is_untouched = || {
            stamp.modified.is_some()
                && self.stamp == (Some(stamp.bytes), stamp.modified(), stamp.changed())
        };
        // A copy of an archive has the same content at another time.
        let is_same = || self.sha256.is_some() && self.sha256 == sha256_of_file(image).ok();
        self.settings.as_deref() == Some(settings) && (is_untouched() || is_same())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;
    use detector::files::sha256;
    use std::fs;

    #[test]
    fn the_same_content_and_settings_count_at_any_time() {
        let folder = tempfile::tempdir().unwrap();
        let image = folder.path().join("a.png");
        let mut recorded = Recorded::default();
        recorded.insert(PredictionRecord {
            image: image.to_string_lossy().into_owned(),
            bytes: Some(7),
            modified: Some(1.0),
            sha256: Some(sha256(b"content")),
            settings: Some("these".into()),
            ..PredictionRecord::default()
        });
        assert_eq!((recorded.count("these"), recorded.count("others")), ((1, 1), (1, 0)));
        let known = recorded.get(&image).unwrap();
        assert!(!known.holds(&image, "these"), "no file");
        for (content, expected) in [("content", true), ("changed", false)] {
            fs::write(&image, content).unwrap();
            assert_eq!(known.holds(&image, "these"), expected, "{content}");
            assert!(!known.holds(&image, "others"));
        }
        assert!(recorded.get(&folder.path().join("b.png")).is_none());
    }
}
