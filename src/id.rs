//! Identifiers.
//!
//! Each id is one 62-bit integer: 42 bits of milliseconds since 1970 and 20 bits of a counter
//! that starts at random. Rows made one after the other lie beside each other in every index, and
//! of what comes to be in one millisecond the later has the greater id.
//! Outward an id is a prefix and 12 digits of base 36, as in the public API ("z-…", "u-…").

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use crate::{secret, store::Timestamp};

const COUNTER_BITS: u32 = 20;
const COUNTER_MASK: i64 = (1 << COUNTER_BITS) - 1;
/// Where a millisecond's first count lies at most: half a million ids can follow it in order.
const FIRST_MASK: i64 = COUNTER_MASK >> 1;
const DIGITS: usize = 12;

/// A text that is no id of the kind that is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an id of this kind")]
pub struct InvalidId;

/// Makes ids. Cheap to clone; all clones share one counter.
#[derive(Clone, Debug)]
pub struct Ids {
    last: Arc<AtomicI64>,
}

impl Ids {
    /// Ids whose counter starts at random.
    pub fn new() -> Result<Self, secret::Error> {
        let start = i64::from(u32::from_be_bytes(secret::random::<4>()?)) & COUNTER_MASK;
        Ok(Self { last: Arc::new(AtomicI64::new(start)) })
    }

    /// The next id, for something that comes to be now.
    pub fn next<T: From<i64>>(&self, now: Timestamp) -> T {
        let millisecond = first_of(now);
        let after = |last: i64| {
            let count = (last & COUNTER_MASK) + 1;
            // Where the counter would begin anew, it does so between two milliseconds.
            let mask = if last & !COUNTER_MASK == millisecond { COUNTER_MASK } else { FIRST_MASK };
            millisecond | count & mask
        };
        let mut last = self.last.load(Ordering::Relaxed);
        loop {
            let next = after(last);
            match self.last.compare_exchange_weak(last, next, Ordering::Relaxed, Ordering::Relaxed)
            {
                Ok(_) => return T::from(next),
                Err(other) => last = other,
            }
        }
    }
}

/// The least id that something made at this time can have.
pub fn first_of(at: Timestamp) -> i64 {
    at.as_millisecond().clamp(0, (1 << 42) - 1) << COUNTER_BITS
}

/// The 12 digits of an id.
pub fn to_base36(number: i64) -> String {
    let mut rest = number.unsigned_abs();
    let mut digits = [b'0'; DIGITS];
    for digit in digits.iter_mut().rev() {
        // A remainder by 36 is below 36.
        let value = u8::try_from(rest % 36).unwrap_or(0);
        *digit = if value < 10 { b'0' + value } else { b'a' + value - 10 };
        rest /= 36;
    }
    digits.iter().map(|digit| char::from(*digit)).collect()
}

/// The number that 12 digits stand for, in lower case only, so that an id has one spelling.
pub fn from_base36(text: &str) -> Result<i64, InvalidId> {
    if text.len() != DIGITS {
        return Err(InvalidId);
    }
    text.bytes().try_fold(0_i64, |number, digit| {
        let value = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'z' => digit - b'a' + 10,
            _ => return Err(InvalidId),
        };
        number.checked_mul(36).and_then(|n| n.checked_add(i64::from(value))).ok_or(InvalidId)
    })
}

/// A number with a meaning of its own: a column, a parameter, and how it is shown.
macro_rules! number_type {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub i64);

        impl From<i64> for $name {
            fn from(number: i64) -> Self {
                Self(number)
            }
        }

        impl $crate::store::ToValue for $name {
            const NULL: $crate::store::Value = $crate::store::Value::Int(None);

            fn to_value(self) -> $crate::store::Value {
                $crate::store::Value::Int(Some(self.0))
            }
        }

        impl<DB: sqlx::Database> sqlx::Type<DB> for $name
        where
            i64: sqlx::Type<DB>,
        {
            fn type_info() -> DB::TypeInfo {
                <i64 as sqlx::Type<DB>>::type_info()
            }

            fn compatible(ty: &DB::TypeInfo) -> bool {
                <i64 as sqlx::Type<DB>>::compatible(ty)
            }
        }

        impl<'r, DB: sqlx::Database> sqlx::Decode<'r, DB> for $name
        where
            i64: sqlx::Decode<'r, DB>,
        {
            fn decode(value: DB::ValueRef<'r>) -> Result<Self, sqlx::error::BoxDynError> {
                <i64 as sqlx::Decode<'r, DB>>::decode(value).map(Self)
            }
        }
    };
}

macro_rules! id_type {
    ($($(#[$meta:meta])* $name:ident = $prefix:literal;)+) => {$(
        number_type! { $(#[$meta])* $name }

        impl $name {
            /// What its text begins with.
            pub const PREFIX: &'static str = $prefix;
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}{}", $prefix, to_base36(self.0))
            }
        }

        impl std::str::FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                from_base36(text.strip_prefix($prefix).ok_or(InvalidId)?).map(Self)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )+};
}

id_type! {
    /// An organisation.
    OrganizationId = "org-";
    /// A department of an organisation.
    DepartmentId = "d-";
    /// A space.
    SpaceId = "z-";
    /// A user of the directory.
    UserId = "u-";
    /// A group of the directory.
    GroupId = "g-";
    /// A permission configuration.
    ConfigurationId = "rc-";
    /// A deployment: a configuration made real in one account.
    DeploymentId = "dp-";
    /// An assignment: identity × account × configuration.
    AssignmentId = "ra-";
    /// A user sync.
    UserSyncId = "up-";
    /// Something in an account that is not as it was recorded.
    DriftId = "dr-";
    /// A task.
    TaskId = "t-";
    /// Something to be made by hand in an account of another cloud.
    ManualStepId = "ms-";
    /// A SCIM token.
    CredentialId = "scimcred-";
    /// A certificate of the identity provider people sign in at.
    CertificateId = "idp-c-";
    /// A session at the identity provider, that sessions of ours came from.
    IdpSessionId = "idp-s-";
    /// What is proposed for that identity provider.
    ProposalId = "idp-p-";
    /// A key pair of a space.
    KeyPairId = "kp-";
    /// A recorded attempt to sign in.
    AttemptId = "sa-";
    /// A test sign-in.
    SignInTestId = "st-";
    /// A record of the audit log.
    AuditId = "au-";
    /// A SCIM request that the recorder remembers.
    ScimRequestId = "sr-";
    /// A bulk request that is answered later.
    AsynchronousRequestId = "ar-";
    /// A role session in the embedded cloud.
    RoleSessionId = "rs-";
    /// A CAM role of the embedded cloud.
    RoleId = "r-";
    /// A place that events of the directory are sent to.
    EndpointId = "ee-";
    /// An event of the directory.
    EventId = "ev-";
    /// Who may ask for what: one identity, account and configuration.
    RequestScopeId = "rq-";
}

number_type! {
    /// An access request. Outward it is 16 hexadecimal digits, as in the public API ("apply-…").
    RequestId
}

impl std::fmt::Display for RequestId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "apply-{:016x}", self.0)
    }
}

impl std::str::FromStr for RequestId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let digits = text.strip_prefix("apply-").ok_or(InvalidId)?;
        let is_one = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if digits.len() != 16 || !digits.bytes().all(is_one) {
            return Err(InvalidId);
        }
        i64::from_str_radix(digits, 16).map(Self).map_err(|_| InvalidId)
    }
}

impl serde::Serialize for RequestId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for RequestId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// An identity: a user or a group as the subject of access.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Principal {
    /// One user.
    User(UserId),
    /// Everybody in one group.
    Group(GroupId),
}

crate::store::text_enum! {
    /// Which kind of identity.
    pub enum PrincipalKind {
        /// A user.
        User = "user",
        /// A group.
        Group = "group",
    }
}

impl Principal {
    /// The identity of a kind with a number, as a table keeps it in two columns.
    pub fn new(kind: PrincipalKind, number: i64) -> Self {
        match kind {
            PrincipalKind::User => Self::User(UserId(number)),
            PrincipalKind::Group => Self::Group(GroupId(number)),
        }
    }

    /// Which kind it is.
    pub fn kind(self) -> PrincipalKind {
        match self {
            Self::User(_) => PrincipalKind::User,
            Self::Group(_) => PrincipalKind::Group,
        }
    }

    /// Its number, without the kind.
    pub fn number(self) -> i64 {
        match self {
            Self::User(id) => id.0,
            Self::Group(id) => id.0,
        }
    }
}

impl std::fmt::Display for Principal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::User(id) => id.fmt(f),
            Self::Group(id) => id.fmt(f),
        }
    }
}

impl std::str::FromStr for Principal {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        text.parse().map(Self::User).or_else(|_| text.parse().map(Self::Group))
    }
}

number_type! {
    /// The number of a cloud account, or of a CAM user in it.
    Uin
}

impl std::fmt::Display for Uin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl std::str::FromStr for Uin {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        if text.is_empty() || text.len() > 18 || !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(InvalidId);
        }
        text.parse().map(Self).map_err(|_| InvalidId)
    }
}

impl serde::Serialize for Uin {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(self.0)
    }
}

impl<'de> serde::Deserialize<'de> for Uin {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        i64::deserialize(deserializer).map(Self)
    }
}

/// A fresh number for an account or a CAM user: 12 digits. Whoever inserts it tries again on the
/// rare clash.
pub fn new_uin() -> Result<Uin, secret::Error> {
    let number = u64::from_be_bytes(secret::random::<8>()?) % 99_000_000_000;
    Ok(Uin(100_000_000_000 + i64::try_from(number).unwrap_or(0)))
}

/// A fresh number for a department, as the public API knows it.
pub fn new_node_id() -> Result<i64, secret::Error> {
    Ok(1_000_000 + i64::from(u32::from_be_bytes(secret::random::<4>()?) >> 1))
}

/// A fresh version 4 UUID, for request ids.
pub fn new_uuid() -> Result<String, secret::Error> {
    let mut bytes = secret::random::<16>()?;
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let number = u128::from_be_bytes(bytes);
    let part = |from: u32, bits: u32| number >> from & ((1 << bits) - 1);
    let (first, last) = (part(96, 32), part(0, 48));
    let [second, third, fourth] = [part(80, 16), part(64, 16), part(48, 16)];
    Ok(format!("{first:08x}-{second:04x}-{third:04x}-{fourth:04x}-{last:012x}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ids_have_one_spelling() {
        let id = UserId(7);
        assert_eq!(id.to_string(), "u-000000000007");
        assert_eq!("u-000000000007".parse(), Ok(id));
        for wrong in
            ["g-000000000007", "u-00000000007", "u-00000000000A", "u-zzzzzzzzzzzz0", "", "u-"]
        {
            assert_eq!(wrong.parse::<UserId>(), Err(InvalidId), "{wrong}");
        }
    }

    #[test]
    fn ids_of_requests_have_one_spelling_too() {
        let id = RequestId(0x3f5a_7c9e_1b2d_4f6a);
        assert_eq!(id.to_string(), "apply-3f5a7c9e1b2d4f6a");
        assert_eq!("apply-3f5a7c9e1b2d4f6a".parse(), Ok(id));
        for wrong in [
            "3f5a7c9e1b2d4f6a",
            "apply-3F5A7C9E1B2D4F6A",
            "apply-3f5a7c9e1b2d4f6",
            "apply-",
            "apply-+f5a7c9e1b2d4f6a",
            "apply-ff5a7c9e1b2d4f6a",
            "apply-3f5a7c9e1b2d4f6a0",
        ] {
            assert_eq!(wrong.parse::<RequestId>(), Err(InvalidId), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn act_09_every_id_survives_its_text(number in 0_i64..1 << 62) {
            prop_assert_eq!(from_base36(&to_base36(number)), Ok(number));
        }
    }

    #[test]
    fn ids_of_one_millisecond_grow_wherever_the_counter_stands() {
        let now = Timestamp::from_second(1_795_000_000);
        for count in [0, 1, FIRST_MASK - 1, FIRST_MASK, COUNTER_MASK - 1, COUNTER_MASK] {
            let ids = Ids { last: Arc::new(AtomicI64::new(count)) };
            let many: Vec<i64> = (0..10_000).map(|_| ids.next(now)).collect();
            assert!(many.is_sorted_by(|one, next| one < next), "{count}");
            let later: i64 = ids.next(now.plus_seconds(1));
            assert!(many[9_999] < later, "{count}");
            assert!(
                first_of(now) <= many[0]
                    && later >> COUNTER_BITS == now.plus_seconds(1).as_millisecond()
            );
        }
    }
}
