//! What a run begins with: fresh weights, or a checkpoint; and every rank what the first has.

use burn::prelude::*;
use capsnet_data::dataset::Dataset;
use capsnet_data::random::Seed;

use super::checkpoint::{Found, load_soundest};
use super::crew::Cut;
use super::ranks::Team;
use super::resume::Resume;
use super::{Adam, Checkpoint, Event, MadeBy, Notice, Position, RunFolder, TrainConfig};
use crate::Error;
use crate::model::{Architecture, Classifier, Model};

/// Where a run is made, of how many images an epoch.
pub(super) struct Place<'a> {
    pub team: Team<'a>,
    /// How a batch is shared out.
    pub cut: Cut,
    /// The first rank's.
    pub folder: Option<&'a RunFolder>,
    pub device: &'a Device,
    pub images: usize,
    pub made_by: MadeBy,
    /// The images as they were handed over.
    pub data: &'a Dataset,
}

/// What a run begins with.
pub(super) struct Start<A: Architecture> {
    pub model: Model<A>,
    pub adam: Adam,
    pub position: Position,
    /// Whether it had ended.
    pub reopened: bool,
    /// Whether the newest checkpoint is sound.
    pub newest_is_sound: bool,
}

impl Place<'_> {
    pub(super) fn steps_an_epoch<A: Architecture>(&self, config: &TrainConfig<A>) -> u64 {
        self.images.div_ceil(config.batch_size) as u64
    }

    /// Begins a run or goes on with it; `device` records gradients.
    pub(super) fn start<A: Architecture>(
        &self,
        config: &TrainConfig<A>,
        device: &Device,
        notify: &mut dyn FnMut(Event),
    ) -> Result<Start<A>, Error> {
        let own = match self.folder {
            Some(folder) => self.first_start(folder, config, device, notify).map(Some),
            None => Ok(None),
        };
        let own = self.team.settle(own)?;
        let mut start = match self.team.ranks.size() {
            1 => own.expect("one rank is the first"),
            _ => self.shared_start(own, config, device)?,
        };
        start.adam = start.adam.averaging(config.average);
        Ok(start)
    }

    /// Out of the run's folder.
    fn first_start<A: Architecture>(
        &self,
        folder: &RunFolder,
        config: &TrainConfig<A>,
        device: &Device,
        notify: &mut dyn FnMut(Event),
    ) -> Result<Start<A>, Error> {
        let saved = load_soundest(folder, config, device)?;
        let fell_back = saved.as_ref().and_then(|saved| saved.fell_back.as_ref());
        let newest_is_sound = saved.as_ref().is_none_or(|saved| saved.newest_is_sound);
        if let Some(notice) = fell_back {
            notify(Event::Notice(notice));
        }
        let mut reopened = false;
        let (model, adam, position) = match saved {
            Some(Found { checkpoint: saved, .. }) => {
                let resume = Resume {
                    folder,
                    now: &self.made_by,
                    steps_an_epoch: self.steps_an_epoch(config),
                    epochs: config.epochs,
                    patience: config.patience,
                };
                let position = resume.position(&saved, notify)?;
                reopened = saved.position.finished && !position.finished;
                (saved.model, saved.adam, position)
            }
            None => {
                let model = Model::new(config.model.clone(), Seed(config.seed), device)?;
                (model, Adam::new(config.adam), Position::default())
            }
        };
        let model = match self.data.is_named() {
            true => model.with_class_names(self.data.class_names()),
            false => model,
        };
        let normalize = model.input().normalize;
        if let Some(augment) = config.augment.normalize().filter(|other| *other != normalize) {
            let model = normalize;
            notify(Event::Notice(&Notice::OtherScale { augment, model }));
        }
        if let Some(notice) = folder.keep_metrics(position.epoch)? {
            notify(Event::Notice(&notice));
        }
        Ok(Start {
            model,
            adam,
            position,
            reopened,
            newest_is_sound,
        })
    }

    /// What the first rank has, on all of them, which must be the same in all that decides the weights.
    fn shared_start<A: Architecture>(
        &self,
        own: Option<Start<A>>,
        config: &TrainConfig<A>,
        device: &Device,
    ) -> Result<Start<A>, Error> {
        let bytes = own.as_ref().map_or(Ok(Vec::new()), |start| {
            Checkpoint::to_bytes(&start.model, &start.adam, &start.position, &self.made_by)
        });
        let bytes = self.team.ranks.broadcast(self.team.settle(bytes)?);
        let start = match own {
            Some(own) => Ok(own),
            None => self.received(&bytes, config, device),
        };
        self.team.settle(start)
    }

    fn received<A: Architecture>(
        &self,
        bytes: &[u8],
        config: &TrainConfig<A>,
        device: &Device,
    ) -> Result<Start<A>, Error> {
        let Checkpoint {
            model,
            adam,
            position,
            made_by,
        } = Checkpoint::from_bytes(bytes, &config.model, config.adam, device)?;
        let first = made_by.expect("the first rank says what it is");
        self.expect_same(&first)?;
        Ok(Start {
            model,
            adam,
            position,
            reopened: false,
            newest_is_sound: true,
        })
    }

    /// Insists that this rank would come to the first one's weights.
    fn expect_same(&self, first: &MadeBy) -> Result<(), Error> {
        let own = &self.made_by;
        let (what, own, first, advice) = if own.program != first.program {
            let advice = "start one version on all machines";
            ("is of version", &own.program, &first.program, advice)
        } else if own.instruction_set != first.instruction_set {
            let advice = "set CAPSNET_SIMD to one that all machines have";
            ("computes with", &own.instruction_set, &first.instruction_set, advice)
        } else if own.data_sha256 != first.data_sha256 {
            let advice = "give all machines the same images";
            ("has images of SHA-256", &own.data_sha256, &first.data_sha256, advice)
        } else {
            return Ok(());
        };
        let rank = self.team.ranks.rank();
        Err(Error::Ranks {
            reason: format!("rank {rank} {what} {own}, the first rank {first}: {advice}"),
        })
    }
}
