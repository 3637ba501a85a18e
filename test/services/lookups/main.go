// Command lookups measures what one map lookup costs, for the benchmark: each line on its standard input names a case, a
// number of lookups and a number of goroutines that each make so many, each line on its standard output is the nanoseconds
// they took.
package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// key is compared by a function of its own, made by the compiler.
type key struct {
	name string
	id   int
}

const (
	smallSize = 8
	largeSize = 10000
)

var (
	fast64  = map[string]map[uint64]int{}
	faststr = map[string]map[string]int{}
	generic = map[string]map[key]int{}

	numbers [2 * largeSize]uint64
	texts   [2 * largeSize]string
	keys    [2 * largeSize]key

	sink int64
)

func fill(name string, size int) {
	fast64[name], faststr[name], generic[name] = map[uint64]int{}, map[string]int{}, map[key]int{}
	for i := 0; i < size; i++ {
		fast64[name][numbers[i]] = i
		faststr[name][texts[i]] = i
		generic[name][keys[i]] = i
	}
}

// Each of the three loops looks keys up one after the other: present ones from 0 to size, absent ones from there on.

func lookUpNumbers(m map[uint64]int, from, size, n int) (sum int) {
	for i := 0; i < n; i++ {
		sum += m[numbers[from+i%size]]
	}
	return sum
}

func lookUpTexts(m map[string]int, from, size, n int) (sum int) {
	for i := 0; i < n; i++ {
		sum += m[texts[from+i%size]]
	}
	return sum
}

func lookUpKeys(m map[key]int, from, size, n int) (sum int) {
	for i := 0; i < n; i++ {
		sum += m[keys[from+i%size]]
	}
	return sum
}

// measure runs a case such as "faststr large miss".
func measure(kind, state, result string, n, goroutines int) time.Duration {
	size, from := smallSize, 0
	if state == "large" {
		size = largeSize
	}
	if result == "miss" {
		from = size
	}
	numbersIn, textsIn, keysIn := fast64[state], faststr[state], generic[state]
	work := map[string]func() int{
		"fast64":  func() int { return lookUpNumbers(numbersIn, from, size, n) },
		"faststr": func() int { return lookUpTexts(textsIn, from, size, n) },
		"generic": func() int { return lookUpKeys(keysIn, from, size, n) },
	}[kind]
	if work == nil {
		fmt.Fprintln(os.Stderr, "unknown case", kind)
		os.Exit(2)
	}
	start := time.Now()
	var all sync.WaitGroup
	for i := 1; i < goroutines; i++ {
		all.Add(1)
		go func() {
			defer all.Done()
			atomic.AddInt64(&sink, int64(work()))
		}()
	}
	atomic.AddInt64(&sink, int64(work()))
	all.Wait()
	return time.Since(start)
}

func main() {
	for i := range numbers {
		numbers[i] = uint64(i) * 2654435761
		texts[i] = fmt.Sprintf("key-%08d", i)
		keys[i] = key{texts[i], i}
	}
	fill("small", smallSize)
	fill("large", largeSize)
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var kind, state, result string
		var n, goroutines int
		if _, err := fmt.Sscan(strings.TrimSpace(lines.Text()), &kind, &state, &result, &n, &goroutines); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		fmt.Println(measure(kind, state, result, n, goroutines).Nanoseconds())
	}
}
