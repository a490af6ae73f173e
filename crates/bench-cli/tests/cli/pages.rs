//! The pages that `train` and `predict` write.

use crate::bench::{Bench, number};
use crate::images::{defective, save, texture};
use crate::report::assert_alone;

/// A page that reloads itself.
const LIVE: &str = "<meta http-equiv=\"refresh\"";

#[test]
fn a_training_leaves_a_page() {
    let bench = Bench::new();
    crate::images::write_cloth(&bench.path("cloth"));
    let run = bench.train("model", "--patches 16 --set data.held_out=0.5 --json");
    let page = bench.text("model/report.html");
    assert_alone(&page);
    assert!(!page.contains(LIVE), "it is over");
    assert!(
        page.contains("<title>model: trained</title>")
            && page.contains("2 to train on, 2 held out")
    );
    for title in ["Loss", "Contrast", "Scores of good images", "Where the largest scores lie"] {
        assert!(page.contains(&format!("<strong>{title}</strong>")), "{title}");
    }
    assert!(
        page.contains("held-out images") && page.contains("after 16"),
        "reconstructions over time"
    );
    let calibration = bench.json("model/calibration.json");
    let scores = calibration["scores"].as_array().unwrap();
    let (_, places) = page.split_once("<figure class=\"places\">").unwrap();
    let (places, _) = places.split_once("</figure>").unwrap();
    assert_eq!(places.matches("<circle ").count(), scores.len());
    assert!(page.contains("from 4 good images only"));
    let epoch = &run.json()[0];
    assert!(number(epoch, "held_out_loss").is_finite());
    // What nobody held out has no loss.
    let run = bench.train("other", "--patches 16 --json");
    assert!(run.json()[0].get("held_out_loss").is_none());
    assert!(bench.text("other/report.html").contains("images trained on"));
}

#[test]
fn a_resumed_training_replaces_the_page() {
    let bench = Bench::new();
    crate::images::write_cloth(&bench.path("cloth"));
    bench.train("model", "--patches 16");
    bench.run("train --out model --resume --patches 32").done();
    let page = bench.text("model/report.html");
    assert!(page.contains("32 of 32") && !page.contains(LIVE));
}

#[test]
fn a_batch_leaves_a_page_with_the_highest_scores_first() {
    let bench = Bench::with_model();
    for index in 0..3 {
        save(&bench.path(&format!("line/a{index}.png")), &texture(7 + index));
    }
    save(&bench.path("line/b.png"), &defective(8));
    let run = bench.run("predict model line --out found --threshold 0.5 --json").done();
    let page = bench.text("found/report.html");
    assert_alone(&page);
    assert!(!page.contains(LIVE));
    assert_eq!(page.matches("<figure class=\"exhibit\"").count(), 4);
    let shown = page.split("data-name=\"").skip(1).map(|rest| rest.split('"').next().unwrap());
    let mut records = run.json();
    records.sort_by(|a, b| number(b, "score").total_cmp(&number(a, "score")));
    let expected = records.iter().map(|record| record["image"].as_str().unwrap());
    assert!(shown.eq(expected), "by score");
    let flagged = records.iter().filter(|record| record["defective"] == true).count();
    assert!(page.contains(&format!("{flagged} of 4</dd>")), "{flagged}");
    assert!(
        page.contains("good images of the calibration (n = 4)")
            && page.contains("these images (n = 4)")
    );
}

/// The few that are not flagged say nothing of the others.
#[test]
fn images_that_are_mostly_flagged_are_no_sign_that_all_is_well() {
    let bench = Bench::with_model();
    for index in 0..20 {
        save(&bench.path(&format!("line/{index}.png")), &texture(index));
    }
    let page = |threshold: &str| {
        bench.run(&format!("predict model line --out found --threshold {threshold}")).done();
        bench.text("found/report.html")
    };
    assert!(page("0").contains("20 of the last 20 images were flagged"));
    assert!(!page("1000").contains("images were flagged"));
}

#[test]
fn what_cannot_be_inspected_is_named_and_a_name_is_no_markup() {
    let bench = Bench::with_model();
    save(&bench.path("line/<b>.png"), &texture(7));
    std::fs::write(bench.path("line/bad.png"), "no image").unwrap();
    assert_eq!(bench.run("predict model line --out found").code, 2);
    let page = bench.text("found/report.html");
    assert!(page.contains("bad.png") && page.contains("1 not inspected"));
    assert!(page.contains("line/&lt;b&gt;.png") && !page.contains("<b>"));
}
