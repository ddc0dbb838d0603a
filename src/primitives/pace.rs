//! How often to look at something that takes its time.

use std::time::Duration;

const SHORTEST: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(30);
/// Seconds of pause for the square root of the seconds waited.
const SLOPE: f64 = 0.8;

/// Pause before the next look at something that has been awaited for `waited`: from 250 ms to 30 s, growing with the square
/// root. What takes a minute is noticed 3 s late on average, what takes half an hour 15 s (1 %), for a few dozen looks.
pub fn pause(waited: Duration) -> Duration {
    Duration::from_secs_f64(waited.as_secs_f64().sqrt() * SLOPE).clamp(SHORTEST, LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_are_quick_at_first_and_few_in_the_end() {
        assert_eq!(pause(Duration::ZERO), Duration::from_millis(250));
        assert_eq!(pause(Duration::from_secs(100)), Duration::from_secs(8));
        assert_eq!(pause(Duration::from_secs(7_200)), Duration::from_secs(30));
        let (mut waited, mut looks) = (Duration::ZERO, 0);
        while waited < Duration::from_secs(1_800) {
            waited += pause(waited);
            looks += 1;
        }
        assert!(looks < 120, "{looks}");
    }
}
