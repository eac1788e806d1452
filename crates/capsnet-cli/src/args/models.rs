//! Flags that name several models.

use std::path::PathBuf;
use std::str::FromStr;

use capsnet::model::{Architecture, ModelConfig};
use clap::Args;

use super::shared::model;

/// Which models, and with which weights.
#[derive(Args, Debug, Clone)]
pub struct ModelsArgs {
    /// Models with the weights that come with capsnet, separated by commas [default: lenet5,capsnet, unless --weights names
    /// others]
    #[arg(long, value_name = "A,B,..", value_delimiter = ',', value_parser = model())]
    pub models: Vec<ModelConfig>,
    /// Weights files, safetensors or PyTorch, under a name of your own if one is given; the file says which model it is
    #[arg(long, value_name = "[NAME=]FILE", num_args = 1..)]
    pub weights: Vec<NamedFile>,
}

impl ModelsArgs {
    /// The flags as they were given.
    pub fn words(&self) -> Vec<String> {
        let mut words = Vec::new();
        let models: Vec<&str> = self.models.iter().map(|model| model.name()).collect();
        if !models.is_empty() {
            words.extend(["--models".to_owned(), models.join(",")]);
        }
        for NamedFile { name, path } in &self.weights {
            let file = path.display();
            let value = name.as_ref().map_or(file.to_string(), |name| format!("{name}={file}"));
            words.extend(["--weights".to_owned(), value]);
        }
        words
    }
}

/// A weights file, and the name that it goes by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedFile {
    /// The name, if one was given.
    pub name: Option<String>,
    /// The file.
    pub path: PathBuf,
}

impl FromStr for NamedFile {
    type Err = String;

    /// What stands before the first `=` is a name, unless it looks like a folder.
    fn from_str(text: &str) -> Result<Self, String> {
        let (name, path) = match text.split_once('=') {
            Some((name, path)) if !name.contains(['/', '\\']) => (Some(name.trim()), path),
            _ => (None, text),
        };
        if name == Some("") || path.is_empty() {
            return Err("a file is needed, or NAME=FILE".to_owned());
        }
        Ok(Self {
            name: name.map(str::to_owned),
            path: PathBuf::from(path),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        models: ModelsArgs,
    }

    fn parsed(line: &str) -> ModelsArgs {
        Line::try_parse_from(line.split(' ')).unwrap().models
    }

    #[test]
    fn weights_may_have_names() {
        let file = |text: &str| text.parse::<NamedFile>();
        let named = |name: Option<&str>, path: &str| NamedFile {
            name: name.map(str::to_owned),
            path: path.into(),
        };
        assert_eq!(file("a.pt").unwrap(), named(None, "a.pt"));
        assert_eq!(
            file("half turn=runs/a=b.pt").unwrap(),
            named(Some("half turn"), "runs/a=b.pt")
        );
        assert_eq!(file("runs/a=b.pt").unwrap(), named(None, "runs/a=b.pt"));
        for text in ["", "=a.pt", "a=", " =a.pt"] {
            assert!(file(text).is_err(), "{text}");
        }
        let many = parsed("capsnet --weights a b=c --weights d");
        assert!(many.models.is_empty());
        assert_eq!(many.weights.len(), 3);
        assert_eq!(many.words(), ["--weights", "a", "--weights", "b=c", "--weights", "d"]);
        assert_eq!(
            parsed("capsnet --models cnn,lenet5").words(),
            ["--models", "cnn,lenet5"]
        );
    }
}
