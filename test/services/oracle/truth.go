package main

import "unsafe"

// truth is what one lookup did. The zero value stands for a lookup in a map without entries, which does not count.
type truth struct {
	entries        uint64 // of the whole map
	homes          uint64 // number of buckets, or groups of the table visited
	home           uint64 // index of the home bucket or home group
	probeLength    int
	keyComparisons int
	loadEntries    uint64 // load is loadEntries / loadSlots
	loadSlots      uint64
	growing        bool
	found          unsafe.Pointer // the element, nil upon a miss
}

// finish sets what is known once a search in a single bucket has ended.
func (out *truth) finish(probeLength, keyComparisons int, found unsafe.Pointer) {
	out.probeLength, out.keyComparisons, out.found = probeLength, keyComparisons, found
}

// homeTenth is the tenth of the map that the home bucket lies in; each tenth includes its upper bound.
func (out *truth) homeTenth() int { return tenth(out.home, out.homes) }

// loadTenth is the tenth that the load lies in; each tenth includes its upper bound.
func (out *truth) loadTenth() int {
	if t := tenth(out.loadEntries, out.loadSlots); t < 10 {
		return t
	}
	return 10
}

func tenth(part, whole uint64) int {
	if part == 0 {
		return 0
	}
	return int((10*part - 1) / whole)
}
