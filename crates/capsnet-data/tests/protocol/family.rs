//! Families of transforms and sweeps over them.

use capsnet_data::protocol::{Attack, Change, Family, Objective, Sweep};
use capsnet_data::random::Seed;
use capsnet_data::transform::{Pipeline, Resample, Scratch, SpecError};

use crate::digits::strokes;

fn pipeline(family: Family, value: f64, resample: Resample) -> Pipeline {
    let change = family.change(value, resample).unwrap();
    change.into_transform().expect("a family of transforms")
}

#[test]
fn each_family_is_the_pipeline_of_its_table() {
    for (name, value, spec) in [
        ("rotate", -23.0, "rotate=-23"),
        ("shift-x", 3.0, "translate=3:0"),
        ("shift-y", -2.0, "translate=0:-2"),
        ("shift-diagonal", 4.0, "translate=4:4"),
        ("scale", 0.85, "scale=0.85"),
        ("shear", 12.5, "shear=12.5"),
        ("elastic", 8.0, "elastic=8:4"),
        ("noise", 20.0, "noise=20"),
        ("salt", 0.05, "salt=0.05"),
        ("occlude", 7.0, "occlude=7"),
        ("occlude-centre", 7.0, "occlude=7:centre"),
        ("fgsm", 0.1, "fgsm=0.1"),
        ("bim", 0.1, "bim=0.1"),
        ("bim-scores", 0.1, "bim-scores=0.1"),
    ] {
        let family: Family = name.parse().unwrap();
        let change = family.change(value, Resample::Nearest).unwrap();
        assert_eq!(change.to_string(), spec);
        assert_eq!(family.to_string(), name);
    }
    let bilinear = pipeline(Family::ShiftX, 0.5, Resample::Bilinear);
    assert_eq!(bilinear, "translate=0.5:0,resample=bilinear".parse().unwrap());
}

#[test]
fn the_identity_leaves_images_alone_and_other_values_do_not() {
    let set = strokes(1);
    for family in Family::ALL {
        assert!(
            family
                .change(family.identity(), Resample::Nearest)
                .unwrap()
                .is_identity(),
            "{family}"
        );
        let change = family.change(family.identity() + 1.0, Resample::Nearest).unwrap();
        assert!(!change.is_identity(), "{family}");
        if family.attacks() {
            continue;
        }
        let mut pixels = set.image(0).to_vec();
        let strong = if family == Family::Scale { 2.0 } else { 1.0 };
        // A distortion or an occlusion by a pixel can leave every pixel as it is.
        let value = match family {
            Family::Elastic | Family::Noise | Family::Rotation | Family::Shear => 30.0,
            Family::Occlusion | Family::CentredOcclusion => 20.0,
            _ => strong,
        };
        pipeline(family, value, Resample::Nearest).apply(
            &mut pixels,
            28,
            28,
            &mut Seed(1).stream("test", 0, 0),
            &mut Scratch::default(),
        );
        assert_ne!(pixels, set.image(0), "{family}");
    }
}

#[test]
fn what_the_grammar_refuses_a_sweep_refuses_before_it_begins() {
    let nearest = |text: &str| text.parse::<Sweep>().unwrap().changes(Resample::Nearest);
    assert!(matches!(
        nearest("shift-x=0..1:0.5"),
        Err(SpecError::FractionalShift { .. })
    ));
    for text in [
        "rotate=0,361",
        "scale=0..1:1",
        "salt=0..2:1",
        "occlude=0.5",
        "noise=-1",
        "shear=90",
        "shift-y=5000",
        "fgsm=1.5",
        "bim=-0.1",
    ] {
        assert!(matches!(nearest(text), Err(SpecError::Value { .. })), "{text}");
    }
    let message = |text: &str| text.parse::<Sweep>().unwrap_err().to_string();
    assert!(message("rotate").contains("for example rotate=-180..180:5"));
    assert!(message("turn=1").contains("`turn`; known are rotate, shift-x,"));
    assert!(message("rotate=0..9:0").contains("a step of 0"));
}

#[test]
fn a_sweep_lists_its_values_in_order_and_is_written_back() {
    let sweep: Sweep = " rotate = 15,-23 ".parse().unwrap();
    assert_eq!(sweep.to_string(), "rotate=15,-23");
    let steps = sweep.changes(Resample::Bilinear).unwrap();
    let pipeline = |spec: &str| spec.parse::<Change>().unwrap();
    let expected = [
        (15.0, pipeline("rotate=15,resample=bilinear")),
        (-23.0, pipeline("rotate=-23,resample=bilinear")),
    ];
    assert_eq!(steps, expected);
}

/// The words about the direction are those of the pixels.
#[test]
fn a_positive_shear_leans_the_top_to_the_right() {
    assert!(
        Family::Shear
            .about()
            .contains("a positive angle leans the top to the right")
    );
    let mut pixels = vec![0; 28 * 28];
    (0..28).for_each(|row| pixels[row * 28 + 14] = 255);
    let shear = pipeline(Family::Shear, 30.0, Resample::Nearest);
    let mut rng = Seed(1).stream("test", 0, 0);
    shear.apply(&mut pixels, 28, 28, &mut rng, &mut Scratch::default());
    let column = |row: usize| pixels[row * 28..][..28].iter().position(|&level| level > 0).unwrap();
    assert!(column(4) > 14 && column(23) < 14, "{} {}", column(4), column(23));
}

#[test]
fn changes_are_written_and_read_and_refused_with_an_example() {
    for text in [
        "none",
        "rotate=15,shear=5",
        "corrupt=canny_edges",
        "fgsm=0.25",
        "bim=0.1",
        "bim=0.1:3:0.05",
        "bim-scores=0.1:40:0.01",
    ] {
        assert_eq!(text.parse::<Change>().unwrap().to_string(), text);
    }
    let one = Attack::new(0.2, 1, 0.2, Objective::Loss).unwrap();
    assert_eq!(one, Attack::fgsm(0.2).unwrap());
    let message = |text: &str| text.parse::<Change>().unwrap_err().to_string();
    for text in [
        "fgsm",
        "fgsm=",
        "fgsm=a",
        "fgsm=0.1:2",
        "fgsm=NaN",
        "bim=0.1:2",
        "bim=0.1:0:0.1",
        "bim=0.1:2:7",
    ] {
        assert!(message(text).contains("for example fgsm=0.1"), "{}", message(text));
    }
    assert!(message("corrupt=rust").contains("known are shot_noise"));
    assert!(message("spin=3").contains("`spin`"));
}
