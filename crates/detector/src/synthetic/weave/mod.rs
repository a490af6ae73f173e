//! Woven fabric: warp yarns run down, weft yarns across, and each passes over and under the others.

mod cloth;
mod flaw;
mod missing;
mod rough;
mod slit;
mod stain;
mod yarns;

pub(super) use cloth::{Cloth, Weave};
pub(super) use flaw::Flaw;
