//! Keys beside the one in `certs-dev`, and certificates that they make for themselves.

use openssl::asn1::Asn1Time;
use openssl::bn::{BigNum, BigNumContext};
use openssl::ec::{EcGroup, EcKey, EcPoint};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::x509::X509;

use crate::saml::certificate::{Certificate, CertificateError};

/// A key on P-256, each time the same.
pub fn elliptic() -> Result<PKey<Private>, ErrorStack> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
    let number = BigNum::from_slice(&[0x2a; 32])?;
    let mut context = BigNumContext::new()?;
    let mut point = EcPoint::new(&group)?;
    point.mul_generator2(&group, &number, &mut context)?;
    PKey::from_ec_key(EcKey::from_private_components(&group, &number, &point)?)
}

/// A certificate that the key signs for itself.
pub fn certificate(key: &PKey<Private>) -> Result<Certificate, CertificateError> {
    let der = || {
        let mut builder = X509::builder()?;
        builder.set_pubkey(key)?;
        builder.set_not_before(&*Asn1Time::from_unix(0)?)?;
        builder.set_not_after(&*Asn1Time::from_unix(4_000_000_000)?)?;
        builder.sign(key, MessageDigest::sha256())?;
        builder.build().to_der()
    };
    Certificate::from_der(&der().map_err(|_: ErrorStack| CertificateError::Library)?)
}
