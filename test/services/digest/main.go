// Command digest works as hard as it can and says what came of it: workers that fill maps, look keys up, delete some, recurse
// deeply, and make garbage, in blocks. After each block it prints a digest of all results, which depends on nothing but
// the block's number: whatever else happens to the process, the lines must be the same.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
)

const workers = 4

type key struct {
	name string
	id   uint64
}

// worker has maps of its own, so that its results do not depend on when others work.
type worker struct {
	state   uint64
	numbers map[uint64]uint64
	texts   map[string]uint64
	keys    map[key]uint64
}

// next is a step of xorshift64.
func (w *worker) next() uint64 {
	w.state ^= w.state << 13
	w.state ^= w.state >> 7
	w.state ^= w.state << 17
	return w.state
}

// deep looks keys up at every depth, so that stacks grow, move and shrink.
func (w *worker) deep(depth int) uint64 {
	var room [16]uint64
	room[depth%16] = w.numbers[w.next()%5000]
	if depth == 0 {
		return room[0]
	}
	return w.deep(depth-1)*31 + room[depth%16]
}

func (w *worker) block(steps int) uint64 {
	sum := uint64(0)
	for i := 0; i < steps; i++ {
		n := w.next() % 5000
		name := fmt.Sprint("k", n)
		switch w.next() % 8 {
		case 0:
			w.numbers[n], w.texts[name], w.keys[key{name, n}] = w.next(), n, n
		case 1:
			delete(w.numbers, n)
			delete(w.texts, name)
			delete(w.keys, key{name, n})
		default:
			number, found := w.numbers[n]
			if found {
				sum = sum*33 + number
			}
			sum = sum*33 + w.texts[name] + w.keys[key{name, n}]
		}
	}
	result := make(chan uint64)
	go func() { result <- w.deep(200) }()
	return sum ^ <-result
}

func main() {
	blocks := flag.Int("blocks", 0, "how many; 0: until SIGTERM, after which the block under way is finished")
	steps := flag.Int("steps", 2000, "of each worker in each block")
	flag.Parse()
	var stopping uint32
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM)
	go func() {
		<-signals
		atomic.StoreUint32(&stopping, 1)
	}()
	all := make([]*worker, workers)
	for i := range all {
		all[i] = &worker{uint64(i + 1), map[uint64]uint64{}, map[string]uint64{}, map[key]uint64{}}
	}
	for n := 1; (*blocks == 0 || n <= *blocks) && atomic.LoadUint32(&stopping) == 0; n++ {
		var wait sync.WaitGroup
		results := make([]uint64, workers)
		for i := range all {
			wait.Add(1)
			go func(i int) {
				defer wait.Done()
				results[i] = all[i].block(*steps)
			}(i)
		}
		wait.Wait()
		fmt.Printf("%d %x\n", n, results)
	}
}
