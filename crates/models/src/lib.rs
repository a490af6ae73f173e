//! Autoencoders on candle that learn to reconstruct defect-free texture patches, and their training.
