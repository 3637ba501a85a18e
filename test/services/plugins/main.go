// Opens the plugin that is its first argument and runs it; looks keys up itself, too. With "later" as its second argument it opens the
// plugin when it is told a line.
package main

import (
	"bufio"
	"fmt"
	"os"
	"plugin"
	"reflect"
	"time"
)

//go:noinline
func ownGet(m map[int]int, key int) int { return m[key] }

// Of types that the plugin has as well.
//
//go:noinline
func sharedGet(m map[string]int, key string) int { return m[key] }

func runPlugin(path string) {
	part, err := plugin.Open(path)
	if err != nil {
		panic(err)
	}
	run, err := part.Lookup("Run")
	if err != nil {
		panic(err)
	}
	run.(func())()
}

func main() {
	if len(os.Args) > 2 {
		go func() {
			bufio.NewReader(os.Stdin).ReadString('\n')
			runPlugin(os.Args[1])
		}()
	} else {
		go runPlugin(os.Args[1])
		time.Sleep(100 * time.Millisecond)
	}
	fmt.Println("ready")
	own, shared := map[int]int{}, map[string]int{}
	var mixed interface{} = map[interface{}]int{"a": 1}
	for i := 0; i < 100; i++ {
		own[i] = i
		shared[fmt.Sprint(i)] = i
	}
	for i := 0; ; i++ {
		if ownGet(own, i%100) != i%100 || sharedGet(shared, "7") != 7 || reflect.ValueOf(mixed).Len() != 1 {
			os.Exit(9)
		}
		time.Sleep(time.Millisecond)
	}
}
