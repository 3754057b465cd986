//! select over 2 and 16 receivers. Channels have room for one, as there is
//! none without; what is sent waits as long as its one place is taken.

use crate::bench::Bench;
use crate::sizes::*;
use tokio::sync::mpsc::{channel, Receiver, Sender};
use tokio::task::spawn;

fn pairs<const N: usize>() -> (Vec<Sender<u64>>, [Receiver<u64>; N]) {
    let mut tx = Vec::new();
    let rx = std::array::from_fn(|_| {
        let (a, b) = channel(1);
        tx.push(a);
        b
    });

    (tx, rx)
}

async fn choose2(rx: &mut [Receiver<u64>; 2]) -> u64 {
    let [a, b] = rx;

    tokio::select! {
        Some(item) = a.recv() => item,
        Some(item) = b.recv() => item,
        else => 0,
    }
}

async fn choose16(rx: &mut [Receiver<u64>; 16]) -> u64 {
    let [r0, r1, r2, r3, r4, r5, r6, r7, r8, r9, r10, r11, r12, r13, r14, r15] = rx;

    tokio::select! {
        Some(item) = r0.recv() => item,
        Some(item) = r1.recv() => item,
        Some(item) = r2.recv() => item,
        Some(item) = r3.recv() => item,
        Some(item) = r4.recv() => item,
        Some(item) = r5.recv() => item,
        Some(item) = r6.recv() => item,
        Some(item) = r7.recv() => item,
        Some(item) = r8.recv() => item,
        Some(item) = r9.recv() => item,
        Some(item) = r10.recv() => item,
        Some(item) = r11.recv() => item,
        Some(item) = r12.recv() => item,
        Some(item) = r13.recv() => item,
        Some(item) = r14.recv() => item,
        Some(item) = r15.recv() => item,
        else => 0,
    }
}

pub async fn ready2(mut b: Bench) -> Bench {
    let (tx, mut rx) = pairs::<2>();
    let mut sum = 0;

    b.start();
    for i in 0..SELECT_READY {
        tx[(i % 2) as usize].send(i).await.unwrap();
        sum += choose2(&mut rx).await;
    }
    b.stop(SELECT_READY);
    b.check(sum == sum_to(SELECT_READY), "the sum is wrong");
    b
}

pub async fn wait2(mut b: Bench) -> Bench {
    let (tx, mut rx) = pairs::<2>();

    b.start();
    let sender = spawn(async move {
        for i in 0..SELECT_WAITS {
            tx[(i % 2) as usize].send(i).await.unwrap();
        }
        tx
    });
    let chooser = spawn(async move {
        let mut sum = 0;
        for _ in 0..SELECT_WAITS {
            sum += choose2(&mut rx).await;
        }
        sum
    });
    sender.await.unwrap();
    let sum = chooser.await.unwrap();
    b.stop(SELECT_WAITS);
    b.check(sum == sum_to(SELECT_WAITS), "the sum is wrong");
    b
}

pub async fn ready16(mut b: Bench) -> Bench {
    let (tx, mut rx) = pairs::<16>();
    let mut sum = 0;

    b.start();
    for i in 0..SELECT_READY {
        tx[(i % 16) as usize].send(i).await.unwrap();
        sum += choose16(&mut rx).await;
    }
    b.stop(SELECT_READY);
    b.check(sum == sum_to(SELECT_READY), "the sum is wrong");
    b
}

pub async fn wait16(mut b: Bench) -> Bench {
    let (tx, mut rx) = pairs::<16>();

    b.start();
    let sender = spawn(async move {
        for i in 0..SELECT_WAITS {
            tx[(i % 16) as usize].send(i).await.unwrap();
        }
        tx
    });
    let chooser = spawn(async move {
        let mut sum = 0;
        for _ in 0..SELECT_WAITS {
            sum += choose16(&mut rx).await;
        }
        sum
    });
    sender.await.unwrap();
    let sum = chooser.await.unwrap();
    b.stop(SELECT_WAITS);
    b.check(sum == sum_to(SELECT_WAITS), "the sum is wrong");
    b
}
