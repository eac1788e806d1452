//! What the lab is asked over HTTP.

use std::cell::RefCell;

use burn::prelude::Device;
use capsnet::loaded::LoadedModel;
use capsnet::pretrained;
use capsnet_lab::Lab;
use capsnet_lab::runs::Runs;

use super::runs::CONFIG;
use crate::plain::scratch;

/// A question of the page: its name in the first line, then JSON.
pub(crate) fn lab(bytes: &[u8]) {
    thread_local! {
        static LAB: RefCell<Lab> = RefCell::new({
            let device = Device::flex();
            let model = |name| {
                let inside = pretrained::find(name).expect("it is inside");
                LoadedModel::pretrained(&inside, &device).expect("it is sound")
            };
            let models = vec![model("lenet5"), model("equivariant-capsnet")];
            Lab::new(models, capsnet_data::embedded::digits(), device.clone()).expect("they fit")
        });
    }
    let Some(end) = bytes.iter().position(|&byte| byte == b'\n') else {
        return;
    };
    let Ok(question) = std::str::from_utf8(&bytes[..end]) else {
        return;
    };
    let answer = LAB.with_borrow_mut(|lab| lab.answer(question, &bytes[end + 1..]));
    if let Ok(answer) = answer {
        serde_json::from_str::<serde_json::Value>(&answer).expect("answers are JSON");
    }
}

/// Names of runs and pictures in the lab, a line each.
pub(crate) fn paths(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let mut lines = text.lines();
    let (Some(run), Some(file)) = (lines.next(), lines.next()) else {
        return;
    };
    scratch::with_files(&[("secret.png", b"secret"), ("runs/r/config.toml", CONFIG)], |folder| {
        let runs = Runs::new(folder.join("runs"), None);
        if let Ok(path) = runs.path(run) {
            assert_eq!(path, folder.join("runs/r"), "{run}");
        }
        assert!(runs.image(run, file).is_err(), "{run} {file}");
    });
}
