//! Synthetic images in memory.

use super::scene::Scene;
use super::source::{Source, Split};
use super::vocabulary::{Rendering, Size, SyntheticKind};
use inspect::Image;

/// The good image number `index`, in [0, 1].
pub fn render_good(kind: SyntheticKind, seed: u64, index: usize, size: Size) -> Image {
    let source = Source { kind, seed, split: Split::Good, index };
    Scene::draw(&source, size).good(&source, size)
}

/// The defective image number `index`; the types of defects take turns.
pub fn render_defective(kind: SyntheticKind, seed: u64, index: usize, size: Size) -> Rendering {
    let source = Source { kind, seed, split: Split::Defective, index };
    Scene::draw(&source, size).defective(&source, size)
}
