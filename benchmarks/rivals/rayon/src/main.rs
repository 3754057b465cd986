//! The kernels of ../../../kernels and the loops of ../../../parallel on Rayon.
//!
//!     bench_rayon --list
//!     bench_rayon CASE WORKERS BATCHES
//!
//! The second runs a batch to warm up and then so many that count, and prints
//! what shim.cpp prints of a case of C. All of it is in a pool of so many
//! threads: the one that calls would else be beside them.
//!
//! bench.rs is Tokio's: the build copies it here from ../../tokio/src.

#[allow(dead_code)] // Tokio has counters besides
mod bench;
mod kernels;
mod loops;
mod matmul;
mod sorts;
mod work;

use bench::{print, Bench};
use rayon::ThreadPoolBuilder;
use work::Work;

/// Not here: scan/5, which Rayon has not.
const CASES: &[(&str, fn() -> Box<dyn Work>)] = &[
    ("fib", || Box::new(kernels::Fib::default())),
    ("nqueens", || Box::new(kernels::Nqueens::new())),
    ("skynet", || Box::new(kernels::Skynet::default())),
    ("uts", || Box::new(kernels::Uts::new())),
    ("storm", || Box::new(kernels::Storm::new())),
    ("matmul", || Box::new(matmul::Matmul::new())),
    ("sum/1", || Box::new(loops::Sum::new())),
    ("saxpy/2", || Box::new(loops::Saxpy::new())),
    ("triangle/3", || Box::new(loops::triangle())),
    ("picture/4", || Box::new(loops::picture())),
    ("sort/6", || Box::new(sorts::Ints::new())),
    ("strings/7", || Box::new(sorts::Strings::new())),
];

/// Runs so many batches and one before; each is checked, that one too.
fn measure(work: &mut dyn Work, batches: usize) -> Vec<Bench> {
    let mut done = Vec::new();
    let mut right = true;

    for i in 0..=batches {
        let mut b = Bench::default();

        work.prepare();
        b.start();
        work.run();
        b.stop(work.ops());
        right &= work.check();
        b.check(right, "wrong result");
        if i > 0 {
            done.push(b); // the first one warmed up
        }
    }
    done
}

fn main() {
    let args: Vec<String> = std::env::args().collect();

    if args.len() == 2 && args[1] == "--list" {
        CASES.iter().for_each(|(name, _)| println!("{}", name));
        return;
    }
    let numbers: Vec<usize> =
        args.iter().skip(2).flat_map(|a| a.parse()).collect();

    if args.len() != 4 || numbers.len() != 2 || numbers.contains(&0) {
        eprintln!("usage: bench_rayon CASE WORKERS BATCHES");
        std::process::exit(2);
    }
    match CASES.iter().find(|(name, _)| *name == args[1]) {
        None => println!("{{\"benchmarks\": []}}"),
        Some((name, new)) => {
            let pool = ThreadPoolBuilder::new().num_threads(numbers[0]);
            let pool = pool.build().expect("a pool");

            print(name, &pool.install(|| measure(&mut *new(), numbers[1])));
        }
    }
}
