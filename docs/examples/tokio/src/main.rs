// main.rs - ../../select.c on Tokio.
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::{sleep, sleep_until, Instant};

const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

async fn measure(readings: mpsc::Sender<i32>, period: Duration) {
    for degrees in 20.. {
        sleep(period).await;
        if readings.send(degrees).await.is_err() {
            return;
        }
    }
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let (send_inside, mut inside) = mpsc::channel(1);
    let (send_outside, mut outside) = mpsc::channel(1);
    let (send_stop, mut stop) = oneshot::channel();
    let mut tasks = JoinSet::new();
    let (mut from_inside, mut from_outside) = (0, 0);
    let mut report = Instant::now() + ms(65);

    tasks.spawn(measure(send_inside, ms(20)));
    tasks.spawn(measure(send_outside, ms(30)));
    tasks.spawn(async move {
        sleep(ms(215)).await;
        let _ = send_stop.send(());
    });
    loop {
        tokio::select! {
            Some(_) = inside.recv() => from_inside += 1,
            Some(_) = outside.recv() => from_outside += 1,
            _ = sleep_until(report) => {
                println!("{from_inside} inside, {from_outside} outside");
                report += ms(65);
            }
            _ = &mut stop => {
                println!("stopped: {from_inside} inside, {from_outside} outside");
                break;
            }
        }
    }
    tasks.shutdown().await; // aborts and awaits all
}
