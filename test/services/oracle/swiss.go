//go:build go1.26 || (go1.24 && goexperiment.swissmap)

package main

import "unsafe"

const implementation = "swiss"

// The runtime's structures, as far as a lookup reads them. Source: internal/runtime/maps/map.go, table.go and group.go of
// Go 1.24 to 1.27. The type descriptor differs between them: see swiss_type.go.

const slotsPerGroup = 8

const (
	ctrlEmpty = 0x80 // a control byte below it is of a slot in use: the low 7 bits of the hash
)

const (
	flagIndirectKey  = 4 // of mapType.flags
	flagIndirectElem = 8
)

type mapHeader struct {
	used        uint64
	seed        uintptr
	dirPtr      unsafe.Pointer // the directory, or the only group of a small map
	dirLen      int            // 0: a small map
	globalDepth uint8
	globalShift uint8
}

type table struct {
	used       uint16
	capacity   uint16
	growthLeft uint16
	localDepth uint8
	index      int
	groups     unsafe.Pointer
	lengthMask uint64
}

// group is a group in memory: 8 control bytes, and 8 slots.
type group struct {
	t *mapType
	p unsafe.Pointer
}

func (g group) ctrl(i int) uint8 { return *(*uint8)(add(g.p, uintptr(i))) }

func (g group) full(i int) bool { return g.ctrl(i) < ctrlEmpty }

func (g group) hasEmpty() bool {
	for i := 0; i < slotsPerGroup; i++ {
		if g.ctrl(i) == ctrlEmpty {
			return true
		}
	}
	return false
}

func (g group) key(i int) unsafe.Pointer {
	k := add(g.p, g.t.keyOffset(uintptr(i)))
	if g.t.flags&flagIndirectKey != 0 {
		k = *(*unsafe.Pointer)(k)
	}
	return k
}

func (g group) elem(i int) unsafe.Pointer {
	e := add(g.p, g.t.elemOffset(uintptr(i)))
	if g.t.flags&flagIndirectElem != 0 {
		e = *(*unsafe.Pointer)(e)
	}
	return e
}

// examine finds out what a lookup of key in the map m does.
func examine(m interface{}, key unsafe.Pointer, class keyClass) truth {
	typeWord, dataWord := wordsOf(m)
	t, h := (*mapType)(typeWord), (*mapHeader)(dataWord)
	if h == nil || h.used == 0 {
		return truth{}
	}
	out := truth{entries: h.used}
	if h.dirLen == 0 {
		out.examineSmall(t, h, key, class)
		return out
	}
	hash := t.hasher(noescape(key), h.seed)
	index := uintptr(0)
	if h.dirLen > 1 {
		index = hash >> (h.globalShift & 63)
	}
	tab := *(**table)(add(h.dirPtr, index*unsafe.Sizeof(h.dirPtr)))
	out.homes = tab.lengthMask + 1
	out.loadEntries, out.loadSlots = uint64(tab.used), uint64(tab.capacity)
	offset := uint64(hash>>7) & tab.lengthMask
	out.home = offset
	for step := uint64(1); ; step++ {
		g := group{t, add(tab.groups, uintptr(offset)*t.groupSize)}
		out.probeLength++
		if out.compareMatches(g, key, hash) || g.hasEmpty() {
			return out
		}
		offset = (offset + step) & tab.lengthMask
	}
}

// compareMatches compares the key with those whose control byte matches the hash, and says whether it found it.
func (out *truth) compareMatches(g group, key unsafe.Pointer, hash uintptr) bool {
	for i := 0; i < slotsPerGroup; i++ {
		if g.ctrl(i) != uint8(hash&0x7f) {
			continue
		}
		out.keyComparisons++
		if g.t.key.equal(noescape(key), g.key(i)) {
			out.found = g.elem(i)
			return true
		}
	}
	return false
}

// examineSmall is a lookup in a map of one group.
func (out *truth) examineSmall(t *mapType, h *mapHeader, key unsafe.Pointer, class keyClass) {
	g := group{t, h.dirPtr}
	out.homes, out.probeLength = 1, 1
	out.loadEntries, out.loadSlots = h.used, slotsPerGroup
	switch {
	case class == class32 || class == class64:
		out.compareInOrder(g, key)
		return
	case class == classString && len(*(*string)(key)) > 64:
		if out.compareLongString(g, *(*string)(key)) {
			return
		}
	}
	out.compareMatches(g, key, t.hasher(noescape(key), h.seed))
}

// compareInOrder is the fast32 and fast64 lookup in a small map: raw keys are compared first, slot after slot, as long as
// a slot in use is left, and only an equal one is tested for being in use.
func (out *truth) compareInOrder(g group, key unsafe.Pointer) {
	last := slotsPerGroup - 1
	for last >= 0 && !g.full(last) {
		last--
	}
	for i := 0; i <= last; i++ {
		out.keyComparisons++
		if g.t.key.equal(noescape(key), g.key(i)) && g.full(i) {
			out.found = g.elem(i)
			return
		}
	}
}

// compareLongString is the lookup of a long string in a small map. It says whether the lookup ended without a hash.
func (out *truth) compareLongString(g group, wanted string) bool {
	candidate := -1
	for i := 0; i < slotsPerGroup; i++ {
		if !g.full(i) {
			continue
		}
		k := *(*string)(g.key(i))
		n := len(k)
		if n != len(wanted) || k[:8] != wanted[:8] || k[n-8:] != wanted[n-8:] {
			continue
		}
		if candidate >= 0 {
			return false
		}
		candidate = i
	}
	if candidate < 0 {
		return true
	}
	out.keyComparisons = 1
	if *(*string)(g.key(candidate)) == wanted {
		out.found = g.elem(candidate)
	}
	return true
}
