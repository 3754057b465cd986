//! Producers and consumers, broadcast, pipeline, skynet.

use crate::bench::Bench;
use crate::sizes::*;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use tokio::sync::{broadcast as fan, mpsc, Semaphore};
use tokio::task::spawn;

pub async fn one_to_one(mut b: Bench) -> Bench {
    let (tx, mut rx) = mpsc::channel::<u64>(CHAN_ROOM);

    b.start();
    let consumer = spawn(async move {
        let mut sum = 0;
        while let Some(item) = rx.recv().await {
            sum += item;
        }
        sum
    });
    let producer = spawn(async move {
        for item in 0..CHAN_ITEMS {
            tx.send(item).await.unwrap();
        }
    });
    producer.await.unwrap();
    let sum = consumer.await.unwrap();
    b.stop(CHAN_ITEMS);
    b.check(sum == sum_to(CHAN_ITEMS), "the sum is wrong");
    b
}

/// Tokio's channels have one receiver: async-channel is what is used where
/// there are several.
pub async fn four_to_four(mut b: Bench) -> Bench {
    let (tx, rx) = async_channel::bounded::<u64>(CHAN_ROOM);
    let each = CHAN_ITEMS / 4;
    let mut producers = Vec::new();
    let mut consumers = Vec::new();

    b.start();
    for i in 0..4 {
        let (tx, rx) = (tx.clone(), rx.clone());

        consumers.push(spawn(async move {
            let mut sum = 0;
            while let Ok(item) = rx.recv().await {
                sum += item;
            }
            sum
        }));
        producers.push(spawn(async move {
            for item in i * each..(i + 1) * each {
                tx.send(item).await.unwrap();
            }
        }));
    }
    drop(tx);
    for task in producers {
        task.await.unwrap();
    }
    let mut sum = 0;
    for task in consumers {
        sum += task.await.unwrap();
    }
    b.stop(CHAN_ITEMS);
    b.check(sum == sum_to(CHAN_ITEMS), "the sum is wrong");
    b
}

pub async fn broadcast(mut b: Bench) -> Bench {
    let items = FAN_BURSTS * FAN_BURST;
    let (tx, _) = fan::channel::<u64>(FAN_BURST as usize);
    let taken = Arc::new(Semaphore::new(0));
    let mut all = Vec::new();

    b.start();
    for _ in 0..FAN {
        let mut rx = tx.subscribe();
        let taken = taken.clone();

        all.push(spawn(async move {
            let (mut sum, mut got) = (0, 0);
            while let Ok(item) = rx.recv().await {
                sum += item;
                got += 1;
                if got % FAN_BURST == 0 {
                    taken.add_permits(1);
                }
            }
            sum
        }));
    }
    let speaker = spawn(async move {
        let mut item = 0;
        for _ in 0..FAN_BURSTS {
            for _ in 0..FAN_BURST {
                tx.send(item).unwrap();
                item += 1;
            }
            taken.acquire_many(FAN as u32).await.unwrap().forget();
        }
    });
    speaker.await.unwrap();
    let mut sum = 0;
    for task in all {
        sum += task.await.unwrap();
    }
    b.stop(items * FAN);
    b.check(sum == FAN * sum_to(items), "the sum is wrong");
    b
}

async fn add_one(mut from: mpsc::Receiver<u64>, to: mpsc::Sender<u64>) {
    while let Some(item) = from.recv().await {
        to.send(item + 1).await.unwrap();
    }
}

pub async fn pipeline(mut b: Bench) -> Bench {
    let (first, first_end) = mpsc::channel::<u64>(PIPE_ROOM);
    let (second, second_end) = mpsc::channel::<u64>(PIPE_ROOM);
    let (third, mut third_end) = mpsc::channel::<u64>(PIPE_ROOM);

    b.start();
    let source = spawn(async move {
        for i in 0..PIPE_ITEMS {
            first.send(i).await.unwrap();
        }
    });
    let one = spawn(add_one(first_end, second));
    let two = spawn(add_one(second_end, third));
    let sink = spawn(async move {
        let mut sum = 0;
        while let Some(item) = third_end.recv().await {
            sum += item;
        }
        sum
    });
    source.await.unwrap();
    one.await.unwrap();
    two.await.unwrap();
    let sum = sink.await.unwrap();
    b.stop(PIPE_ITEMS);
    b.check(sum == sum_to(PIPE_ITEMS) + 2 * PIPE_ITEMS, "the sum is wrong");
    b
}

/// An inner node; boxed, as a future that contains its own kind must be.
fn collect(number: u64, size: u64) -> Pin<Box<dyn Future<Output = u64> + Send>> {
    Box::pin(async move {
        let (tx, mut rx) = mpsc::channel::<u64>(10);
        let each = size / 10;

        for i in 0..10 {
            spawn(node(tx.clone(), number + i * each, each));
        }
        let mut sum = 0;
        for _ in 0..10 {
            sum += rx.recv().await.unwrap();
        }
        sum
    })
}

async fn node(up: mpsc::Sender<u64>, number: u64, size: u64) {
    let sum = match size {
        1 => number,
        _ => collect(number, size).await,
    };
    up.send(sum).await.unwrap();
}

pub async fn skynet(mut b: Bench) -> Bench {
    let (top, mut end) = mpsc::channel::<u64>(1);

    b.start();
    spawn(node(top, 0, LEAVES));
    let sum = end.recv().await.unwrap();
    b.stop(LEAVES);
    b.check(sum == sum_to(LEAVES), "the sum is wrong");
    b
}
