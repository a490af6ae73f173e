//! Inspects an image with a trained model: `inspect MODEL IMAGE`.

use detector::Detector;
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let model = arguments.next().ok_or("the folder of a model is missing")?;
    let image = arguments.next().ok_or("an image is missing")?;
    let detector = Detector::open(model)?;
    let found = detector.inspect(&detector.read(image)?)?;
    println!("{:?}, score {}", found.verdict, found.score);
    for region in &found.regions {
        println!("{} pixels at column {}, row {}", region.area, region.x0, region.y0);
    }
    Ok(())
}
