package main

import (
	"context"
	"sort"
	"sync"
	"time"
)

func init() {
	cases["join"] = join
	cases["release"] = release
	cases["cancel"] = cancelAll
	cases["deadline"] = deadline
	cases["sleeps"] = func(b *bench) { sleeps(b, many) }
	cases["sleeps/million"] = func(b *bench) { sleeps(b, million) }
}

// join: a goroutine has no handle; a channel tells that it is over.
func join(b *bench) {
	b.start()
	for i := 0; i < joinRounds; i++ {
		over := make(chan struct{})
		go func() { close(over) }()
		<-over
	}
	b.stop(joinRounds)
}

// gather starts many goroutines that wait, and returns when all are about to.
func gather(all *sync.WaitGroup, wait func()) {
	var here sync.WaitGroup
	here.Add(many)
	all.Add(many)
	for i := 0; i < many; i++ {
		go func() {
			here.Done()
			wait()
			all.Done()
		}()
	}
	here.Wait()
}

func release(b *bench) {
	gate := make(chan struct{})
	var all sync.WaitGroup
	gather(&all, func() { <-gate })
	b.start()
	close(gate)
	all.Wait()
	b.stop(many)
}

func cancelAll(b *bench) {
	ctx, cancel := context.WithCancel(context.Background())
	never := make(chan struct{})
	var all sync.WaitGroup
	gather(&all, func() {
		select {
		case <-never:
		case <-ctx.Done():
		}
	})
	b.start()
	cancel()
	all.Wait()
	b.stop(many)
}

func deadline(b *bench) {
	ready := make(chan struct{})
	close(ready)
	late := 0
	when := time.Now().Add(time.Minute)
	b.start()
	for i := 0; i < deadlines; i++ {
		ctx, cancel := context.WithDeadline(context.Background(), when)
		select {
		case <-ready:
		case <-ctx.Done():
			late++
		}
		cancel()
	}
	b.stop(deadlines)
	b.check(late == 0, "timed out")
}

func sleeps(b *bench, n int) {
	late := make([]time.Duration, n)
	var all sync.WaitGroup
	all.Add(n)
	b.start()
	for i := 0; i < n; i++ {
		go func(i int) {
			d := time.Duration(i * 7919 % n * (1000000000 / n))
			began := time.Now()
			time.Sleep(d)
			late[i] = time.Since(began) - d
			all.Done()
		}(i)
	}
	all.Wait()
	b.stop(uint64(n))
	sort.Slice(late, func(i, k int) bool { return late[i] < late[k] })
	b.extra["late_p50_us"] = float64(late[(n-1)/2]) / 1e3
	b.extra["late_p99_us"] = float64(late[(n-1)*99/100]) / 1e3
}
