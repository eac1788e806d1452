//! Pictures of made-up numbers: their SVG parses and says what the numbers say.

use capsnet_data::doorway::{Arrangement, Doorways, Pose, Whole};
use capsnet_data::random::Seed;
use capsnet_measure::look::{
    AngleAnswers, Angles, AskedModel, Crowd, CrowdAnswer, Crowding, Iteration, Perturbations, Place, Reconstruction,
    Reconstructions, Redrawn, RoutedDigit, RoutedScene, RoutedScenes, SceneStep, Size, StrongCapsule, View,
};
use capsnet_report::draw::{Figure, angles, couplings, crowding, doorway, perturbations, reconstructions};
use roxmltree::Document;

const SIZE: Size = Size { width: 4, height: 3 };

fn grey() -> Vec<u8> {
    (0..12).map(|at| at * 20).collect()
}

fn decoded() -> Vec<f32> {
    (0..12).map(|at| at as f32 / 12.0).collect()
}

/// The texts of a picture, and how many images are in it.
fn read(figure: &Figure) -> (Vec<String>, usize) {
    let svg = figure.sheet.to_svg();
    let document = Document::parse(&svg).unwrap();
    let named = |name: &'static str| {
        document
            .descendants()
            .filter(move |node| node.has_tag_name(("http://www.w3.org/2000/svg", name)))
    };
    let texts = named("text").filter_map(|node| node.text()).map(str::to_owned);
    (texts.collect(), named("image").count())
}

#[track_caller]
fn says(figure: &Figure, parts: &[&str], images: usize) {
    let (texts, found) = read(figure);
    for part in parts {
        assert!(texts.iter().any(|text| text == part), "{part} is not among {texts:?}");
    }
    assert_eq!(found, images);
    assert!(!figure.alt.is_empty());
}

#[test]
fn reconstructions_are_groups_of_rows() {
    let digit = |index, prediction| Reconstruction {
        index,
        label: 1,
        transform: "none".to_owned(),
        prediction,
        scores: vec![0.25, 0.75],
        squared_error_true: 3.4,
        squared_error_predicted: 5.6,
        input: grey(),
        of_true: decoded(),
        of_predicted: decoded(),
    };
    let numbers = Reconstructions {
        model: "CapsNet".to_owned(),
        weights: "a.safetensors".to_owned(),
        dataset: "mnist".to_owned(),
        searched: Some(1200),
        size: SIZE,
        transform: Some("noise=3".to_owned()),
        angles: vec![0.0, 35.0],
        digits: vec![digit(3, 1), digit(9, 0), digit(3, 1), digit(9, 1)],
    };
    let figure = reconstructions(&numbers).unwrap();
    let parts = [
        "noise=3, upright",
        "noise=3, rotated +35°",
        "no. 9",
        "1 0.75",
        "0 0.25",
        "3",
    ];
    says(&figure, &parts, 4 * 4);
    assert_eq!(figure.sheet.title(), "What CapsNet redraws");
    assert!(
        figure
            .sheet
            .caption()
            .contains("1,200 of the images were tested to find 2")
    );
    let mut wrong = numbers;
    wrong.digits[2].input.pop();
    assert!(reconstructions(&wrong).is_err(), "an image that has another size");
}

#[test]
fn perturbations_are_a_row_a_dimension() {
    let numbers = Perturbations {
        weights: "a.safetensors".to_owned(),
        dataset: "mnist".to_owned(),
        index: 5,
        label: 0,
        transform: "rotate=20".to_owned(),
        prediction: 1,
        scores: vec![0.25, 0.75],
        capsule: vec![0.1, 0.2],
        offsets: vec![-0.25, 0.0, 0.25],
        effect: vec![0.5, 0.0],
        size: SIZE,
        input: grey(),
        decoded: decoded(),
        images: vec![vec![decoded(); 3]; 2],
    };
    let figure = perturbations(&numbers).unwrap();
    says(&figure, &["no. 5", "1 0.75", "-0.25", "0", "+0.25", "2"], 2 + 2 * 3);
    assert!(
        figure
            .sheet
            .caption()
            .contains("image 5 of mnist under rotate=20, each of its 2 dimensions")
    );
}

#[test]
fn angles_are_columns_with_every_models_answer() {
    let view = |class| View {
        class,
        scores: vec![0.25, 0.75],
        capsules: None,
    };
    let model = |label: &str, right| AskedModel {
        model: "lenet5".to_owned(),
        weights: String::new(),
        right,
        label: label.to_owned(),
    };
    let numbers = Angles {
        dataset: "mnist".to_owned(),
        angles: vec![-15.0, 0.0],
        models: vec![model("LeNet-5", 1), model("mine", 2)],
        digits: vec![AngleAnswers {
            index: 2,
            label: 1,
            answers: vec![vec![view(0), view(1)], vec![view(1), view(1)]],
            images: vec![grey(); 2],
        }],
        size: SIZE,
        transform: None,
    };
    let figure = angles(&numbers).unwrap();
    says(
        &figure,
        &["-15°", "no. 2", "a 1", "LeNet-5", "mine", "0 0.25", "1 0.75"],
        2,
    );
    let caption = figure.sheet.caption();
    assert!(caption.contains("LeNet-5 is right in 1 of 2, mine is right in 2 of 2. Test images of mnist."));
}

#[test]
fn couplings_are_discs_over_the_digit() {
    let iteration = |moved| Iteration {
        couplings: vec![0.5; 4],
        class_lengths: vec![0.2, 0.9],
        entropy: 0.5,
        entropy_of_equal: 1.0,
        moved,
        received: vec![0.5; 2],
    };
    let capsule = |capsule| StrongCapsule {
        capsule,
        place: Place {
            map: capsule,
            row: 0,
            column: 0,
            top: 0,
            left: 0,
            side: 3,
        },
        length: 0.5,
        couplings: vec![vec![0.5, 0.5], vec![0.9, 0.1]],
    };
    let numbers = RoutedDigit {
        weights: "a.safetensors".to_owned(),
        dataset: "mnist".to_owned(),
        index: 8,
        label: 1,
        transform: "none".to_owned(),
        prediction: 1,
        towards: vec![1, 0],
        unit: "length".to_owned(),
        primary_capsules: 2,
        starved: 0,
        starved_below: 0.1,
        iterations: vec![iteration(None), iteration(Some(0.125))],
        across_images: None,
        strongest: vec![capsule(0), capsule(1)],
        input: grey(),
        size: SIZE,
        stride: 1,
    };
    let figure = couplings(&numbers).unwrap();
    let second = "iteration 2: entropy of the couplings 0.500 of 1.000 bits, 12.5 % moved";
    says(&figure, &["to class 1 (true)", "to class 0", second, "0.90"], 2 * 2);
    assert_eq!(figure.sheet.to_svg().matches("<circle").count(), 2 * 2 * 2);
    // 0.1 is a fifth of an equal share, and five times one would be more than 1.
    says(&figure, &["0.250", "0.500", "1.000"], 2 * 2);
    says(&figure, &["length after it", "length of the primary capsule"], 2 * 2);
    let active = RoutedDigit {
        unit: "activation".to_owned(),
        ..numbers
    };
    let figure = couplings(&active).unwrap();
    says(
        &figure,
        &["activation after it", "activation of the primary capsule"],
        2 * 2,
    );
    assert!(!figure.sheet.to_svg().contains("length "), "an activation is no length");
}

#[test]
fn crowds_are_columns_of_what_is_seen_and_redrawn() {
    let crowd = |redrawn: &[usize]| Crowd {
        distance: 4,
        inside: 1.0,
        answers: vec![CrowdAnswer {
            best: vec![1, 0],
            right: true,
            scores: vec![0.25, 0.75],
        }],
        squared_errors: vec![1.0, 2.0],
        merged: grey(),
        redrawn: redrawn
            .iter()
            .map(|&class| Redrawn {
                class,
                score: 0.5,
                image: decoded(),
            })
            .collect(),
    };
    let numbers = Crowding {
        dataset: "mnist".to_owned(),
        indices: [3, 5],
        labels: [1, 0],
        models: vec!["capsnet".to_owned()],
        weights: vec![String::new()],
        different: vec![crowd(&[1, 0]), crowd(&[1, 0])],
        equal: vec![crowd(&[1]), crowd(&[1])],
        names: vec!["CapsNet".to_owned()],
        redrawer: 0,
        size: SIZE,
    };
    let figure = crowding(&numbers).unwrap();
    let parts = [
        "a 1 and a 0",
        "two 1s",
        "4 px",
        "1's capsule",
        "both",
        "difference",
        "0 0.50",
    ];
    // The images, two capsules and both of them; the images, one capsule and the difference.
    says(&figure, &parts, 2 * 4 + 2 * 3);
    assert!(figure.sheet.caption().contains("the decoder of CapsNet makes"));
}

#[test]
fn doorways_are_columns_of_iterations() {
    let scene = Doorways::new(Seed(9)).scene(Arrangement::Doorway, 0, 0);
    let votes: Vec<[Pose; 2]> = scene
        .parts
        .iter()
        .map(|part| Whole::ALL.map(|whole| part.vote(whole)))
        .collect();
    let step = SceneStep {
        couplings: vec![[0.5, 0.5]; scene.parts.len()],
        lengths: [0.75, 0.25],
        poses: votes[0],
    };
    let numbers = RoutedScenes {
        seed: 9,
        iterations: 2,
        scenes: vec![RoutedScene {
            title: "a doorway".to_owned(),
            arrangement: Arrangement::Doorway,
            agreement: [1.0, -0.5],
            votes,
            parts: scene.parts,
            steps: vec![step.clone(), step],
        }],
    };
    let figure = doorway(&numbers);
    says(&figure, &["a doorway", "iteration 2", "0.75", "0.50"], 0);
    let bars = read(&figure)
        .0
        .iter()
        .filter(|text| text.trim_end() == "square")
        .count();
    assert_eq!(bars, 2, "one an iteration");
}
