//! What ranks have to agree on while they train.
//!
//! A rank that failed alone would leave the others waiting for ever. So whatever can fail on one rank is settled among
//! all, at places that all come to in the same order.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Ranks, sum};
use crate::Error;

const GOES_ON: f64 = 0.0;
const STOPS: f64 = 1.0;
const FAILED: f64 = 2.0;

/// The ranks of a training, agreeing.
#[derive(Clone, Copy)]
pub(in crate::train) struct Team<'a> {
    pub(in crate::train) ranks: &'a dyn Ranks,
}

impl Team<'_> {
    /// What this rank came to, if all came to something; else an error, which is its own on one rank.
    pub(in crate::train) fn settle<T>(&self, own: Result<T, Error>) -> Result<T, Error> {
        let word = if own.is_ok() { GOES_ON } else { FAILED };
        self.hear(word, own).map(|(own, _)| own)
    }

    /// Whether one of the ranks is asked to stop; an error if one failed in what it did `before`.
    pub(in crate::train) fn stops(&self, stop: bool, before: Result<(), Error>) -> Result<bool, Error> {
        let word = match (&before, stop) {
            (Err(_), _) => FAILED,
            (Ok(()), true) => STOPS,
            (Ok(()), false) => GOES_ON,
        };
        self.hear(word, before).map(|((), stops)| stops)
    }

    fn hear<T>(&self, word: f64, own: Result<T, Error>) -> Result<(T, bool), Error> {
        let mut words = vec![GOES_ON; self.ranks.size()];
        words[self.ranks.rank()] = word;
        sum(self.ranks, &mut words);
        match words.iter().position(|&word| word == FAILED) {
            Some(rank) if rank != self.ranks.rank() => Err(Error::OtherRank { rank }),
            _ => own.map(|own| (own, words.contains(&STOPS))),
        }
    }

    /// What the first rank has: `own` there, which the others leave out.
    pub(in crate::train) fn of_first<T: Serialize + DeserializeOwned>(&self, own: Option<T>) -> T {
        let text = own
            .as_ref()
            .map_or_else(Vec::new, |own| serde_json::to_vec(own).expect("it is plain data"));
        let text = self.ranks.broadcast(text);
        match own {
            Some(own) => own,
            None => serde_json::from_slice(&text).expect("the same program wrote it"),
        }
    }

    /// Sums over all ranks.
    pub(in crate::train) fn sum<T: super::sum::Number>(&self, values: &mut [T]) {
        sum(self.ranks, values);
    }
}
