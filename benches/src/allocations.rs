//! Counting what is allocated.

use std::alloc::System;

use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

/// The system's allocator, counted. Every program of this package has it.
#[global_allocator]
static COUNTED: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// How often memory was asked for, by any thread, since the program began.
#[must_use]
pub fn calls() -> usize {
    let stats = COUNTED.stats();
    stats.allocations + stats.reallocations
}

/// Bytes that are allocated now.
#[must_use]
pub fn bytes() -> usize {
    let stats = COUNTED.stats();
    stats
        .bytes_allocated
        .saturating_sub(stats.bytes_deallocated)
}
