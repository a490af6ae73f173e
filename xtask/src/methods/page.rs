//! The table in Markdown.

use super::Results;
use super::runs::Run;
use std::fmt::Write;

/// The page; `methods` are its rows.
pub fn page(results: &Results<'_>, methods: &[String]) -> String {
    let Results { name, remark, runs, .. } = results;
    let synthetic = if results.is_synthetic() { " **The images are synthetic.**" } else { "" };
    let remark = if remark.is_empty() { String::new() } else { format!(", {remark}") };
    let seeds = runs.iter().filter(|run| run.method == methods[0]).count();
    let mut page = format!(
        "# Methods on {name}\n\n\
         {} test images{remark}, all pixels pooled; {} patches of training; mean ± standard deviation over {seeds} seeds.\
         {synthetic} All figures are ours, none is the paper's.\n\n\
         | method | pixel ROC-AUC | AU-PRO | image ROC-AUC | loss | training s | collapsed |\n|---|---|---|---|---|---|---|\n",
        runs[0].images, runs[0].patches
    );
    for method in methods {
        let of_method: Vec<&Run> = runs.iter().filter(|run| run.method == *method).collect();
        let cell = |value: fn(&Run) -> Option<f64>| {
            spread(&of_method.iter().filter_map(|run| value(run)).collect::<Vec<_>>())
        };
        let seconds: Vec<f64> = of_method.iter().map(|run| run.training_seconds).collect();
        let collapsed = of_method.iter().filter(|run| run.collapsed).count();
        // Writing to a string does not fail.
        let _ = writeln!(
            page,
            "| `{method}` | {} | {} | {} | {} | {:.0} | {collapsed} |",
            cell(|run| Some(run.pixel_au_roc)),
            cell(|run| Some(run.au_pro)),
            cell(|run| run.image_au_roc),
            cell(|run| Some(run.loss)),
            mean(&seconds),
        );
    }
    if runs.iter().any(|run| run.image_au_roc_good.as_deref() == Some("held-out")) {
        page += "\nImage ROC-AUC: the defective test images against the good images that training held out, as the set has no \
                 good test images.\n";
    }
    if results.is_synthetic() {
        page += &figure(name, methods);
    }
    page + &provenance(results)
}

fn figure(name: &str, methods: &[String]) -> String {
    format!(
        "\n![Image; reconstructions; residual maps; ground truth]({name}.png)\n\n\
         *From left to right: image; reconstructions and then residual maps of {}; ground truth. Cut-outs around defects, by the \
         models of the first seed.*\n",
        methods.join(", ")
    )
}

fn provenance(results: &Results<'_>) -> String {
    let Results { name, command, commit, date, processor, threads, runs, .. } = results;
    let features = runs.iter().find_map(|run| run.features_sha256.as_deref());
    let features = features.map_or_else(String::new, |sha256| {
        format!("\n- weights of the matched features: SHA-256 {sha256}")
    });
    format!(
        "\n- command: `{command}`\n- {date}, commit {commit}; {threads} threads, {processor}{features}\n\
         - losses of different methods cannot be compared; numbers of each run: [{name}.json]({name}.json)\n"
    )
}

/// Mean ± standard deviation of a sample; the mean of a single value, a dash for none.
fn spread(values: &[f64]) -> String {
    let mean = mean(values);
    match values.len() {
        0 => "–".to_owned(),
        1 => format!("{mean:.3}"),
        count => {
            let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
            format!("{mean:.3} ± {:.3}", (squares / (count - 1) as f64).sqrt())
        }
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spread_is_that_of_a_sample() {
        assert_eq!(spread(&[]), "–");
        assert_eq!(spread(&[0.5]), "0.500");
        assert_eq!(spread(&[1.0, 2.0, 3.0]), "2.000 ± 1.000");
    }
}
