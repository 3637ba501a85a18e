// Command lookups measures what one map lookup costs, for the benchmark: each line on its standard input names a case
// and a number of lookups, each line on its standard output is the nanoseconds they took.
package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"
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

	sink int
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

func lookUpNumbers(m map[uint64]int, from, size, n int) {
	for i := 0; i < n; i++ {
		sink += m[numbers[from+i%size]]
	}
}

func lookUpTexts(m map[string]int, from, size, n int) {
	for i := 0; i < n; i++ {
		sink += m[texts[from+i%size]]
	}
}

func lookUpKeys(m map[key]int, from, size, n int) {
	for i := 0; i < n; i++ {
		sink += m[keys[from+i%size]]
	}
}

// measure runs a case such as "faststr large miss".
func measure(kind, state, result string, n int) time.Duration {
	size, from := smallSize, 0
	if state == "large" {
		size = largeSize
	}
	if result == "miss" {
		from = size
	}
	numbersIn, textsIn, keysIn := fast64[state], faststr[state], generic[state]
	start := time.Now()
	switch kind {
	case "fast64":
		lookUpNumbers(numbersIn, from, size, n)
	case "faststr":
		lookUpTexts(textsIn, from, size, n)
	case "generic":
		lookUpKeys(keysIn, from, size, n)
	default:
		fmt.Fprintln(os.Stderr, "unknown case", kind)
		os.Exit(2)
	}
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
		var n int
		if _, err := fmt.Sscan(strings.TrimSpace(lines.Text()), &kind, &state, &result, &n); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		fmt.Println(measure(kind, state, result, n).Nanoseconds())
	}
}
