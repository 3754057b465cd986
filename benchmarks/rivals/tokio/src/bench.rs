//! Timing a batch, and printing a case as shim.cpp does.

use std::time::{Duration, Instant};

#[derive(Default)]
pub struct Bench {
    began: Option<Instant>,
    began_cpu: Duration,
    took: Duration,
    cpu: Duration,
    ops: u64,
    wrong: Option<&'static str>,
    extra: Vec<(&'static str, f64)>,
}

/// Processor time of the whole process.
fn process_time() -> Duration {
    let mut t = libc::timespec { tv_sec: 0, tv_nsec: 0 };

    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut t) };
    Duration::new(t.tv_sec as u64, t.tv_nsec as u32)
}

impl Bench {
    pub fn start(&mut self) {
        self.began_cpu = process_time();
        self.began = Some(Instant::now());
    }

    pub fn stop(&mut self, ops: u64) {
        self.took = self.began.expect("started").elapsed();
        self.cpu = process_time() - self.began_cpu;
        self.ops = ops;
    }

    /// Fails the case unless ok.
    pub fn check(&mut self, ok: bool, what: &'static str) {
        if !ok {
            self.wrong = Some(what);
        }
    }

    pub fn counter(&mut self, name: &'static str, value: f64) {
        self.extra.push((name, value));
    }

    fn each(&self, time: Duration) -> f64 {
        time.as_nanos() as f64 / self.ops as f64
    }
}

pub fn print(name: &str, batches: &[Bench]) {
    if let Some(what) = batches.iter().find_map(|b| b.wrong) {
        println!(
            "{{\"benchmarks\": [{{\"name\": \"{}\", \"error_occurred\": true, \
             \"error_message\": \"{}\"}}]}}",
            name, what
        );
        return;
    }
    let mut ns: Vec<f64> = batches.iter().map(|b| b.each(b.took)).collect();
    let took: Duration = batches.iter().map(|b| b.took).sum();
    let cpu: Duration = batches.iter().map(|b| b.cpu).sum();
    let least = batches.iter().map(|b| b.each(b.cpu)).fold(f64::MAX, f64::min);
    let last = batches.last().expect("a batch");
    let extra: String = last.extra.iter().map(|(k, v)| format!(", \"{}\": {}", k, v)).collect();

    ns.sort_by(|a, b| a.partial_cmp(b).expect("numbers"));
    println!(
        "{{\"benchmarks\": [{{\"name\": \"{}\", \"ns\": {}, \"ns_min\": {}, \
         \"ns_max\": {}, \"batches\": {}, \"ops\": {}, \"cpu\": {}, \
         \"cpu_ns_min\": {}{}}}]}}",
        name,
        ns[ns.len() / 2],
        ns[0],
        ns[ns.len() - 1],
        ns.len(),
        last.ops,
        cpu.as_secs_f64() / took.as_secs_f64(),
        least,
        extra
    );
}
