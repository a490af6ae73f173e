//! The curve of scores and labels on standard input, a pair on each line: `0.7 1` is a score of 0.7 of something defective.

use metrics::{Points, RankedScores};
use std::error::Error;

fn parse(line: &str) -> Option<(f32, bool)> {
    let (score, label) = line.split_once(' ')?;
    let label = match label.trim() {
        "0" => false,
        "1" => true,
        _ => return None,
    };
    Some((score.parse().ok()?, label))
}

fn main() -> Result<(), Box<dyn Error>> {
    let (mut scores, mut labels) = (Vec::new(), Vec::new());
    for (number, line) in std::io::stdin().lines().enumerate() {
        let pair =
            parse(&line?).ok_or(format!("line {}: expected `SCORE 0` or `SCORE 1`", number + 1))?;
        scores.push(pair.0);
        labels.push(pair.1);
    }
    let ranked = RankedScores::new(&scores, &labels)?;
    let roc = ranked.roc(Points::All);
    for ((threshold, fpr), tpr) in roc.thresholds().iter().zip(roc.fpr()).zip(roc.tpr()) {
        println!(
            "threshold {threshold:.3}  false-positive rate {fpr:.3}  true-positive rate {tpr:.3}"
        );
    }
    println!("area {:.3}", ranked.roc_auc());
    Ok(())
}
