//! Names of the library as values of arguments.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use detector::Method;
use detector::synthetic::SyntheticKind;

/// Parses the name of a method.
pub fn method() -> impl TypedValueParser<Value = Method> {
    let values = Method::ALL.map(|method| PossibleValue::new(method.key()).help(about(method)));
    PossibleValuesParser::new(values).try_map(|name| name.parse::<Method>())
}

fn about(method: Method) -> &'static str {
    match method {
        Method::L2 => "The autoencoder trained on the squared difference",
        Method::Ssim => "The autoencoder trained on the structural similarity",
        Method::Vae => {
            "The variational autoencoder; its residual map is the reconstruction probability"
        }
        Method::FeatureMatching => {
            "The autoencoder trained on the squared difference of pixels and of features of a network trained on ImageNet; its \
             residual map is the squared difference of pixels"
        }
    }
}

/// Parses the name of a kind of synthetic images.
pub fn synthetic_kind() -> impl TypedValueParser<Value = SyntheticKind> {
    let about = |kind| match kind {
        SyntheticKind::Plain => "A plain weave, in the place of woven texture 1",
        SyntheticKind::Twill => "A twill weave, in the place of woven texture 2",
        SyntheticKind::Fibres => "Nanofibres, in the place of NanoTWICE",
    };
    let value = |kind: SyntheticKind| PossibleValue::new(kind.key()).help(about(kind));
    PossibleValuesParser::new(SyntheticKind::ALL.map(value))
        .try_map(|name| name.parse::<SyntheticKind>())
}
