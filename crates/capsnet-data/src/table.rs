//! Enums whose values are the rows of one table: what is known of a value stands in its row, and nowhere else.

/// Writes an enum, its list `ALL`, its names as text both ways, and the error of a name that is none of them.
///
/// A row is a struct with a field `name`; the methods that tell its other fields are the module's own, by `self.row()`.
macro_rules! table {
    (
        $(#[$about:meta])*
        pub enum $Enum:ident: $Row:ident, $what:literal, $Unknown:ident {
            $($(#[$doc:meta])* $Value:ident { $($row:tt)* })*
        }
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $Enum {
            $($(#[$doc])* $Value,)*
        }

        impl $Enum {
            const ROWS: &'static [$Row] = &[$($Row { $($row)* }),*];

            /// All of them, in the order of the documentation.
            pub const ALL: [Self; Self::ROWS.len()] = [$(Self::$Value),*];

            const fn row(self) -> &'static $Row {
                &Self::ROWS[self as usize]
            }

            /// The name used on the command line and in files.
            pub const fn name(self) -> &'static str {
                self.row().name
            }
        }

        impl std::fmt::Display for $Enum {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name())
            }
        }

        /// A name that is none of them.
        #[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
        #[error(
            "there is no {what} `{0}`; known are {known}",
            what = $what,
            known = $Enum::ALL.map($Enum::name).join(", ")
        )]
        pub struct $Unknown(pub String);

        impl std::str::FromStr for $Enum {
            type Err = $Unknown;

            fn from_str(name: &str) -> Result<Self, $Unknown> {
                let found = Self::ALL.into_iter().find(|value| value.name() == name);
                found.ok_or_else(|| $Unknown(name.to_owned()))
            }
        }
    };
}

pub(crate) use table;
