// Lookups that package reflect makes for a line of this program, behind as many of its frames as values are nested.
package main

import (
	"os"
	"reflect"
	"strconv"
)

type tree map[string]interface{}

type list struct {
	next  *list
	names map[string]int
}

func newTree(depth int) tree {
	t := tree{"leaf": depth}
	if depth > 1 {
		t["next"] = newTree(depth - 1)
	}
	return t
}

func newList(depth int) *list {
	var l *list
	for i := 0; i < depth; i++ {
		l = &list{l, map[string]int{"a": i, "b": i}}
	}
	return l
}

//go:noinline
func compareTrees(a, b tree) bool {
	return reflect.DeepEqual(a, b) // trees
}

//go:noinline
func compareLists(a, b *list) bool {
	return reflect.DeepEqual(a, b) // lists
}

// Frames of its own are no wrappers.
//
//go:noinline
func descend(m, key reflect.Value, depth int) bool {
	if depth > 0 {
		return descend(m, key, depth-1)
	}
	return m.MapIndex(key).IsValid() // descend
}

func check(ok bool) {
	if !ok {
		panic("a wrong result")
	}
}

func main() {
	depth, _ := strconv.Atoi(os.Args[1])
	times, _ := strconv.Atoi(os.Args[2])
	m, key := reflect.ValueOf(map[string]int8{"a": 1}), reflect.ValueOf("a")
	for i := 0; i < times; i++ {
		check(compareTrees(newTree(depth), newTree(depth)))
		check(compareLists(newList(depth), newList(depth)))
		check(descend(m, key, depth))
	}
}
