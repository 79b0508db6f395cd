//! Spaces: everything of one organisation's Identity Center.
//!
//! An organisation has at most one space (CON-01). Its name stands in the user login URL, is
//! known to the whole installation, and stays unless a setting allows another (ACT-04, ACT-06,
//! `names`). The portal may be open to some networks only (`networks`). Each space has two key pairs: one as the service provider people sign in at, one as the identity provider towards
//! the accounts. It may have more: of two that sign one is prepared or goes, and some are for the
//! company's identity provider to encrypt for (`keys`).

mod keys;
mod names;
mod networks;
mod rules;
mod scim;
mod store;

pub use keys::{
    MAXIMUM_ENCRYPTION_KEYS, SigningPurpose, add_encryption_key, prepare_key,
    remove_encryption_key, remove_key, use_key,
};
pub use names::{check_name_is_free, rename, space_by_former_name};
pub use networks::{MOST_NETWORKS, Misread, Networks, set_networks};
pub use rules::check_name;
pub use scim::{Brake, ScimSettings, lift_scim_brake, scim_brake_lifted_until, set_scim_settings};
pub use store::{
    certificates, end_access, hold_access, key_pair, key_pairs, lock, of_organization, open,
    set_scim_enabled, set_sign_metadata, set_sso_enabled, space, space_by_name, spaces,
};
use zeroize::Zeroizing;

use crate::{
    id::{KeyPairId, OrganizationId, SpaceId},
    saml::{
        certificate::{Certificate, CertificateError, SigningKey},
        encryption::DecryptionKey,
    },
    secret,
    store::{self as database, Json, Timestamp, text_enum},
};

/// A space.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Space {
    /// Its id.
    pub id: SpaceId,
    /// Whose it is.
    pub organization_id: OrganizationId,
    /// Its name.
    pub name: String,
    /// What follows the `@` in the names of synced CAM users.
    pub user_sync_suffix: String,
    /// Whether a directory may push (SCIM-02).
    pub scim_enabled: bool,
    /// What it decided about its directories.
    pub scim_settings: Json<ScimSettings>,
    /// When SCIM was switched off the last time.
    pub scim_switched_off_at: Option<Timestamp>,
    /// Until when the mass-change brake lets everything pass.
    pub scim_brake_lifted_until: Option<Timestamp>,
    /// Whether people may sign in (SSO-02).
    pub sso_enabled: bool,
    /// Whether our metadata is signed.
    pub sign_metadata: bool,
    /// From where people may come to the portal (SET-10).
    pub sign_in_networks: Json<Networks>,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

text_enum! {
    /// What a key pair of a space is for.
    pub enum KeyPurpose {
        /// Towards the company's identity provider.
        ServiceProvider = "service_provider",
        /// Towards the accounts.
        IdentityProvider = "identity_provider",
        /// For the company's identity provider to encrypt assertions for. A space that has none
        /// takes no encrypted assertions.
        Encryption = "encryption",
    }
}

/// A fresh key pair. Making one is slow: do it before the transaction begins, and not on a thread
/// that serves requests.
pub struct NewKeyPair {
    private_key: Zeroizing<String>,
    certificate: String,
    not_after: Timestamp,
}

impl NewKeyPair {
    /// Makes one. `name` goes into its certificate and nobody relies on it.
    pub fn generate(name: &str, now: Timestamp) -> Result<Self, Error> {
        let key = SigningKey::generate(name, now.to_jiff(), secret::random::<16>()?)?;
        Ok(Self {
            private_key: key.private_key_pem()?,
            certificate: key.certificate().pem(),
            not_after: key.certificate().facts().not_after.into(),
        })
    }
}

/// A key pair of a space.
#[derive(Clone, sqlx::FromRow)]
pub struct KeyPair {
    /// Its id.
    pub id: KeyPairId,
    /// What it is for.
    pub purpose: KeyPurpose,
    private_key_sealed: Vec<u8>,
    /// Whether it is the one that signs. Of an encryption key it says nothing.
    pub signs: bool,
    /// The certificate, PEM.
    pub certificate: String,
    /// When the certificate ends.
    pub not_after: Timestamp,
    /// When it was made.
    pub created_at: Timestamp,
}

impl KeyPair {
    /// The key to sign with and its certificate.
    pub fn signing_key(&self, sealer: &secret::Sealer) -> Result<SigningKey, Error> {
        self.pair(sealer)
    }

    /// The key that opens what was encrypted for its certificate.
    pub fn decryption_key(&self, sealer: &secret::Sealer) -> Result<DecryptionKey, Error> {
        Ok(self.pair(sealer)?.into())
    }

    fn pair(&self, sealer: &secret::Sealer) -> Result<SigningKey, Error> {
        let opened = sealer.open(&sealed_as(self.id), &self.private_key_sealed)?;
        let pem = std::str::from_utf8(&opened).map_err(|_| secret::Error::Open)?;
        Ok(SigningKey::from_pem(pem, &self.certificate)?)
    }

    /// The certificate to publish.
    pub fn public_certificate(&self) -> Result<Certificate, Error> {
        Ok(Certificate::from_pem(&self.certificate)?)
    }
}

fn sealed_as(id: KeyPairId) -> String {
    format!("private key of {id}")
}

/// Why something about a space could not be done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A space's name breaks ACT-05.
    #[error(
        "a space's name has 2 to 64 lower-case letters, digits and hyphens, no hyphen at either end and no two in a row"
    )]
    NameInvalid,
    /// Another space has this name.
    #[error("another space has this name")]
    NameTaken,
    /// The organisation has a space already.
    #[error("the organisation has a space already")]
    AlreadyOpen,
    /// The organisation has no space yet.
    #[error("the organisation has no space yet")]
    NotOpen,
    /// The organisation is not there, or has no tree of departments yet (ACT-02).
    #[error("a space needs an organisation with its tree of departments")]
    OrganizationNotOpen,
    /// The space has as many encryption keys as it may have.
    #[error(
        "a space has at most {MAXIMUM_ENCRYPTION_KEYS} encryption keys: remove the old one first"
    )]
    TooManyKeys,
    /// Another key for the same purpose is prepared already, or has not gone yet.
    #[error("there are two keys already: remove the one that is not in use first")]
    KeyPrepared,
    /// The key is the one that signs.
    #[error("this key is in use: switch to another one first")]
    KeyInUse,
    /// The space has no such key.
    #[error("there is no such key")]
    KeyNotFound,
    /// A number is out of its range.
    #[error("{setting}: {least} to {most}")]
    OutOfRange {
        /// The field that holds it.
        field: &'static str,
        /// Which one.
        setting: &'static str,
        /// The least it may be.
        least: i64,
        /// The most it may be.
        most: i64,
    },
    /// Over [`MOST_NETWORKS`] (SET-10).
    #[error("at most {MOST_NETWORKS} addresses and networks")]
    TooManyNetworks,
    /// What is no address and no network, each with why.
    #[error("{0}")]
    NetworksInvalid(Misread),
    /// A key could not be made, or one of ours cannot be read.
    #[error(transparent)]
    Key(#[from] CertificateError),
    /// A key could not be sealed or opened.
    #[error(transparent)]
    Secret(#[from] secret::Error),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] database::Error),
}
