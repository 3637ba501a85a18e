// Command collisions makes lookups whose probe length and key comparisons are known beforehand: all keys of its map have
// the same hash, whatever the map's seed is. It takes orders on standard input, a line each:
//
//	site key count trace span
//
// and makes that many lookups of one key on a goroutine of its own, which has the trace id and the span id as pprof labels
// unless they are "-". Key number k, from 0, is the k+1st of its chain: it is compared with k+1 keys, in k/8+1 buckets or
// groups. It answers each order with the goroutine's id and that of the goroutine that started it.
package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"math/bits"
	"os"
	"runtime"
	"runtime/pprof"
	"strconv"
)

const parts = 8

// key has the same hash as all others with as many parts that are nil: an interface that is nil takes no part in a hash.
type key [parts]interface{}

func chain() (keys []key) {
	for mask := 0; mask < 1<<parts; mask++ {
		if bits.OnesCount(uint(mask)) != parts/2 {
			continue
		}
		var k key
		for i := range k {
			if mask>>i&1 == 1 {
				k[i] = true
			}
		}
		keys = append(keys, k)
	}
	return keys
}

var (
	chained = chain()
	// Room for more, so that the map never grows.
	numbers = make(map[key]int, 500)
	sink    int
)

//go:noinline
func lookUpHere(k key) int { return numbers[k] }

//go:noinline
func lookUpThere(k key) int { return numbers[k] }

func main() {
	for i, k := range chained {
		numbers[k] = i
	}
	fmt.Println("ready")
	orders := bufio.NewScanner(os.Stdin)
	for orders.Scan() {
		var site, trace, span string
		var number, count int
		if _, err := fmt.Sscan(orders.Text(), &site, &number, &count, &trace, &span); err != nil {
			fmt.Fprintln(os.Stderr, "collisions:", err)
			os.Exit(1)
		}
		look := lookUpHere
		if site == "there" {
			look = lookUpThere
		}
		done := make(chan uint64)
		go func() {
			work := func(context.Context) {
				for i := 0; i < count; i++ {
					sink += look(chained[number])
				}
			}
			if trace == "-" {
				work(context.Background())
			} else {
				pprof.Do(context.Background(), pprof.Labels("trace_id", trace, "span_id", span), work)
			}
			done <- goroutineID()
		}()
		fmt.Println("done", <-done, goroutineID())
	}
}

// goroutineID reads the id from the first line of a traceback, "goroutine 7 [running]:".
func goroutineID() uint64 {
	buffer := make([]byte, 64)
	fields := bytes.Fields(buffer[:runtime.Stack(buffer, false)])
	id, err := strconv.ParseUint(string(fields[1]), 10, 64)
	if err != nil {
		fmt.Fprintln(os.Stderr, "collisions:", err)
		os.Exit(1)
	}
	return id
}
