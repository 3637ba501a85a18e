// Command series makes map lookups from as many call sites as it is told, hits and misses at each, and uses up to half a
// core for it. It prints "ready" when every site has been used once, and ends when its standard input does.
package main

import (
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"time"
)

// A turn of work and a turn of rest.
const turn = time.Millisecond

func main() {
	count := flag.Int("series", 1000, "call sites times outcomes")
	share := flag.Float64("share", 0.5, "of a core that is used")
	flag.Parse()
	used := sites[:max(1, min(*count/2, len(sites)))]
	m := make(map[int]int)
	for i := range 1000 {
		m[i] = i
	}
	go work(used, m, time.Duration(float64(turn)**share/(1-*share)))
	io.Copy(io.Discard, os.Stdin)
}

func work(used []func(map[int]int, int) int, m map[int]int, busy time.Duration) {
	sum := 0
	for round := 0; ; round++ {
		begin := time.Now()
		// From anywhere on, or a window that opens in a pause would always see the same sites.
		from := rand.IntN(len(used))
		for i := range used {
			sum += used[(from+i)%len(used)](m, i%1000) + used[(from+i)%len(used)](m, -1-i)
			if i%64 == 0 && time.Since(begin) > busy {
				time.Sleep(turn)
				begin = time.Now()
			}
		}
		if round == 0 {
			fmt.Println("ready")
		}
		time.Sleep(turn)
	}
}
