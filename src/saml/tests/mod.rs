//! Tests of the room.

mod round_trip;
