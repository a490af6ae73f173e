//! Leaving out points that cannot be seen.

/// Keeps of all consecutive points in one of `columns` equal columns of the
/// range only the first, the lowest, the highest and the last.
///
/// With columns as narrow as half a pixel, lines through the remaining points
/// cover the same pixels.
pub(super) fn thin(
    points: impl IntoIterator<Item = (f64, f64)>,
    columns: u32,
    (start, end): (f64, f64),
) -> Vec<(f64, f64)> {
    let column = |x: f64| ((x - start) / (end - start) * f64::from(columns)).floor();
    let mut kept = Vec::new();
    let mut current: Option<Column> = None;
    for point in points {
        let position = column(point.0);
        match &mut current {
            Some(open) if open.position == position => open.add(point),
            _ => {
                current.replace(Column::new(position, point)).into_iter().for_each(|done| {
                    done.finish(&mut kept);
                });
            }
        }
    }
    current.into_iter().for_each(|done| done.finish(&mut kept));
    kept
}

/// The points of a column that are kept, with their place in the sequence.
struct Column {
    position: f64,
    length: usize,
    lowest: (usize, (f64, f64)),
    highest: (usize, (f64, f64)),
    first: (f64, f64),
    last: (f64, f64),
}

impl Column {
    fn new(position: f64, point: (f64, f64)) -> Self {
        let only = (0, point);
        Self { position, length: 1, lowest: only, highest: only, first: point, last: point }
    }

    fn add(&mut self, point: (f64, f64)) {
        let numbered = (self.length, point);
        if point.1 < self.lowest.1.1 {
            self.lowest = numbered;
        }
        if point.1 > self.highest.1.1 {
            self.highest = numbered;
        }
        self.last = point;
        self.length += 1;
    }

    fn finish(&self, kept: &mut Vec<(f64, f64)>) {
        let last = (self.length - 1, self.last);
        let mut chosen = [(0, self.first), self.lowest, self.highest, last];
        chosen.sort_unstable_by_key(|&(number, _)| number);
        for (index, &(number, point)) in chosen.iter().enumerate() {
            if index == 0 || chosen[index - 1].0 != number {
                kept.push(point);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_points_stay_as_they_are() {
        let points = [(0.0, 0.0), (0.0, 0.5), (0.3, 0.7), (1.0, 1.0)];
        assert_eq!(thin(points, 10, (0.0, 1.0)), points);
    }

    #[test]
    fn a_column_keeps_its_ends_and_extremes_in_order() {
        let heights = [0.5, 0.4, 0.9, 0.6, 0.1, 0.3, 0.7];
        let points = heights.map(|y| (0.05, y));
        let expected = [0.5, 0.9, 0.1, 0.7].map(|y| (0.05, y));
        assert_eq!(thin(points, 10, (0.0, 1.0)), expected);
    }

    #[test]
    fn a_million_points_become_four_per_column() {
        let zigzag = (0..1_000_000).map(|i| (f64::from(i) / 1e6, f64::from((i * 7 + 5) % 10)));
        let kept = thin(zigzag, 500, (0.0, 1.0));
        assert_eq!(kept.len(), 4 * 500);
        assert!(kept.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }
}
