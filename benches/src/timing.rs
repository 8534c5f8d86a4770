//! Timing: the best of many short runs, alternatives taking turns.

use std::time::{Duration, Instant};

use crate::scenarios::Runner;

/// How long one short run should take.
const SHORT: Duration = Duration::from_micros(500);

/// Nanoseconds an operation at best, for each runner. The runners take turns, so that what disturbs the
/// machine disturbs them alike.
pub fn best_of(runners: &mut [Runner], rounds: usize) -> Vec<f64> {
    let counts: Vec<u64> = runners.iter_mut().map(short_count).collect();
    let mut best = vec![f64::INFINITY; runners.len()];
    for _ in 0..rounds {
        for ((runner, count), best) in runners.iter_mut().zip(&counts).zip(&mut best) {
            *best = best.min(nanoseconds(runner, *count));
        }
    }
    best
}

/// As [`best_of`], with `threads` threads that run the same operation at the same time. The time is of the
/// slowest thread of a round.
pub fn best_of_threads(make: impl Fn() -> Runner + Sync, threads: usize, rounds: usize) -> f64 {
    let barrier = std::sync::Barrier::new(threads);
    let one = |_| {
        let mut runner = make();
        let count = short_count(&mut runner);
        let mut times = Vec::with_capacity(rounds);
        for _ in 0..rounds {
            barrier.wait();
            times.push(nanoseconds(&mut runner, count));
        }
        times
    };
    let times: Vec<Vec<f64>> = std::thread::scope(|scope| {
        let one = &one;
        let running: Vec<_> = (0..threads)
            .map(|number| scope.spawn(move || one(number)))
            .collect();
        running
            .into_iter()
            .map(|thread| thread.join().unwrap_or_default())
            .collect()
    });
    (0..rounds)
        .map(|round| {
            times
                .iter()
                .map(|times| times.get(round).copied().unwrap_or(f64::INFINITY))
                .fold(0.0, f64::max)
        })
        .fold(f64::INFINITY, f64::min)
}

fn short_count(runner: &mut Runner) -> u64 {
    let mut count = 1;
    loop {
        let begin = Instant::now();
        runner(count);
        let took = begin.elapsed();
        if took >= SHORT {
            return count;
        }
        count = if took < SHORT / 20 {
            count * 10
        } else {
            count * 2
        };
    }
}

fn nanoseconds(runner: &mut Runner, count: u64) -> f64 {
    let begin = Instant::now();
    runner(count);
    begin.elapsed().as_nanos() as f64 / count as f64
}
