//! Numbers to go through, as written on the command line.

use std::str::FromStr;

/// Numbers in ascending order, each once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Steps(Vec<u32>);

/// The text names no numbers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no range: write 5..100, 5..100:5 for every fifth, or 5,10,20; numbers from 1 to 10000")]
pub struct StepsError(String);

/// Where a range without a step goes: closer together where a little more changes much.
const LADDER: [u32; 26] = [
    1, 2, 3, 5, 10, 15, 20, 30, 40, 50, 60, 80, 100, 150, 200, 300, 400, 500, 600, 800, 1_000, 1_500, 2_000,
    3_000, 5_000, 10_000,
];
/// Ranges as short as this are gone through number by number.
const SHORT: u32 = 10;
const MAX: u32 = 10_000;

impl Steps {
    /// The numbers.
    #[must_use]
    pub fn as_slice(&self) -> &[u32] {
        &self.0
    }
}

impl FromStr for Steps {
    type Err = StepsError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || StepsError(text.chars().take(40).collect());
        let number = |part: &str| {
            let number = part.trim().parse::<u32>().map_err(|_| wrong())?;
            if (1..=MAX).contains(&number) { Ok(number) } else { Err(wrong()) }
        };
        let mut numbers = match text.split_once("..") {
            None => text.split(',').map(number).collect::<Result<Vec<_>, _>>()?,
            Some((from, rest)) => {
                let (to, step) = match rest.split_once(':') {
                    Some((to, step)) => (number(to)?, Some(number(step)?)),
                    None => (number(rest)?, None),
                };
                let from = number(from)?;
                if from > to {
                    return Err(wrong());
                }
                between(from, to, step)
            }
        };
        numbers.sort_unstable();
        numbers.dedup();
        Ok(Self(numbers))
    }
}

/// From one number to another, both included.
fn between(from: u32, to: u32, step: Option<u32>) -> Vec<u32> {
    let mut numbers: Vec<u32> = match step {
        Some(step) => (from..=to).step_by(step as usize).collect(),
        None if to - from < SHORT => (from..=to).collect(),
        None => LADDER.into_iter().filter(|rung| (from..=to).contains(rung)).collect(),
    };
    numbers.extend([from, to]);
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(text: &str) -> Vec<u32> {
        text.parse::<Steps>().unwrap().as_slice().to_vec()
    }

    #[test]
    fn ranges_steps_and_lists_are_read() {
        assert_eq!(steps("5..100"), [5, 10, 15, 20, 30, 40, 50, 60, 80, 100]);
        assert_eq!(steps("5..22:5"), [5, 10, 15, 20, 22]);
        assert_eq!(steps("1..5"), [1, 2, 3, 4, 5]);
        assert_eq!(steps("20, 5,10,5"), [5, 10, 20]);
        assert_eq!(steps("7"), [7]);
        assert_eq!(steps("7..37"), [7, 10, 15, 20, 30, 37]);
    }

    #[test]
    fn what_is_no_range_is_refused() {
        for text in ["", "x", "0..5", "9..3", "1..", "..3", "1..5:0", "1..20000", "1,,2", "-1"] {
            assert!(text.parse::<Steps>().is_err(), "{text}");
        }
    }
}
