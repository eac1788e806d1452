//! A table of a declaration: keys of the study itself, and settings of trainings. Tables lie over each other: what a
//! variant says has the last word, before what its model says, before the defaults.

use std::collections::BTreeMap;

use capsnet_data::protocol::Change;
use capsnet_data::transform::Resample;
use toml::{Spanned, Table, Value};

use super::{Declared, Lines};
use crate::protocol::{self, Protocol};
use crate::settings::Setting;
use crate::study::Fault;

pub(super) type SpannedTable = BTreeMap<Spanned<String>, Spanned<Value>>;

/// What a study says beside settings, hyphens and underscores alike.
const OF_STUDY: [&str; 11] = [
    "model",
    "name",
    "note",
    "protocols",
    "same-parameters-as",
    "same-time-as",
    "seeds",
    "test",
    "test-limit",
    "tests",
    "weights-of",
];

/// Settings that no variant can make, and why.
const NOT_HERE: [(&str, &str); 5] = [
    ("data", "the images are those of `capsnet study --data`"),
    ("threads", "they are those of `capsnet study --threads`"),
    ("seed", "a study has `seeds`"),
    ("protocol", "a study trains and tests on the images as they are"),
    ("model.name", "it is the `model`"),
];

/// One table, or several over each other.
#[derive(Default)]
pub(super) struct Layer {
    /// Values and lines of the study's own keys.
    pub of_study: BTreeMap<String, (Value, usize)>,
    /// By the key that they are about, whatever name they were given by.
    settings: BTreeMap<String, Declared>,
}

impl Layer {
    pub(super) fn new(table: &SpannedTable, lines: Lines) -> Self {
        let mut layer = Self::default();
        for (key, value) in table {
            let line = lines.at(key.span().start);
            layer.insert(key.get_ref(), value.get_ref(), line);
        }
        layer
    }

    fn insert(&mut self, key: &str, value: &Value, line: usize) {
        let own = key.replace('_', "-");
        match value {
            // `model = { name = "capsnet", routing = "uniform" }`, or `model.routing = "uniform"` beside another name.
            Value::Table(model) if key == "model" => {
                let mut model = model.clone();
                if let Some(name) = model.remove("name") {
                    self.of_study.insert(own, (name, line));
                }
                self.insert_settings(key, Value::Table(model), line);
            }
            value if OF_STUDY.contains(&own.as_str()) => {
                self.of_study.insert(own, (value.clone(), line));
            }
            value => self.insert_settings(key, value.clone(), line),
        }
    }

    fn insert_settings(&mut self, key: &str, value: Value, line: usize) {
        for setting in Setting::all_of(&Table::from_iter([(key.to_owned(), value)])) {
            let key = setting.key().to_owned();
            self.settings.insert(key, Declared { setting, line });
        }
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.of_study.contains_key(key)
    }

    /// Lays another table over this one.
    pub(super) fn extend(&mut self, over: Self) {
        self.of_study.extend(over.of_study);
        self.settings.extend(over.settings);
    }

    /// Refuses what a variant says beside a key that leaves it no say.
    pub(super) fn refuse_contradictions(&self) -> Result<(), Fault> {
        let own = |key: &&str| self.of_study.get(*key).map(|(_, line)| (*line, (*key).to_owned()));
        let set = |key: &&str| {
            self.settings
                .get(*key)
                .map(|declared| (declared.line, (*key).to_owned()))
        };
        let any = self.settings.values().next();
        let any = any.map(|declared| (declared.line, declared.setting.name.clone()));
        let of_training = ["model", "seeds", "same-parameters-as", "same-time-as"];
        for (key, why, refused) in [
            (
                "weights-of",
                "its weights are another's",
                of_training.iter().find_map(own).or(any),
            ),
            (
                "same-time-as",
                "it trains for as long as another",
                ["epochs", "patience"].iter().find_map(set),
            ),
            (
                "same-parameters-as",
                "its size is another's",
                ["model.parameters"].iter().find_map(set),
            ),
        ] {
            if let (true, Some((line, refused))) = (self.has(key), refused) {
                let message = format!("`{refused}` has no place beside `{key}`: {why}");
                return Err(Fault::new(line, message));
            }
        }
        Ok(())
    }

    /// Forgets the defaults that a variant leaves no say.
    pub(super) fn make_room_for(&mut self, own: &Self) {
        if own.has("same-time-as") {
            self.settings.remove("epochs");
            self.settings.remove("patience");
        }
        if own.has("weights-of") {
            self.settings.clear();
            self.of_study.remove("seeds");
        }
    }

    pub(super) fn text(&mut self, key: &str) -> Result<Option<(String, usize)>, Fault> {
        match self.of_study.remove(key) {
            None => Ok(None),
            Some((Value::String(text), line)) => Ok(Some((text, line))),
            Some((_, line)) => Err(Fault::new(line, format!("`{key}` must be text in quotes"))),
        }
    }

    pub(super) fn seeds(&mut self) -> Result<Option<Vec<u64>>, Fault> {
        let Some((value, line)) = self.of_study.remove("seeds") else {
            return Ok(None);
        };
        let wrong = || Fault::new(line, "`seeds` must be different whole numbers, for example [1, 2, 3]");
        let values = value.as_array().ok_or_else(wrong)?;
        let seeds = values
            .iter()
            .map(|value| value.as_integer().and_then(|seed| seed.try_into().ok()));
        let seeds: Vec<u64> = seeds.collect::<Option<_>>().ok_or_else(wrong)?;
        let repeated = (1..seeds.len()).any(|k| seeds[..k].contains(&seeds[k]));
        if seeds.is_empty() || repeated {
            return Err(wrong());
        }
        Ok(Some(seeds))
    }

    pub(super) fn tests(&mut self) -> Result<Vec<Change>, Fault> {
        let Some((value, line)) = self.of_study.remove("tests") else {
            return Ok(vec![Change::none()]);
        };
        let specs = value
            .as_array()
            .and_then(|values| values.iter().map(Value::as_str).collect());
        let specs = specs.filter(|specs: &Vec<&str>| !specs.is_empty()).ok_or_else(|| {
            let example = "`tests` must be transforms in quotes, for example [\"none\", \"rotate=35\"]";
            Fault::new(line, example)
        })?;
        let parsed = specs.iter().map(|spec| spec.parse());
        parsed
            .collect::<Result<_, _>>()
            .map_err(|error| Fault::new(line, format!("`tests`: {error}")))
    }

    /// Protocols of testing alone.
    pub(super) fn protocols(&mut self) -> Result<Vec<&'static dyn Protocol>, Fault> {
        let Some((value, line)) = self.of_study.remove("protocols") else {
            return Ok(Vec::new());
        };
        let known = protocol::names_where(|protocol| protocol.fits_studies());
        let wrong = || {
            let example = "`protocols` must be different ones in quotes, for example [\"corruptions\"]; studies take";
            Fault::new(line, format!("{example} {}", known.join(", ")))
        };
        let named = |value: &Value| {
            value
                .as_str()
                .and_then(|name| known.iter().position(|known| *known == name))
        };
        let chosen: Option<Vec<usize>> = value.as_array().and_then(|values| values.iter().map(named).collect());
        let chosen = chosen.ok_or_else(wrong)?;
        if (1..chosen.len()).any(|k| chosen[..k].contains(&chosen[k])) {
            return Err(wrong());
        }
        let protocols = chosen.into_iter().map(|index| protocol::by_name(known[index]));
        protocols.collect::<Result<_, _>>().map_err(|_| wrong())
    }

    pub(super) fn test_limit(&mut self) -> Result<Option<usize>, Fault> {
        match self.of_study.remove("test-limit") {
            None => Ok(None),
            Some((Value::Integer(limit), _)) if limit > 0 => Ok(Some(limit as usize)),
            Some((_, line)) => Err(Fault::new(line, "`test-limit` must be a whole number of at least 1")),
        }
    }

    /// What is other in testing than in training.
    pub(super) fn test(&mut self) -> Result<(Option<Resample>, Vec<Declared>), Fault> {
        let (mut table, line) = match self.of_study.remove("test") {
            None => return Ok((None, Vec::new())),
            Some((Value::Table(table), line)) => (table, line),
            Some((_, line)) => {
                let example = "`test` must be a table, for example { couplings = \"uniform\" }";
                return Err(Fault::new(line, example));
            }
        };
        let resample = table.remove("resample").map(|value| {
            let text = value.as_str().unwrap_or_default();
            let parsed = text.parse::<Resample>();
            parsed.map_err(|error| Fault::new(line, format!("`resample`: {error}")))
        });
        let settings = Setting::all_of(&table);
        let declared = settings.into_iter().map(|setting| Declared { setting, line });
        Ok((resample.transpose()?, declared.collect()))
    }

    /// Settings of the training; those that stand for several keys come first, so that single keys have the last word.
    pub(super) fn settings(self) -> Result<Vec<Declared>, Fault> {
        for (key, why) in NOT_HERE {
            if let Some(Declared { line, .. }) = self.settings.get(key) {
                return Err(Fault::new(*line, format!("`{key}` is no setting of a variant: {why}")));
            }
        }
        let is_variant = |declared: &Declared| declared.setting.name == "variant";
        let (first, rest): (Vec<_>, Vec<_>) = self.settings.into_values().partition(is_variant);
        Ok([first, rest].concat())
    }
}
