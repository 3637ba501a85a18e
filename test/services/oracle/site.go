package main

import (
	"bytes"
	"fmt"
	"reflect"
	"runtime"
	"unsafe"
)

// site is one source line that looks keys up in maps of one type, with what those lookups did. A site belongs to one
// goroutine at a time.
type site struct {
	function string
	file     string
	line     int

	class    keyClass
	variant  string
	typeName string
	elemSize uintptr

	// hashIsRandom: the key's hash differs from one time to the next (NaN), so where the search led is not known.
	hashIsRandom bool

	misses tally
	hits   tally
}

// tally sums up lookups of one outcome.
type tally struct {
	lookups        uint64
	probeLength    counts
	keyComparisons counts
	homePosition   counts
	loadFactor     counts
	growing        uint64
	entriesMax     uint64
}

// counts says how often each value occurred; the value is the index.
type counts []uint64

func (c *counts) add(value int) {
	for len(*c) <= value {
		*c = append(*c, 0)
	}
	(*c)[value]++
}

func (c *counts) merge(other counts) {
	for value, n := range other {
		if n > 0 {
			for len(*c) <= value {
				*c = append(*c, 0)
			}
			(*c)[value] += n
		}
	}
}

// sites are all sites of the program. Only the main goroutine makes them.
var sites []*site

// newSite makes the site of a line that looks up keys in maps of the type of `like`, asking for one result or for two.
func newSite(like interface{}, two bool) *site {
	return newSiteOfClass(like, two, classOf(reflect.TypeOf(like)))
}

func newSiteOfClass(like interface{}, two bool, class keyClass) *site {
	t := reflect.TypeOf(like)
	s := &site{class: class, variant: variantOf(class, two, t.Elem().Size()), typeName: t.String(), elemSize: t.Elem().Size()}
	sites = append(sites, s)
	forgetRuntimeCounts()
	return s
}

// fresh is a site of the same line for another goroutine.
func (s *site) fresh() *site {
	other := *s
	other.misses, other.hits = tally{}, tally{}
	sites = append(sites, &other)
	return &other
}

// check records the lookup `v := m[k]` on the line before the call, and proves it right.
//
//go:noinline
func (s *site) check(m interface{}, key, value unsafe.Pointer) {
	s.locate()
	s.prove(m, key, value, nil)
}

// checkFound records the lookup `v, ok := m[k]` on the line before the call, and proves it right.
//
//go:noinline
func (s *site) checkFound(m interface{}, key, value unsafe.Pointer, ok bool) {
	s.locate()
	s.prove(m, key, value, &ok)
}

// at sets the position of a lookup in a function that is written on one line.
func (s *site) at(function interface{}) *site {
	f := runtime.FuncForPC(reflect.ValueOf(function).Pointer())
	s.function = f.Name()
	s.file, s.line = f.FileLine(f.Entry())
	return s
}

// locate learns, the first time, the position of the line before the one that called check or checkFound.
func (s *site) locate() {
	if s.function != "" {
		return
	}
	var pcs [4]uintptr
	runtime.Callers(3, pcs[:])
	frame, _ := runtime.CallersFrames(pcs[:]).Next()
	s.function, s.file, s.line = frame.Function, frame.File, frame.Line-1
}

// prove compares what the lookup returned with what the map's memory says, and counts the lookup.
func (s *site) prove(m interface{}, key, value unsafe.Pointer, ok *bool) {
	t := examine(m, key, s.class)
	found := t.found != nil
	if ok != nil && *ok != found {
		panic(fmt.Sprintf("%s:%d: %s: lookup said %v, memory says %+v", s.file, s.line, s.typeName, *ok, t))
	}
	if got := bytesAt(value, s.elemSize); found && !bytes.Equal(got, bytesAt(t.found, s.elemSize)) || !found && !allZero(got) {
		panic(fmt.Sprintf("%s:%d: %s: lookup returned another value; memory says %+v", s.file, s.line, s.typeName, t))
	}
	if t.entries > 0 {
		s.count(&t)
	}
	s.proveByRuntimeCounts(&t)
}

func allZero(b []byte) bool {
	for _, x := range b {
		if x != 0 {
			return false
		}
	}
	return true
}

func (s *site) count(t *truth) {
	sum := &s.misses
	if t.found != nil {
		sum = &s.hits
	}
	sum.lookups++
	sum.loadFactor.add(t.loadTenth())
	if t.growing {
		sum.growing++
	}
	if t.entries > sum.entriesMax {
		sum.entriesMax = t.entries
	}
	if s.hashIsRandom {
		return
	}
	sum.probeLength.add(t.probeLength)
	sum.keyComparisons.add(t.keyComparisons)
	sum.homePosition.add(t.homeTenth())
}
