// Command allowance does the same piece of work over and over, a part of it lookups of one kind, so that what observing it costs
// can be measured by the CPU time of a piece:
//
//	allowance [-rest DURATION] keys BYTES        among twenty keys that differ at their end
//	allowance [-rest DURATION] chain BUCKETS     among keys that all have the same hash, in a classic map
//	allowance [-rest DURATION] goroutines COUNT  on that many goroutines in turn
//	allowance [-rest DURATION] sites             at each of the call sites that it was built with in turn
//
// It prints "ready", and answers each line of its standard input with the number of pieces so far. It ends when its input does.
package main

import (
	"bufio"
	"crypto/sha256"
	"flag"
	"fmt"
	"math/bits"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// Lookups and other work of a piece: about a million lookups a second, where they are cheap.
const (
	lookupsOfPiece = 10
	hashesOfPiece  = 16
)

var (
	other [1024]byte
	sink  uint64
)

// spend is what a piece does beside lookups.
func spend(times int) {
	for i := 0; i < times; i++ {
		sum := sha256.Sum256(other[:])
		other[i] ^= sum[0]
	}
}

//go:noinline
func getString(m map[string]int, key string) int { return m[key] }

// keys are strings of so many bytes. What is looked up is a copy, which has to be compared to its end.
func keys(size int) func() {
	const count = 20
	m := map[string]int{}
	asked := make([]string, count)
	for i := 0; i < count; i++ {
		key := strings.Repeat("x", size-8) + fmt.Sprintf("%08d", i)
		m[key] = i
		asked[i] = string([]byte(key))
	}
	next := 0
	lookups := lookupsOfPiece
	if size > 1024 {
		lookups = 1
	}
	return func() {
		for i := 0; i < lookups; i++ {
			next = (next + 7) % count
			sink += uint64(getString(m, asked[next]))
		}
		spend(hashesOfPiece + size/1024)
	}
}

const parts = 16

// chained has the same hash as all others with as many parts that are nil: an interface that is nil takes no part in a hash.
type chained [parts]interface{}

//go:noinline
func getChained(m map[chained]int, key chained) int { return m[key] }

// chain fills a bucket of a classic map and its overflow buckets, eight keys each.
func chain(buckets int) func() {
	wanted := 8 * buckets
	// With room for more, so that the map never grows.
	m := make(map[chained]int, 4*wanted)
	var all []chained
	for mask := 0; mask < 1<<parts && len(all) < wanted; mask++ {
		if bits.OnesCount(uint(mask)) != parts/2 {
			continue
		}
		var key chained
		for i := range key {
			if mask>>uint(i)&1 == 1 {
				key[i] = true
			}
		}
		m[key] = len(all)
		all = append(all, key)
	}
	next := 0
	return func() {
		next = (next + 1009) % len(all)
		sink += uint64(getChained(m, all[next]))
		spend(100)
	}
}

//go:noinline
func getNumber(m map[int]int, key int) int { return m[key] }

func numbers() map[int]int {
	m := map[int]int{}
	for i := 0; i < 1000; i++ {
		m[i] = i
	}
	return m
}

// goroutines has pieces done by one after the other.
func goroutines(count int) func() {
	m := numbers()
	turns := make([]chan int, count)
	done := make(chan struct{})
	for i := range turns {
		turns[i] = make(chan int)
		go func(turn chan int) {
			for key := range turn {
				for i := 0; i < lookupsOfPiece; i++ {
					sink += uint64(getNumber(m, (key+i)%1200))
				}
				spend(hashesOfPiece)
				done <- struct{}{}
			}
		}(turns[i])
	}
	next := 0
	return func() {
		next = (next + 1) % count
		turns[next] <- next
		<-done
	}
}

func atSites() func() {
	m := numbers()
	next := 0
	return func() {
		for i := 0; i < lookupsOfPiece; i++ {
			next = (next + 1) % len(sites)
			sink += uint64(sites[next](m, next%1200))
		}
		spend(hashesOfPiece)
	}
}

func work(kind string, size int) func() {
	switch kind {
	case "keys":
		return keys(size)
	case "chain":
		return chain(size)
	case "goroutines":
		return goroutines(size)
	case "sites":
		return atSites()
	}
	fmt.Fprintln(os.Stderr, "allowance: unknown kind", kind)
	os.Exit(2)
	return nil
}

func main() {
	rest := flag.Duration("rest", 0, "after each piece")
	flag.Parse()
	size, _ := strconv.Atoi(flag.Arg(1))
	piece := work(flag.Arg(0), size)
	var pieces int64
	go func() {
		for {
			piece()
			atomic.AddInt64(&pieces, 1)
			if *rest > 0 {
				time.Sleep(*rest)
			}
		}
	}()
	fmt.Println("ready")
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		fmt.Println(atomic.LoadInt64(&pieces))
	}
}
