//! A lab that is open while a test runs, of the weights inside the library, and a way to send it bytes.

// Each test file uses its own part of it.
#![allow(dead_code)]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::thread::JoinHandle;
use std::time::Duration;

use burn::prelude::Device;
use capsnet::loaded::LoadedModel;
use capsnet_lab::{Lab, Options, serve};
use tempfile::TempDir;

/// A lab under way.
pub(crate) struct Open {
    /// Where this machine finds it.
    pub(crate) listen: SocketAddr,
    pub(crate) token: Option<String>,
    /// The folder above the runs'; there is one run, `mine`.
    pub(crate) home: TempDir,
    stop: Arc<AtomicBool>,
    server: Option<JoinHandle<()>>,
}

impl Open {
    /// To this machine alone.
    pub(crate) fn here() -> Self {
        Self::at("127.0.0.1:0")
    }

    /// With CapsNet too, whose weights are those of the checkout.
    pub(crate) fn with_all_models() -> Self {
        let names = ["lenet5", "capsnet", "equivariant-capsnet"];
        Self::of("127.0.0.1:0", move |device| {
            names.map(|name| pretrained(name, device)).into()
        })
    }

    pub(crate) fn at(listen: &str) -> Self {
        Self::of(listen, |device| {
            ["lenet5", "equivariant-capsnet"]
                .map(|name| pretrained(name, device))
                .into()
        })
    }

    fn of(listen: &str, models: impl FnOnce(&Device) -> Vec<LoadedModel> + Send + 'static) -> Self {
        let home = tempfile::tempdir().unwrap();
        let run = home.path().join("runs/mine");
        std::fs::create_dir_all(run.join("record")).unwrap();
        std::fs::write(run.join("config.toml"), "epochs = 3\n\n[model]\nname = \"lenet5\"\n").unwrap();
        let options = Options {
            listen: listen.parse().unwrap(),
            runs: home.path().join("runs"),
            program: None,
        };
        let stop = Arc::new(AtomicBool::new(false));
        let (sender, receiver) = channel();
        let stopped = stop.clone();
        let server = std::thread::spawn(move || {
            let device = Device::flex();
            let lab = Lab::new(models(&device), capsnet_data::embedded::digits(), device.clone()).unwrap();
            serve(lab, &options, &stopped, &mut |address| {
                sender.send(address.clone()).unwrap()
            })
            .unwrap();
        });
        let address = receiver.recv_timeout(Duration::from_secs(60)).expect("the lab opens");
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], address.listen.port())),
            token: address.token,
            home,
            stop,
            server: Some(server),
        }
    }

    /// Sends bytes and reads all that comes back.
    pub(crate) fn send(&self, text: &str) -> String {
        let mut stream = TcpStream::connect(self.listen).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        // It may be closed before all of it was sent.
        let _ = stream.write_all(text.as_bytes());
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(server) = self.server.take() {
            let _ = server.join();
        }
    }
}

/// A model with the weights inside the library.
pub(crate) fn pretrained(name: &str, device: &Device) -> LoadedModel {
    LoadedModel::pretrained(&capsnet::pretrained::find(name).unwrap(), device).unwrap()
}

/// The number in the first line of an answer; 0 if there is none.
pub(crate) fn status(answer: &str) -> u16 {
    answer
        .split(' ')
        .nth(1)
        .and_then(|number| number.parse().ok())
        .unwrap_or(0)
}

pub(crate) fn head(answer: &str) -> &str {
    answer.split("\r\n\r\n").next().unwrap_or_default()
}

pub(crate) fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").map_or("", |(_, body)| body)
}
