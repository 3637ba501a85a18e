// Command mixed makes lookups of several kinds in a random order that depends on its seed alone: four call sites, of which
// one is asked 900 times as often as another, in maps of different states. Whatever part of them an observer sees, it must
// see them in the same proportions. It works in bursts, prints "ready" when it begins, and goes on until it is killed.
package main

import (
	"flag"
	"fmt"
	"math/rand"
	"time"
)

type point struct {
	name string
	x, y int
}

const entries = 3000

var (
	numbers = map[int64]int64{}
	// Never grown, since it was made too large: short probes.
	sparse = make(map[int64]int64, 100*entries)
	texts  = map[string]int64{}
	points = map[point]int64{}

	keys [2 * entries]string
	sum  int64
)

//go:noinline
func hot(i int) { sum += numbers[int64(i)] }

//go:noinline
func warm(i int) { sum += texts[keys[i]] }

//go:noinline
func cool(i int) { sum += points[point{keys[i], i, -i}] }

//go:noinline
func rare(i int) { sum += sparse[int64(i)] }

func main() {
	seed := flag.Int64("seed", 1, "of the order of lookups")
	burst := flag.Int("burst", 500, "lookups after which it sleeps for a millisecond")
	flag.Parse()
	random := rand.New(rand.NewSource(*seed))
	for i := range keys {
		keys[i] = fmt.Sprintf("key-%d", i)
	}
	for i := 0; i < entries; i++ {
		numbers[int64(i)], sparse[int64(i)] = int64(i), int64(i)
		texts[keys[i]], points[point{keys[i], i, -i}] = int64(i), int64(i)
	}
	fmt.Println("ready")
	for {
		for n := 0; n < *burst; n++ {
			// Half of the keys are there.
			i := random.Intn(2 * entries)
			switch kind := random.Intn(1000); {
			case kind < 900:
				hot(i)
			case kind < 980:
				warm(i)
			case kind < 999:
				cool(i)
			default:
				rare(i)
			}
		}
		time.Sleep(time.Millisecond)
	}
}
