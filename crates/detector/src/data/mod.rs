//! Data sets on disk: which images are good, which are defective, and where their masks lie.

#[cfg_attr(not(feature = "network"), allow(dead_code, reason = "networks alone look at images"))]
mod background;
mod dataset;
mod fingerprint;
mod layout;
mod list;
mod made;
mod margins;
mod masks;
mod pattern;
#[cfg_attr(not(feature = "network"), allow(dead_code, reason = "networks alone look at images"))]
mod region;
mod split;
#[cfg_attr(not(feature = "network"), allow(dead_code, reason = "networks alone look at images"))]
mod survey;

#[cfg(feature = "network")]
pub(crate) use background::Search;
pub use background::{Background, Side};
pub use dataset::{Dataset, TestSample};
pub use fingerprint::fingerprint;
pub use layout::{Arrangement, Layout};
#[cfg(feature = "network")]
pub(crate) use list::list_of;
pub use list::{has_image_name, images_in, list_images};
pub use margins::{Margins, crop, uncrop};
pub use masks::MaskNames;
#[cfg(feature = "network")]
pub(crate) use region::RegionFinder;
pub use region::{Auto, Polygons, RegionConfig, RegionMask, RegionMasks};
pub use split::Split;
#[cfg(feature = "network")]
pub(crate) use survey::names;
pub use survey::{LeftOut, Smallest, Survey};

#[cfg(test)]
mod tests;
