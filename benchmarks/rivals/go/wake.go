package main

import (
	"math"
	"runtime"
	"sort"
	"sync"
	"sync/atomic"
	"time"
)

// The size of timer_wake in ../../micro/timer.c.
const wakes = 300

func init() {
	cases["timer/wake"] = func(b *bench) { wake(b, false) }
	cases["timer/wake_checkpoints/1"] = func(b *bench) { wake(b, true) }
}

// mix is uts_mix of ../../kernels/work.h.
func mix(x uint64) uint64 {
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9
	x = (x ^ (x >> 27)) * 0x94d049bb133111eb
	return x ^ (x >> 31)
}

func burn(d time.Duration) {
	for began := time.Now(); time.Since(began) < d; {
	}
}

// compute runs for 0.1 to 10 ms at a time, evenly spread on a logarithmic
// scale, and yields; with checkpoints each 10 us.
func compute(seed uint64, checkpoints bool, stop *atomic.Bool) {
	for !stop.Load() {
		seed++
		draw := float64(mix(seed)>>11) * 0x1p-53
		burst := 100000 * math.Pow(100, draw)
		for done := 0.0; done < burst && !stop.Load(); done += 10000 {
			burn(10 * time.Microsecond)
			if checkpoints {
				runtime.Gosched()
			}
		}
		runtime.Gosched()
	}
}

func wake(b *bench, checkpoints bool) {
	var stop atomic.Bool
	var all sync.WaitGroup
	late := make([]time.Duration, wakes)
	all.Add(4)
	for i := uint64(0); i < 4; i++ {
		go func(i uint64) {
			compute(i<<32, checkpoints, &stop)
			all.Done()
		}(i)
	}
	b.start()
	for i := range late {
		until := time.Now().Add(time.Millisecond)
		time.Sleep(time.Millisecond)
		late[i] = time.Since(until)
	}
	b.stop(wakes)
	stop.Store(true)
	all.Wait()
	sort.Slice(late, func(i, k int) bool { return late[i] < late[k] })
	b.check(late[0] >= 0, "a timer fired early")
	b.extra["late_p50_us"] = float64(late[(wakes-1)/2]) / 1e3
	b.extra["late_p99_us"] = float64(late[(wakes-1)*99/100]) / 1e3
	b.extra["late_max_us"] = float64(late[wakes-1]) / 1e3
}
