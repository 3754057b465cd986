//! Tasks one by one, and very many that wait.

use crate::bench::Bench;
use crate::sizes::*;
use std::future::ready;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, Semaphore};
use tokio::task::{spawn, JoinSet};
use tokio::time::{sleep, timeout_at, Instant};

pub async fn join(mut b: Bench) -> Bench {
    b.start();
    for _ in 0..JOINS {
        spawn(async {}).await.unwrap();
    }
    b.stop(JOINS);
    b
}

/// Many tasks that wait for one notification; all are registered on return.
async fn gather() -> (Arc<Notify>, JoinSet<()>) {
    let gate = Arc::new(Notify::new());
    let here = Arc::new(Semaphore::new(0));
    let mut all = JoinSet::new();

    for _ in 0..MANY {
        let (gate, here) = (gate.clone(), here.clone());

        all.spawn(async move {
            let opened = gate.notified();
            here.add_permits(1);
            opened.await;
        });
    }
    here.acquire_many(MANY as u32).await.unwrap().forget();
    (gate, all)
}

pub async fn release(mut b: Bench) -> Bench {
    let (gate, mut all) = gather().await;

    b.start();
    gate.notify_waiters();
    while let Some(task) = all.join_next().await {
        task.unwrap();
    }
    b.stop(MANY);
    b
}

pub async fn cancel(mut b: Bench) -> Bench {
    let (_gate, mut all) = gather().await;

    b.start();
    all.shutdown().await;
    b.stop(MANY);
    b
}

/// Around a future that is ready: nothing else costs anything.
pub async fn deadline(mut b: Bench) -> Bench {
    let when = Instant::now() + MINUTE;
    let mut late = 0;

    b.start();
    for _ in 0..DEADLINES {
        late += u64::from(timeout_at(when, ready(())).await.is_err());
    }
    b.stop(DEADLINES);
    b.check(late == 0, "timed out");
    b
}

pub async fn sleeps(mut b: Bench, n: u64) -> Bench {
    let mut late = Vec::with_capacity(n as usize);

    b.start();
    let all: Vec<_> = (0..n)
        .map(|i| {
            spawn(async move {
                let d = Duration::from_nanos(i * 7919 % n * (1_000_000_000 / n));
                let until = Instant::now() + d;

                sleep(d).await;
                until.elapsed()
            })
        })
        .collect();
    for task in all {
        late.push(task.await.unwrap());
    }
    b.stop(n);
    late.sort();
    b.counter("late_p50_us", late[late.len() / 2].as_nanos() as f64 / 1e3);
    b.counter("late_p99_us", late[late.len() * 99 / 100].as_nanos() as f64 / 1e3);
    b
}
