//! Flags that are names for keys of `config.toml`, made out of the library's table of them.

use capsnet::settings::{FLAGS, Flag, Setting, Several};
use clap::error::Error;
use clap::{Arg, ArgAction, ArgGroup, ArgMatches, Args, Command, FromArgMatches};
use toml::Value;

/// The group of these flags but `--epochs`, for what they don't go together with: a run that goes on has its settings,
/// and may only be made longer.
pub(crate) const GROUP: &str = "settings";

/// The settings that were given by flags, in the order of the table.
#[derive(Clone, Debug, Default)]
pub(crate) struct SettingFlags(pub Vec<Setting>);

impl Args for SettingFlags {
    fn augment_args(command: Command) -> Command {
        let group = ArgGroup::new(GROUP)
            .multiple(true)
            .args(FLAGS.iter().map(|flag| flag.name).filter(|&name| name != "epochs"));
        command.args(FLAGS.iter().map(argument)).group(group)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for SettingFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let given = |flag: &Flag| {
            let setting = Setting::new(flag.name, value(flag, matches)?);
            Some(setting.asked_as(format!("--{}", flag.name)))
        };
        Ok(Self(FLAGS.iter().filter_map(given).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

fn argument(flag: &'static Flag) -> Arg {
    let argument = Arg::new(flag.name)
        .long(flag.name)
        .help(flag.help())
        .help_heading(if flag.is_of_model() { "The model" } else { "Training" })
        .conflicts_with_all(flag.rules_out);
    if flag.is_switch() {
        return argument.action(ArgAction::SetTrue);
    }
    let argument = argument.value_name(flag.value_name).value_parser(move |text: &str| {
        let text = Value::String(text.to_owned());
        flag.read(&text).map(|_| text)
    });
    match flag.several {
        Several::No => argument,
        Several::Repeated => argument.action(ArgAction::Append),
        Several::Commas => argument.action(ArgAction::Append).value_delimiter(','),
    }
}

/// What was given, if anything was.
fn value(flag: &Flag, matches: &ArgMatches) -> Option<Value> {
    if flag.is_switch() {
        return matches.get_flag(flag.name).then_some(Value::Boolean(true));
    }
    let mut values = matches.get_many::<Value>(flag.name)?.cloned();
    match flag.several {
        Several::No => values.next(),
        Several::Repeated | Several::Commas => Some(Value::Array(values.collect())),
    }
}
