// Command steady is a service under even load: goroutines that look keys up in a map, at a given rate or as fast as they
// can, until the time is over or SIGTERM or SIGINT comes. It prints "ready" when the lookups begin, and at the end how
// many there were, so that an observer can be measured by it.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

var (
	rate       = flag.Float64("rate", 10000, "lookups per second, of all goroutines together; 0: as many as possible")
	goroutines = flag.Int("goroutines", 4, "goroutines that look keys up")
	duration   = flag.Duration("duration", 0, "how long to go on; 0: until a signal comes")
	entries    = flag.Int("entries", 10000, "entries of the map; half of the lookups find one")
	pause      = flag.Duration("pause", time.Millisecond, "between the lookups that are due at a time")
)

// stopping is set once, to end all workers.
var stopping uint32

// worker is what one goroutine does.
type worker struct {
	m       map[int64]int64
	next    int64
	lookups uint64
	sum     int64
}

func main() {
	flag.Parse()
	if flag.NArg() > 0 || *goroutines < 1 || *entries < 1 || *rate < 0 {
		fmt.Fprintln(os.Stderr, "steady: unknown arguments, or a number that makes no sense")
		os.Exit(2)
	}
	m := make(map[int64]int64)
	for i := 0; i < *entries; i++ {
		m[int64(2*i)] = int64(i)
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	var over <-chan time.Time
	if *duration > 0 {
		over = time.After(*duration)
	}

	var wait sync.WaitGroup
	workers := make([]worker, *goroutines)
	fmt.Println("ready")
	for i := range workers {
		w := &workers[i]
		w.m, w.next = m, int64(i)
		wait.Add(1)
		go func() {
			defer wait.Done()
			w.run(*rate / float64(*goroutines))
		}()
	}
	select {
	case <-stop:
	case <-over:
	}
	atomic.StoreUint32(&stopping, 1)
	wait.Wait()

	total := uint64(0)
	for i := range workers {
		total += workers[i].lookups
	}
	fmt.Printf("lookups %d\n", total)
}

// run makes lookups at a rate, or flat out when the rate is 0. It looks at the clock after each batch, so that it also
// ends in time when it cannot keep up with the rate.
func (w *worker) run(rate float64) {
	const batch = 1000
	start := time.Now()
	for atomic.LoadUint32(&stopping) == 0 {
		todo := uint64(batch)
		if rate > 0 {
			todo = uint64(time.Since(start).Seconds()*rate) - w.lookups
		}
		if todo > batch {
			todo = batch
		}
		for i := uint64(0); i < todo; i++ {
			w.sum += w.lookUp()
		}
		w.lookups += todo
		if todo < batch {
			time.Sleep(*pause)
		}
	}
}

// lookUp looks one key up. It is the only place that does.
//
//go:noinline
func (w *worker) lookUp() int64 {
	w.next = (w.next + 7919) % int64(2**entries)
	return w.m[w.next]
}
