//! Calls that block, on the pool beside the workers: ../../../micro/offload.c.

use crate::bench::Bench;
use tokio::task::{spawn, spawn_blocking};

const CALLS: u64 = 20_000;
const IN_FLIGHT: u64 = 64;

fn call() -> bool {
    unsafe { libc::getppid() > 0 }
}

/// So many tasks, each of which has one call out, so many times.
async fn callers(tasks: u64, each: u64) -> bool {
    let all: Vec<_> = (0..tasks)
        .map(|_| {
            spawn(async move {
                let mut good = true;

                for _ in 0..each {
                    good &= spawn_blocking(call).await.unwrap();
                }
                good
            })
        })
        .collect();
    let mut good = true;

    for task in all {
        good &= task.await.unwrap();
    }
    good
}

pub async fn offload(mut b: Bench, tasks: u64) -> Bench {
    let each = CALLS / tasks;

    b.start();
    let good = callers(tasks, each).await;
    b.stop(each * tasks);
    b.check(good, "a call failed");
    b
}

fn nap() -> bool {
    unsafe { libc::usleep(1000) == 0 }
}

/// 64 that block for 1 ms, right after such that did not.
pub async fn blocks(mut b: Bench) -> Bench {
    let mut good = callers(IN_FLIGHT, CALLS / IN_FLIGHT / 10).await;

    b.start();
    let all: Vec<_> = (0..IN_FLIGHT)
        .map(|_| spawn(async { spawn_blocking(nap).await.unwrap() }))
        .collect();
    for task in all {
        good &= task.await.unwrap();
    }
    b.stop(IN_FLIGHT);
    b.check(good, "a call failed");
    b
}
