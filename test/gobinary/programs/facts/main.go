// Facts prints, as one JSON document, what Go itself says about this program's map types, their keys' equality, and a
// call stack, so that a test can compare it with what was read from the executable. It then waits for the end of
// its standard input, so that the test can read its memory.
package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math/rand"
	"os"
	"reflect"
	"runtime"
	"unsafe"
)

type padded struct {
	a int8
	b int64
}
type blank struct {
	a int32
	_ int32
	b int64
	_ string
	c uint16
}
type plain struct{ a, b int32 }
type mixed struct {
	s string
	n int
	f float64
	g float32
	i interface{}
	e error
	c complex64
	d complex128
	l [2]string
}
type nested struct {
	plain
	p    padded
	q    [2]padded
	last uint16
	*blank
}
type floats struct {
	a float32
	b int32
	c [3]float64
	_ float64
	d complex64
	e int8
}
type empty struct{}
type big [200]byte
type bigger struct {
	name string
	data [300]byte
}
type named map[string]int
type stringer interface{ String() string }
type wide struct {
	list [40]struct {
		s string
		n int32
	}
}
type deep struct{ a [2][2]struct{ x [1]floats } }
type 键 struct{ 字段 string }

var maps = []interface{}{
	map[bool]int{}, map[int]bool{}, map[int8]int8{}, map[int16]string{}, map[int32][]int{}, map[int64]*int{},
	map[uint]struct{}{}, map[uint8]uint16{}, map[uint16]float64{}, map[uint32]interface{}{}, map[uint64]error{},
	map[uintptr]func(){}, map[float32]int{}, map[float64]int{}, map[complex64]int{}, map[complex128]int{},
	map[string]string{}, map[string]struct{}{}, map[*int]int{}, map[chan int]int{}, map[unsafe.Pointer]int{},
	map[interface{}]int{}, map[error]int{}, map[stringer]int{}, map[[4]int32]int{}, map[[3]string]int{},
	map[[0]string]int{}, map[struct{}]struct{}{}, map[empty]int{}, map[padded]int8{}, map[blank]int{},
	map[plain]int{}, map[mixed]map[string]int{}, map[nested]int{}, map[floats]int{}, map[big]int{}, map[int]big{},
	map[bigger]bigger{}, map[[128]byte][128]byte{}, map[[129]byte][129]byte{}, map[wide]int{}, map[deep]int{},
	map[键]int{}, named{}, map[struct {
		A int `tag:"x"`
		b string
	}]int{}, map[[2]interface{ M() }]int{}, map[int][1100]byte{}, map[[5]int8]int{}, map[[3]float32]uint8{},
}

type step struct {
	Kind   string  `json:"kind"`
	Offset uintptr `json:"offset"`
	Size   uintptr `json:"size"`
}

// steps lists the comparisons that equality of t makes, from what reflect tells.
func steps(t reflect.Type, at uintptr, out []step) []step {
	add := func(kind string, offset, size uintptr) {
		if n := len(out); kind == "memory" && n > 0 && out[n-1].Kind == kind && out[n-1].Offset+out[n-1].Size == offset {
			out[n-1].Size += size
		} else if size > 0 {
			out = append(out, step{kind, offset, size})
		}
	}
	switch t.Kind() {
	case reflect.String:
		add("string", at, 16)
	case reflect.Float32, reflect.Float64:
		add(t.Kind().String(), at, t.Size())
	case reflect.Complex64:
		add("float32", at, 4)
		add("float32", at+4, 4)
	case reflect.Complex128:
		add("float64", at, 8)
		add("float64", at+8, 8)
	case reflect.Interface:
		if t.NumMethod() == 0 {
			add("eface", at, 16)
		} else {
			add("iface", at, 16)
		}
	case reflect.Array:
		for i := 0; i < t.Len(); i++ {
			out = steps(t.Elem(), at+uintptr(i)*t.Elem().Size(), out)
		}
	case reflect.Struct:
		for i := 0; i < t.NumField(); i++ {
			if f := t.Field(i); f.Name != "_" {
				out = steps(f.Type, at+f.Offset, out)
			}
		}
	default:
		add("memory", at, t.Size())
	}
	return out
}

type slots struct{ KeysOffset, KeyStride, ElemsOffset, ElemStride, GroupSize uintptr }

func structOf(types ...reflect.Type) reflect.Type {
	var fields []reflect.StructField
	for i, t := range types {
		fields = append(fields, reflect.StructField{Name: fmt.Sprintf("F%d", i), Type: t})
	}
	return reflect.StructOf(fields)
}

// groupSlots lays out a bucket or group of t in the three ways Go has had, with reflect doing the arithmetic.
func groupSlots(t reflect.Type) map[string]slots {
	stored := func(t reflect.Type) reflect.Type {
		if t.Size() > 128 {
			return reflect.PtrTo(t)
		}
		return t
	}
	key, elem, word := stored(t.Key()), stored(t.Elem()), reflect.TypeOf(uint64(0))
	keys, elems := reflect.ArrayOf(8, key), reflect.ArrayOf(8, elem)
	off := func(t reflect.Type, i int) uintptr { return t.Field(i).Offset }
	classic := structOf(word, keys, elems, reflect.TypeOf(uintptr(0)))
	slot := structOf(key, elem)
	interleaved := structOf(word, reflect.ArrayOf(8, slot))
	split := structOf(word, keys, elems)
	return map[string]slots{
		"classic":     {8, key.Size(), off(classic, 2), elem.Size(), classic.Size()},
		"interleaved": {8, slot.Size(), 8 + off(slot, 1), slot.Size(), interleaved.Size()},
		"split":       {8, key.Size(), off(split, 2), elem.Size(), split.Size()},
	}
}

type mapFact struct {
	Address, KeyAddress, ElemAddress uintptr
	Name, Key, Elem                  string
	KeySize                          uintptr
	Named                            bool
	Slots                            map[string]slots
	Steps                            []step
}

func addressOf(t reflect.Type) uintptr { return (*[2]uintptr)(unsafe.Pointer(&t))[1] }

func describe(t reflect.Type) mapFact {
	return mapFact{
		addressOf(t), addressOf(t.Key()), addressOf(t.Elem()), t.String(), t.Key().String(), t.Elem().String(),
		t.Key().Size(), t.Name() != "", groupSlots(t), steps(t.Key(), 0, nil),
	}
}

//go:linkname typelinks reflect.typelinks
func typelinks() (sections []unsafe.Pointer, offsets [][]int32)

func linkedTypes() (types []reflect.Type) {
	sections, offsets := typelinks()
	for i, section := range sections {
		for _, offset := range offsets[i] {
			words := [2]unsafe.Pointer{unsafe.Pointer(uintptr(section) + uintptr(offset)), nil}
			types = append(types, reflect.TypeOf(*(*interface{})(unsafe.Pointer(&words))))
		}
	}
	return types
}

type typeFact struct {
	Address uintptr
	Name    string
	Size    uintptr
	Direct  bool
	Steps   []step
}

// direct tells whether an interface holds a value of t itself: only then does its zero value have a nil data word.
func direct(t reflect.Type) bool {
	value := reflect.Zero(t).Interface()
	return (*[2]uintptr)(unsafe.Pointer(&value))[1] == 0
}

type pair struct {
	Type  uintptr
	A, B  string
	Equal bool
}

func bytesOf(v reflect.Value) []byte {
	return (*[1 << 20]byte)(unsafe.Pointer(v.Pointer()))[:v.Elem().Type().Size()]
}

// pairs compares random values, with random padding and blank fields, of types without pointers.
func pairs(random *rand.Rand, samples ...interface{}) (out []pair) {
	alphabet := []byte{0, 0, 0, 1, 0x80, 0xff, 0x7f, 0xc0, 0xf0}
	for _, sample := range samples {
		t := reflect.TypeOf(sample)
		for i := 0; i < 60; i++ {
			a, b := reflect.New(t), reflect.New(t)
			for j := range bytesOf(a) {
				bytesOf(a)[j] = alphabet[random.Intn(len(alphabet))]
			}
			copy(bytesOf(b), bytesOf(a))
			for n := random.Intn(3); n > 0; n-- {
				bytesOf(b)[random.Intn(int(t.Size()))] = alphabet[random.Intn(len(alphabet))]
			}
			equal := a.Elem().Interface() == b.Elem().Interface()
			out = append(out, pair{addressOf(t), hex.EncodeToString(bytesOf(a)), hex.EncodeToString(bytesOf(b)), equal})
		}
	}
	return out
}

type frame struct {
	Function, File string
	Line           int
	PC             uintptr
	Inlined        bool
}
type stack struct {
	Frames []frame
	Words  []string
}

//go:noinline
func record() (s stack) {
	var marker [1]uintptr
	pcs := make([]uintptr, 64)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(1, pcs)])
	for more := true; more; {
		var f runtime.Frame
		f, more = frames.Next()
		s.Frames = append(s.Frames, frame{f.Function, f.File, f.Line, f.PC, f.Func == nil})
	}
	base := uintptr(unsafe.Pointer(&marker))
	for i := uintptr(0); i < 200; i++ {
		s.Words = append(s.Words, fmt.Sprintf("%x", *(*uintptr)(unsafe.Pointer(base + 8*i))))
	}
	return s
}

func inlinedOnce() stack { return record() }
func inlinedTwice(n int) stack {
	if n > 5 {
		return inlinedOnce()
	}
	return record()
}

type receiver struct{ n int }

func (r *receiver) method() stack { return inlinedTwice(r.n) }

//go:noinline
func (r receiver) outer() (s stack) {
	local := [4]int{r.n, 2, 3, 4}
	s = r.method()
	runtime.KeepAlive(&local)
	return s
}

//go:noinline
func viaClosure(f func() stack) stack { return f() }

// extraMaps and extraStacks are added to by files for newer language versions.
var extraMaps []interface{}
var extraStacks []func() stack

//go:noinline
func stacks() []stack {
	list := []stack{
		record(),
		inlinedTwice(len(os.Args) + 9),
		receiver{7}.outer(),
		viaClosure(func() stack { return inlinedTwice(8) }),
	}
	for _, extra := range extraStacks {
		list = append(list, extra())
	}
	return list
}

func main() {
	var typeFacts []typeFact
	var mapFacts, dynamic []mapFact
	for _, sample := range append(maps, extraMaps...) {
		mapFacts = append(mapFacts, describe(reflect.TypeOf(sample)))
	}
	var linkedMaps []mapFact
	for _, t := range linkedTypes() {
		if t.Kind() == reflect.Map {
			linkedMaps = append(linkedMaps, describe(t))
		}
		if t.Comparable() {
			typeFacts = append(typeFacts, typeFact{addressOf(t), t.String(), t.Size(), direct(t), steps(t, 0, nil)})
		}
	}
	made := []reflect.Type{
		reflect.MapOf(structOf(reflect.TypeOf(""), reflect.TypeOf(float64(0)), reflect.TypeOf(int8(0))), reflect.TypeOf(plain{})),
		reflect.MapOf(reflect.ArrayOf(7, reflect.TypeOf(padded{})), reflect.TypeOf(big{})),
		reflect.MapOf(reflect.TypeOf(mixed{}), reflect.TypeOf(blank{})),
	}
	for _, t := range made {
		dynamic = append(dynamic, describe(t))
	}
	channel := make(chan []stack)
	go func() { channel <- stacks() }()

	json.NewEncoder(os.Stdout).Encode(map[string]interface{}{
		"version":    runtime.Version(),
		"main":       reflect.ValueOf(main).Pointer(),
		"maps":       mapFacts,
		"linkedMaps": linkedMaps,
		"types":      typeFacts,
		"made":       dynamic,
		"stacks":     append(<-channel, inlinedTwice(7)),
		"pairs": pairs(rand.New(rand.NewSource(1)), padded{}, floats{}, nested{}.plain, deep{}, [3]float32{}, complex(1, 2),
			float32(0), [5]int8{}, struct {
				a [2]padded
				b int16
				_ [3]int8
				c float32
				d int8
			}{}),
	})
	io.Copy(io.Discard, os.Stdin)
	runtime.KeepAlive(made)
}
