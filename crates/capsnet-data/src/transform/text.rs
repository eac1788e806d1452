//! Serialization as the text that a flag takes, so that configuration files and the command line read the same.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{Augment, Normalize, Pipeline, Resample};

macro_rules! serialize_as_text {
    ($($type:ty),*) => {$(
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }
    )*};
}

serialize_as_text!(Augment, Normalize, Pipeline, Resample);
