//! Successive halving (Jamieson and Talwalkar 2016): all candidates are trained briefly, the better half of them twice as long, and so on.

use crate::records::Rung;

/// Patches that a candidate is trained on at least, if more than two are to be compared: after fewer, reconstructions are too poor to
/// tell which candidate would become the best.
const LEAST: u64 = 2_000;

/// The fewest candidates that are halved.
const FINALISTS: usize = 2;

/// A schedule for at most `candidates`, of which the first are taken, that trains on about `patches` in all. Each of its steps trains the
/// better half of the candidates until they have seen twice as many patches; two are left at the end.
///
/// ```
/// use detector::schedule;
///
/// let rungs = schedule(8, 40_000);
/// let steps: Vec<_> = rungs.iter().map(|rung| (rung.candidates, rung.patches)).collect();
/// // 8 × 2400, 4 × 2400 more, and 2 × 4800 more: hundreds that are whole batches.
/// assert_eq!(steps, [(8, 2_400), (4, 4_800), (2, 9_600)]);
/// ```
pub fn schedule(candidates: usize, patches: u64) -> Vec<Rung> {
    let affordable = |count: &usize| patches / cost(*count) >= LEAST;
    let candidates = candidates.max(1);
    let fewest = candidates.min(FINALISTS);
    let count = (fewest..=candidates).rev().find(affordable).unwrap_or(fewest);
    // Whole batches and hundreds.
    let first = (patches / cost(count) / 200 * 200).max(400);
    let patches = |step: usize| first << step;
    let rung = |(step, candidates)| Rung { candidates, patches: patches(step) };
    halves(count).into_iter().enumerate().map(rung).collect()
}

/// The numbers of candidates in each step.
fn halves(mut count: usize) -> Vec<usize> {
    let mut halves = vec![count];
    while count > FINALISTS {
        count = count.div_ceil(2);
        halves.push(count);
    }
    halves
}

/// The patches that a schedule trains on, in units of those of the first step.
fn cost(count: usize) -> u64 {
    let steps = halves(count).into_iter().enumerate();
    // The patches of the step less those of the one before.
    steps.map(|(step, count)| count as u64 * (1 << step.saturating_sub(1))).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_patches_compare_few_candidates() {
        let steps = |candidates, patches| {
            schedule(candidates, patches)
                .iter()
                .map(|r| (r.candidates, r.patches))
                .collect::<Vec<_>>()
        };
        assert_eq!(steps(16, 5_000), [(2, 2_400)]);
        assert_eq!(steps(16, 100), [(2, 400)]);
        assert_eq!(steps(1, 9_999), [(1, 9_800)]);
        assert_eq!(steps(3, 10_000), [(3, 2_000), (2, 4_000)]);
        assert_eq!(steps(5, 1_000_000).iter().map(|step| step.0).collect::<Vec<_>>(), [5, 3, 2]);
    }
}
