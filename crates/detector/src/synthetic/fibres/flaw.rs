//! Defects of fibre mats.

use inspect::Image;

use super::fibre::Bead;
use super::mat::Mat;
use crate::synthetic::Size;
use crate::synthetic::camera::blur;
use crate::synthetic::dice::Dice;
use crate::synthetic::noise::{Field, mix, smoothstep};
use crate::synthetic::shape::Blob;

/// How often the fibres are blurred before they shape the edge of a film.
const EDGE_BLUR: usize = 24;

/// A defect of a mat of fibres.
pub(in crate::synthetic) enum Flaw {
    /// Drops of polymer along fibres, which are given by their number.
    Beads(Vec<(usize, Vec<Bead>)>),
    /// A membrane between fibres.
    Film(Film),
    /// A heap of grains.
    Clump(Vec<Grain>),
}

/// A membrane that hides the fibres below it.
pub(in crate::synthetic) struct Film {
    blob: Blob,
    tone: f32,
    mottle: Field,
    /// The part of the fibres that lie below.
    level: f32,
}

/// A round grain.
pub(in crate::synthetic) struct Grain {
    x: f32,
    y: f32,
    radius: f32,
    tone: f32,
}

impl Flaw {
    /// A defect of `mat`; the types take turns.
    pub(in crate::synthetic) fn draw(dice: &mut Dice, turn: usize, mat: &Mat, size: Size) -> Self {
        match turn % 3 {
            0 => Self::Film(Film::draw(dice, size)),
            1 => Self::Beads((0..2).map(|_| draw_beads(dice, mat, size)).collect()),
            _ => Self::Clump(heap(dice, size)),
        }
    }

    /// The mat with this defect.
    pub(in crate::synthetic) fn render(&self, mat: &Mat) -> Image {
        match self {
            Self::Beads(strings) => {
                let mut beaded = mat.clone();
                for (fibre, beads) in strings {
                    beaded.fibres[*fibre].beads.extend(beads);
                }
                beaded.render()
            }
            Self::Film(film) => film.render(mat),
            Self::Clump(grains) => {
                let mut canvas = mat.render();
                grains.iter().for_each(|grain| grain.paint(&mut canvas));
                canvas
            }
        }
    }
}

/// One to three beads on a fibre of the upper quarter, where they are seen.
fn draw_beads(dice: &mut Dice, mat: &Mat, size: Size) -> (usize, Vec<Bead>) {
    let count = mat.fibres.len();
    let fibre = count - 1 - dice.below(count.div_ceil(4));
    let beads = 1 + dice.below(3);
    (fibre, mat.fibres[fibre].draw_beads(dice, size, beads))
}

impl Film {
    fn draw(dice: &mut Dice, size: Size) -> Self {
        let blob = Blob::draw(dice, size, 45.0, 120.0);
        let mottle = Field::new(dice, size, 22.0);
        Self { blob, tone: dice.between(0.55, 0.72), mottle, level: dice.between(0.8, 0.95) }
    }

    fn render(&self, mat: &Mat) -> Image {
        let mut canvas = mat.ground.clone();
        let (below, above) = mat.fibres.split_at((mat.fibres.len() as f32 * self.level) as usize);
        below.iter().for_each(|fibre| fibre.paint(&mut canvas));
        self.paint(&mut canvas);
        above.iter().for_each(|fibre| fibre.paint(&mut canvas));
        canvas
    }

    fn paint(&self, canvas: &mut Image) {
        // The membrane creeps along the fibres, which are bright, and shrinks back between them in
        // round arcs.
        let fibres = (0..EDGE_BLUR).fold(canvas.clone(), |image, _| blur(&image));
        let width = canvas.width();
        let pixels = canvas.data_mut().iter_mut().zip(fibres.data()).enumerate();
        for (index, (pixel, creep)) in pixels {
            let (x, y) = ((index % width) as f32, (index / width) as f32);
            let distance = self.blob.distance(x, y) - 0.9 * creep;
            if distance < 0.8 {
                let cover = 1.0 - smoothstep(0.72, 0.8, distance);
                let rim = 0.14 * smoothstep(0.5, 0.75, distance);
                *pixel = mix(*pixel, self.tone + rim + 0.06 * self.mottle.at(x, y), cover);
            }
        }
    }
}

/// Grains that lie the denser the nearer to the middle.
fn heap(dice: &mut Dice, size: Size) -> Vec<Grain> {
    let blob = Blob::draw(dice, size, 18.0, 45.0);
    let (a, b) = blob.radii();
    let count = 20 + (a * b * 0.06) as usize;
    let grain = |_| {
        let (x, y) = blob.frame().to_image(0.45 * a * dice.normal(), 0.45 * b * dice.normal());
        Grain { x, y, radius: dice.between(3.5, 8.5), tone: dice.between(0.5, 0.9) }
    };
    (0..count).map(grain).collect()
}

impl Grain {
    fn paint(&self, canvas: &mut Image) {
        let (width, height) = (canvas.width(), canvas.height());
        let first = |centre: f32| (centre - self.radius - 1.0).max(0.0) as usize;
        let end =
            |centre: f32, side: usize| ((centre + self.radius + 2.0).max(0.0) as usize).min(side);
        for y in first(self.y)..end(self.y, height) {
            for x in first(self.x)..end(self.x, width) {
                let (dx, dy) =
                    ((x as f32 - self.x) / self.radius, (y as f32 - self.y) / self.radius);
                let square = dx * dx + dy * dy;
                let cover = ((1.0 - square.sqrt()) * self.radius + 0.5).clamp(0.0, 1.0);
                let round = (1.0 - square).max(0.0).sqrt();
                let pixel = &mut canvas.data_mut()[y * width + x];
                *pixel = mix(*pixel, self.tone * (0.45 + 0.55 * round - 0.12 * (dx + dy)), cover);
            }
        }
    }
}
