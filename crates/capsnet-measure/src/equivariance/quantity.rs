//! The measures by name: what each is, where it comes from, how it is read, and what chance gives.

#[cfg(doc)]
use super::Verdict;
use super::{AngleMeasures, LayerMeasures, VarianceRatio, verdict};

/// A figure of a layer at an angle; `None` where it does not exist.
pub type Figure = fn(&LayerMeasures, &AngleMeasures) -> Option<f64>;

/// A measure, with what it is to be compared with.
pub struct Quantity {
    /// In files.
    pub name: &'static str,
    /// In headings.
    pub title: &'static str,
    /// What it is, its source, and how to read it.
    pub note: &'static str,
    /// After its numbers.
    pub unit: &'static str,
    /// Of its numbers.
    pub decimals: usize,
    /// The figure itself.
    pub value: Figure,
    /// What chance gives.
    pub chance: Figure,
    /// A level that holds for every layer, where there is one.
    pub level: Option<(f64, &'static str)>,
    /// Figures to read it beside.
    pub beside: &'static [(&'static str, &'static str, Figure)],
    /// What holds in a layer by this measure, in words; where it is no part of a layer's [`Verdict`].
    pub verdict: Option<fn(&LayerMeasures) -> Option<&'static str>>,
}

/// All measures, in the order of the report.
pub const QUANTITIES: [Quantity; 7] = [
    Quantity {
        name: "angular_error",
        title: "Angular pose error",
        note: "The angle between the pose of the rotated image and the rotated pose of the upright image, for each \
            capsule (Lenssen, Fey and Libuschewski 2018); where it is not known how a layer's poses turn, they are \
            turned by the best linear map, fitted on one half of the images, 500 at most, and measured on the \
            others, both poses less their mean. 0 degrees is perfect equivariance, 90 degrees is chance, and \
            'unmoved' is the angle to the upright pose itself, which a layer has to beat to be more than invariant. \
            'No rotation' is what a fitted map leaves where it only has to give back what it reads: so much is due \
            to the number of images.",
        unit: "°",
        decimals: 1,
        value: |_, at| at.angular_error.map(|error| error.degrees),
        chance: |_, at| at.angular_error.map(|error| error.chance),
        level: Some((90.0, "chance")),
        beside: &[
            ("unmoved", "angular_error_unmoved", |_, at| {
                at.angular_error.map(|error| error.unmoved)
            }),
            ("no rotation", "angular_error_unrotated", |layer, _| {
                layer.summary.unrotated.angular_error.map(|error| error.degrees)
            }),
        ],
        verdict: None,
    },
    Quantity {
        name: "direction_share",
        title: "Share of the change on one direction",
        note: "The share of the variance of v(R x) - v(x) that lies on its first principal direction, for each \
            capsule, or for the layer where it has none (after Choi, Seo, Im and Kang 2019; here about zero, so that \
            a common displacement counts). 1 means that a rotation moves every image the same way; it has to be read \
            beside the chance level, isotropic noise of as many images and dimensions, and beside 'other images', \
            the same share of the differences between unrelated images.",
        unit: "",
        decimals: 3,
        value: |_, at| at.direction_share,
        chance: |layer, _| layer.summary.direction_chance,
        level: None,
        beside: &[("other images", "direction_between_samples", |layer, _| {
            layer.summary.direction_between_samples
        })],
        verdict: None,
    },
    Quantity {
        name: "variance_ratio",
        title: "Transform variance over sample variance",
        note: "A unit's variance over the upright and the rotated image divided by its variance over images, \
            averaged over the units (Quiroga and others 2019). 0 is an invariant layer, and 1 one that the rotation \
            changes as much as another image does.",
        unit: "",
        decimals: 3,
        value: |_, at| at.variance_ratio.map(|ratio| ratio.mean),
        chance: |_, _| Some(1.0),
        level: Some((1.0, "as another image")),
        beside: &[
            ("median unit", "variance_ratio_median", |_, at| {
                ratio(at, |ratio| ratio.median)
            }),
            ("all units pooled", "variance_ratio_pooled", |_, at| {
                ratio(at, |ratio| ratio.pooled)
            }),
        ],
        verdict: None,
    },
    Quantity {
        name: "r_squared_linear",
        title: "Held-out R² of the linear map",
        note: "The share of the variance of v(R x) that the best linear map from v(x) explains: ridge regression \
            fitted on one half of the images, 500 at most, and measured on the others (after Lenc and Vedaldi 2015). \
            1 is perfect linear equivariance and 0 no more than the mean knows; it says something where it is above \
            'class alone', the same map fitted to pairs of other images of the class, and above 'v(x) itself', which \
            is 1 for an invariant layer. 'No rotation' is the figure of a map that only has to give back what it \
            reads, which no angle can be expected to exceed with so many images.",
        unit: "",
        decimals: 3,
        value: |_, at| at.r_squared.map(|r| r.linear),
        chance: |_, at| at.r_squared.map(|r| r.permuted),
        level: Some((0.0, "the mean")),
        beside: &[
            ("class alone", "r_squared_within_class", |_, at| {
                at.r_squared.and_then(|r| r.within_class)
            }),
            ("v(x) itself", "r_squared_identity", |_, at| {
                at.r_squared.map(|r| r.identity)
            }),
            ("fitted mean", "r_squared_mean", |_, at| at.r_squared.map(|r| r.mean)),
            ("no rotation", "r_squared_unrotated", |layer, _| {
                layer.summary.unrotated.r_squared.map(|r| r.linear)
            }),
        ],
        verdict: None,
    },
    Quantity {
        name: "distance",
        title: "Distance moved",
        note: "The mean distance of v(R x) from v(x), divided by that of v(x) from another image's. 0 is an \
            invariant layer, and 1 one in which the rotated image is as far away as an unrelated one.",
        unit: "",
        decimals: 3,
        value: |_, at| at.distance,
        chance: |_, _| Some(1.0),
        level: Some((1.0, "as another image")),
        beside: &[],
        verdict: None,
    },
    Quantity {
        name: "same_equivariance",
        title: "Same-equivariance of maps",
        note: "The map of the rotated image is rotated back and compared with the map of the image itself: 0 is a \
            layer whose map moves with the image, 1 is as far off as another image's map (a distance, after the \
            variance of Quiroga and others 2019). It is of layers that have height and width, without the border \
            that the rotation loses; 'not moved back' is the same without rotating back, which a layer that moves \
            with the image has to beat, and the row of the input says how much of a figure is due to reading between \
            places.",
        unit: "",
        decimals: 3,
        value: |_, at| at.same_equivariance.map(|same| same.distance),
        chance: |_, at| at.same_equivariance.map(|_| 1.0),
        level: Some((1.0, "as another image")),
        beside: &[
            ("not moved back", "same_equivariance_unmoved", |_, at| {
                at.same_equivariance.map(|same| same.unmoved)
            }),
            ("places compared", "same_equivariance_places", |_, at| {
                at.same_equivariance.map(|same| same.places)
            }),
        ],
        verdict: Some(verdict::follows),
    },
    Quantity {
        name: "firing_rate",
        title: "Firing-rate invariance",
        note: "A unit fires for one image in a hundred; of the images that make it fire, how many still do when they \
            are rotated, over that hundredth (Goodfellow and others 2009)? The figure is the mean of the best fifth \
            of a layer's units: 100 is a unit that always goes on firing ('perfect', less where fewer images were \
            shown), and chance is what other images come to, rotated.",
        unit: "",
        decimals: 1,
        value: |_, at| at.firing_rate.map(|rate| rate.score),
        chance: |_, at| at.firing_rate.map(|rate| rate.chance),
        level: None,
        beside: &[
            ("all units", "firing_rate_all_units", |_, at| {
                at.firing_rate.map(|rate| rate.all_units)
            }),
            ("perfect", "firing_rate_perfect", |_, at| {
                at.firing_rate.map(|rate| rate.perfect)
            }),
        ],
        verdict: Some(verdict::fires),
    },
];

fn ratio(at: &AngleMeasures, part: fn(VarianceRatio) -> f64) -> Option<f64> {
    at.variance_ratio.map(part)
}

/// The mean of a figure over all angles that turn the image, as far as it exists there; -180 and 180 degrees are one.
pub fn mean_over_angles(layer: &LayerMeasures, figure: Figure) -> Option<f64> {
    let mut seen = Vec::new();
    let turned = layer.angles.iter().filter(|at| at.moves()).filter(|at| {
        let is_new = !seen.contains(&at.place());
        seen.push(at.place());
        is_new
    });
    let figures: Vec<f64> = turned.filter_map(|at| figure(layer, at)).collect();
    (!figures.is_empty()).then(|| figures.iter().sum::<f64>() / figures.len() as f64)
}
