use crate::union_find::UnionFind;
use crate::{Connectivity, Error, Image, NOT_SCORED};

/// The largest score at which some map has an 8-connected region of `score >= s` with more than `max_area`
/// pixels.
///
/// Regions only grow as the threshold falls, so this is exact: pixels join in descending order of their scores until
/// a region becomes too large.
pub(crate) fn score_of_too_large_region(maps: &[Image], max_area: usize) -> Result<f32, Error> {
    let mut highest = None;
    for map in maps {
        // Only pixels above the highest score so far can raise it.
        highest = flood(map, max_area, highest).or(highest);
    }
    let largest = maps.iter().map(|map| map.data().len()).max().unwrap_or(0);
    highest.ok_or(Error::MaxArea { max_area, largest })
}

/// The score at which a region of `map` becomes too large, if that happens above `floor`.
fn flood(map: &Image, max_area: usize, floor: Option<f32>) -> Option<f32> {
    let (width, height, scores) = (map.width(), map.height(), map.data());
    let floor = floor.unwrap_or(NOT_SCORED);
    let above = |score: f32| score > floor;
    let mut order: Vec<usize> = (0..scores.len()).filter(|&i| above(scores[i])).collect();
    order.sort_unstable_by(|&a, &b| scores[b].total_cmp(&scores[a]));

    let mut sets = UnionFind::singletons(scores.len());
    // The area of each region at the index of its root; 0 for pixels that have not joined yet.
    let mut areas = vec![0; scores.len()];
    for pixel in order {
        areas[pixel] = 1;
        let mut root = pixel;
        for neighbour in Connectivity::Eight.neighbours(pixel, width, height) {
            let other = sets.find(neighbour);
            if areas[other] > 0 && other != root {
                let area = areas[other] + areas[root];
                root = sets.unite(other, root);
                areas[root] = area;
            }
        }
        if areas[root] > max_area {
            return Some(scores[pixel]);
        }
    }
    None
}
