//! A step of all parts: hand out, keep in step, add up.

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::prelude::*;

use super::Crew;
use super::part::{Found, Job, Word};
use crate::batch::Prepared;
use crate::model::Network;
use crate::train::ranks::fold;

/// Numbers that are sent together at least, where parameters are smaller: each message takes its time.
const BUCKET: usize = 1 << 16;

/// What all parts of a batch came to.
pub(in crate::train) struct Total {
    /// The mean loss.
    pub loss: f64,
    /// Images that were classified right.
    pub correct: usize,
    /// Mean lengths of the true classes' capsules and of the others', where asked for and there are such.
    pub lengths: Option<[f64; 2]>,
    pub gradients: GradientsParams,
    /// Images of a part of this process whose loss isn't finite.
    pub suspect: Option<Tensor<4>>,
}

impl<N: Network + Module, S: Prepared> Crew<'_, N, S> {
    /// Computes a batch of so many images, of which `samples` are this process's parts.
    pub(in crate::train) fn compute(
        &self,
        network: &N,
        samples: Vec<S>,
        images: usize,
        device: &Device,
        lengths: bool,
    ) -> Total {
        let shares: Vec<f64> = self.cut.shares(images).collect();
        for ((seat, samples), &share) in self.seats.iter().zip(samples).zip(&shares) {
            let job = Job {
                network: network.clone().fork(device),
                samples,
                device: device.clone(),
                share,
                lengths,
            };
            seat.jobs
                .send(job)
                .unwrap_or_else(|_| panic!("the thread of a part panicked"));
        }
        let found = self.keep_step();
        self.total(network, found, &shares, device)
    }

    /// Answers the parts' questions until all are done.
    fn keep_step(&self) -> Vec<Found> {
        loop {
            let mut sums = Vec::new();
            let mut found = Vec::new();
            for word in self.hear() {
                match word {
                    Word::Sum(values) => sums.push(values),
                    Word::Done(done) => found.push(*done),
                }
            }
            if sums.is_empty() {
                return found;
            }
            assert!(found.is_empty(), "parts of a batch do the same");
            let mut sum = fold(sums);
            self.team.sum(&mut sum);
            for seat in &self.seats {
                // A part that panicked is heard of next time.
                let _ = seat.answers.send(sum.clone());
            }
        }
    }

    fn total(&self, network: &N, mut found: Vec<Found>, shares: &[f64], device: &Device) -> Total {
        let numbers = found.iter().zip(shares).map(|(found, &share)| {
            let mean = |number: f64| if share > 0.0 { share * number } else { 0.0 };
            let correct = if share > 0.0 { found.correct } else { 0.0 };
            let [of_true, of_others] = found.lengths.unwrap_or_default();
            vec![mean(found.loss), correct, mean(of_true), mean(of_others)]
        });
        let mut numbers = fold(numbers.collect());
        self.team.sum(&mut numbers);
        let has_lengths = found[0].lengths.is_some();
        let suspect = found.iter_mut().find_map(|found| found.suspect.take());
        let mut of_parts: Vec<_> = found.into_iter().map(|found| found.gradients.into_iter()).collect();
        let count = of_parts[0].len();
        let local = (0..count).map(|_| {
            let next: Vec<Option<Vec<f32>>> = of_parts.iter_mut().map(|part| part.next().flatten()).collect();
            next.into_iter().collect::<Option<Vec<Vec<f32>>>>().map(fold)
        });
        let mut registered = Registered {
            gradients: GradientsParams::new(),
            values: self.over_ranks(local.collect()).into_iter(),
            device: device.clone().inner(),
        };
        network.visit(&mut registered);
        Total {
            loss: numbers[0],
            correct: numbers[1] as usize,
            lengths: has_lengths.then_some([numbers[2], numbers[3]]),
            gradients: registered.gradients,
            suspect,
        }
    }

    /// The sums over all processes; small gradients go together.
    fn over_ranks(&self, mut gradients: Vec<Option<Vec<f32>>>) -> Vec<Option<Vec<f32>>> {
        if self.team.ranks.size() == 1 {
            return gradients;
        }
        let mut all = gradients.iter_mut().flatten().peekable();
        while let Some(first) = all.next() {
            let mut together = vec![first];
            let mut len = together[0].len();
            while len < BUCKET
                && let Some(next) = all.next_if(|next| len + next.len() <= 2 * BUCKET)
            {
                len += next.len();
                together.push(next);
            }
            if let [one] = &mut together[..] {
                self.team.sum(one);
                continue;
            }
            let mut bucket: Vec<f32> = together.iter().flat_map(|gradient| gradient.iter().copied()).collect();
            self.team.sum(&mut bucket);
            let mut sums = &bucket[..];
            for gradient in together {
                let own;
                (own, sums) = sums.split_at(gradient.len());
                gradient.copy_from_slice(own);
            }
        }
        gradients
    }
}

/// Puts gradients under the names of a network's parameters.
struct Registered {
    gradients: GradientsParams,
    values: std::vec::IntoIter<Option<Vec<f32>>>,
    device: Device,
}

impl ModuleVisitor for Registered {
    fn visit_float<const N: usize>(&mut self, param: &Param<Tensor<N>>) {
        if let Some(values) = self.values.next().expect("parts have as many parameters") {
            let gradient = TensorData::new(values, param.val().dims());
            self.gradients
                .register(param.id, Tensor::<N>::from_data(gradient, &self.device));
        }
    }
}
