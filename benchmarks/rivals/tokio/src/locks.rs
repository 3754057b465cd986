//! Semaphore, mutex, rwlock: Tokio's own, which may be held across an await.

use crate::bench::Bench;
use crate::sizes::*;
use std::future::Future;
use std::sync::Arc;
use tokio::sync::{Mutex, RwLock, Semaphore};
use tokio::task::{spawn, yield_now};

/// So many tasks, until all are over.
async fn crowd<F>(tasks: u64, task: impl Fn() -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let all: Vec<_> = (0..tasks).map(|_| spawn(task())).collect();

    for one in all {
        one.await.unwrap();
    }
}

pub async fn sem(mut b: Bench) -> Bench {
    let permits = Arc::new(Semaphore::new(0));
    let here = Arc::new(Semaphore::new(0));
    let mut all = Vec::new();

    for _ in 0..SEM_TASKS {
        let (permits, here) = (permits.clone(), here.clone());

        all.push(spawn(async move {
            here.add_permits(1);
            for _ in 0..SEM_ROUNDS {
                let permit = permits.acquire().await.unwrap();
                yield_now().await;
                drop(permit);
            }
        }));
    }
    here.acquire_many(SEM_TASKS as u32).await.unwrap().forget();
    b.start();
    permits.add_permits(SEM_PERMITS);
    for task in all {
        task.await.unwrap();
    }
    b.stop(SEM_TASKS * SEM_ROUNDS);
    b
}

pub async fn mutex(mut b: Bench, tasks: u64, ops: u64, held: bool) -> Bench {
    let number = Arc::new(Mutex::new(0));

    b.start();
    crowd(tasks, || {
        let number = number.clone();
        async move {
            for _ in 0..ops / tasks {
                let mut n = number.lock().await;
                *n += 1;
                if held {
                    yield_now().await;
                }
            }
        }
    })
    .await;
    b.stop(ops);
    b.check(*number.lock().await == ops, "the number is wrong");
    b
}

pub async fn rwlock_free(mut b: Bench) -> Bench {
    let lock = Arc::new(RwLock::new(()));

    b.start();
    crowd(1, || {
        let lock = lock.clone();
        async move {
            for _ in 0..LOCKS {
                drop(lock.read().await);
            }
        }
    })
    .await;
    b.stop(LOCKS);
    b
}

pub async fn rwlock_held(mut b: Bench) -> Bench {
    let lock = Arc::new(RwLock::new(()));

    b.start();
    crowd(RW_TASKS, || {
        let lock = lock.clone();
        async move {
            for i in 0..RW_LOCKS / RW_TASKS {
                if i % RW_WRITES == 0 {
                    let _held = lock.write().await;
                    yield_now().await;
                } else {
                    let _held = lock.read().await;
                    yield_now().await;
                }
            }
        }
    })
    .await;
    b.stop(RW_LOCKS);
    b
}
