// Opens the plugin that is its first argument and runs it; looks keys up itself, too.
package main

import (
	"fmt"
	"os"
	"plugin"
	"time"
)

//go:noinline
func ownGet(m map[int]int, key int) int { return m[key] }

func main() {
	part, err := plugin.Open(os.Args[1])
	if err != nil {
		panic(err)
	}
	run, err := part.Lookup("Run")
	if err != nil {
		panic(err)
	}
	go run.(func())()
	fmt.Println("ready")
	own := map[int]int{}
	for i := 0; i < 100; i++ {
		own[i] = i
	}
	for i := 0; ; i++ {
		if ownGet(own, i%100) != i%100 {
			os.Exit(9)
		}
		time.Sleep(time.Millisecond)
	}
}
