//! Parameters of a statement.

use super::Timestamp;

/// A parameter. Each variant keeps its type even when it is null, because PostgreSQL wants to
/// know the type of a null.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Text.
    Text(Option<String>),
    /// A number; always 64 bits wide.
    Int(Option<i64>),
    /// Yes or no.
    Bool(Option<bool>),
    /// A point in time.
    Time(Option<Timestamp>),
    /// Octets.
    Bytes(Option<Vec<u8>>),
    /// Many numbers as one parameter; [`Sql::push_numbers`](super::Sql::push_numbers) makes it.
    Numbers(Vec<i64>),
}

/// Whatever can be a parameter.
pub trait ToValue {
    /// The null of this type.
    const NULL: Value;

    /// The parameter.
    fn to_value(self) -> Value;
}

macro_rules! to_value {
    ($($ty:ty => $variant:ident |$v:ident| $value:expr),* $(,)?) => {$(
        impl ToValue for $ty {
            const NULL: Value = Value::$variant(None);

            fn to_value(self) -> Value {
                let $v = self;
                Value::$variant(Some($value))
            }
        }
    )*};
}

to_value! {
    &str => Text |v| v.to_owned(),
    &String => Text |v| v.clone(),
    String => Text |v| v,
    i64 => Int |v| v,
    bool => Bool |v| v,
    Timestamp => Time |v| v,
    Vec<u8> => Bytes |v| v,
    &[u8] => Bytes |v| v.to_vec(),
    [u8; 32] => Bytes |v| v.to_vec(),
}

impl<T: ToValue> ToValue for Option<T> {
    const NULL: Value = T::NULL;

    fn to_value(self) -> Value {
        self.map_or(T::NULL, T::to_value)
    }
}

/// JSON is kept as text on both databases, so that it comes back byte for byte.
impl ToValue for &serde_json::Value {
    const NULL: Value = Value::Text(None);

    fn to_value(self) -> Value {
        Value::Text(Some(self.to_string()))
    }
}

impl ToValue for Value {
    const NULL: Value = Value::Text(None);

    fn to_value(self) -> Value {
        self
    }
}

/// An enumeration that is text in the database, in JSON and on the screen: closed, so that an
/// unknown word is an error wherever it turns up.
///
/// ```
/// identity_center::store::text_enum! {
///     /// Where a user came from.
///     pub enum Source {
///         /// Made by an administrator.
///         Manual = "manual",
///     }
/// }
/// assert_eq!("manual".parse::<Source>().ok(), Some(Source::Manual));
/// ```
#[macro_export]
macro_rules! text_enum {
    (
        $(#[$meta:meta])*
        $vis:vis enum $name:ident {
            $($(#[$variant_meta:meta])* $variant:ident = $text:literal),+ $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord,
                 serde::Serialize, serde::Deserialize)]
        $vis enum $name {
            $($(#[$variant_meta])* #[serde(rename = $text)] $variant),+
        }

        impl $name {
            /// Every value there is.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word it goes by.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text),+
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                match text {
                    $($text => Ok(Self::$variant),)+
                    other => Err(format!("unknown {} {other:?}", stringify!($name))),
                }
            }
        }

        impl $crate::store::ToValue for $name {
            const NULL: $crate::store::Value = $crate::store::Value::Text(None);

            fn to_value(self) -> $crate::store::Value {
                $crate::store::Value::Text(Some(self.as_str().to_owned()))
            }
        }

        impl<DB: sqlx::Database> sqlx::Type<DB> for $name
        where
            str: sqlx::Type<DB>,
        {
            fn type_info() -> DB::TypeInfo {
                <str as sqlx::Type<DB>>::type_info()
            }

            fn compatible(ty: &DB::TypeInfo) -> bool {
                <str as sqlx::Type<DB>>::compatible(ty)
            }
        }

        impl<'r, DB: sqlx::Database> sqlx::Decode<'r, DB> for $name
        where
            &'r str: sqlx::Decode<'r, DB>,
        {
            fn decode(value: DB::ValueRef<'r>) -> Result<Self, sqlx::error::BoxDynError> {
                Ok(<&'r str as sqlx::Decode<'r, DB>>::decode(value)?.parse::<Self>()?)
            }
        }
    };
}
pub use text_enum;
