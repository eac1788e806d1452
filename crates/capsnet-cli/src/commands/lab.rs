//! `capsnet lab`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use anyhow::{Context, Result};
use capsnet::model::ModelConfig;
use capsnet::pretrained;
use capsnet_data::dataset::Split;
use capsnet_lab::{Lab, Options, serve};
use clap::Args;

use crate::args::{DataArgs, ModelsArgs};
use crate::output::{line, note, open};
use crate::stop::{STOP, stop_when_asked};

pub(crate) const EXAMPLES: &str = "Examples:
  capsnet lab
  capsnet lab --models lenet5,equivariant-capsnet --weights mine=runs/mine/best.safetensors
  capsnet lab --runs studies/results --port 0

It listens to this machine alone. With --listen 0.0.0.0 others can reach it too, by an address with a token in it that
is drawn anew each time; what they send and get is not encrypted.";

/// Those that the page shows where none is named, as far as their weights are there.
const USUAL: [&str; 3] = ["lenet5", "capsnet", "equivariant-capsnet"];

#[derive(Args, Debug)]
pub(crate) struct LabArgs {
    #[command(flatten)]
    models: ModelsArgs,
    #[command(flatten)]
    data: DataArgs,
    /// Folder with the runs and results to show; trainings that the page starts go there too
    #[arg(long, value_name = "DIR", default_value = "runs")]
    runs: PathBuf,
    /// Show the page in the browser
    #[arg(long)]
    open: bool,
    /// The address to listen on
    #[arg(long, value_name = "IP", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    listen: IpAddr,
    /// The port to listen on; 0 for any that is free
    #[arg(long, value_name = "N", default_value_t = 7777)]
    port: u16,
}

pub(crate) fn run(args: &LabArgs) -> Result<()> {
    let device = args.data.compute.start()?;
    let mut models = args.models.clone();
    if models.models.is_empty() && models.weights.is_empty() {
        let there = USUAL.into_iter().filter(|name| pretrained::find(name).is_ok());
        models.models = there.filter_map(ModelConfig::named).collect();
    }
    let models = models.load(&device)?;
    let digits = args.data.load(Split::Test)?;
    let lab = Lab::new(models, digits, device)?;
    stop_when_asked("closing the lab")?;
    let options = Options {
        listen: SocketAddr::new(args.listen, args.port),
        runs: args.runs.clone(),
        program: Some(std::env::current_exe().context("can't find this program's own file")?),
    };
    let mut said = Ok(());
    serve(lab, &options, &STOP, &mut |address| {
        said = line(format_args!("the lab is open at {}", address.url()));
        if args.open {
            open(address.url());
        }
        note(format_args!(
            "Ctrl-C closes it, and stops trainings that were started from the page with a checkpoint"
        ));
    })?;
    said
}
