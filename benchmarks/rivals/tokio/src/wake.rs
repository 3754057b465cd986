//! A sleeper among four tasks that compute: timer_wake of ../../../micro/timer.c.

use crate::bench::Bench;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::{spawn, yield_now};
use tokio::time::sleep;

const WAKES: usize = 300;

/// uts_mix of ../../../kernels/work.h.
fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d049bb133111eb);
    x ^ (x >> 31)
}

fn burn(d: Duration) {
    let began = Instant::now();

    while began.elapsed() < d {}
}

/// For 0.1 to 10 ms at a time, evenly spread on a logarithmic scale, and then it
/// yields; with checkpoints each 10 us.
async fn compute(mut seed: u64, checkpoints: bool, stop: Arc<AtomicBool>) {
    while !stop.load(Relaxed) {
        seed += 1;
        let draw = (mix(seed) >> 11) as f64 / (1u64 << 53) as f64;
        let burst = 100_000.0 * 100f64.powf(draw);
        let mut done = 0.0;

        while done < burst && !stop.load(Relaxed) {
            burn(Duration::from_micros(10));
            if checkpoints {
                yield_now().await;
            }
            done += 10_000.0;
        }
        yield_now().await;
    }
}

pub async fn wake(mut b: Bench, checkpoints: bool) -> Bench {
    let stop = Arc::new(AtomicBool::new(false));
    let all: Vec<_> = (0..4u64)
        .map(|i| spawn(compute(i << 32, checkpoints, stop.clone())))
        .collect();
    let mut late = Vec::with_capacity(WAKES);

    b.start();
    for _ in 0..WAKES {
        let until = Instant::now() + Duration::from_millis(1);

        sleep(Duration::from_millis(1)).await;
        b.check(Instant::now() >= until, "a timer fired early");
        late.push(until.elapsed());
    }
    b.stop(WAKES as u64);
    stop.store(true, Relaxed);
    for task in all {
        task.await.unwrap();
    }
    late.sort();
    let us = |i: usize| late[i].as_nanos() as f64 / 1e3;
    b.counter("late_p50_us", us((WAKES - 1) / 2));
    b.counter("late_p99_us", us((WAKES - 1) * 99 / 100));
    b.counter("late_max_us", us(WAKES - 1));
    b
}
