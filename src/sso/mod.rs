//! Sign-in through the company's identity provider.
