//! What is noted at the end of every epoch, one line of JSON each in `metrics.jsonl`.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;

use capsnet_data::bounded;
use capsnet_data::file::atomic_write;
use serde::{Deserialize, Serialize};

/// A line has some 300 bytes: this is for a million epochs.
const LARGEST: u64 = 1 << 28;

/// One epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochMetrics {
    /// Counted from 1.
    pub epoch: u64,
    /// Steps made since the start of training.
    pub step: u64,
    /// The learning rate of the epoch's last step.
    pub learning_rate: f64,
    /// Mean loss over the epoch, on augmented images, while the weights moved.
    pub train_loss: f64,
    /// Share of augmented training images classified right, while the weights moved; none of a model that names no
    /// classes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub train_accuracy: Option<f64>,
    /// Mean loss on the validation images, if any were kept out.
    pub validation_loss: Option<f64>,
    /// Share of validation images classified right.
    pub validation_accuracy: Option<f64>,
    /// Whether these are the best weights so far.
    pub best: bool,
    /// Seconds of training in this epoch, without validation.
    pub seconds: f64,
}

impl EpochMetrics {
    /// What the best weights are chosen by: the validation loss, or without validation images the training loss.
    pub fn criterion(&self) -> f64 {
        self.validation_loss.unwrap_or(self.train_loss)
    }
}

/// A file of metrics, line by line as it is.
#[derive(Default)]
pub(super) struct Lines {
    bytes: Vec<u8>,
    /// Epochs, each with its line.
    epochs: Vec<(EpochMetrics, Vec<u8>)>,
    /// Lines that are none.
    damaged: Vec<Vec<u8>>,
    /// The end of the file, where it is no line: as a crash cuts it off.
    torn: Option<Vec<u8>>,
}

impl Lines {
    /// Reads a file, if it is there.
    pub(super) fn read(path: &Path) -> io::Result<Self> {
        let bytes = match bounded::read_bytes(path, LARGEST) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            other => other?,
        };
        let mut lines = Self::default();
        for line in bytes.split_inclusive(|&byte| byte == b'\n') {
            let (text, whole) = match line.strip_suffix(b"\n") {
                Some(text) => (text, true),
                None => (line, false),
            };
            match serde_json::from_slice(text) {
                Ok(epoch) => lines.epochs.push((epoch, text.to_owned())),
                Err(_) if text.trim_ascii().is_empty() => {}
                Err(_) if whole => lines.damaged.push(text.to_owned()),
                Err(_) => lines.torn = Some(text.to_owned()),
            }
        }
        lines.bytes = bytes;
        Ok(lines)
    }

    /// The epochs of all lines that can be read.
    pub(super) fn epochs(self) -> Vec<EpochMetrics> {
        self.epochs.into_iter().map(|(epoch, _)| epoch).collect()
    }

    /// Writes the file anew without epochs after the first `epochs`, which are about to be made again, if there are
    /// such; lines that are none go to the end of the file `aside`.
    pub(super) fn keep(self, epochs: u64, path: &Path, aside: &Path) -> io::Result<Loss> {
        let mut kept = Vec::new();
        let mut covered = 0;
        for (epoch, line) in &self.epochs {
            if epoch.epoch <= epochs {
                kept.extend_from_slice(line);
                kept.push(b'\n');
                covered += 1;
            }
        }
        // What a crash cuts off is the line of an epoch that is made again. Else it was a line of this file.
        let torn = self.torn.filter(|_| covered < epochs);
        let damaged: Vec<Vec<u8>> = self.damaged.into_iter().chain(torn).collect();
        if !damaged.is_empty() {
            let mut file = OpenOptions::new().create(true).append(true).open(aside)?;
            for line in &damaged {
                file.write_all(line)?;
                file.write_all(b"\n")?;
            }
            file.sync_all()?;
        }
        if kept != self.bytes || !path.exists() {
            atomic_write::<io::Error>(path, |file| file.write_all(&kept))?;
        }
        Ok(Loss {
            damaged: damaged.len(),
            missing: epochs.saturating_sub(covered),
        })
    }
}

/// What a file of metrics has lost.
#[derive(Debug, PartialEq)]
pub(super) struct Loss {
    /// Lines that are none.
    pub damaged: usize,
    /// Epochs without a line, those of damaged lines among them.
    pub missing: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn line(epoch: u64) -> String {
        let metrics = EpochMetrics {
            epoch,
            step: 5 * epoch,
            learning_rate: 1e-3,
            train_loss: 0.5,
            train_accuracy: Some(0.75),
            validation_loss: None,
            validation_accuracy: None,
            best: true,
            seconds: 0.25,
        };
        serde_json::to_string(&metrics).unwrap()
    }

    /// What is left of `before` after a resume after `epochs` epochs: the file, what was set aside, and how many epochs
    /// have no line.
    #[track_caller]
    fn kept(before: &[u8], epochs: u64) -> (String, Option<Vec<u8>>, u64) {
        let folder = tempfile::tempdir().unwrap();
        let [path, aside] = ["metrics.jsonl", "metrics.damaged"].map(|name| folder.path().join(name));
        fs::write(&path, before).unwrap();
        let loss = Lines::read(&path).unwrap().keep(epochs, &path, &aside).unwrap();
        let aside = fs::read(aside).ok();
        let lines = aside.iter().flatten().filter(|&&byte| byte == b'\n').count();
        assert_eq!(lines, loss.damaged);
        (fs::read_to_string(path).unwrap(), aside, loss.missing)
    }

    #[test]
    fn damaged_lines_are_set_aside_and_those_after_them_stay() {
        let before = format!("{}\nx{}\n\n{}\n", line(1), line(2), line(3));
        let (after, aside, missing) = kept(before.as_bytes(), 3);
        assert_eq!(after, format!("{}\n{}\n", line(1), line(3)));
        assert_eq!(aside, Some(format!("x{}\n", line(2)).into_bytes()));
        assert_eq!(missing, 1);
    }

    #[test]
    fn what_a_crash_cut_off_is_made_again() {
        let before = format!("{}\n{}\n{{\"epoch\":3,\"st", line(1), line(2));
        assert_eq!(
            kept(before.as_bytes(), 2),
            (format!("{}\n{}\n", line(1), line(2)), None, 0)
        );
        // The checkpoint holds three epochs: so it wasn't a crash.
        assert_eq!(kept(before.as_bytes(), 3).1, Some(b"{\"epoch\":3,\"st\n".to_vec()));
    }

    #[test]
    fn bytes_that_are_no_text_are_in_nobodys_way() {
        let mut before = format!("{}\n", line(1)).into_bytes();
        before.push(0xff);
        assert_eq!(kept(&before, 1), (format!("{}\n", line(1)), None, 0));
        before.push(b'\n');
        assert_eq!(kept(&before, 1).1, Some(vec![0xff, b'\n']));
    }

    #[test]
    fn epochs_ahead_of_the_checkpoint_go_and_lines_keep_what_they_say_beside() {
        let more = line(1).replace('}', ",\"beside\":1}");
        let before = format!("{more}\n{}\n", line(2));
        assert_eq!(kept(before.as_bytes(), 1), (format!("{more}\n"), None, 0));
        assert_eq!(kept(line(1).as_bytes(), 1), (format!("{}\n", line(1)), None, 0));
    }

    #[test]
    fn epochs_without_a_line_are_counted() {
        let before = format!("{}\n{}\n", line(1), line(4));
        assert_eq!(kept(before.as_bytes(), 5), (before, None, 3));
        assert_eq!(kept(b"", 2), (String::new(), None, 2));
    }
}
