package main

import "sync"

func init() {
	cases["chan/1p1c"] = func(b *bench) { trade(b, 1) }
	cases["chan/4p4c"] = func(b *bench) { trade(b, 4) }
	cases["broadcast"] = broadcast
	cases["pipeline"] = pipeline
	cases["skynet"] = skynet
}

func drain(c chan uint64) uint64 {
	sum := uint64(0)
	for item := range c {
		sum += item
	}
	return sum
}

func trade(b *bench, pairs uint64) {
	items := make(chan uint64, chanRoom)
	each := chanItems / pairs
	sums := make([]uint64, pairs)
	var producers, consumers sync.WaitGroup
	producers.Add(int(pairs))
	consumers.Add(int(pairs))
	b.start()
	for i := uint64(0); i < pairs; i++ {
		go func(i uint64) {
			sums[i] = drain(items)
			consumers.Done()
		}(i)
		go func(first uint64) {
			for item := first; item < first+each; item++ {
				items <- item
			}
			producers.Done()
		}(i * each)
	}
	producers.Wait()
	close(items)
	consumers.Wait()
	b.stop(chanItems)
	sum := uint64(0)
	for _, s := range sums {
		sum += s
	}
	b.check(sum == sumTo(chanItems), "the sum is wrong")
}

// broadcast: a channel for each receiver, as there is no broadcast; and so no
// need to wait for a burst to be taken.
func broadcast(b *bench) {
	const items = fanBursts * fanBurst
	chans := make([]chan uint64, fan)
	sums := make([]uint64, fan)
	var all sync.WaitGroup
	all.Add(fan)
	for i := range chans {
		chans[i] = make(chan uint64, fanBurst)
	}
	b.start()
	for i := range chans {
		go func(i int) {
			sums[i] = drain(chans[i])
			all.Done()
		}(i)
	}
	go func() {
		for item := uint64(0); item < items; item++ {
			for _, c := range chans {
				c <- item
			}
		}
		for _, c := range chans {
			close(c)
		}
	}()
	all.Wait()
	b.stop(items * fan)
	sum := uint64(0)
	for _, s := range sums {
		sum += s
	}
	b.check(sum == fan*sumTo(items), "the sum is wrong")
}

func pipeline(b *bench) {
	first := make(chan uint64, pipeRoom)
	second := make(chan uint64, pipeRoom)
	third := make(chan uint64, pipeRoom)
	addOne := func(from, to chan uint64) {
		for item := range from {
			to <- item + 1
		}
		close(to)
	}
	sum := uint64(0)
	b.start()
	together(func() {
		for i := uint64(0); i < pipeItems; i++ {
			first <- i
		}
		close(first)
	}, func() {
		addOne(first, second)
	}, func() {
		addOne(second, third)
	}, func() {
		sum = drain(third)
	})
	b.stop(pipeItems)
	b.check(sum == sumTo(pipeItems)+2*pipeItems, "the sum is wrong")
}

func node(up chan uint64, number, size uint64) {
	if size == 1 {
		up <- number
		return
	}
	sums := make(chan uint64, 10)
	for i := uint64(0); i < 10; i++ {
		go node(sums, number+i*(size/10), size/10)
	}
	sum := uint64(0)
	for i := 0; i < 10; i++ {
		sum += <-sums
	}
	up <- sum
}

func skynet(b *bench) {
	top := make(chan uint64, 1)
	b.start()
	go node(top, 0, leaves)
	sum := <-top
	b.stop(leaves)
	b.check(sum == sumTo(leaves), "the sum is wrong")
}
