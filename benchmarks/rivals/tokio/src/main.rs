//! The workloads of ../../../waits/waits.h on Tokio, and some of ../../../micro.
//!
//!     bench_waits_tokio --list
//!     bench_waits_tokio CASE WORKERS BATCHES
//!
//! The second runs a batch to warm up and then so many that count, and prints what
//! shim.cpp prints of a case of C. One worker is the current_thread runtime,
//! Tokio's own for one thread, two the multi_thread one. A batch is always a
//! spawned task: what block_on is given would run beside the workers.

mod bench;
mod calls;
mod chans;
mod locks;
mod many;
mod selects;
mod sizes;
mod turns;
mod wake;

use bench::{print, Bench};
use std::future::Future;
use tokio::runtime::{Builder, Runtime};

fn runtime(workers: usize) -> Runtime {
    let mut builder = match workers {
        1 => Builder::new_current_thread(),
        _ => Builder::new_multi_thread(),
    };
    if workers > 1 {
        builder.worker_threads(workers);
    }
    builder.enable_time().build().expect("a runtime")
}

/// Runs so many batches and one before.
struct Measure {
    name: String,
    workers: usize,
    batches: usize,
}

impl Measure {
    fn run<F, B>(&self, batch: B)
    where
        B: Fn(Bench) -> F,
        F: Future<Output = Bench> + Send + 'static,
    {
        let runtime = runtime(self.workers);
        let mut done = Vec::new();

        for i in 0..=self.batches {
            let task = runtime.spawn(batch(Bench::default()));
            let b = runtime.block_on(task).expect("no panic");

            if i > 0 {
                done.push(b); // the first one warmed up
            }
        }
        print(&self.name, &done);
    }
}

const CASES: &[&str] = &[
    "yield/2", "yield/1000", "pingpong/room", "pingpong/deadline", "ring",
    "event", "chan/1p1c", "chan/4p4c", "broadcast", "pipeline", "skynet",
    "select/ready/2", "select/ready/16", "select/wait/2", "select/wait/16",
    "sem", "mutex/free", "mutex/short", "mutex/held", "rwlock/free",
    "rwlock/held", "join", "release", "cancel", "deadline", "sleeps", "sleeps/million",
    "offload/1", "offload/64", "offload/blocks", "timer/wake",
    "timer/wake_checkpoints/1",
];

fn main() {
    let args: Vec<String> = std::env::args().collect();

    if args.len() == 2 && args[1] == "--list" {
        CASES.iter().for_each(|name| println!("{}", name));
        return;
    }
    let numbers: Vec<usize> = args.iter().skip(2).flat_map(|a| a.parse()).collect();

    if args.len() != 4 || numbers.len() != 2 || numbers.contains(&0) {
        eprintln!("usage: bench_waits_tokio CASE WORKERS BATCHES");
        std::process::exit(2);
    }
    let m = Measure {
        name: args[1].clone(),
        workers: numbers[0],
        batches: numbers[1],
    };

    match args[1].as_str() {
        "yield/2" => m.run(|b| turns::yields(b, 2)),
        "yield/1000" => m.run(|b| turns::yields(b, 1000)),
        "pingpong/room" => m.run(turns::pingpong),
        "pingpong/deadline" => m.run(turns::pingpong_deadline),
        "ring" => m.run(turns::ring),
        "event" => m.run(turns::event),
        "chan/1p1c" => m.run(chans::one_to_one),
        "chan/4p4c" => m.run(chans::four_to_four),
        "broadcast" => m.run(chans::broadcast),
        "pipeline" => m.run(chans::pipeline),
        "skynet" => m.run(chans::skynet),
        "select/ready/2" => m.run(selects::ready2),
        "select/ready/16" => m.run(selects::ready16),
        "select/wait/2" => m.run(selects::wait2),
        "select/wait/16" => m.run(selects::wait16),
        "sem" => m.run(locks::sem),
        "mutex/free" => m.run(|b| locks::mutex(b, 1, sizes::LOCKS, false)),
        "mutex/short" => {
            m.run(|b| locks::mutex(b, sizes::SHORT_TASKS, sizes::SHORT_LOCKS, false))
        }
        "mutex/held" => m.run(|b| locks::mutex(b, sizes::HELD_TASKS, sizes::HELD_LOCKS, true)),
        "rwlock/free" => m.run(locks::rwlock_free),
        "rwlock/held" => m.run(locks::rwlock_held),
        "join" => m.run(many::join),
        "release" => m.run(many::release),
        "cancel" => m.run(many::cancel),
        "deadline" => m.run(many::deadline),
        "sleeps" => m.run(|b| many::sleeps(b, sizes::MANY)),
        "sleeps/million" => m.run(|b| many::sleeps(b, sizes::MILLION)),
        "offload/1" => m.run(|b| calls::offload(b, 1)),
        "offload/64" => m.run(|b| calls::offload(b, 64)),
        "offload/blocks" => m.run(calls::blocks),
        "timer/wake" => m.run(|b| wake::wake(b, false)),
        "timer/wake_checkpoints/1" => m.run(|b| wake::wake(b, true)),
        _ => println!("{{\"benchmarks\": []}}"),
    }
}
