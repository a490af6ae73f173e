//! Gradients that pass candle by.

use candle_core::Tensor;
use std::sync::{Arc, Mutex, PoisonError};

/// Where a chain leaves the gradient of its parameters, which candle would add to zeros that it makes first. The chain is applied once
/// before it is taken: another gradient would replace it.
#[derive(Clone, Debug, Default)]
pub struct Slot(Arc<Mutex<Option<Tensor>>>);

impl Slot {
    pub(crate) fn put(&self, gradient: Option<Tensor>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = gradient;
    }

    /// The gradient that was left here last.
    pub fn take(&self) -> Option<Tensor> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
