package main

import (
	"runtime"
	"sync"
	"time"
)

func init() {
	cases["yield/2"] = func(b *bench) { yield(b, 2) }
	cases["yield/1000"] = func(b *bench) { yield(b, 1000) }
	cases["pingpong"] = func(b *bench) { pingpong(b, 0) }
	cases["pingpong/room"] = func(b *bench) { pingpong(b, 1) }
	cases["pingpong/deadline"] = pingpongDeadline
	cases["ring"] = ring
	cases["event"] = event
}

// together runs functions as goroutines until all have returned.
func together(fns ...func()) {
	var all sync.WaitGroup
	all.Add(len(fns))
	for _, fn := range fns {
		go func(fn func()) {
			defer all.Done()
			fn()
		}(fn)
	}
	all.Wait()
}

// crowd runs fn as so many goroutines until all have returned.
func crowd(tasks int, fn func()) {
	var all sync.WaitGroup
	all.Add(tasks)
	for i := 0; i < tasks; i++ {
		go func() {
			fn()
			all.Done()
		}()
	}
	all.Wait()
}

func yield(b *bench, tasks int) {
	each := yields / tasks
	b.start()
	crowd(tasks, func() {
		for i := 0; i < each; i++ {
			runtime.Gosched()
		}
	})
	b.stop(yields)
}

func pingpong(b *bench, room int) {
	there, back := make(chan int, room), make(chan int, room)
	wrong := 0
	b.start()
	together(func() {
		for i := 0; i < pingRounds; i++ {
			back <- <-there
		}
	}, func() {
		for i := 0; i < pingRounds; i++ {
			there <- i
			if <-back != i {
				wrong++
			}
		}
	})
	b.stop(pingRounds)
	b.check(wrong == 0, "wrong numbers")
}

// receiveUntil arms a timer for each wait, as there is no receive with a
// deadline. The timer is used again: cheaper than a new one or a context.
func receiveUntil(c chan int, timer *time.Timer) int {
	timer.Reset(time.Minute)
	select {
	case item := <-c:
		timer.Stop()
		return item
	case <-timer.C:
		return -1
	}
}

func pingpongDeadline(b *bench) {
	there, back := make(chan int, 1), make(chan int, 1)
	wrong := 0
	stopped := func() *time.Timer {
		t := time.NewTimer(time.Minute)
		t.Stop()
		return t
	}
	b.start()
	together(func() {
		timer := stopped()
		for i := 0; i < pingRounds; i++ {
			back <- receiveUntil(there, timer)
		}
	}, func() {
		timer := stopped()
		for i := 0; i < pingRounds; i++ {
			there <- i
			if receiveUntil(back, timer) != i {
				wrong++
			}
		}
	})
	b.stop(pingRounds)
	b.check(wrong == 0, "wrong numbers")
}

func ring(b *bench) {
	links := make([]chan uint64, ringTasks)
	for i := range links {
		links[i] = make(chan uint64)
	}
	var all sync.WaitGroup
	all.Add(ringTasks - 1)
	for i := 1; i < ringTasks; i++ {
		go func(from, to chan uint64) {
			for k := 0; k < ringLaps+1; k++ {
				to <- <-from + 1
			}
			all.Done()
		}(links[i-1], links[i])
	}
	item := uint64(0)
	lap := func() {
		links[0] <- item + 1
		item = <-links[ringTasks-1]
	}
	lap() // all are up
	b.start()
	for i := 0; i < ringLaps; i++ {
		lap()
	}
	b.stop(ringLaps * ringTasks)
	all.Wait()
	b.check(item == (ringLaps+1)*ringTasks, "the number is wrong")
}

// event: Go has none. A channel with room for one token is the usual one.
func event(b *bench) {
	there, back := make(chan struct{}, 1), make(chan struct{}, 1)
	b.start()
	together(func() {
		for i := 0; i < eventRounds; i++ {
			<-there
			back <- struct{}{}
		}
	}, func() {
		for i := 0; i < eventRounds; i++ {
			there <- struct{}{}
			<-back
		}
	})
	b.stop(eventRounds)
}
