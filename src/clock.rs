//! The time. Nothing else in the house asks the machine for it.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use crate::store::Timestamp;

/// Where the time comes from: the machine, or a test that sets it.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    /// Microseconds since 1970, where the time is set by hand.
    set: Option<Arc<AtomicI64>>,
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self::default()
    }

    /// A clock that stands still at `now` until it is set or moved.
    pub fn settable(now: Timestamp) -> Self {
        Self { set: Some(Arc::new(AtomicI64::new(now.to_jiff().as_microsecond()))) }
    }

    /// The time now.
    pub fn now(&self) -> Timestamp {
        match &self.set {
            Some(time) => jiff::Timestamp::from_microsecond(time.load(Ordering::SeqCst))
                .unwrap_or_default()
                .into(),
            None => system_time(),
        }
    }

    /// Moves a settable clock on; the machine's clock stays as it is.
    pub fn advance(&self, span: jiff::SignedDuration) {
        if let Some(time) = &self.set {
            let micros = i64::try_from(span.as_micros()).unwrap_or(0);
            time.fetch_add(micros, Ordering::SeqCst);
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that asks the machine for the time")]
fn system_time() -> Timestamp {
    jiff::Timestamp::now().into()
}
