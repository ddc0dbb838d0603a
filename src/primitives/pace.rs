//! How often to look at something that takes its time.

use std::time::Duration;

const SHORTEST: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(20);
/// Seconds of pause for the square root of the seconds waited.
const SLOPE: f64 = 0.45;

/// Pause before the next look at something that has been awaited for `waited`: from 250 ms to 20 s, growing with the square
/// root. What takes a minute is noticed 1.7 s late on average, what takes half an hour 10 s; an evenly growing share of the
/// time waited needs twice the looks for the same.
pub fn pause(waited: Duration) -> Duration {
    Duration::from_secs_f64(waited.as_secs_f64().sqrt() * SLOPE).clamp(SHORTEST, LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_are_quick_at_first_and_few_in_the_end() {
        assert_eq!(pause(Duration::ZERO), Duration::from_millis(250));
        assert_eq!(pause(Duration::from_secs(100)), Duration::from_millis(4_500));
        assert_eq!(pause(Duration::from_secs(7_200)), Duration::from_secs(20));
        let (mut waited, mut looks) = (Duration::ZERO, 0);
        while waited < Duration::from_secs(1_800) {
            waited += pause(waited);
            looks += 1;
        }
        assert!(looks < 200, "{looks}");
    }
}
