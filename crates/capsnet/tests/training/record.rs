//! What a run notes down is what its events say.

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
