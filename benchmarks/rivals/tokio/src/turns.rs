//! yield, ping-pong, ring, event. There is no channel without room: pingpong
//! itself is left out, and ring has room for one.

use crate::bench::Bench;
use crate::sizes::*;
use std::sync::Arc;
use tokio::sync::{mpsc, Notify};
use tokio::task::{spawn, yield_now};
use tokio::time::{timeout_at, Instant};

pub async fn yields(mut b: Bench, tasks: u64) -> Bench {
    b.start();
    let all: Vec<_> = (0..tasks)
        .map(|_| {
            spawn(async move {
                for _ in 0..YIELDS / tasks {
                    yield_now().await;
                }
            })
        })
        .collect();
    for task in all {
        task.await.unwrap();
    }
    b.stop(YIELDS);
    b
}

pub async fn pingpong(mut b: Bench) -> Bench {
    let (there, mut there_end) = mpsc::channel::<u64>(1);
    let (back, mut back_end) = mpsc::channel::<u64>(1);

    b.start();
    let pong = spawn(async move {
        for _ in 0..PING_ROUNDS {
            let item = there_end.recv().await.unwrap();
            back.send(item).await.unwrap();
        }
    });
    let ping = spawn(async move {
        let mut wrong = 0;
        for i in 0..PING_ROUNDS {
            there.send(i).await.unwrap();
            wrong += u64::from(back_end.recv().await.unwrap() != i);
        }
        wrong
    });
    pong.await.unwrap();
    let wrong = ping.await.unwrap();
    b.stop(PING_ROUNDS);
    b.check(wrong == 0, "wrong numbers");
    b
}

pub async fn pingpong_deadline(mut b: Bench) -> Bench {
    let (there, mut there_end) = mpsc::channel::<u64>(1);
    let (back, mut back_end) = mpsc::channel::<u64>(1);
    let when = Instant::now() + MINUTE;

    b.start();
    let pong = spawn(async move {
        for _ in 0..PING_ROUNDS {
            let item = timeout_at(when, there_end.recv()).await.unwrap().unwrap();
            back.send(item).await.unwrap();
        }
    });
    let ping = spawn(async move {
        let mut wrong = 0;
        for i in 0..PING_ROUNDS {
            there.send(i).await.unwrap();
            let item = timeout_at(when, back_end.recv()).await.unwrap().unwrap();
            wrong += u64::from(item != i);
        }
        wrong
    });
    pong.await.unwrap();
    let wrong = ping.await.unwrap();
    b.stop(PING_ROUNDS);
    b.check(wrong == 0, "wrong numbers");
    b
}

pub async fn ring(mut b: Bench) -> Bench {
    let (first, mut from) = mpsc::channel::<u64>(1);
    let mut all = Vec::new();

    for _ in 1..RING_TASKS {
        let (to, next) = mpsc::channel::<u64>(1);
        let mut mine = std::mem::replace(&mut from, next);

        all.push(spawn(async move {
            for _ in 0..RING_LAPS + 1 {
                let item = mine.recv().await.unwrap();
                to.send(item + 1).await.unwrap();
            }
        }));
    }
    first.send(1).await.unwrap();
    let mut item = from.recv().await.unwrap(); // all are up
    b.start();
    for _ in 0..RING_LAPS {
        first.send(item + 1).await.unwrap();
        item = from.recv().await.unwrap();
    }
    b.stop(RING_LAPS * RING_TASKS);
    for task in all {
        task.await.unwrap();
    }
    b.check(item == (RING_LAPS + 1) * RING_TASKS, "the number is wrong");
    b
}

pub async fn event(mut b: Bench) -> Bench {
    let flags = Arc::new((Notify::new(), Notify::new()));
    let same = flags.clone();

    b.start();
    let answer = spawn(async move {
        for _ in 0..EVENT_ROUNDS {
            same.0.notified().await;
            same.1.notify_one();
        }
    });
    let ask = spawn(async move {
        for _ in 0..EVENT_ROUNDS {
            flags.0.notify_one();
            flags.1.notified().await;
        }
    });
    answer.await.unwrap();
    ask.await.unwrap();
    b.stop(EVENT_ROUNDS);
    b
}
