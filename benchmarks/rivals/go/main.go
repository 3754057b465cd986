// The workloads of ../../waits/waits.h in Go: goroutines, channels, sync; and
// some of ../../micro.
//
//	bench_waits_go --list
//	bench_waits_go CASE WORKERS BATCHES
//
// The second runs a batch to warm up and then so many that count, in a process whose
// GOMAXPROCS is WORKERS, and prints what shim.cpp prints of a case of C.
// The garbage collector is as it comes.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"sort"
	"strconv"
	"syscall"
	"time"
)

// A bench is a running case: what a batch calls to be timed.
type bench struct {
	began    time.Time
	beganCPU time.Duration
	took     time.Duration
	cpu      time.Duration
	ops      uint64
	extra    map[string]float64
	wrong    string
}

func (b *bench) start() {
	b.beganCPU = processTime()
	b.began = time.Now()
}

func (b *bench) stop(ops uint64) {
	b.took = time.Since(b.began)
	b.cpu = processTime() - b.beganCPU
	b.ops = ops
}

// check fails the case unless ok.
func (b *bench) check(ok bool, what string) {
	if !ok {
		b.wrong = what
	}
}

func processTime() time.Duration {
	var r syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &r) != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

var cases = map[string]func(*bench){}

// measure runs the batches and sums them up as shim.cpp does.
func measure(name string, batch func(*bench), batches int) map[string]any {
	b := &bench{extra: map[string]float64{}}
	var each []float64
	var took, cpu time.Duration
	var cpuLeast float64

	for i := 0; i <= batches && b.wrong == ""; i++ {
		batch(b)
		if i == 0 {
			continue // it warmed up
		}
		each = append(each, float64(b.took.Nanoseconds())/float64(b.ops))
		took += b.took
		cpu += b.cpu
		c := float64(b.cpu.Nanoseconds()) / float64(b.ops)
		if cpuLeast == 0 || c < cpuLeast {
			cpuLeast = c
		}
	}
	result := map[string]any{"name": name}
	if b.wrong != "" {
		result["error_occurred"] = true
		result["error_message"] = b.wrong
		return result
	}
	sort.Float64s(each)
	result["ns"] = each[len(each)/2]
	result["ns_min"] = each[0]
	result["ns_max"] = each[len(each)-1]
	result["batches"] = len(each)
	result["ops"] = b.ops
	result["cpu"] = float64(cpu) / float64(took)
	result["cpu_ns_min"] = cpuLeast
	for k, v := range b.extra {
		result[k] = v
	}
	return result
}

func main() {
	if len(os.Args) == 2 && os.Args[1] == "--list" {
		for name := range cases {
			fmt.Println(name)
		}
		return
	}
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: bench_waits_go CASE WORKERS BATCHES")
		os.Exit(2)
	}
	name := os.Args[1]
	workers, err1 := strconv.Atoi(os.Args[2])
	batches, err2 := strconv.Atoi(os.Args[3])
	if err1 != nil || err2 != nil || workers < 1 || batches < 1 {
		fmt.Fprintln(os.Stderr, "WORKERS and BATCHES are numbers from 1")
		os.Exit(2)
	}
	found := []any{}
	if batch, ok := cases[name]; ok {
		runtime.GOMAXPROCS(workers)
		found = append(found, measure(name, batch, batches))
	}
	out := json.NewEncoder(os.Stdout)
	if out.Encode(map[string]any{"benchmarks": found}) != nil {
		os.Exit(1)
	}
}
