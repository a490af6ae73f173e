//! A subject before a camera.

use inspect::{Image, Mask};

use super::camera::{Camera, changed};
use super::dice::Dice;
use super::fibres::{self, Mat};
use super::source::{Purpose, Source};
use super::vocabulary::{Rendering, Size, SyntheticKind};
use super::weave::{self, Cloth, Weave};

/// Where a defective image differs less from its good twin it is not marked, and is in fact made
/// equal: twice the standard deviation of the noise.
const TOLERANCE: f32 = 0.03;

/// Masks have no gaps of up to twice this many pixels: a yarn's width, as where a missing yarn is
/// hidden by others.
const CLOSING_RADIUS: usize = 7;

/// The least number of pixels that a defect must change; one that is hidden is drawn anew.
const LEAST_AREA: usize = 100;

/// How often a hidden defect is drawn anew: in tiny images none may ever be large enough.
const ATTEMPTS: usize = 20;

pub(super) struct Scene {
    subject: Subject,
    camera: Camera,
}

enum Subject {
    Cloth(Cloth),
    Mat(Mat),
}

impl Scene {
    pub(super) fn draw(source: &Source, size: Size) -> Self {
        let (mut dice, mut camera) = (source.dice(Purpose::Scene), source.dice(Purpose::Camera));
        let cloth = |dice: &mut Dice, weave| Subject::Cloth(Cloth::draw(dice, weave, size));
        let (subject, camera) = match source.kind {
            SyntheticKind::Plain => {
                (cloth(&mut dice, Weave::Plain), Camera::draw(&mut camera, size, 0.1, 2, 0.015))
            }
            SyntheticKind::Twill => {
                (cloth(&mut dice, Weave::Twill), Camera::draw(&mut camera, size, 0.1, 2, 0.015))
            }
            SyntheticKind::Fibres => (
                Subject::Mat(Mat::draw(&mut dice, size)),
                Camera::draw(&mut camera, size, 0.05, 1, 0.015),
            ),
        };
        Self { subject, camera }
    }

    /// The image without defect.
    pub(super) fn good(&self, source: &Source, size: Size) -> Image {
        let exposed = self.camera.expose(self.subject.render(size));
        self.camera.develop(exposed, &mut source.dice(Purpose::Noise))
    }

    /// The image with a defect.
    pub(super) fn defective(&self, source: &Source, size: Size) -> Rendering {
        let good = self.camera.expose(self.subject.render(size));
        let mut dice = source.dice(Purpose::Flaw);
        let (mut flawed, mut mask) = self.flaw(&mut dice, source.index, &good, size);
        for _ in 1..ATTEMPTS {
            if mask.data().iter().filter(|&&defective| defective).count() >= LEAST_AREA {
                break;
            }
            (flawed, mask) = self.flaw(&mut dice, source.index, &good, size);
        }
        let pixels = flawed.data_mut().iter_mut().zip(good.data()).zip(mask.data());
        for ((flawed, &good), _) in pixels.filter(|(_, defective)| !**defective) {
            *flawed = good;
        }
        let image = self.camera.develop(flawed, &mut source.dice(Purpose::Noise));
        Rendering { image, mask }
    }

    /// The image with a defect, before noise, and where it differs from the good one.
    fn flaw(&self, dice: &mut Dice, turn: usize, good: &Image, size: Size) -> (Image, Mask) {
        let flawed = self.camera.expose(self.subject.render_flawed(dice, turn, size));
        let mask = changed(good, &flawed, TOLERANCE, CLOSING_RADIUS);
        (flawed, mask)
    }
}

impl Subject {
    fn render(&self, size: Size) -> Image {
        match self {
            Self::Cloth(cloth) => cloth.render(size),
            Self::Mat(mat) => mat.render(),
        }
    }

    fn render_flawed(&self, dice: &mut Dice, turn: usize, size: Size) -> Image {
        match self {
            Self::Cloth(cloth) => weave::Flaw::draw(dice, turn, size).render(cloth, size),
            Self::Mat(mat) => fibres::Flaw::draw(dice, turn, mat, size).render(mat),
        }
    }
}
