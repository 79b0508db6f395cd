//! Tests of the room. Messages are made by our own identity provider, changed,
//! and signed again where a rule behind the signature is to be broken.

mod attacks;
mod c14n;
mod causes;
mod checks;
mod encryption;
mod hostile;
mod house;
mod logout;
mod matrix;
mod metadata;
mod parcel;
mod requests;
mod round_trip;
mod second_opinion;
mod shapes;
mod shared;
mod signatures;
mod xml;
