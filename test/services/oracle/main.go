// Command oracle works on maps of many types and states, and knows of every lookup it makes what that lookup did, because
// it reads the maps' own memory. It writes this truth to a file, for an observer to be measured by. See README.md.
package main

import (
	"flag"
	"fmt"
	"io"
	"math/rand"
	"os"
)

var (
	seed    = flag.Int64("seed", 1, "seed of the work; maps choose hash seeds of their own")
	lookups = flag.Int("lookups", 500000, "about how many lookups to make")
	cases   = flag.String("cases", "", "make only the cases whose names contain one of these strings, separated by commas")
	list    = flag.Bool("list", false, "print the names of the cases and end")
	million = flag.Bool("million", false, "also use maps of a million entries")
	truthTo = flag.String("truth", "", "file to write the truth to")
	wait    = flag.Bool("wait", false, "read one line from the standard input before the first lookup")
	hold    = flag.Bool("hold", false, "after writing the truth, stay until the standard input ends")
)

func main() {
	flag.Parse()
	some := chosen(allCases(*million), *cases)
	if *list {
		for _, c := range some {
			fmt.Println(c.name)
		}
		return
	}
	if flag.NArg() > 0 || len(some) == 0 {
		fmt.Fprintln(os.Stderr, "oracle: unknown arguments, or no case chosen")
		os.Exit(2)
	}
	if *wait {
		readLine()
	}
	rng := rand.New(rand.NewSource(*seed))
	for _, c := range some {
		c.run(rng, float64(*lookups)/float64(len(some)))
	}
	if *truthTo != "" {
		if err := newReport(*seed).write(*truthTo); err != nil {
			fmt.Fprintln(os.Stderr, "oracle:", err)
			os.Exit(1)
		}
	}
	if *hold {
		io.Copy(io.Discard, os.Stdin)
	}
}

// readLine reads to the end of a line, and no further.
func readLine() {
	var b [1]byte
	for {
		if n, err := os.Stdin.Read(b[:]); err != nil || n == 1 && b[0] == '\n' {
			return
		}
	}
}
