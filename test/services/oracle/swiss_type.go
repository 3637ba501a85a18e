//go:build !go1.27 && (go1.26 || (go1.24 && goexperiment.swissmap))

package main

import "unsafe"

// mapType is internal/abi.SwissMapType (Go 1.24, 1.25) and internal/abi.MapType (Go 1.26).
type mapType struct {
	typeHeader
	key, elem, group *typeHeader
	hasher           func(unsafe.Pointer, uintptr) uintptr
	groupSize        uintptr
	slotSize         uintptr
	elemOff          uintptr // within a slot
	flags            uint32
}

const ctrlBytes = 8 // before the slots of a group

func (t *mapType) keyOffset(i uintptr) uintptr { return ctrlBytes + i*t.slotSize }

func (t *mapType) elemOffset(i uintptr) uintptr { return ctrlBytes + i*t.slotSize + t.elemOff }
