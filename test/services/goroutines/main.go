// Command goroutines does map lookups on the goroutines that it is told to, as many as it is told to, and says which
// goroutine each worker is. Commands, a line each, are answered by a line when what they ask for is done:
//
//	who                         "ID PARENT" of each worker
//	work WORKER HITS MISSES     lookups on a worker's goroutine
//	short COUNT HITS            COUNT goroutines that make HITS lookups each and end
//	concurrently HITS           lookups on all workers at once; worker i makes i+1 times HITS
package main

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
)

// table has its keys in the first four slots of its only bucket or group: key i is found at the (i+1)-th comparison.
var table = map[uint64]int{}

const keys = 4

// lookUp makes lookups of the worker's own key, and of one that is not there. It yields now and then, so that goroutines
// go from thread to thread.
//
//go:noinline
func lookUp(key uint64, hits, misses int) (sum int) {
	for i := 0; i < hits; i++ {
		sum += table[key]
		if i%100 == 99 {
			runtime.Gosched()
		}
	}
	for i := 0; i < misses; i++ {
		sum += table[keys+key]
	}
	return sum
}

// goroutineID reads the id from the first line of a traceback, "goroutine 7 [running]:".
func goroutineID() uint64 {
	buffer := make([]byte, 64)
	fields := bytes.Fields(buffer[:runtime.Stack(buffer, false)])
	id, err := strconv.ParseUint(string(fields[1]), 10, 64)
	if err != nil {
		panic(err)
	}
	return id
}

type order struct{ hits, misses int }

type worker struct {
	id, parent uint64
	orders     chan order
	done       chan int
}

// start starts worker number n of those that remain, which starts the next: each has another parent.
func start(n uint64, parent uint64, workers []*worker, started *sync.WaitGroup) {
	if len(workers) == 0 {
		return
	}
	w := &worker{parent: parent, orders: make(chan order), done: make(chan int)}
	workers[0] = w
	go func() {
		w.id = goroutineID()
		start(n+1, w.id, workers[1:], started)
		started.Done()
		for o := range w.orders {
			w.done <- lookUp(n%keys, o.hits, o.misses)
		}
	}()
}

func main() {
	count := flag.Int("workers", 8, "goroutines that live as long as the program")
	flag.Parse()
	for key := uint64(0); key < keys; key++ {
		table[key] = int(key)
	}
	workers := make([]*worker, *count)
	var started sync.WaitGroup
	started.Add(*count)
	start(0, goroutineID(), workers, &started)
	started.Wait()
	sum := 0
	input := bufio.NewScanner(os.Stdin)
	for input.Scan() {
		words := strings.Fields(input.Text())
		numbers := make([]int, 3)
		for i, word := range words[1:] {
			numbers[i], _ = strconv.Atoi(word)
		}
		var answer []string
		switch words[0] {
		case "who":
			for _, w := range workers {
				answer = append(answer, strconv.FormatUint(w.id, 10)+" "+strconv.FormatUint(w.parent, 10))
			}
		case "work":
			w := workers[numbers[0]]
			w.orders <- order{numbers[1], numbers[2]}
			sum += <-w.done
		case "short":
			short(numbers[0], numbers[1])
		case "concurrently":
			for i, w := range workers {
				w.orders <- order{(i + 1) * numbers[0], 0}
			}
			for _, w := range workers {
				sum += <-w.done
			}
		}
		os.Stdout.WriteString(strings.Join(answer, ",") + "\n")
	}
	fmt.Fprintln(os.Stderr, sum)
}

// short has goroutines make lookups and end, a few at a time.
func short(count, hits int) {
	const atOnce = 50
	for count > 0 {
		var group sync.WaitGroup
		for i := 0; i < atOnce && count > 0; i++ {
			group.Add(1)
			count--
			go func() {
				defer group.Done()
				lookUp(0, hits, 0)
			}()
		}
		group.Wait()
	}
}
