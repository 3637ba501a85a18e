// Lookups in which something happens between the decoding and the return, or whose result is found in an unusual way:
// stacks that move in the middle, map iteration while the map grows, keys without alignment, map types made at run time.
//
// Prints how many entries each part found.
package main

import (
	"fmt"
	"reflect"
	"unsafe"
)

// key needs more stack to be compared than to be hashed: its parts are nil, which hash without a further call.
type key struct {
	s string
	x [2]part
}

type part struct {
	s string
	x [2]interface{}
}

//go:noinline
func place(p *byte) uintptr { return uintptr(unsafe.Pointer(p)) }

// lookUp looks a key up, and says whether its own frame was somewhere else afterwards.
//
//go:noinline
func lookUp(m map[key]int, k key) (found, moved bool) {
	var mark byte
	before := place(&mark)
	v, ok := m[k]
	return ok && v == 1, place(&mark) != before
}

// descend and descendFurther have frames of different sizes, so that together they reach every depth.
//
//go:noinline
func descend(a, b int, m map[key]int, k key) (found, moved bool) {
	if a == 0 {
		return descendFurther(b, m, k)
	}
	return descend(a-1, b, m, k)
}

//go:noinline
func descendFurther(b int, m map[key]int, k key) (found, moved bool) {
	var larger [8]byte
	if b == 0 || place(&larger[0]) == 0 {
		return lookUp(m, k)
	}
	return descendFurther(b-1, m, k)
}

// lookUpAt looks a key up from deep within the stack that the map lies on, and with it the element.
func lookUpAt(a, b int, present bool) (found, moved bool) {
	m := make(map[key]int, 4)
	m[key{s: "present"}] = 1
	if present {
		return descend(a, b, m, key{s: "present"})
	}
	return descend(a, b, m, key{s: "missing"})
}

// onMovingStacks makes lookups at many depths of fresh stacks. At some of them there is stack enough to hash the key, but not
// to compare it: there the stack moves between the two, and with it the map.
func onMovingStacks() (found, movedInComparison int) {
	type answer struct{ found, moved bool }
	answers := make(chan answer)
	ask := func(a, b int, present bool) answer {
		go func() {
			f, m := lookUpAt(a, b, present)
			answers <- answer{f, m}
		}()
		return <-answers
	}
	for a := 0; a < 20; a++ {
		for b := 0; b < 20; b++ {
			hit, miss := ask(a, b, true), ask(a, b, false)
			if hit.found && !miss.found {
				found++
			}
			if hit.moved && !miss.moved {
				movedInComparison++
			}
		}
	}
	return found, movedInComparison
}

// whileGrowing iterates over maps that grow meanwhile. Classic maps look the remaining entries up by mapaccessK.
func whileGrowing() int {
	visited := 0
	for round := 0; round < 20; round++ {
		numbers := map[int64]int64{}
		long := map[[20]int64][20]int64{}
		for i := int64(0); i < 100; i++ {
			numbers[i] = i
			long[[20]int64{i}] = [20]int64{i}
		}
		grown := false
		for k, v := range numbers {
			for i := int64(100); !grown && i < 400; i++ {
				numbers[i] = i
			}
			grown = true
			if k == v {
				visited++
			}
		}
		grown = false
		for k, v := range long {
			for i := int64(100); !grown && i < 400; i++ {
				long[[20]int64{i}] = [20]int64{i}
			}
			grown = true
			if k == v {
				visited++
			}
		}
	}
	return visited
}

// ref is a key of eight bytes that need not begin at a multiple of eight.
type ref struct{ a, b uint32 }

// ofUnalignedKeys looks up in small and large maps whose keys are twelve bytes apart.
func ofUnalignedKeys() int {
	found := 0
	for entries := uint32(1); entries <= 40; entries++ {
		m := map[ref]bool{}
		for i := uint32(0); i < entries; i++ {
			m[ref{i, 1}] = true
		}
		for i := uint32(0); i < 2*entries; i++ {
			if m[ref{i, 1}] {
				found++
			}
		}
	}
	return found
}

// ofRuntimeTypes looks up in maps of types that the linker has not seen.
func ofRuntimeTypes() int {
	found := 0
	elems := []reflect.Type{
		reflect.TypeOf(uint8(0)),
		reflect.ArrayOf(3, reflect.TypeOf(uint16(0))),
		reflect.ArrayOf(151, reflect.TypeOf(uint8(0))),
	}
	for _, elem := range elems {
		m := reflect.MakeMap(reflect.MapOf(reflect.TypeOf(int16(0)), elem))
		for i := 0; i < 300; i++ {
			m.SetMapIndex(reflect.ValueOf(int16(i)), reflect.Zero(elem))
		}
		for i := 0; i < 600; i++ {
			if m.MapIndex(reflect.ValueOf(int16(i))).IsValid() {
				found++
			}
		}
	}
	return found
}

func main() {
	found, moved := onMovingStacks()
	fmt.Println("moved in a comparison", moved)
	fmt.Println("found", found)
	fmt.Println("visited at least", whileGrowing() >= 4000)
	fmt.Println("of unaligned keys", ofUnalignedKeys())
	fmt.Println("of run-time types", ofRuntimeTypes())
}
