//! What a run notes down is what its events say.

use capsnet::tensorboard::EventLog;
use capsnet::train::runs_in;

use super::*;

#[test]
fn the_record_is_what_the_events_say() {
    let home = TempDir::new().unwrap();
    let mut config = config(capsnet(CapsNetConfig::paper()));
    config.held_out = HeldOut::Last;
    let folder = RunFolder::create(home.path(), &config).unwrap();
    let (mut steps, mut seen, mut losses) = (Vec::new(), Vec::new(), Vec::new());
    let stop = AtomicBool::new(false);
    train(
        &config,
        &data(),
        &folder,
        &Device::flex(),
        &stop,
        &mut |event| match event {
            Event::Step { loss, .. } => losses.push(loss),
            Event::Noted(record) => steps.push(record.clone()),
            Event::Seen(record) => seen.push(record.clone()),
            _ => {}
        },
    )
    .unwrap();
    assert_eq!(steps, folder.step_records().unwrap());
    let recorded: Vec<f64> = steps.iter().map(|step| step.loss).collect();
    assert_eq!(recorded, losses, "in so short an epoch every step is noted");
    for (number, step) in steps.iter().enumerate() {
        assert_eq!((step.step, step.epoch), (number as u64 + 1, number as u64 / 5 + 1));
        assert!(step.gradient_norm > 0.0 && step.images_per_second > 0.0, "{step:?}");
        assert!(
            [step.true_length, step.other_length]
                .iter()
                .all(|length| length.unwrap() < 1.0)
        );
    }
    let metrics = folder.metrics().unwrap();
    assert_eq!(seen.len(), 3);
    for (record, metrics) in seen.iter().zip(&metrics) {
        let confusion = record.confusion.as_ref().unwrap();
        let right: u64 = (0..4).map(|class| confusion[class][class]).sum();
        assert_eq!(confusion.iter().flatten().sum::<u64>(), 14);
        assert_eq!(right as f64 / 14.0, metrics.validation_accuracy.unwrap());
        let wrong = record.mistakes.as_ref().unwrap();
        let path = home.path().join(format!("record/mistakes-{:04}.png", record.epoch));
        assert_eq!(path.is_file(), right < 14);
        assert_eq!(wrong.labels.len() as u64, 14 - right, "so few are all there");
        for (number, (&truth, &said)) in wrong.labels.iter().zip(&wrong.predictions).enumerate() {
            assert!(truth != said && confusion[truth][said] > 0);
            let index = (IMAGES - 14..IMAGES).find(|&index| data().image(index) == wrong.images[number]);
            assert_eq!(index.map(|index| index % 4), Some(truth));
        }
        let lengths = record.lengths.as_ref().unwrap();
        let counts = [&lengths.of_true, &lengths.of_others].map(|bins| bins.iter().sum::<u64>());
        assert_eq!(counts, [14, 3 * 14]);
        assert_eq!(record.grid.images[3], data().image(IMAGES - 14 + 3));
        assert_eq!(
            record.grid.labels,
            (IMAGES - 14..IMAGES).map(|k| k % 4).collect::<Vec<_>>()
        );
        let pictures = record.grid.reconstructions.as_ref().unwrap();
        let name = format!("record/reconstruction-{:04}.png", record.epoch);
        assert_eq!(
            fs::read(home.path().join(name)).unwrap(),
            record.grid.png(pictures).unwrap()
        );
    }
    assert!(home.path().join("record/truth.png").is_file());
}

#[test]
fn steps_are_noted_as_often_as_is_asked_and_weights_do_not_depend_on_it() {
    let noted = |record_steps| {
        let home = TempDir::new().unwrap();
        let config = TrainConfig {
            record_steps,
            ..config(lenet5())
        };
        run(&config, home.path()).unwrap();
        let (folder, _) = RunFolder::look::<ModelConfig>(home.path()).unwrap();
        let steps = folder.step_records().unwrap();
        let steps: Vec<u64> = steps.iter().map(|step| step.step).collect();
        let weights = fs::read(home.path().join("last.safetensors")).unwrap();
        (steps, folder.epoch_records().unwrap().len(), weights)
    };
    let (steps, epochs, usual) = noted(None);
    assert_eq!((steps.len(), epochs), (15, 3));
    let (steps, epochs, weights) = noted(Some(4));
    assert_eq!((steps, epochs), (vec![4, 8, 12], 3));
    assert!(weights == usual);
    let (steps, epochs, weights) = noted(Some(0));
    assert_eq!((steps, epochs), (vec![], 0));
    assert!(weights == usual);
}

/// Two capsules for four classes, of which it knows nothing.
fn autoencoder() -> TrainConfig {
    config(ModelConfig::TransformingAutoencoder(TransformingAutoencoderConfig {
        image: IMAGE,
        classes: 4,
        capsules: 2,
        recognition_units: 3,
        generation_units: 4,
        ..TransformingAutoencoderConfig::translation()
    }))
}

#[test]
fn a_model_that_names_no_classes_is_told_by_its_loss_alone() {
    let home = TempDir::new().unwrap();
    let (config, stop) = (autoencoder(), AtomicBool::new(false));
    let folder = RunFolder::create(home.path(), &config).unwrap();
    let mut log = EventLog::new(home.path());
    let mut noted = Vec::new();
    train(&config, &data(), &folder, &Device::flex(), &stop, &mut |event| {
        log.hear(&event).unwrap();
        if let Event::Noted(record) = event {
            noted.push(record.clone());
        }
    })
    .unwrap();
    assert_eq!(noted.len(), 15);
    assert_eq!(noted, folder.step_records().unwrap());
    for step in &noted {
        assert!(step.loss > 0.0 && step.gradient_norm > 0.0);
        assert_eq!((step.accuracy, step.true_length, step.other_length), (None, None, None));
    }
    for metrics in folder.metrics().unwrap() {
        assert!(metrics.train_loss > 0.0 && metrics.validation_loss.unwrap() > 0.0);
        assert_eq!((metrics.train_accuracy, metrics.validation_accuracy), (None, None));
    }
    for record in folder.epoch_records().unwrap() {
        assert_eq!((record.confusion, record.lengths, record.mistakes), (None, None, None));
        assert_eq!((record.grid.labels.len(), record.grid.predictions.len()), (14, 0));
    }
    assert!(home.path().join("record/truth.png").is_file());
    let names = fs::read_dir(home.path()).unwrap().map(|entry| entry.unwrap().path());
    let events = names.filter(|path| path.file_name().unwrap().to_string_lossy().contains("tfevents"));
    let events: Vec<u8> = events.flat_map(|path| fs::read(path).unwrap()).collect();
    let has = |tag: &str| events.windows(tag.len()).any(|part| part == tag.as_bytes());
    assert!(has("step/loss") && has("epoch/validation_loss") && has("truth"));
    assert!(!has("accuracy") && !has("capsule_length"));
}

/// Earlier versions noted the share of images whose class is the first.
#[test]
fn accuracies_in_an_older_run_of_such_a_model_are_in_nobodys_way() {
    let home = TempDir::new().unwrap();
    let root = home.path().join("old");
    run_until(12, &autoencoder(), &root).unwrap();
    for (file, more) in [
        ("metrics.jsonl", "\"train_accuracy\":0.25,"),
        (
            "record/steps.jsonl",
            "\"accuracy\":0.25,\"true_length\":0.5,\"other_length\":0.5,",
        ),
    ] {
        let text = fs::read_to_string(root.join(file)).unwrap();
        let text = text.replace("{\"", &format!("{{{more}\""));
        fs::write(
            root.join(file),
            text.replace("\"validation_accuracy\":null", "\"validation_accuracy\":0.25"),
        )
        .unwrap();
    }
    run(&autoencoder(), &root).unwrap();
    let (folder, _) = RunFolder::look::<ModelConfig>(&root).unwrap();
    let accuracies: Vec<_> = folder.metrics().unwrap().iter().map(|m| m.train_accuracy).collect();
    assert_eq!(accuracies, [Some(0.25), Some(0.25), None], "lines stay as they are");
    let accuracies: Vec<_> = folder
        .step_records()
        .unwrap()
        .iter()
        .map(|step| step.accuracy)
        .collect();
    assert_eq!(accuracies, [vec![Some(0.25); 12], vec![None; 3]].concat());
    let curve = &runs_in(home.path()).unwrap()[0].curve;
    assert_eq!(curve.len(), 3);
    for epoch in curve {
        assert_eq!((epoch.train_accuracy, epoch.validation_accuracy), (None, None));
    }
}
