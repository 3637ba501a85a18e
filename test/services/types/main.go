// Command types looks keys up in maps of as many types as it is told, all from one line: types that the linker wrote, one map each,
// and types that are made at run time. It prints "ready" when each map has been looked into once, and ends when its standard
// input does.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"reflect"
	"time"
)

// A turn of work and a turn of rest.
const turn = time.Millisecond

type lookup struct {
	m, key reflect.Value
}

func main() {
	linked := flag.Int("linked", len(types), "map types that the linker wrote")
	made := flag.Int("made", 0, "map types that are made at run time")
	share := flag.Float64("share", 0.5, "of a core that is used")
	flag.Parse()
	var lookups []lookup
	for _, m := range types[:*linked] {
		lookups = append(lookups, filled(reflect.TypeOf(m)))
	}
	for i := range *made {
		// Elements of no size, so that only their type differs.
		elem := reflect.ArrayOf(i+1, reflect.TypeFor[struct{}]())
		lookups = append(lookups, filled(reflect.MapOf(reflect.TypeFor[int](), elem)))
	}
	go work(lookups, time.Duration(float64(turn)**share/(1-*share)))
	io.Copy(io.Discard, os.Stdin)
}

func filled(t reflect.Type) lookup {
	m := reflect.MakeMap(t)
	key := reflect.New(t.Key()).Elem()
	m.SetMapIndex(key, reflect.Zero(t.Elem()))
	return lookup{m, key}
}

//go:noinline
func look(l lookup) bool { return l.m.MapIndex(l.key).IsValid() }

func work(lookups []lookup, busy time.Duration) {
	for round := 0; ; round++ {
		begin := time.Now()
		for i, l := range lookups {
			if !look(l) {
				panic("a key is missing")
			}
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
