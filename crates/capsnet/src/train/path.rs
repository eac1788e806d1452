//! Paths in a configuration: text, or bytes where the name of a folder is no UTF-8.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    Text(PathBuf),
    Bytes(Vec<u8>),
}

pub(super) fn serialize<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    match path.to_str() {
        Some(text) => text.serialize(serializer),
        None => path.as_os_str().as_encoded_bytes().serialize(serializer),
    }
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
    match Written::deserialize(deserializer)? {
        Written::Text(path) => Ok(path),
        Written::Bytes(bytes) => from_bytes(bytes).map_err(serde::de::Error::custom),
    }
}

#[cfg(unix)]
fn from_bytes(bytes: Vec<u8>) -> Result<PathBuf, std::string::FromUtf8Error> {
    use std::os::unix::ffi::OsStringExt;
    Ok(std::ffi::OsString::from_vec(bytes).into())
}

#[cfg(not(unix))]
fn from_bytes(bytes: Vec<u8>) -> Result<PathBuf, std::string::FromUtf8Error> {
    String::from_utf8(bytes).map(PathBuf::from)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    struct Held {
        #[serde(with = "super")]
        data: PathBuf,
    }

    #[test]
    fn paths_come_back_as_they_were() {
        for (bytes, written) in [
            (&b"/a/caf\xc3\xa9"[..], "data = \"/a/caf\u{e9}\"\n"),
            (b"/caf\xe9", "data = [47, 99, 97, 102, 233]\n"),
        ] {
            let held = Held {
                data: from_bytes(bytes.to_owned()).unwrap(),
            };
            let text = toml::to_string(&held).unwrap();
            assert_eq!(text, written);
            assert_eq!(toml::from_str::<Held>(&text).unwrap(), held);
        }
    }
}
