package goid

import "unsafe"

// descriptor is what the runtime keeps about the goroutine that calls it.
func descriptor() unsafe.Pointer
