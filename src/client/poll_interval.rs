//! How often to look at something that takes its time.

use std::time::Duration;

const SHORTEST_INTERVAL: Duration = Duration::from_millis(250);
const LONGEST_INTERVAL: Duration = Duration::from_secs(30);
/// Seconds of pause for the square root of the seconds waited.
const SLOPE: f64 = 0.8;

/// Pause before the next look at something that has been awaited for `waited`: from 250 ms to 30 s,
/// growing with the square root. What takes a minute is noticed 3 s late on average, what takes
/// half an hour 15 s (1 %), for a few dozen looks.
pub fn poll_interval(waited: Duration) -> Duration {
    Duration::from_secs_f64(waited.as_secs_f64().sqrt() * SLOPE)
        .clamp(SHORTEST_INTERVAL, LONGEST_INTERVAL)
}

/// `poll_interval`, or as long as the cloud asks for where that is longer. Azure asks for the same
/// few seconds from the first look to the last; it is never asked sooner, and about things that take
/// long not that often.
pub fn poll_delay(waited: Duration, asked: Option<Duration>) -> Duration {
    match asked {
        Some(asked) if asked < Duration::from_secs(1) => asked,
        Some(asked) => asked.max(poll_interval(waited)),
        None => poll_interval(waited),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn poll_as_cloud_asks_but_not_more_often() {
        let ten = Some(Duration::from_secs(10));
        assert_eq!(poll_delay(Duration::ZERO, None), Duration::from_millis(250));
        assert_eq!(
            poll_delay(Duration::from_secs(60), ten),
            Duration::from_secs(10)
        );
        assert_eq!(
            poll_delay(Duration::from_secs(3600), ten),
            Duration::from_secs(30)
        );
    }

    #[test]
    fn poll_interval_grows_to_maximum() {
        assert_eq!(poll_interval(Duration::ZERO), Duration::from_millis(250));
        assert_eq!(
            poll_interval(Duration::from_secs(100)),
            Duration::from_secs(8)
        );
        assert_eq!(
            poll_interval(Duration::from_secs(7_200)),
            Duration::from_secs(30)
        );
        let (mut waited, mut looks) = (Duration::ZERO, 0);
        while waited < Duration::from_secs(1_800) {
            waited += poll_interval(waited);
            looks += 1;
        }
        assert!(looks < 120, "{looks}");
    }
}
