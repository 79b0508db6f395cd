//! Counts how often somebody comes, in bounded memory.

use std::{
    hash::Hash,
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use governor::{
    Quota, RateLimiter,
    clock::{Clock as _, DefaultClock},
    state::keyed::HashMapStateStore,
};

/// How often those who have not come for a while are forgotten, when too many are counted.
const SWEEP: Duration = Duration::from_secs(1);

/// How often somebody may come: per second on the average, and at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Per second, on the average.
    pub per_second: NonZeroU32,
    /// At once.
    pub burst: NonZeroU32,
}

/// Counts each key for itself, up to `most` keys; those that come on top are counted as one.
pub struct Limiter<K: Hash + Eq + Clone> {
    counted: RateLimiter<Option<K>, HashMapStateStore<Option<K>>, DefaultClock>,
    most: usize,
    swept: Mutex<Option<Instant>>,
}

impl<K: Hash + Eq + Clone> Limiter<K> {
    /// One that counts up to `most` keys.
    pub fn new(rate: Rate, most: usize) -> Self {
        let quota = Quota::per_second(rate.per_second).allow_burst(rate.burst);
        Self { counted: RateLimiter::hashmap(quota), most, swept: Mutex::default() }
    }

    /// Counts one coming of `key`; nobody in particular is a key too. A refusal is the number of
    /// whole seconds after which it may come again, at least 1: Okta understands no other number
    /// (reference/SCIM.md §2.2).
    pub fn count(&self, key: Option<K>) -> Result<(), u64> {
        let key = if self.is_full() { None } else { key };
        self.counted
            .check_key(&key)
            .map_err(|early| {
                let wait = early.wait_time_from(DefaultClock::default().now());
                wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
            })
            .map_err(|seconds| seconds.max(1))
    }

    /// Whether no further key is counted for itself. Who has not come for so long that nothing is
    /// held against it any more makes room, but looking for those takes time: not at each request.
    fn is_full(&self) -> bool {
        if self.counted.len() < self.most {
            return false;
        }
        let mut swept = self.swept.lock().unwrap_or_else(PoisonError::into_inner);
        if swept.is_none_or(|at| at.elapsed() >= SWEEP) {
            *swept = Some(Instant::now());
            self.counted.retain_recent();
        }
        self.counted.len() >= self.most
    }
}

/// Counts addresses.
pub struct AddressLimiter(Limiter<IpAddr>);

impl AddressLimiter {
    /// One that counts up to `most` addresses.
    pub fn new(rate: Rate, most: usize) -> Self {
        Self(Limiter::new(rate, most))
    }

    /// Counts one coming; refuses as [`Limiter::count`] does.
    pub fn count(&self, address: Option<IpAddr>) -> Result<(), u64> {
        self.0.count(address.map(network))
    }
}

impl std::fmt::Debug for AddressLimiter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AddressLimiter")
    }
}

/// Whose address it is: of IPv6 a customer has a /64 at least, so that is what is counted.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_counted_by_network() {
        let limiter = AddressLimiter::new(rate(1, 1), 10);
        let count = |address: &str| limiter.count(Some(address.parse().unwrap()));
        assert_eq!(count("2001:db8::1"), Ok(()));
        assert_eq!(count("2001:db8::ffff:1"), Err(1));
        assert_eq!(count("2001:db8:0:1::1"), Ok(()));
        assert_eq!(count("203.0.113.7"), Ok(()));
        assert_eq!(count("::ffff:203.0.113.7"), Err(1));
        assert_eq!(count("203.0.113.8"), Ok(()));
    }

    fn rate(per_second: u32, burst: u32) -> Rate {
        let number = |number| NonZeroU32::new(number).unwrap();
        Rate { per_second: number(per_second), burst: number(burst) }
    }

    #[test]
    fn who_comes_too_often_waits_whole_seconds_and_others_do_not() {
        let limiter = Limiter::new(rate(1, 2), 10);
        assert_eq!(limiter.count(Some(1)), Ok(()));
        assert_eq!(limiter.count(Some(1)), Ok(()));
        assert_eq!(limiter.count(Some(1)), Err(1));
        assert_eq!(limiter.count(Some(2)), Ok(()));
    }

    #[test]
    fn a_million_keys_take_no_more_room_than_the_most() {
        let limiter = Limiter::new(rate(1, 1), 100);
        let passed = (0..1_000_000).filter(|key| limiter.count(Some(*key)).is_ok()).count();
        assert!(limiter.counted.len() <= 101, "{}", limiter.counted.len());
        // A hundred for themselves, and the rest as one; a slow machine gives it some seconds.
        assert!((101..10_000).contains(&passed), "{passed}");
    }

    #[test]
    fn those_who_stay_away_make_room() {
        let limiter = Limiter::new(rate(1000, 1), 3);
        assert!((0..3).all(|key| limiter.count(Some(key)).is_ok()));
        std::thread::sleep(Duration::from_millis(5));
        assert!(limiter.count(Some(7)).is_ok());
        assert_eq!(limiter.counted.len(), 1);
    }
}
