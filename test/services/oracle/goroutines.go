package main

import (
	"math/rand"
	"sync"
)

// lookConcurrently reads one map, which does not change, from several goroutines.
func lookConcurrently(d *driver, n float64) {
	const goroutines = 4
	d.start(0)
	d.fill(d.capacity()/2+1, 0)
	var wait sync.WaitGroup
	for i := 0; i < goroutines; i++ {
		own := *d
		own.subject = d.reader()
		people := *d.population
		people.rng = rand.New(rand.NewSource(d.rng.Int63()))
		own.population = &people
		wait.Add(1)
		read := func() {
			defer wait.Done()
			own.look(n / goroutines)
		}
		if countedRuntime {
			read() // The runtime's counts are of one lookup at a time.
		} else {
			go read()
		}
	}
	wait.Wait()
}

// lookOnGrownStacks makes each lookup on a goroutine of its own, at another depth of its stack: on some of them the
// lookup is what makes the stack grow.
func lookOnGrownStacks(d *driver, n float64) {
	d.start(0)
	d.fill(40, 0)
	done := make(chan struct{})
	for i := 0; i < int(n); i++ {
		go func(narrow, wide int) {
			descend(narrow, wide, d.lookup)
			done <- struct{}{}
		}(i%64, i/64%32)
		<-done
	}
}

// descend calls f below some narrow and some wide frames.
//
//go:noinline
func descend(narrow, wide int, f func()) {
	switch {
	case wide > 0:
		descendWide(narrow, wide, f)
	case narrow > 0:
		descend(narrow-1, wide, f)
	default:
		f()
	}
}

//go:noinline
func descendWide(narrow, wide int, f func()) {
	var frame [136]byte
	frame[wide] = 1
	descend(narrow, wide-1, f)
	sink += int(frame[wide])
}

// sink keeps the compiler from leaving work out. Only one goroutine at a time writes it.
var sink int
