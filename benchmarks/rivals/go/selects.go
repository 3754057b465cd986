package main

func init() {
	cases["select/ready/2"] = func(b *bench) { ready(b, 2, choose2) }
	cases["select/ready/16"] = func(b *bench) { ready(b, 16, choose16) }
	cases["select/wait/2"] = func(b *bench) { wait(b, 2, choose2) }
	cases["select/wait/16"] = func(b *bench) { wait(b, 16, choose16) }
}

func newChans(n, room int) []chan uint64 {
	c := make([]chan uint64, n)
	for i := range c {
		c[i] = make(chan uint64, room)
	}
	return c
}

func choose2(c []chan uint64) (item uint64) {
	select {
	case item = <-c[0]:
	case item = <-c[1]:
	}
	return item
}

func choose16(c []chan uint64) (item uint64) {
	select {
	case item = <-c[0]:
	case item = <-c[1]:
	case item = <-c[2]:
	case item = <-c[3]:
	case item = <-c[4]:
	case item = <-c[5]:
	case item = <-c[6]:
	case item = <-c[7]:
	case item = <-c[8]:
	case item = <-c[9]:
	case item = <-c[10]:
	case item = <-c[11]:
	case item = <-c[12]:
	case item = <-c[13]:
	case item = <-c[14]:
	case item = <-c[15]:
	}
	return item
}

func ready(b *bench, n uint64, choose func([]chan uint64) uint64) {
	c := newChans(int(n), 1)
	sum := uint64(0)
	b.start()
	for i := uint64(0); i < selectReady; i++ {
		c[i%n] <- i
		sum += choose(c)
	}
	b.stop(selectReady)
	b.check(sum == sumTo(selectReady), "the sum is wrong")
}

func wait(b *bench, n uint64, choose func([]chan uint64) uint64) {
	c := newChans(int(n), 0)
	sum := uint64(0)
	b.start()
	together(func() {
		for i := uint64(0); i < selectWaits; i++ {
			c[i%n] <- i
		}
	}, func() {
		for i := 0; i < selectWaits; i++ {
			sum += choose(c)
		}
	})
	b.stop(selectWaits)
	b.check(sum == sumTo(selectWaits), "the sum is wrong")
}
