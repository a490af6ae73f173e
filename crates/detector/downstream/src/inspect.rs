//! Inspects an image with a trained model: `inspect MODEL IMAGE`.

use detector::{Detector, read_image};
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let [model, image] = std::env::args_os().skip(1).collect::<Vec<_>>().try_into().map_err(|_| "inspect MODEL IMAGE")?;
    let detector = Detector::open(model)?;
    let found = detector.inspect(&read_image(image.as_ref())?)?;
    println!("{:?}: score {:.4}, threshold {:.4}", found.verdict, found.score, detector.threshold());
    for region in &found.regions {
        println!("{} pixels at column {}, row {}", region.area, region.x0, region.y0);
    }
    Ok(())
}
