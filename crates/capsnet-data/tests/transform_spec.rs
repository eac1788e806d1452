//! The one-line specification: what it means, how it is written back, and what is refused.

use capsnet_data::transform::{Augment, Normalize, Pipeline, Resample, SpecError, ValueProblem};
use proptest::prelude::*;

fn parse(spec: &str) -> Pipeline {
    spec.parse().unwrap_or_else(|error| panic!("{error}"))
}

fn refuse(spec: &str) -> SpecError {
    spec.parse::<Pipeline>().expect_err(spec)
}

fn problem(spec: &str) -> ValueProblem {
    match refuse(spec) {
        SpecError::Value { problem, .. } => problem,
        other => panic!("{spec}: {other}"),
    }
}

#[test]
fn canonical_forms() {
    for (written, canonical) in [
        ("", "none"),
        ("  none ", "none"),
        ("resample=nearest", "none"),
        (" rotate = -15 .. 15 , translate=2", "rotate=-15..15,translate=2"),
        ("translate=-2..2", "translate=-2..2:-2..2"),
        ("translate=1..1", "translate=1:1"),
        (
            "translate=0.5:-0,resample=bilinear",
            "translate=0.5:0,resample=bilinear",
        ),
        ("shear=10:0", "shear=10"),
        ("scale=.9..1.10", "scale=0.9..1.1"),
        ("scale=2:0.5..1", "scale=2:0.5..1"),
        ("mirror=1,flip=0.5", "mirror,flip=0.5"),
        ("transpose=1,transpose=0.5", "transpose,transpose=0.5"),
        (
            "resample=bilinear,normalize=0.5:0.5,elastic=8:3",
            "elastic=8:3,resample=bilinear,normalize=0.5:0.5",
        ),
        ("noise=0..2e1,salt=1e-3", "noise=0..20,salt=0.001"),
        (
            " tilt=30, shift-in-margin ,squeeze = 7, erase=4",
            "tilt=30,shift-in-margin,squeeze=7,erase=4",
        ),
        ("occlude = 8 , occlude=2..4 : centre", "occlude=8,occlude=2..4:centre"),
    ] {
        assert_eq!(parse(written).to_string(), canonical);
    }
}

#[test]
fn identity_and_randomness_are_seen() {
    for spec in [
        "none",
        "rotate=0",
        "translate=0",
        "mirror=0",
        "noise=0",
        "occlude=0",
        "tilt=0",
        "erase=0",
        "occlude=0:centre",
        "normalize=0.5:0.5",
        "resample=bilinear",
    ] {
        assert!(parse(spec).is_identity() && !parse(spec).is_random(), "{spec}");
    }
    for spec in [
        "rotate=15",
        "translate=1:1",
        "mirror",
        "scale=1.1",
        "shear=0:1",
        "rotate=5..5",
        "occlude=3:centre",
    ] {
        assert!(!parse(spec).is_identity() && !parse(spec).is_random(), "{spec}");
    }
    for spec in [
        "rotate=0..1",
        "translate=1",
        "mirror=0.5",
        "elastic=1:1",
        "noise=1",
        "salt=0.1",
        "shear=0:1..2",
        "occlude=1",
        "tilt=30",
        "shift-in-margin",
        "squeeze=1",
        "erase=1",
        "occlude=1..2:centre",
    ] {
        assert!(!parse(spec).is_identity() && parse(spec).is_random(), "{spec}");
    }
    assert_eq!(parse("none"), Pipeline::identity());
}

#[test]
fn whole_line_items_are_read_wherever_they_stand() {
    let pipeline = parse("normalize=0.1307:0.3081,rotate=3,resample=bilinear,mirror");
    assert_eq!(pipeline.resample(), Resample::Bilinear);
    let normalize = pipeline.normalize().unwrap();
    assert_eq!((normalize.mean(), normalize.std()), (0.1307, 0.3081));
    assert_eq!(parse("mirror").normalize(), None);
}

#[test]
fn refusals_name_the_item_the_fault_and_an_example() {
    assert_eq!(
        refuse("translate=2,rotate=15..-15").to_string(),
        "`rotate=15..-15`: the range 15..-15 runs backwards; expected degrees counter-clockwise within -360..360, or a \
         range, for example rotate=30 or rotate=-15..15",
    );
    let unknown = refuse("turn=3").to_string();
    assert!(
        unknown.starts_with("`turn=3`: there is no transform `turn`; known are translate, rotate,"),
        "{unknown}"
    );
    let twice = refuse("resample=nearest,rotate=3,resample=bilinear").to_string();
    assert!(twice.starts_with("`resample` is given twice"), "{twice}");
}

#[test]
fn every_kind_of_fault_is_refused() {
    use ValueProblem::*;
    for (spec, expected) in [
        ("rotate", Missing),
        ("rotate=", Missing),
        ("rotate=..5", Missing),
        ("rotate=5..", Missing),
        ("scale=1:", Missing),
        ("mirror=", Missing),
        ("rotate=abc", NotANumber("abc".into())),
        ("rotate=1..2..3", NotANumber("2..3".into())),
        ("rotate=1:2", NotANumber("1:2".into())),
        ("rotate=nan", NotFinite("nan".into())),
        ("noise=0..inf", NotFinite("inf".into())),
        ("normalize=NaN:1", NotFinite("NaN".into())),
        ("scale=1.1..0.9", Reversed { low: 1.1, high: 0.9 }),
        ("rotate=361", OutOfBounds(361.0)),
        ("scale=0", OutOfBounds(0.0)),
        ("scale=-1..1", OutOfBounds(-1.0)),
        ("scale=1:101", OutOfBounds(101.0)),
        ("shear=90", OutOfBounds(90.0)),
        ("shear=0:-90", OutOfBounds(-90.0)),
        ("translate=-2", OutOfBounds(-2.0)),
        ("translate=1.5", OutOfBounds(1.5)),
        ("translate=1e9", OutOfBounds(1e9)),
        ("translate=0:5000", OutOfBounds(5000.0)),
        ("mirror=1.5", OutOfBounds(1.5)),
        ("flip=-0.1", OutOfBounds(-0.1)),
        ("elastic=8:0", OutOfBounds(0.0)),
        ("elastic=-1:3", OutOfBounds(-1.0)),
        ("noise=-1", OutOfBounds(-1.0)),
        ("noise=256", OutOfBounds(256.0)),
        ("salt=2", OutOfBounds(2.0)),
        ("tilt", Missing),
        ("tilt=-1", OutOfBounds(-1.0)),
        ("tilt=1..3", RangeNotAllowed("1..3".into())),
        ("shift-in-margin=2", NotANumber("2".into())),
        ("squeeze=0", OutOfBounds(0.0)),
        ("squeeze=1.5", OutOfBounds(1.5)),
        ("erase=-4", OutOfBounds(-4.0)),
        ("erase=2..4", RangeNotAllowed("2..4".into())),
        ("occlude", Missing),
        ("occlude=-1", OutOfBounds(-1.0)),
        ("occlude=1.5", OutOfBounds(1.5)),
        ("occlude=4097:centre", OutOfBounds(4097.0)),
        ("occlude=3:left", UnknownPlace("left".into())),
        ("occlude=3:centre:1", PartCount { found: 3 }),
        ("normalize=0.5:0", OutOfBounds(0.0)),
        ("normalize=0.5:-1", OutOfBounds(-1.0)),
        ("mirror=0.1..0.9", RangeNotAllowed("0.1..0.9".into())),
        ("elastic=8", PartCount { found: 1 }),
        ("elastic=8:3:1", PartCount { found: 3 }),
        ("translate=1:2:3", PartCount { found: 3 }),
        ("normalize=0.5", PartCount { found: 1 }),
        ("resample=cubic", UnknownSampler("cubic".into())),
    ] {
        assert_eq!(problem(spec), expected, "{spec}");
    }
    for spec in ["rotate=15,", ",", "none,rotate=15", "Rotate=15", "=3"] {
        assert!(matches!(refuse(spec), SpecError::UnknownName { .. }), "{spec}");
    }
    assert!(matches!(
        refuse("normalize=0:1,normalize=0:1"),
        SpecError::Repeated { name: "normalize" }
    ));
}

#[test]
fn fractions_of_a_pixel_need_interpolation() {
    for spec in ["translate=0.5:0", "translate=-1.5..1", "translate=1:0..0.5"] {
        assert!(matches!(refuse(spec), SpecError::FractionalShift { .. }), "{spec}");
        let bilinear = parse(&format!("{spec},resample=bilinear"));
        assert!(bilinear.is_random() == spec.contains(".."), "{spec}");
        assert!(matches!(
            bilinear.with_resample(Resample::Nearest),
            Err(SpecError::FractionalShift { .. })
        ));
    }
}

#[test]
fn what_is_built_in_code_is_what_is_written() {
    let written = "rotate=-15..15,scale=2,scale=1:2,shear=3:-4,translate=1:-2,translate=3,mirror=0.5,flip,elastic=8:3,\
                   noise=0..20,salt=0.1,occlude=4,occlude=2..4:centre";
    let built = Pipeline::identity()
        .then_rotate(-15.0..15.0)
        .and_then(|line| line.then_scale(2.0)?.then_scale_axes(1.0, 2.0)?.then_shear(3.0, -4.0))
        .and_then(|line| line.then_shift(1.0, -2.0)?.then_random_shift(3))
        .and_then(|line| line.then_mirror(0.5)?.then_flip(1.0)?.then_elastic(8.0, 3.0))
        .and_then(|line| line.then_noise(-0.0..20.0)?.then_salt(0.1))
        .and_then(|line| line.then_occlude(4.0)?.then_occlude_centre(2.0..4.0));
    let built = built.unwrap();
    assert_eq!(built.to_string(), written);
    assert_eq!(built, parse(written));
    let angles = ["rotate=15", "rotate=1..2", "rotate=1,rotate=2", "none"].map(|text| parse(text).as_rotation());
    assert_eq!(angles, [Some(15.0), None, None, None]);
    let normalize = Normalize::new(0.5, 0.25).unwrap();
    let whole = built
        .with_resample(Resample::Bilinear)
        .unwrap()
        .with_normalize(normalize);
    assert_eq!(whole, parse(&format!("{written},resample=bilinear,normalize=0.5:0.25")));
}

#[test]
fn what_is_built_in_code_is_checked() {
    let none = Pipeline::identity;
    for (refused, expected) in [
        (
            none().then_rotate(400.0),
            "`rotate=400`: 400 is out of bounds; expected degrees",
        ),
        (
            none().then_rotate(f64::NAN),
            "`rotate=NaN`: `NaN` is not a finite number",
        ),
        (
            none().then_scale(1.0..0.5),
            "`scale=1..0.5`: the range 1..0.5 runs backwards",
        ),
        (none().then_scale_axes(1.0, 0.0), "`scale=0`: 0 is out of bounds"),
        (none().then_shear(0.0, 90.0), "`shear=90`: 90 is out of bounds"),
        (
            none().then_random_shift(5000),
            "`translate=5000`: 5000 is out of bounds",
        ),
        (
            none().then_shift(0.5, 0.0),
            "`translate=0.5:0`: a shift by a fraction of a pixel",
        ),
        (none().then_mirror(1.5), "`mirror=1.5`: 1.5 is out of bounds"),
        (
            none().then_elastic(8.0, f64::INFINITY),
            "`elastic=inf`: `inf` is not a finite number",
        ),
        (none().then_occlude(1.5), "`occlude=1.5`: 1.5 is out of bounds"),
    ] {
        let message = refused.unwrap_err().to_string();
        assert!(message.starts_with(expected), "{message}");
    }
}

#[test]
fn mixed_lists() {
    let list: Augment = "translate=2|rotate=-30..30 | none".parse().unwrap();
    assert_eq!(list.to_string(), "translate=2 | rotate=-30..30 | none");
    assert_eq!(
        list,
        Augment::from_specs(["translate=2", "rotate=-30..30|none"]).unwrap()
    );
    assert_eq!(list.pipelines().len(), 3);

    let empty = Augment::new(Vec::new()).unwrap();
    assert!(empty.is_identity() && !empty.is_random());
    assert_eq!(empty, "".parse().unwrap());

    assert!("none | rotate=5".parse::<Augment>().unwrap().is_random());
    assert!(!"rotate=5 | rotate=5".parse::<Augment>().unwrap().is_random());

    let normalized: Augment = "mirror,normalize=0.5:0.5 | normalize=0.5:0.5".parse().unwrap();
    assert_eq!(normalized.normalize(), parse("normalize=0.5:0.5").normalize());
    let mixed = "mirror,normalize=0.5:0.5 | flip".parse::<Augment>();
    assert!(matches!(mixed, Err(SpecError::MixedNormalize { .. })));
}

#[test]
fn serde_uses_the_text() {
    let list: Augment = "translate=2 | rotate=3".parse().unwrap();
    assert_eq!(serde_json::to_string(&list).unwrap(), "\"translate=2 | rotate=3\"");
    assert_eq!(
        serde_json::from_str::<Augment>("\"translate=2|rotate=3\"").unwrap(),
        list
    );
    assert_eq!(serde_json::to_string(&Resample::Bilinear).unwrap(), "\"bilinear\"");
    let error = serde_json::from_str::<Pipeline>("\"scale=0\"").unwrap_err().to_string();
    assert!(error.contains("`scale=0`: 0 is out of bounds"), "{error}");
}

/// A number or a range whose ends lie within the bounds.
fn value(low: f64, high: f64) -> impl Strategy<Value = String> + Clone {
    prop_oneof![
        (low..high).prop_map(|number| number.to_string()),
        (low..high, low..high).prop_map(|(a, b)| format!("{}..{}", a.min(b), a.max(b))),
    ]
}

fn one_or_two(low: f64, high: f64) -> impl Strategy<Value = String> {
    let part = value(low, high);
    prop_oneof![part.clone(), (part.clone(), part).prop_map(|(x, y)| format!("{x}:{y}"))]
}

fn item() -> impl Strategy<Value = String> {
    prop_oneof![
        (0..4096).prop_map(|most| format!("translate={most}")),
        (-9..9, -9..9).prop_map(|(x, y)| format!("translate={x}:{y}")),
        value(-360.0, 360.0).prop_map(|v| format!("rotate={v}")),
        one_or_two(0.01, 100.0).prop_map(|v| format!("scale={v}")),
        one_or_two(-89.0, 89.0).prop_map(|v| format!("shear={v}")),
        (0.0..1.0).prop_map(|p| format!("mirror={p}")),
        (0.0..1.0).prop_map(|p| format!("flip={p}")),
        (value(0.0, 90.0), value(0.1, 9.0)).prop_map(|(alpha, sigma)| format!("elastic={alpha}:{sigma}")),
        value(0.0, 255.0).prop_map(|v| format!("noise={v}")),
        value(0.0, 1.0).prop_map(|v| format!("salt={v}")),
        (0..4096, any::<bool>()).prop_map(|(n, centre)| format!("occlude={n}{}", if centre { ":centre" } else { "" })),
    ]
}

fn spec() -> impl Strategy<Value = String> {
    let whole_line = (any::<bool>(), proptest::option::of((-1.0..1.0f32, 0.1..2.0f32)));
    (proptest::collection::vec(item(), 0..5), whole_line).prop_map(|(mut items, (bilinear, normalize))| {
        if bilinear {
            items.push("resample=bilinear,translate=-0.25..0.5".into());
        }
        items.extend(normalize.map(|(mean, std)| format!("normalize={mean}:{std}")));
        items.join(",")
    })
}

proptest! {
    #[test]
    fn the_canonical_form_parses_to_the_same_pipeline(spec in spec()) {
        let pipeline = parse(&spec);
        let canonical = pipeline.to_string();
        prop_assert_eq!(&parse(&canonical), &pipeline);
        prop_assert_eq!(parse(&canonical).to_string(), canonical);
    }

    #[test]
    fn any_text_is_answered_without_a_panic(text in "\\PC{0,40}") {
        let _ = text.parse::<Augment>();
    }

    #[test]
    fn any_text_in_the_grammars_letters_is_answered_and_survives_the_round_trip(
        text in "(translate|rotate|scale|shear|elastic|noise|normalize)=[-0-9.:e]{0,8}",
    ) {
        if let Ok(pipeline) = text.parse::<Pipeline>() {
            prop_assert_eq!(parse(&pipeline.to_string()), pipeline);
        }
    }
}
