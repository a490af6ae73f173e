//! Nanofibres under an electron microscope: long bright fibres in many layers, the deeper the
//! darker.

mod fibre;
mod flaw;
mod mat;

pub(super) use flaw::Flaw;
pub(super) use mat::Mat;
