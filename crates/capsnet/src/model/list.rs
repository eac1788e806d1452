//! One list makes one type of all models.
//!
//! Burn's modules can't be made into objects, so a network of any kind is an enum of the kinds that there are. The
//! macro writes it and its configuration's, and passes everything on to the model's own file.

/// Declares the file of each model and writes `ModelConfig` and `AnyNetwork`: a line has the model's name, its file,
/// and what the file calls its network and its configuration.
///
/// Names are those of files and of the command line and never change; neither does what a network is called, which is
/// part of the names in checkpoints.
macro_rules! models {
    ($($name:literal => $file:ident::{$variant:ident, $config:ident},)+) => {
        $(
            mod $file;
            pub use $file::{$variant, $config};
        )+

        /// The configuration of any of the models that come with this library.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "name")]
        pub enum ModelConfig {
            $(
                #[doc = concat!("`", $name, "`.")]
                #[serde(rename = $name)]
                $variant($config),
            )+
        }

        /// The network of any of the models that come with this library.
        // A process holds a few of them, and modules can't be boxed.
        #[allow(clippy::large_enum_variant)]
        #[derive(Module, Debug)]
        pub enum AnyNetwork {
            $(
                #[doc = concat!("`", $name, "`.")]
                $variant($variant),
            )+
        }

        impl ModelConfig {
            /// Every model as it is unless said otherwise, in the order of the list.
            pub fn all() -> Vec<Self> {
                vec![$(Self::$variant(<$config>::default())),+]
            }

            /// The names of all of them.
            pub fn names() -> Vec<&'static str> {
                Self::all().iter().map(Architecture::name).collect()
            }
        }

        $(
            impl From<$config> for ModelConfig {
                fn from(config: $config) -> Self {
                    Self::$variant(config)
                }
            }
        )+

        impl Architecture for ModelConfig {
            type Network = AnyNetwork;

            fn name(&self) -> &'static str {
                match self { $(Self::$variant(config) => config.name(),)+ }
            }

            fn title(&self) -> &'static str {
                match self { $(Self::$variant(config) => config.title(),)+ }
            }

            fn about(&self) -> &'static str {
                match self { $(Self::$variant(config) => config.about(),)+ }
            }

            fn input(&self) -> Input {
                match self { $(Self::$variant(config) => config.input(),)+ }
            }

            fn set_input(&mut self, input: Input) {
                match self { $(Self::$variant(config) => config.set_input(input),)+ }
            }

            fn validate(&self) -> Result<(), ConfigError> {
                match self { $(Self::$variant(config) => config.validate(),)+ }
            }

            fn init(&self, device: &Device) -> AnyNetwork {
                match self { $(Self::$variant(config) => AnyNetwork::$variant(config.init(device)),)+ }
            }

            fn initial(&self, tensor: &str) -> Initial {
                match self { $(Self::$variant(config) => config.initial(tensor),)+ }
            }

            fn usual_training(&self) -> Defaults {
                match self { $(Self::$variant(config) => config.usual_training(),)+ }
            }

            fn timing(&self) -> Timing {
                match self { $(Self::$variant(config) => config.timing(),)+ }
            }

            fn recognise(weights: &StateDict) -> Option<Self> {
                None$(.or_else(|| <$config>::recognise(weights).map(Self::$variant)))+
            }

            fn usual() -> Vec<Self> {
                Self::all()
            }

            fn names_classes(&self) -> bool {
                match self { $(Self::$variant(config) => config.names_classes(),)+ }
            }

            fn no_pairs(&self) -> Option<&'static str> {
                match self { $(Self::$variant(config) => config.no_pairs(),)+ }
            }
        }

        impl Network for AnyNetwork {
            fn forward_observed(&self, images: Tensor<4>, observer: &mut dyn Observer) -> Output {
                match self { $(Self::$variant(net) => net.forward_observed(images, observer),)+ }
            }

            fn loss(&self, output: &Output, images: Tensor<4>, classes: Tensor<1, Int>) -> Tensor<1> {
                match self { $(Self::$variant(net) => net.loss(output, images, classes),)+ }
            }

            fn pair_loss(&self, output: &Output, parts: [Tensor<2>; 2], classes: [Tensor<1, Int>; 2]) -> Tensor<1> {
                match self { $(Self::$variant(net) => net.pair_loss(output, parts, classes),)+ }
            }

            fn at_step(&mut self, step: u64) {
                match self { $(Self::$variant(net) => net.at_step(step),)+ }
            }

            fn score_kind(&self) -> ScoreKind {
                match self { $(Self::$variant(net) => net.score_kind(),)+ }
            }

            fn probabilities(&self, output: &Output) -> Tensor<2> {
                match self { $(Self::$variant(net) => net.probabilities(output),)+ }
            }

            fn reconstruct(&self, output: &Output, classes: Tensor<1, Int>) -> Option<Tensor<2>> {
                match self { $(Self::$variant(net) => net.reconstruct(output, classes),)+ }
            }

            fn routed(&self, images: Tensor<4>) -> Option<RoutedCapsules> {
                match self { $(Self::$variant(net) => net.routed(images),)+ }
            }

            fn frozen(&self, image: ImageShape, precision: Precision) -> Option<Frozen> {
                match self { $(Self::$variant(net) => net.frozen(image, precision),)+ }
            }
        }

        impl Named for AnyNetwork {
            fn exchange(&mut self, at: &str, with: &mut impl Exchange) {
                match self { $(Self::$variant(net) => net.exchange(at, with),)+ }
            }
        }

        #[cfg(test)]
        #[test]
        fn the_list_says_the_names_that_the_models_say() {
            let names = ModelConfig::names();
            assert_eq!(names, [$($name),+]);
        }
    };
}
