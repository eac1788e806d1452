//! `capsnet test`.

use anyhow::Result;
use burn::prelude::Device;
use capsnet::evaluate::{Condition, Test};
use capsnet::model::{AnyNetwork, Architecture, named_by};
use capsnet_data::random::Seed;
use capsnet_measure::Tested;
use capsnet_onnx::AnyModel;
use capsnet_report::tested::{pictures, text};

use super::{protocol, test_moves};
use crate::args::TestArgs;
use crate::output::{line, note, place};
use crate::progress::Progress;

pub(crate) fn run(args: &TestArgs) -> Result<()> {
    protocol::check_flags(args)?;
    if let Some(protocol) = args.protocol
        && protocol.conditions().is_empty()
    {
        return protocol::run(args, protocol);
    }
    let conditions = conditions(args)?;
    let device = args.data.compute.start()?;
    let (data, sample) = args.data.load_sample(Seed(args.seed))?;
    let tested = args.tested(&device)?;
    tested.check_outputs(&data)?;
    if let AnyModel::Ours(loaded) = &tested
        && let AnyNetwork::TransformingAutoencoder(network) = &loaded.model.network
    {
        return test_moves::run(args, &loaded.model, network, &loaded.path, &data, &device);
    }
    let data = named_by(data, [tested.model()]);
    let test = Test {
        data: &data,
        sample,
        conditions: &conditions,
        protocol: args.protocol,
        seed: Seed(args.seed),
    };
    let title = format!("testing {}", tested.model().title());
    let mut progress = Progress::new(title, "image", data.len() * conditions.len(), 0);
    let result = test.run(tested.named(), &device, &mut |done, condition| {
        progress.set(done, &condition.label());
    });
    progress.clear();
    let result = Tested {
        weights: tested.file(),
        ..result?
    };
    if let Some(folder) = &args.out {
        place(folder)?;
        for (name, picture) in pictures(&result)? {
            let path = folder.join(name);
            picture.save_png(&path)?;
            note(format_args!("wrote {}", path.display()));
        }
    }
    line(match args.json {
        true => serde_json::to_string(&result)?,
        false => text(&result)?,
    })
}

impl TestArgs {
    /// The model that is tested.
    pub(super) fn tested(&self, device: &Device) -> Result<AnyModel> {
        let model = self.model.as_ref().map(Architecture::name);
        self.weights.any(model, "lenet5", device)
    }
}

/// One condition an angle, or the transform alone; or those of the protocol.
fn conditions(args: &TestArgs) -> Result<Vec<Condition>> {
    if let Some(protocol) = args.protocol {
        let conditions = protocol.conditions().into_iter();
        return Ok(conditions.map(Condition::of).collect());
    }
    let transform = args.transform.clone().unwrap_or_default();
    let angles: Vec<Option<f64>> = match &args.rotate {
        None => vec![None],
        Some(angles) => angles.points().iter().copied().map(Some).collect(),
    };
    let conditions = angles.into_iter();
    let conditions = conditions.map(|angle| Condition::new(&transform, angle, args.resample));
    Ok(conditions.collect::<Result<_, _>>()?)
}
