//! Prints luminance, contrast and structure of a texture and three changes of it.

use ssim::{Border, Components, Constants, Error, Params, Window};

const SIDE: usize = 64;

fn mean(map: Option<Vec<f32>>) -> f32 {
    map.map_or(f32::NAN, |map| map.iter().sum::<f32>() / map.len() as f32)
}

fn main() -> Result<(), Error> {
    let pixel = |x: usize, y: usize| 0.5 + 0.2 * ((x * x + 3 * y) as f32).sin();
    let texture: Vec<f32> = (0..SIDE * SIDE).map(|i| pixel(i % SIDE, i / SIDE)).collect();
    let changes: [(&str, fn(f32) -> f32); 3] = [
        ("brighter", |grey| grey + 0.2),
        ("flatter", |grey| 0.5 + 0.3 * (grey - 0.5)),
        ("negative", |grey| 1.0 - grey),
    ];
    let params = Params::new(Window::Uniform { size: 11 }, Border::Valid, Constants::squared());
    println!("{:<10}{:>10}{:>10}{:>10}{:>10}", "", "luminance", "contrast", "structure", "SSIM");
    for (name, change) in changes {
        let changed: Vec<f32> = texture.iter().copied().map(change).collect();
        let maps = ssim::maps(&texture, &changed, SIDE, SIDE, &params, Components::ALL)?;
        let [l, c, s, ssim] = [maps.luminance, maps.contrast, maps.structure, maps.ssim].map(mean);
        println!("{name:<10}{l:>10.3}{c:>10.3}{s:>10.3}{ssim:>10.3}");
    }
    Ok(())
}
